use market::columns::{Column, ColumnType};

use super::{KAFKA, Lake, Place, Topic, lines, view};

/// Has any value be read as its text, and what a view does not name be skipped.
const SETTINGS: &str = "input_format_json_read_numbers_as_strings = 1, input_format_json_read_bools_as_strings = 1,
    input_format_json_read_objects_as_strings = 1, input_format_json_read_arrays_as_strings = 1,
    input_format_skip_unknown_fields = 1, input_format_json_ignore_unknown_keys_in_named_tuple = 1,
    input_format_json_defaults_for_missing_elements_in_named_tuple = 1, input_format_null_as_default = 1,
    input_format_column_name_matching_mode = 'match_case', use_hive_partitioning = 1";

/// Makes texts of the numbers in JSON, because they would be read as floats of 64 bits; \x01 can't stand in JSON.
const WITH_TEXTS: &str = r#"create or replace function numbers_as_texts as json -> replaceAll(replaceAll(replaceRegexpAll(
    ifNull(json, ''), '("(?:[^"\\\\]|\\\\.)*")|(-?[0-9][0-9.eE+-]*)', '\\1\x01\\2\x01'), '\x01\x01', ''), '\x01', '"');

"#;

/// Views for `ClickHouse`.
pub(super) fn text(lake: &Lake, topics: &[Topic]) -> String {
    let mut text = WITH_TEXTS.to_owned();
    for (topic, columns) in topics {
        text.push_str(&create(lake, topic, columns));
    }
    text
}

fn create(lake: &Lake, topic: &str, columns: &[Column]) -> String {
    let as_texts = columns
        .iter()
        .map(|column| format!("`{}` Nullable(String)", column.name));
    let kafka = format!("`{}` {}", KAFKA.name, type_of(KAFKA.holds));
    // ClickHouse would guess these by one object's path.
    let folders = ["epoch String", "lake_symbol String", "lake_date Date"].map(str::to_owned);
    let types: Vec<String> = as_texts.chain([kafka]).chain(folders).collect();
    let values = columns.iter().map(|column| {
        let value = converted(column.holds, &format!("raw.`{}`", column.name));
        format!("{value} as `{}`", column.name)
    });
    let of_lake = [
        format!("raw.{}", KAFKA.name),
        "raw.epoch, raw.lake_symbol, raw.lake_date".to_owned(),
    ];
    format!(
        "create or replace view {view} as select
    {values}
from {table}
    '{types}') as raw
settings {SETTINGS};

",
        view = view(topic),
        values = lines(values.chain(of_lake), "    "),
        table = table_of(lake, &lake.objects(topic), "JSONEachRow"),
        types = types.join(", "),
    )
}

/// The table function without its types.
pub(super) fn table_of(lake: &Lake, objects: &str, format: &str) -> String {
    match &lake.place {
        Place::Folder(_) => format!("file('{}/{objects}', '{format}',", lake.base("")),
        Place::S3 {
            bucket,
            prefix,
            endpoint,
        } => {
            let bucket = match endpoint {
                Some(url) => format!("{}/{bucket}", url.trim_end_matches('/')),
                None => format!("https://{bucket}.s3.amazonaws.com"),
            };
            format!(
                "s3('{bucket}/{prefix}/{objects}', 'YOUR_ACCESS_KEY', 'YOUR_SECRET_KEY', '{format}',"
            )
        }
    }
}

/// The value of a text; null, or for a list none, of any other.
fn converted(holds: ColumnType, text: &str) -> String {
    match holds {
        ColumnType::Text => text.to_owned(),
        ColumnType::Decimal => format!("toDecimal128OrNull({text}, 10)"),
        ColumnType::Integer => format!("toInt64OrNull({text})"),
        ColumnType::Time => format!("parseDateTime64BestEffortOrNull({text}, 3, 'UTC')"),
        ColumnType::Date => format!("toDate32OrNull({text})"),
        ColumnType::EpochMilliseconds => epoch(text, 1000),
        ColumnType::EpochSeconds => epoch(text, 1),
        ColumnType::Texts => format!("JSONExtract(ifNull({text}, ''), 'Array(String)')"),
        ColumnType::Struct(members) => {
            // Of a list the members would be taken in order.
            let text = format!("if(startsWith({text}, '{{'), {text}, '')");
            let read = extracted(&text, &tuple(members, read_as));
            format!("{}[1]", objects(members, &format!("[{read}]")))
        }
        ColumnType::Structs(members) => {
            let read = extracted(text, &format!("Array({})", tuple(members, read_as)));
            objects(members, &read)
        }
    }
}

/// A time from 1900 to 2299, which is what `ClickHouse` can hold.
fn epoch(text: &str, units: i64) -> String {
    let (first, last) = (-2_208_988_800 * units, 10_413_791_999 * units);
    let milliseconds = 1000 / units;
    format!(
        "if(toInt64OrNull({text}) between {first} and {last}, \
         fromUnixTimestamp64Milli(assumeNotNull(toInt64OrNull({text})) * {milliseconds}, 'UTC'), null)"
    )
}

fn extracted(text: &str, holds: &str) -> String {
    format!("JSONExtract(numbers_as_texts({text}), '{holds}')")
}

/// The objects of the list `read` with their members made of texts.
fn objects(members: &[Column], read: &str) -> String {
    let values: Vec<String> = members
        .iter()
        .map(|member| {
            let text = format!("item.`{}`", member.name);
            match member.holds {
                // It is one already.
                ColumnType::Texts => text,
                holds => converted(holds, &text),
            }
        })
        .collect();
    format!(
        "arrayMap(item -> cast(tuple({}), '{}'), {read})",
        values.join(", "),
        tuple(members, type_of).replace('\'', "\\'"),
    )
}

fn tuple(members: &[Column], type_of: fn(ColumnType) -> String) -> String {
    let members: Vec<String> = members
        .iter()
        .map(|member| format!("`{}` {}", member.name, type_of(member.holds)))
        .collect();
    format!("Tuple({})", members.join(", "))
}

/// What a member of an object is read as.
fn read_as(holds: ColumnType) -> String {
    match holds {
        ColumnType::Texts => "Array(String)".to_owned(),
        _ => "Nullable(String)".to_owned(),
    }
}

fn type_of(holds: ColumnType) -> String {
    match holds {
        ColumnType::Text => "Nullable(String)".to_owned(),
        ColumnType::Decimal => "Nullable(Decimal(38, 10))".to_owned(),
        ColumnType::Integer => "Nullable(Int64)".to_owned(),
        ColumnType::Time | ColumnType::EpochMilliseconds | ColumnType::EpochSeconds => {
            "Nullable(DateTime64(3, 'UTC'))".to_owned()
        }
        ColumnType::Date => "Nullable(Date32)".to_owned(),
        ColumnType::Texts => "Array(String)".to_owned(),
        ColumnType::Struct(members) => tuple(members, type_of),
        ColumnType::Structs(members) => format!("Array({})", tuple(members, type_of)),
    }
}
