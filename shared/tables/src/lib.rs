//! The tables: what a Kafka record becomes in a database, and the port to that database.
//!
//! A [`Row`] is a pure function of one record ([`read`]). The history of quotes is a set of rows, keyed by their
//! coordinates. The latest quotes are a maximum ([`latest`]), so order, repetition and cuts of batches change nothing.

#![forbid(unsafe_code)]

mod latest;
mod memory;
mod number;
pub mod postgres;
mod row;
mod upsert;

pub use latest::{is_candidate, key, latest, order};
pub use memory::MemoryTables;
pub use number::{EXPONENT_MAX, NUMBER_MAX, Number, NumberError};
pub use row::{NoRow, Row, read};
pub use upsert::{Upsert, UpsertError, Upserted};
