//! Kafka as quotelake uses it: publish, consume, read again, the embedded broker, and the Lambda trigger's event.
//!
//! This is the only crate that links C (librdkafka). A handler sees [`publish::Publish`] and
//! [`event::KafkaEvent`], never a client of the library.

mod cluster;
pub mod consume;
pub mod embedded;
pub mod event;
pub mod publish;
pub mod read;
pub mod start;
pub mod topics;

pub use cluster::{AddressError, Cluster};

/// A place in a topic: where Kafka put one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The partition, from 0.
    pub partition: i32,
    /// The offset in the partition, from 0.
    pub offset: i64,
}
