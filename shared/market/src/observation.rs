use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use crate::{Digits, Instrument, Said};

/// What a provider said about an instrument, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation<T = Quote> {
    /// The provider: `finnhub`, `vci`.
    pub source: &'static str,
    /// What it is about.
    pub instrument: Instrument,
    /// What was said.
    pub said: T,
    /// When the answer arrived.
    pub fetched_at: Timestamp,
}

impl<T: Said> Observation<T> {
    /// The trading day that it belongs to: what it says itself, else by the calendar that of its event time, else
    /// that of the fetch. `None` without a calendar.
    pub fn trading_date(&self) -> Option<Date> {
        let by_calendar = || {
            let time = self.said.event_time().unwrap_or(self.fetched_at);
            Some(self.instrument.calendar?.at(time).trading_date)
        };
        self.said.trading_date().or_else(by_calendar)
    }
}

/// A snapshot of an instrument, in one of the forms that topics have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Quote {
    /// The last price of a share and its trading day so far.
    Stock(StockQuote),
    /// The last price of a pair and its last 24 hours.
    Crypto(CryptoTicker),
    /// A row of a price board.
    Board(BoardQuote),
}

/// The last price of a share and its trading day so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StockQuote {
    /// The last price.
    pub current: Digits,
    /// The change since the previous close.
    pub change: Option<Digits>,
    /// That change in percent.
    pub percent_change: Option<Digits>,
    /// The day's high.
    pub high: Option<Digits>,
    /// The day's low.
    pub low: Option<Digits>,
    /// The day's open.
    pub open: Option<Digits>,
    /// The previous close.
    pub previous_close: Option<Digits>,
    /// When the price was made.
    pub time: Timestamp,
}

/// The last price of a pair and its last 24 hours, which roll and are no session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CryptoTicker {
    /// The end of the 24 hours, which is the time of the answer.
    pub close_time: Timestamp,
    /// The price of the last trade.
    pub last_price: Digits,
    /// The price 24 hours before.
    pub open_price: Option<Digits>,
    /// The highest price in the 24 hours.
    pub high_price: Option<Digits>,
    /// The lowest price in the 24 hours.
    pub low_price: Option<Digits>,
    /// Traded in the 24 hours, in the base asset.
    pub volume: Option<Digits>,
    /// Traded in the 24 hours, in the quote asset.
    pub quote_volume: Option<Digits>,
    /// The number of trades in the 24 hours.
    pub trades: Option<u64>,
    /// The last price less the open price.
    pub price_change: Option<Digits>,
    /// That change in percent.
    pub price_change_percent: Option<Digits>,
    /// The best bid, if there is one.
    pub bid: Option<Digits>,
    /// The best ask, if there is one.
    pub ask: Option<Digits>,
}

/// A row of a price board: a share's trading day so far within its daily band. Prices are in the
/// instrument's currency, volumes in shares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoardQuote {
    /// The last price; the reference price before the day's first trade.
    pub price: Digits,
    /// Whether there was a trade today.
    pub traded: bool,
    /// The volume of the last trade.
    pub volume: Option<Digits>,
    /// The day's volume so far.
    pub total_volume: Option<Digits>,
    /// The reference price, which the band lies around.
    pub reference: Option<Digits>,
    /// The highest price that is allowed today.
    pub ceiling: Option<Digits>,
    /// The lowest price that is allowed today.
    pub floor: Option<Digits>,
    /// The day's high.
    pub high: Option<Digits>,
    /// The day's low.
    pub low: Option<Digits>,
    /// The day's average price.
    pub average: Option<Digits>,
    /// The best bid.
    pub bid: Option<Digits>,
    /// The best ask.
    pub ask: Option<Digits>,
    /// When the price was made, if the provider says so.
    pub time: Option<Timestamp>,
    /// Whether a number is missing that every row has, or something else stands in the place of one.
    pub incomplete: bool,
}

/// A trade.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trade {
    /// The price.
    pub price: Digits,
    /// The size: shares, or the base asset. 0 is a price update without a trade.
    pub size: Digits,
    /// When it was made, to the millisecond.
    pub time: Timestamp,
    /// The provider's condition codes.
    pub conditions: Vec<String>,
}

/// What was traded in a stretch of time: from `at` on a [`Timestamp`], or on the trading day `at`. In JSON as
/// the messages have it: `Date`, `Open`, `High`, `Low`, `Close`, `Volume`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Bar<At> {
    /// The start, or the day.
    #[serde(rename = "Date")]
    pub at: At,
    /// The first price.
    pub open: Digits,
    /// The highest price.
    pub high: Digits,
    /// The lowest price.
    pub low: Digits,
    /// The last price.
    pub close: Digits,
    /// The volume: shares, or the base asset.
    pub volume: Digits,
}

/// Bars of a minute, oldest first.
pub type MinuteBars = Vec<Bar<Timestamp>>;

/// Bars of a trading day, oldest first.
pub type DailyBars = Vec<Bar<Date>>;
