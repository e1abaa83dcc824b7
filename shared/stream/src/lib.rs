//! Kafka as quotelake uses it: publish, consume, read again, and the embedded broker.
//!
//! This is the only crate that links C (librdkafka). A handler sees [`publish::Publish`], never a client of the
//! library.

mod access;
mod cluster;
pub mod consume;
mod context;
pub mod embedded;
mod iam;
mod msk;
#[expect(
    unsafe_code,
    reason = "rdkafka has no safe way to give a token to a client that nobody polls"
)]
mod oauthbearer;
mod offset_range;
pub mod publish;
pub mod read;
mod security;
pub mod start;
pub mod topics;
mod trouble;

pub use access::{Access, AccessError, SETTINGS};
pub use cluster::{AddressError, Cluster};
pub use msk::MskError;
pub use offset_range::{OffsetRange, name_of_offsets};
pub use security::{ProvideToken, Security, Token, TokenError, Tokens};
pub use trouble::AuthenticationError;

/// A place in a topic: where Kafka put one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The partition, from 0.
    pub partition: i32,
    /// The offset in the partition, from 0.
    pub offset: i64,
}
