//! What KBS sends. Numbers may come as strings.

use jiff::Timestamp;
use market::{AssetClass, Bar, Digits};
use serde::{Deserialize, Deserializer, de::Error as _};

use crate::{
    number::{Loose, Number},
    vietnam::{
        board::{self, BoardRow, Numbers},
        interval::Interval,
        local,
    },
};

/// A row of `POST /stock/iss`, as far as it is published.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Listed {
    /// `HOSE`, also written `HSX`; `HNX`, `UPCOM`.
    #[serde(rename = "EX", default)]
    pub(crate) exchange: Loose<String>,
    #[serde(rename = "RE", default)]
    pub(crate) reference: Number,
    #[serde(rename = "CL", default)]
    pub(crate) ceiling: Number,
    #[serde(rename = "FL", default)]
    pub(crate) floor: Number,
    /// The last price; 0 before the first trade.
    #[serde(rename = "CP", deserialize_with = "board::last_price")]
    pub(crate) current: Option<Digits>,
    /// The last volume.
    #[serde(rename = "CV", default)]
    pub(crate) volume: Number,
    /// The day's volume. `TV` is its value.
    #[serde(rename = "TT", default)]
    pub(crate) total_volume: Number,
    #[serde(rename = "HI", default)]
    pub(crate) high: Number,
    #[serde(rename = "LO", default)]
    pub(crate) low: Number,
    #[serde(rename = "AP", default)]
    pub(crate) average: Number,
    /// The best bid, or a word for orders without a price: `ATO`, `ATC`, `PLO`, `MP`, `MTL`.
    #[serde(rename = "B1", default)]
    pub(crate) bid: Number,
    /// The best ask, or such a word.
    #[serde(rename = "S1", default)]
    pub(crate) ask: Number,
    /// In epoch milliseconds.
    #[serde(rename = "t", default, deserialize_with = "board::time")]
    pub(crate) time: Option<Timestamp>,
}

impl From<Listed> for BoardRow {
    fn from(row: Listed) -> Self {
        let mut numbers = Numbers::default();
        Self {
            exchange: row.exchange.given().as_deref().and_then(board::exchange),
            asset_class: Some(AssetClass::Equity),
            volume: numbers.positive(row.volume),
            total_volume: numbers.total(row.total_volume, row.current.as_ref()),
            last: row.current,
            reference: numbers.always(row.reference),
            ceiling: numbers.always(row.ceiling),
            floor: numbers.always(row.floor),
            high: numbers.positive(row.high),
            low: numbers.positive(row.low),
            average: numbers.positive(row.average),
            bid: numbers.positive(row.bid),
            ask: numbers.positive(row.ask),
            time: row.time,
            incomplete: numbers.incomplete,
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
