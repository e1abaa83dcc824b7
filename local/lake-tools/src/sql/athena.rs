use market::columns::{Column, ColumnType};

use super::{Lake, Place, SqlError, Topic, lines, of_line, view};

/// External tables for Athena, whose partitions are projected.
pub(super) fn text(lake: &Lake, topics: &[Topic]) -> Result<String, SqlError> {
    let Place::S3 { endpoint: None, .. } = &lake.place else {
        return Err(SqlError::OnlyOnS3);
    };
    let tables = topics
        .iter()
        .map(|(topic, columns)| create(lake, topic, columns));
    Ok(tables.collect())
}

fn create(lake: &Lake, topic: &str, columns: &[Column]) -> String {
    let types = types(columns)
        .into_iter()
        .map(|(name, kind)| format!("`{name}` {kind}"));
    let base = lake.base("s3");
    let epoch = lake.epoch.as_deref().unwrap_or("1");
    let properties: Vec<String> = properties(&base, topic, epoch)
        .into_iter()
        .map(|(name, value)| format!("'{name}' = '{value}'"))
        .collect();
    format!(
        "create external table {view} (
    {types}
)
partitioned by (epoch string, lake_symbol string, lake_date date)
row format serde '{SERDE}'
with serdeproperties ('ignore.malformed.json' = 'true')
location '{base}/'
tblproperties (
    {properties}
);

",
        view = view(topic),
        types = lines(types, "    "),
        properties = properties.join(",\n    "),
    )
}

/// The columns by name, with the types of Hive.
pub(super) fn types(columns: &[Column]) -> Vec<(&'static str, String)> {
    of_line(columns)
        .into_iter()
        .map(|column| (column.name, type_of(column.holds)))
        .collect()
}

/// It reads decimals by their digits, and times in RFC 3339, in seconds and in milliseconds.
const SERDE: &str = "org.openx.data.jsonserde.JsonSerDe";

/// A query names the symbols it asks for; `epoch` lists the histories.
fn properties(base: &str, topic: &str, epoch: &str) -> Vec<(&'static str, String)> {
    vec![
        ("projection.enabled", "true".to_owned()),
        ("projection.epoch.type", "enum".to_owned()),
        ("projection.epoch.values", epoch.to_owned()),
        ("projection.lake_symbol.type", "injected".to_owned()),
        ("projection.lake_date.type", "date".to_owned()),
        ("projection.lake_date.format", "yyyy-MM-dd".to_owned()),
        (
            "projection.lake_date.range",
            "2020-01-01,NOW+1DAYS".to_owned(),
        ),
        (
            "storage.location.template",
            format!(
                "{base}/epoch=${{epoch}}/lake_topic={topic}/lake_symbol=${{lake_symbol}}/lake_date=${{lake_date}}/"
            ),
        ),
    ]
}

fn type_of(holds: ColumnType) -> String {
    match holds {
        ColumnType::Text => "string".to_owned(),
        ColumnType::Decimal => "decimal(38,10)".to_owned(),
        ColumnType::Integer => "bigint".to_owned(),
        ColumnType::Time | ColumnType::EpochMilliseconds | ColumnType::EpochSeconds => {
            "timestamp".to_owned()
        }
        ColumnType::Date => "date".to_owned(),
        ColumnType::Texts => "array<string>".to_owned(),
        ColumnType::Struct(members) => object(members),
        ColumnType::Structs(members) => format!("array<{}>", object(members)),
    }
}

/// Names in lower case, as the catalog keeps them; members are found without case.
fn object(members: &[Column]) -> String {
    let members: Vec<String> = members
        .iter()
        .map(|member| format!("{}:{}", member.name.to_lowercase(), type_of(member.holds)))
        .collect();
    format!("struct<{}>", members.join(","))
}
