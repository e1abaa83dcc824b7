//! What is published of an observation: the wire types of the topics, each with one `meta`.

mod bars;
mod boards;
mod meta;
mod published;
mod quotes;
mod schema;
mod tick;
mod time;
mod trades;

use serde::Serialize;

pub use bars::{
    HistoryRow, StockHistorical, StockIntraday, history_message, intraday_message, minutes_message,
};
pub use boards::{StockBoard, StockPrices, board_message};
pub use meta::{Meta, Term};
pub use published::{Published, ReadError};
pub use quotes::{CryptoPrices, StockQuotes, quote_message};
pub use schema::{Schema, SchemaError};
pub use tick::{Basis, Tick, Volume};
pub use trades::{TradesRaw, trade_message};

/// What is published of an observation. The job chooses the topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The symbol: observations of one symbol keep their order.
    pub key: String,
    /// One JSON object.
    pub body: Vec<u8>,
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
mod tests;
