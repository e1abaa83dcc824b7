//! The table of bars that the template makes in Glue.

use std::fs;

use market::{bars::Interval, columns::TOPICS};
use silver::columns::{self, ColumnType};

/// Its row of the template's table; `QUOTELAKE_WRITE=1` writes it anew.
#[test]
fn the_table_of_the_template_has_the_columns_of_silver() {
    let intervals = Interval::ALL.map(Interval::name).join(",");
    let topics: Vec<_> = TOPICS.iter().map(|(topic, _)| *topic).collect();
    let mut text = format!(
        "# The table of bars, written by `QUOTELAKE_WRITE=1 cargo test -p bar-roller table`.\n\
         - name: Bars\n  table: bars\n  intervals: {intervals}\n  topics: {}\n  columns: |\n",
        topics.join(",")
    );
    for column in columns::all() {
        let (name, kind) = (column.name, type_of(column.holds));
        text.push_str(&format!("    - {{Name: {name}, Type: \"{kind}\"}}\n"));
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/template/bar-table.yaml");
    let environment = runtime::Environment::of_process();
    if environment.secret("QUOTELAKE_WRITE").is_some() {
        fs::write(path, &text).unwrap();
    }
    let written = fs::read_to_string(path).unwrap();
    assert!(written == text, "{path} is not of these columns");
}

/// The type of Hive.
fn type_of(holds: ColumnType) -> &'static str {
    match holds {
        ColumnType::Text => "string",
        ColumnType::Decimal => "decimal(38,18)",
        ColumnType::Ratio => "double",
        ColumnType::Count => "bigint",
        ColumnType::Time => "timestamp",
        ColumnType::Date => "date",
        ColumnType::Flag => "boolean",
    }
}
