//! Silver: bars in Parquet, recomputed from bronze so that they are right whatever came late, twice or out of order.

#![forbid(unsafe_code)]

mod file;
mod layout;

pub use file::{File, FileDamage, SCHEMA, Unit, columns, decode, encode};
pub use layout::{Layout, Period};
