use market::columns::{Column, ColumnType};

use super::{Lake, Topic, lines, of_line, view};

/// Views for `DuckDB`.
pub(super) fn text(lake: &Lake, topics: &[Topic]) -> String {
    let mut text = secret(lake);
    for (topic, columns) in topics {
        text.push_str(&create(lake, topic, columns));
    }
    text
}

pub(super) fn secret(lake: &Lake) -> String {
    match lake.endpoint() {
        _ if !lake.is_on_s3() => String::new(),
        None => "install httpfs; install aws; load httpfs; load aws;\n\
                 create or replace secret lake (type s3, provider credential_chain);\n\n"
            .to_owned(),
        Some(url) => {
            let host = url.split_once("://").map_or(url, |(_, host)| host);
            let host = host.trim_end_matches('/');
            let encrypted = url.starts_with("https://");
            format!(
                "install httpfs; load httpfs;\n\
                 create or replace secret lake (type s3, key_id 'YOUR_ACCESS_KEY', secret 'YOUR_SECRET_KEY',\n    \
                 endpoint '{host}', url_style 'path', use_ssl {encrypted}, region 'us-east-1');\n\n"
            )
        }
    }
}

fn create(lake: &Lake, topic: &str, columns: &[Column]) -> String {
    let types = of_line(columns)
        .into_iter()
        .map(|column| format!("'{}': '{}'", column.name, type_of(column.holds)));
    let times: Vec<String> = columns.iter().filter_map(time).collect();
    let replace = match times.is_empty() {
        true => String::new(),
        false => format!(" replace ({})", times.join(", ")),
    };
    format!(
        "create or replace view {view} as
select * exclude (lake_topic){replace}
from read_json('{base}/{objects}',
    format = 'newline_delimited', ignore_errors = true, hive_partitioning = true,
    hive_types = {{epoch: VARCHAR, lake_topic: VARCHAR, lake_symbol: VARCHAR, lake_date: DATE}},
    columns = {{
        {types}
    }});

",
        view = view(topic),
        base = lake.base("s3"),
        objects = lake.objects(topic),
        types = lines(types, "        "),
    )
}

/// A time of what is read as a number; null if it is beyond what `DuckDB` can hold.
fn time(column: &Column) -> Option<String> {
    let name = column.name;
    match column.holds {
        ColumnType::EpochSeconds => Some(format!(
            "try(make_timestamp(\"{name}\" * 1000000)) as \"{name}\""
        )),
        ColumnType::EpochMilliseconds => Some(format!(
            "try(make_timestamp(\"{name}\" * 1000)) as \"{name}\""
        )),
        _ => None,
    }
}

fn type_of(holds: ColumnType) -> String {
    match holds {
        ColumnType::Text => "VARCHAR".to_owned(),
        ColumnType::Decimal => "DECIMAL(38,10)".to_owned(),
        ColumnType::Integer | ColumnType::EpochSeconds | ColumnType::EpochMilliseconds => {
            "BIGINT".to_owned()
        }
        ColumnType::Time => "TIMESTAMP".to_owned(),
        ColumnType::Date => "DATE".to_owned(),
        ColumnType::Texts => "VARCHAR[]".to_owned(),
        ColumnType::Struct(members) => object(members),
        ColumnType::Structs(members) => format!("{}[]", object(members)),
    }
}

fn object(members: &[Column]) -> String {
    let members: Vec<String> = members
        .iter()
        .map(|member| format!("\"{}\" {}", member.name, type_of(member.holds)))
        .collect();
    format!("STRUCT({})", members.join(", "))
}
