use market::columns::{Column, ColumnType};
use serde_json::{Value, json};

use super::{Topic, of_line};

/// The columns as JSON, a topic a line.
pub(super) fn text(topics: &[Topic]) -> String {
    topics
        .iter()
        .map(|(topic, columns)| {
            let columns = members(&of_line(columns));
            format!("{}\n", json!({"topic": topic, "columns": columns}))
        })
        .collect()
}

fn members(columns: &[Column]) -> Vec<Value> {
    columns.iter().map(member).collect()
}

fn member(column: &Column) -> Value {
    let mut member = json!({"name": column.name, "type": name(column.holds)});
    if let ColumnType::Struct(columns) | ColumnType::Structs(columns) = column.holds {
        member["members"] = Value::Array(members(columns));
    }
    member
}

fn name(holds: ColumnType) -> &'static str {
    match holds {
        ColumnType::Text => "text",
        ColumnType::Decimal => "decimal",
        ColumnType::Integer => "integer",
        ColumnType::Time => "time",
        ColumnType::EpochMilliseconds => "epoch_milliseconds",
        ColumnType::EpochSeconds => "epoch_seconds",
        ColumnType::Date => "date",
        ColumnType::Texts => "list of text",
        ColumnType::Struct(_) => "object",
        ColumnType::Structs(_) => "list of objects",
    }
}
