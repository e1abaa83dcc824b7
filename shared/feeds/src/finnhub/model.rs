//! What Finnhub sends.

use jiff::Timestamp;
use market::{Digits, FinnhubQuote, Symbol};
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

impl Quote {
    /// The quote of the symbol that was asked for.
    pub fn of(self, symbol: Symbol) -> FinnhubQuote {
        FinnhubQuote {
            symbol,
            current: self.c,
            change: self.d,
            percent_change: self.dp,
            high: self.h,
            low: self.l,
            open: self.o,
            previous_close: self.pc,
            time: self.t,
        }
    }
}
