use market::columns::{Column, ColumnType};

use super::{Lake, Topic, lines, of_line, view};

/// Reads lines whose numbers are turned into texts first, because Polars reads a number as a float of 64 bits.
const READER: &str = r#"
# A text as a whole, or a number between texts. \x01 can't stand in JSON.
TEXT_OR_NUMBER = r'("(?:[^"\\]|\\.)*")|(-?[0-9][0-9.eE+-]*)'


def text(value):
    return value


def decimal(value):
    return value.cast(pl.Decimal(38, 10), strict=False)


def integer(value):
    return value.cast(pl.Int64, strict=False)


def utc(value):
    return in_python(value.str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", strict=False, time_unit="ms", time_zone="UTC"))


def day(value):
    return in_python(value.str.to_date("%Y-%m-%d", strict=False))


def in_python(time):
    return pl.when(time.dt.year().is_between(1, 9999)).then(time)


def epoch(milliseconds):
    possible = milliseconds.is_between(-62_135_596_800_000, 253_402_300_799_999)
    return pl.when(possible).then(milliseconds).cast(pl.Datetime("ms", "UTC"))


def epoch_milliseconds(value):
    return epoch(integer(value))


def epoch_seconds(value):
    seconds = integer(value)
    return epoch(pl.when(seconds.abs() < 1_000_000_000_000).then(seconds * 1000))


def as_text(kind):
    if isinstance(kind, dict):
        return pl.Struct({name: as_text(member) for name, member in kind.items()})
    return pl.List(as_text(kind[0])) if isinstance(kind, list) else pl.String


def made(kind, value):
    if isinstance(kind, dict):
        fields = [made(member, value.struct.field(name)).alias(name) for name, member in kind.items()]
        return pl.when(value.is_not_null()).then(pl.struct(*fields))
    return value.list.eval(made(kind[0], pl.element())) if isinstance(kind, list) else kind(value)


def read(objects, columns):
    columns = columns | {"epoch": text, "lake_symbol": text, "lake_date": day}
    line = (
        pl.col("line")
        .str.replace_all(TEXT_OR_NUMBER, "$1\x01$2\x01")
        .str.replace_all("\x01\x01", "", literal=True)
        .str.replace_all("\x01", '"', literal=True)
        .str.strip_prefix("{")
    )
    folders = [
        pl.format('"{}":"{}",', pl.lit(name), pl.col("path").str.extract(f"/{name}=([^/]+)/"))
        for name in ("epoch", "lake_symbol", "lake_date")
    ]
    lines = pl.scan_lines(objects, include_file_paths="path", storage_options=STORAGE)
    lines = lines.select(pl.concat_str(pl.lit("{"), *folders, line)).collect().to_series()
    rows = pl.read_ndjson("\n".join(lines).encode(), schema=as_text(columns).to_schema(), ignore_errors=True)
    return rows.select(made(kind, pl.col(name)).alias(name) for name, kind in columns.items())

"#;

/// Data frames for Polars, in Python.
pub(super) fn text(lake: &Lake, topics: &[Topic]) -> String {
    let base = lake.base("s3");
    let mut text = format!(
        "import polars as pl\n\nLAKE = \"{base}\"\n{}{READER}",
        storage(lake)
    );
    for (topic, columns) in topics {
        text.push_str(&create(lake, topic, columns));
    }
    text
}

pub(super) fn storage(lake: &Lake) -> String {
    match lake.endpoint() {
        Some(url) => format!(
            "# Credentials come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.\n\
             STORAGE = {{\"aws_endpoint_url\": \"{url}\", \"aws_region\": \"us-east-1\", \"aws_allow_http\": \"true\"}}\n"
        ),
        None => "STORAGE = None\n".to_owned(),
    }
}

fn create(lake: &Lake, topic: &str, columns: &[Column]) -> String {
    let kinds = of_line(columns)
        .into_iter()
        .map(|column| format!("\"{}\": {}", column.name, kind(column.holds)));
    format!(
        "
{view} = read(
    f\"{{LAKE}}/{objects}\",
    {{
        {kinds},
    }},
)
",
        view = view(topic),
        objects = lake.objects(topic),
        kinds = lines(kinds, "        "),
    )
}

/// What makes the value of its text.
fn kind(holds: ColumnType) -> String {
    let function = match holds {
        ColumnType::Text => "text",
        ColumnType::Decimal => "decimal",
        ColumnType::Integer => "integer",
        ColumnType::Time => "utc",
        ColumnType::EpochMilliseconds => "epoch_milliseconds",
        ColumnType::EpochSeconds => "epoch_seconds",
        ColumnType::Date => "day",
        ColumnType::Texts => "[text]",
        ColumnType::Struct(members) => return object(members),
        ColumnType::Structs(members) => return format!("[{}]", object(members)),
    };
    function.to_owned()
}

fn object(members: &[Column]) -> String {
    let members: Vec<String> = members
        .iter()
        .map(|member| format!("\"{}\": {}", member.name, kind(member.holds)))
        .collect();
    format!("{{{}}}", members.join(", "))
}
