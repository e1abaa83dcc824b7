use serde_json::{Map, Value, json};

use super::*;
use crate::Published;

/// A message with every column, none of them null.
fn message(topic: &str, columns: &[Column]) -> Value {
    let schema = format!("{}/1", topic.replace('_', "-"));
    let mut message = object(columns);
    message["meta"]["schema"] = Value::String(schema);
    message
}

fn object(columns: &[Column]) -> Value {
    let members = columns.iter().map(|column| {
        let value = match column.holds {
            Text => json!("XNAS"),
            Decimal => json!(1.25),
            Integer => json!(7),
            Time => json!("2026-11-20T03:00:00.123Z"),
            EpochMilliseconds => json!(1_795_242_344_123_u64),
            EpochSeconds => json!(1_795_242_344),
            Date => json!("2026-11-20"),
            Texts => json!(["XNAS", "XNYS"]),
            Struct(members) => object(members),
            Structs(members) => json!([object(members), object(members)]),
        };
        (column.name.to_owned(), value)
    });
    Value::Object(members.collect::<Map<_, _>>())
}

/// What a member of this type refuses, though one of a wider type takes it.
fn refused(holds: ColumnType) -> Option<Value> {
    match holds {
        Decimal | Time | Date => Some(json!("XNAS")),
        Integer => Some(json!(1.5)),
        EpochMilliseconds => Some(json!(1_795_242_344_123_456_u64)),
        EpochSeconds => Some(json!(1_795_242_344_123_u64)),
        Text | Texts | Struct(_) | Structs(_) => Some(json!(7)),
    }
}

/// `whole` with one member more or less deep in it changed to what its column refuses, once for each.
fn changed(whole: &Value, columns: &[Column], path: &str) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    for column in columns {
        let at = format!("{path}/{}", column.name);
        let mut put = |pointer: &str, value: Value| {
            let mut other = whole.clone();
            *other.pointer_mut(pointer).unwrap() = value;
            all.push((pointer.to_owned(), other));
        };
        if let Some(value) = refused(column.holds) {
            put(&at, value);
        }
        match column.holds {
            Struct(members) => all.extend(changed(whole, members, &at)),
            Structs(members) => all.extend(changed(whole, members, &format!("{at}/0"))),
            _ => {}
        }
    }
    all
}

fn read(topic: &str, message: &Value) -> Result<Value, String> {
    let published = Published::read(topic, message.to_string().as_bytes());
    let published = published.map_err(|error| error.to_string())?;
    let text = serde_json::to_string(&published).unwrap();
    Ok(serde_json::from_str(&text).unwrap())
}

#[test]
fn every_member_has_its_column_and_every_column_its_member() {
    for (topic, columns) in TOPICS {
        let message = message(topic, columns);
        let written = read(topic, &message).unwrap_or_else(|error| panic!("{topic}: {error}"));
        // A column without a member is gone, a member without a column is there as null.
        assert_eq!(written, message, "{topic}");
    }
}

#[test]
fn a_member_is_of_the_type_of_its_column_and_of_no_wider_one() {
    for (topic, columns) in TOPICS {
        let whole = message(topic, columns);
        let changed = changed(&whole, columns, "");
        assert!(changed.len() > columns.len(), "{topic}");
        for (member, message) in changed {
            let read = read(topic, &message);
            assert!(read.is_err(), "{topic}{member} takes {message}");
        }
    }
}

#[test]
fn columns_are_in_the_order_of_the_members() {
    for (topic, columns) in TOPICS {
        let body = message(topic, columns).to_string();
        let published = Published::read(topic, body.as_bytes()).unwrap();
        let text = serde_json::to_string(&published).unwrap();
        let places: Vec<usize> = columns
            .iter()
            .map(|column| text.find(&format!("\"{}\":", column.name)).unwrap())
            .collect();
        assert!(places.is_sorted(), "{topic}: {text}");
    }
}
