use jiff::{
    Timestamp,
    fmt::serde::timestamp::{millisecond, second},
};
use serde::{Deserialize, Serialize};

use super::{Message, Meta, Schema, boards::StockPrices, message, time};
use crate::{CryptoTicker, Digits, Observation, Quote, StockQuote, Symbol};

/// The message of a quote: a [`StockQuotes`], [`CryptoPrices`] or [`StockPrices`], by its kind.
/// Numbers keep the provider's digits.
pub fn quote_message(observation: &Observation, repeated: bool) -> Message {
    let symbol = &observation.instrument.symbol;
    match &observation.said {
        Quote::Stock(quote) => message(symbol, &StockQuotes::new(quote, observation, repeated)),
        Quote::Crypto(ticker) => message(symbol, &CryptoPrices::new(ticker, observation, repeated)),
        Quote::Board(quote) => message(symbol, &StockPrices::new(quote, observation, repeated)),
    }
}

/// The last price of a share and its trading day so far, with Finnhub's names. No volume is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockQuotes {
    /// The last price.
    pub c: Digits,
    /// The change since the previous close.
    pub d: Option<Digits>,
    /// That change in percent.
    pub dp: Option<Digits>,
    /// The day's high.
    pub h: Option<Digits>,
    /// The day's low.
    pub l: Option<Digits>,
    /// The day's open.
    pub o: Option<Digits>,
    /// The previous close.
    pub pc: Option<Digits>,
    /// When the price was made, in epoch seconds.
    #[serde(with = "second::required")]
    pub t: Timestamp,
    /// The symbol as the provider writes it.
    pub symbol: Symbol,
    /// When the answer arrived, in epoch seconds.
    #[serde(with = "second::required")]
    pub fetched_at: Timestamp,
    /// What the message says of itself; `None` if another writer left it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meta: Option<Meta>,
}

impl StockQuotes {
    /// `stock-quotes/1`.
    pub const SCHEMA: Schema = Schema::first("stock-quotes");

    fn new(quote: &StockQuote, observation: &Observation, repeated: bool) -> Self {
        Self {
            c: quote.current.clone(),
            d: quote.change.clone(),
            dp: quote.percent_change.clone(),
            h: quote.high.clone(),
            l: quote.low.clone(),
            o: quote.open.clone(),
            pc: quote.previous_close.clone(),
            t: quote.time,
            symbol: observation.instrument.symbol.clone(),
            fetched_at: observation.fetched_at,
            meta: Some(Meta::new(Self::SCHEMA, observation, repeated)),
        }
    }
}

/// The last price of a pair and its last 24 hours, which roll and are no session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CryptoPrices {
    /// The symbol as the provider writes it.
    pub symbol: Symbol,
    /// The end of the 24 hours, in epoch milliseconds.
    #[serde(with = "millisecond::required")]
    pub event_time: Timestamp,
    /// The price of the last trade.
    pub price: Digits,
    /// The price 24 hours before.
    pub open: Option<Digits>,
    /// The highest price in the 24 hours.
    pub high: Option<Digits>,
    /// The lowest price in the 24 hours.
    pub low: Option<Digits>,
    /// Traded in the 24 hours, in the base asset.
    pub volume: Option<Digits>,
    /// Traded in the 24 hours, in the quote asset.
    pub quote_volume: Option<Digits>,
    /// The number of trades in the 24 hours.
    pub number_trades: Option<u64>,
    /// The last price less the open price.
    pub price_change: Option<Digits>,
    /// That change in percent.
    pub price_change_percent: Option<Digits>,
    /// When it was fetched, RFC 3339.
    #[serde(with = "time")]
    pub timestamp: Timestamp,
    /// What the message says of itself; `None` if another writer left it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meta: Option<Meta>,
}

impl CryptoPrices {
    /// `crypto-prices/1`.
    pub const SCHEMA: Schema = Schema::first("crypto-prices");

    fn new(ticker: &CryptoTicker, observation: &Observation, repeated: bool) -> Self {
        Self {
            symbol: observation.instrument.symbol.clone(),
            event_time: ticker.close_time,
            price: ticker.last_price.clone(),
            open: ticker.open_price.clone(),
            high: ticker.high_price.clone(),
            low: ticker.low_price.clone(),
            volume: ticker.volume.clone(),
            quote_volume: ticker.quote_volume.clone(),
            number_trades: ticker.trades,
            price_change: ticker.price_change.clone(),
            price_change_percent: ticker.price_change_percent.clone(),
            timestamp: observation.fetched_at,
            meta: Some(Meta::new(Self::SCHEMA, observation, repeated)),
        }
    }
}
