//! The columns of a silver file, for readers that have to be told them.
//!
//! ```
//! use silver::columns::{ColumnType, all};
//!
//! let times: Vec<_> = all().filter(|column| column.holds == ColumnType::Time).collect();
//! assert_eq!((times[0].name, times[0].is_required), ("start_time", true));
//! ```

use super::schema::{COLUMNS, Values};

/// A column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub holds: ColumnType,
    /// Whether it always has a value.
    pub is_required: bool,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnType {
    /// A text.
    Text,
    /// A decimal of 38 digits, 18 of them after the point.
    Decimal,
    /// A ratio of decimals, as a float of 64 bits.
    Ratio,
    /// A whole number of 64 bits.
    Count,
    /// A time in UTC, to the microsecond.
    Time,
    /// A day.
    Date,
    /// True or false.
    Flag,
}

/// Every column, in the order in which a file has them.
pub fn all() -> impl Iterator<Item = Column> {
    COLUMNS.iter().map(|field| Column {
        name: field.name,
        holds: match field.values {
            Values::Text(..) | Values::Id(..) => ColumnType::Text,
            Values::Amount(..) => ColumnType::Decimal,
            Values::Ratio(..) => ColumnType::Ratio,
            Values::Count(..) => ColumnType::Count,
            Values::Time(..) => ColumnType::Time,
            Values::Date(..) => ColumnType::Date,
            Values::Flag(..) => ColumnType::Flag,
        },
        is_required: field.required,
    })
}
