//! What a workload costs on AWS, as arithmetic on list prices: no account, no bill, no clock, no network.
//!
//! [`Options`] are the command line's; [`Workload`] is what they describe; [`estimate`] counts what AWS bills and
//! prices it by the table in [`prices`]. How each figure comes about is in `docs/cost.md`, which [`document()`] writes.

mod bars;
mod database;
mod document;
mod model;
mod options;
pub mod prices;
mod table;
mod workload;

pub use document::document;
pub use model::{Estimate, Item, estimate};
pub use options::{Architecture, Database, Kafka, Options};
pub use table::{json, text};
pub use workload::{CostError, Poll, Workload};

#[cfg(test)]
mod tests;
