//! What Binance sends.

use jiff::Timestamp;
use market::{CryptoTicker, Digits, Symbol};
use serde::Deserialize;

use crate::number;

/// One item of `GET /api/v3/ticker/24hr`, as far as it is published. Numbers come as strings. Without a
/// price and a time it is none; any other number may be missing.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ticker {
    /// The pair.
    pub symbol: Symbol,
    /// The last price less the open price.
    #[serde(default, deserialize_with = "number::if_any")]
    pub price_change: Option<Digits>,
    /// That change in percent.
    #[serde(default, deserialize_with = "number::if_any")]
    pub price_change_percent: Option<Digits>,
    /// The price of the last trade.
    pub last_price: Digits,
    /// The price 24 hours before.
    #[serde(default, deserialize_with = "number::if_any")]
    pub open_price: Option<Digits>,
    /// The highest price in the 24 hours.
    #[serde(default, deserialize_with = "number::if_any")]
    pub high_price: Option<Digits>,
    /// The lowest price in the 24 hours.
    #[serde(default, deserialize_with = "number::if_any")]
    pub low_price: Option<Digits>,
    /// The best bid; 0 for an empty book.
    #[serde(default, deserialize_with = "number::if_any")]
    pub bid_price: Option<Digits>,
    /// The best ask; 0 for an empty book.
    #[serde(default, deserialize_with = "number::if_any")]
    pub ask_price: Option<Digits>,
    /// Traded in the base asset.
    #[serde(default, deserialize_with = "number::if_any")]
    pub volume: Option<Digits>,
    /// Traded in the quote asset.
    #[serde(default, deserialize_with = "number::if_any")]
    pub quote_volume: Option<Digits>,
    /// The end of the 24 hours, in epoch milliseconds.
    #[serde(deserialize_with = "number::time")]
    pub close_time: Timestamp,
    /// The number of trades.
    #[serde(default, deserialize_with = "number::count_if_any")]
    pub count: Option<u64>,
}

/// One item of `symbols` of `GET /api/v3/exchangeInfo`, as far as it is used.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pair {
    /// The pair.
    pub symbol: Symbol,
    /// The asset that volumes are in.
    pub base_asset: Symbol,
    /// The asset that prices are in.
    pub quote_asset: Symbol,
}

impl From<Ticker> for CryptoTicker {
    fn from(ticker: Ticker) -> Self {
        Self {
            close_time: ticker.close_time,
            last_price: ticker.last_price,
            open_price: ticker.open_price,
            high_price: ticker.high_price,
            low_price: ticker.low_price,
            volume: ticker.volume,
            quote_volume: ticker.quote_volume,
            trades: ticker.count,
            price_change: ticker.price_change,
            price_change_percent: ticker.price_change_percent,
            bid: ticker.bid_price,
            ask: ticker.ask_price,
        }
    }
}
