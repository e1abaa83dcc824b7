//! What is published of an observation: the topics' shapes, each with one `meta`.

mod bars;
mod meta;
mod quotes;
mod trades;

use jiff::Timestamp;
use serde::Serialize;

pub use bars::{history_message, intraday_message};
pub use quotes::{board_message, quote_message};
pub use trades::trade_message;

/// What is published of an observation. The job chooses the topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The symbol: observations of one symbol keep their order.
    pub key: String,
    /// One JSON object.
    pub body: Vec<u8>,
}

/// RFC 3339 in UTC with milliseconds.
fn rfc3339(time: Timestamp) -> String {
    format!("{time:.3}")
}

#[expect(
    clippy::expect_used,
    reason = "a struct of texts and numbers into memory: no map with odd keys, no I/O"
)]
fn message(key: &crate::Symbol, body: &impl Serialize) -> Message {
    Message {
        key: key.as_str().to_owned(),
        body: serde_json::to_vec(body).expect("a message is JSON"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests;
