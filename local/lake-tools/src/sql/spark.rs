use market::columns::{Column, ColumnType};

use super::{Lake, Topic, lines, of_line, view};

/// What makes times of texts and numbers; of anything else it makes a null.
const TIMES: &str = r#"from pyspark.sql import functions as f


def utc(text):
    return in_python(f.try_to_timestamp(text, f.lit("yyyy-MM-dd'T'HH:mm:ss[.SSS]X")))


def day(text):
    return in_python(f.try_to_date(text, "yyyy-MM-dd"))


def in_python(time):
    return f.when(f.year(time).between(1, 9999), time)


def epoch(number, time, units):
    return f.when(number.between(-62135596800 * units, 253402300799 * units), time(number))

"#;

/// Temporary views for Spark, in Python.
pub(super) fn text(lake: &Lake, topics: &[Topic]) -> String {
    let base = lake.base("s3a");
    let mut text = format!("{}{TIMES}\nlake = \"{base}\"\n", settings(lake));
    for (topic, columns) in topics {
        text.push_str(&create(lake, topic, columns));
    }
    text
}

/// What a session has to be started with; credentials come from where Hadoop looks for them.
pub(super) fn settings(lake: &Lake) -> String {
    if !lake.is_on_s3() {
        return String::new();
    }
    let mut text = "# Start Spark with the package org.apache.hadoop:hadoop-aws of its Hadoop's version. Credentials come from\n\
                    # AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the role of the machine.\n"
        .to_owned();
    if let Some(url) = lake.endpoint() {
        text.push_str(&format!(
            "# Settings: spark.hadoop.fs.s3a.endpoint={url} spark.hadoop.fs.s3a.path.style.access=true\n"
        ));
    }
    text
}

fn create(lake: &Lake, topic: &str, columns: &[Column]) -> String {
    let types = of_line(columns)
        .into_iter()
        .map(|column| format!("`{}` {}", column.name, type_of(column.holds)));
    let partitions = [
        "epoch STRING",
        "lake_topic STRING",
        "lake_symbol STRING",
        "lake_date DATE",
    ];
    let types = types.chain(partitions.map(str::to_owned));
    let times: String = columns
        .iter()
        .filter_map(|column| {
            let value = format!("f.col(\"{}\")", column.name);
            let time = converted(column.holds, &value)?;
            Some(format!("\n    .withColumn(\"{}\", {time})", column.name))
        })
        .collect();
    format!(
        "
(
    spark.read.schema(\"\"\"
        {types}
    \"\"\")
    .option(\"basePath\", lake).json(f\"{{lake}}/{folders}\"){times}
    .drop(\"lake_topic\").createOrReplaceTempView(\"{view}\")
)
",
        types = lines(types, "        "),
        folders = lake.folders(topic),
        view = view(topic),
    )
}

/// The value with its times made of texts and numbers; `None` if it has none.
fn converted(holds: ColumnType, value: &str) -> Option<String> {
    match holds {
        ColumnType::Time => Some(format!("utc({value})")),
        ColumnType::Date => Some(format!("day({value})")),
        ColumnType::EpochSeconds => Some(format!("epoch({value}, f.timestamp_seconds, 1)")),
        ColumnType::EpochMilliseconds => Some(format!("epoch({value}, f.timestamp_millis, 1000)")),
        ColumnType::Struct(members) => fields(members, value),
        ColumnType::Structs(members) => {
            let item = fields(members, "item")?;
            Some(format!("f.transform({value}, lambda item: {item})"))
        }
        ColumnType::Text | ColumnType::Decimal | ColumnType::Integer | ColumnType::Texts => None,
    }
}

fn fields(members: &[Column], value: &str) -> Option<String> {
    let fields: String = members
        .iter()
        .filter_map(|member| {
            let field = converted(member.holds, &format!("{value}[\"{}\"]", member.name))?;
            Some(format!(".withField(\"{}\", {field})", member.name))
        })
        .collect();
    (!fields.is_empty()).then(|| format!("{value}{fields}"))
}

fn type_of(holds: ColumnType) -> String {
    match holds {
        ColumnType::Text | ColumnType::Time | ColumnType::Date => "STRING".to_owned(),
        ColumnType::Decimal => "DECIMAL(38,10)".to_owned(),
        ColumnType::Integer | ColumnType::EpochSeconds | ColumnType::EpochMilliseconds => {
            "BIGINT".to_owned()
        }
        ColumnType::Texts => "ARRAY<STRING>".to_owned(),
        ColumnType::Struct(members) => object(members),
        ColumnType::Structs(members) => format!("ARRAY<{}>", object(members)),
    }
}

fn object(members: &[Column]) -> String {
    let members: Vec<String> = members
        .iter()
        .map(|member| format!("`{}`: {}", member.name, type_of(member.holds)))
        .collect();
    format!("STRUCT<{}>", members.join(", "))
}

/// Statements of SQL as calls in Python.
pub(super) fn statements(sql: &str) -> String {
    sql.split(";\n")
        .map(str::trim)
        .filter(|statement| !statement.is_empty())
        .map(|statement| format!("spark.sql(\"\"\"\n{statement}\n\"\"\")\n"))
        .collect()
}
