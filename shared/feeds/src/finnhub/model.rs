//! What Finnhub sends.

use jiff::Timestamp;
use market::{Digits, StockQuote, Symbol};
use serde::Deserialize;

use crate::number;

/// The body of `GET /quote`. It names neither symbol nor currency. Without a price and a time it is none; any other
/// number may be missing.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Quote {
    /// The last price.
    pub c: Digits,
    /// The change since the previous close; null or absent without data.
    #[serde(default, deserialize_with = "number::if_any")]
    pub d: Option<Digits>,
    /// That change in percent; null or absent without data.
    #[serde(default, deserialize_with = "number::if_any")]
    pub dp: Option<Digits>,
    /// The day's high.
    #[serde(default, deserialize_with = "number::if_any")]
    pub h: Option<Digits>,
    /// The day's low.
    #[serde(default, deserialize_with = "number::if_any")]
    pub l: Option<Digits>,
    /// The day's open.
    #[serde(default, deserialize_with = "number::if_any")]
    pub o: Option<Digits>,
    /// The previous close.
    #[serde(default, deserialize_with = "number::if_any")]
    pub pc: Option<Digits>,
    /// When the price was made, in epoch seconds.
    #[serde(deserialize_with = "number::time")]
    pub t: Timestamp,
}

impl From<Quote> for StockQuote {
    fn from(quote: Quote) -> Self {
        Self {
            current: quote.c,
            change: quote.d,
            percent_change: quote.dp,
            high: quote.h,
            low: quote.l,
            open: quote.o,
            previous_close: quote.pc,
            time: quote.t,
        }
    }
}

/// A message of the stream of trades.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// Trades, in the order sent.
    Trades {
        /// Each with its symbol.
        trades: Vec<(Symbol, market::Trade)>,
        /// How many items were no trade.
        malformed: u64,
    },
    /// A subscription was one too many; it is not said which.
    TooManySymbols,
    /// Another error.
    Error,
    /// A ping, or a message of a type that is of no interest.
    Other,
}

/// An item of a message of trades.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Trade {
    /// The condition codes; null, absent or empty without any.
    pub c: Option<Vec<Condition>>,
    /// The price.
    pub p: Digits,
    /// The symbol.
    pub s: Symbol,
    /// When it was made, in epoch milliseconds.
    #[serde(deserialize_with = "number::time")]
    pub t: Timestamp,
    /// The volume, which may be fractional; 0 is a price update without a trade.
    pub v: Digits,
}

/// A condition code, recorded as a text and accepted as a number.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Condition {
    /// As a text.
    Text(String),
    /// As a number.
    Number(serde_json::Number),
}

impl From<Trade> for (Symbol, market::Trade) {
    fn from(trade: Trade) -> Self {
        let conditions = trade.c.into_iter().flatten();
        let conditions = conditions.map(|condition| match condition {
            Condition::Text(code) => code,
            Condition::Number(code) => code.to_string(),
        });
        let said = market::Trade {
            price: trade.p,
            size: trade.v,
            time: trade.t,
            conditions: conditions.collect(),
        };
        (trade.s, said)
    }
}
