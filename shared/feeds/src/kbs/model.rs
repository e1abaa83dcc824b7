//! What KBS sends. Numbers may come as strings.

use jiff::Timestamp;
use market::{Bar, Digits};
use serde::{Deserialize, Deserializer, de::Error as _};

use crate::vietnam::{
    board::{self, BoardRow},
    interval::Interval,
    local,
};

/// A row of `POST /stock/iss`, as far as it is published.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Listed {
    /// `HOSE`, also written `HSX`; `HNX`, `UPCOM`.
    #[serde(rename = "EX")]
    pub(crate) exchange: Option<String>,
    #[serde(rename = "RE")]
    pub(crate) reference: Digits,
    #[serde(rename = "CL")]
    pub(crate) ceiling: Digits,
    #[serde(rename = "FL")]
    pub(crate) floor: Digits,
    /// The last price; 0 before the first trade.
    #[serde(rename = "CP", deserialize_with = "board::positive")]
    pub(crate) current: Option<Digits>,
    /// The last volume.
    #[serde(rename = "CV", default, deserialize_with = "board::positive")]
    pub(crate) volume: Option<Digits>,
    /// The day's volume. `TV` is its value.
    #[serde(rename = "TT", deserialize_with = "board::volume")]
    pub(crate) total_volume: Digits,
    #[serde(rename = "HI", default, deserialize_with = "board::positive")]
    pub(crate) high: Option<Digits>,
    #[serde(rename = "LO", default, deserialize_with = "board::positive")]
    pub(crate) low: Option<Digits>,
    #[serde(rename = "AP", default, deserialize_with = "board::positive")]
    pub(crate) average: Option<Digits>,
    /// The best bid, or `ATO` or `ATC`.
    #[serde(rename = "B1", default, deserialize_with = "board::positive")]
    pub(crate) bid: Option<Digits>,
    /// The best ask, or `ATO` or `ATC`.
    #[serde(rename = "S1", default, deserialize_with = "board::positive")]
    pub(crate) ask: Option<Digits>,
    /// In epoch milliseconds.
    #[serde(rename = "t", default, deserialize_with = "board::time")]
    pub(crate) time: Option<Timestamp>,
}

impl From<Listed> for BoardRow {
    fn from(row: Listed) -> Self {
        Self {
            exchange: row.exchange.as_deref().and_then(board::exchange),
            last: row.current,
            volume: row.volume,
            total_volume: row.total_volume,
            reference: row.reference,
            ceiling: row.ceiling,
            floor: row.floor,
            high: row.high,
            low: row.low,
            average: row.average,
            bid: row.bid,
            ask: row.ask,
            time: row.time,
        }
    }
}

/// The body of `GET /stocks/{symbol}/data_1P` and `/data_day`: the list has the name of the path.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Series {
    #[serde(rename = "data_day", alias = "data_1P")]
    pub(crate) data: Vec<Candle>,
}

/// A bar.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Candle {
    /// The local start, `2026-04-17 09:15`; of a day 07:00.
    #[serde(rename = "t", deserialize_with = "start")]
    pub(crate) start: Timestamp,
    #[serde(rename = "o")]
    pub(crate) open: Digits,
    #[serde(rename = "h")]
    pub(crate) high: Digits,
    #[serde(rename = "l")]
    pub(crate) low: Digits,
    #[serde(rename = "c")]
    pub(crate) close: Digits,
    #[serde(rename = "v")]
    pub(crate) volume: Digits,
}

impl<At: Interval> From<Candle> for Bar<At> {
    fn from(candle: Candle) -> Self {
        Self {
            at: At::starting(candle.start),
            open: candle.open,
            high: candle.high,
            low: candle.low,
            close: candle.close,
            volume: candle.volume,
        }
    }
}

fn start<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    let text = String::deserialize(deserializer)?;
    local::timestamp(&text).ok_or_else(|| D::Error::custom(format!("{text:?} is not a time")))
}
