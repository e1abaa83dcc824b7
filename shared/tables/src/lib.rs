//! The tables: what a Kafka record becomes in a database, and the port to that database.
//!
//! A [`Row`] is a pure function of one record ([`read`]). The history of quotes is a set of rows, keyed by their
//! coordinates. The latest quotes are a maximum by [`order`], one row for each [`key`] ([`latest()`]). So order, repetition,
//! cuts of batches and writers at the same time end in the same tables, through any adapter of the port [`Upsert`].
//!
//! ```
//! use std::time::Duration;
//!
//! use lake::Received;
//! use tables::{MemoryTables, Upsert, read};
//! use tokio::time::Instant;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let record = |offset, value: &'static str| Received {
//!     topic: "stock-quotes",
//!     offset,
//!     value: Some(value.as_bytes()),
//!     ..Received::default()
//! };
//! let mut rows = Vec::new();
//! for record in [
//!     record(8, r#"{"symbol":"AAPL","c":308.820,"t":1779480000,"fetched_at":1779480001}"#),
//!     record(7, r#"{"symbol":"AAPL","c":308.81,"t":1779479940,"fetched_at":1779479941}"#),
//! ] {
//!     rows.extend(read(&record, "1")?);
//! }
//! let tables = MemoryTables::default();
//! let upserted = tables.upsert(&rows, Instant::now() + Duration::from_secs(5)).await?;
//! assert_eq!((upserted.history, upserted.latest), (2, 1));
//! assert_eq!(tables.latest()[0].price.as_str(), "308.820");
//!
//! // What has no row is told in a sentence. Its record goes to quarantine: `lake::no_row`.
//! let record = record(9, r#"{"symbol":"AAPL","c":"NaN","fetched_at":1779480002}"#);
//! assert_eq!(
//!     read(&record, "1").unwrap_err().to_string(),
//!     "'c' holds no number for the table: \"NaN\" is no number: write decimal digits, such as 12.5",
//! );
//! # Ok(())
//! # }
//! ```
//!
//! # Comparing rows
//! [`Row`] compares every column, and [`Row::digest`] is a digest of every column. Both are the same of a row that was read
//! from its record and of one that was put together from what a database returned:
//!
//! - A number there is [`Number::from_numeric`] of the text of a `numeric`, whose scale both keep.
//! - Times are of whole microseconds, which is what `timestamptz` holds.
//! - NULL is `None`, and an empty array of flags is an empty list.
//! - An empty text that a record says is `None`, so in the latest quotes `source` is `None` where it is the empty text.
//!
//! A fetch time of years ago stays what it is: `created_at` is a function of the record, never the time of the write.

#![forbid(unsafe_code)]

mod latest;
mod memory;
mod number;
pub mod postgres;
mod row;
pub mod schema;
mod upsert;

pub use latest::{is_candidate, key, latest, order};
pub use memory::MemoryTables;
pub use number::{EXPONENT_MAX, NUMBER_MAX, Number, NumberError};
pub use row::{NoRow, Row, read};
pub use upsert::{Upsert, UpsertError, Upserted};
