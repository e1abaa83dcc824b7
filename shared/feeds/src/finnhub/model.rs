//! What Finnhub sends.

use jiff::Timestamp;
use market::{Digits, StockQuote};
use serde::Deserialize;

use crate::number;

/// The body of `GET /quote`. It names neither symbol nor currency.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Quote {
    /// The last price.
    pub c: Digits,
    /// The change since the previous close; null or absent without data.
    pub d: Option<Digits>,
    /// That change in percent; null or absent without data.
    pub dp: Option<Digits>,
    /// The day's high.
    pub h: Digits,
    /// The day's low.
    pub l: Digits,
    /// The day's open.
    pub o: Digits,
    /// The previous close.
    pub pc: Digits,
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
