use jiff::Timestamp;
use serde::Serialize;

use crate::{
    AssetClass, BinanceTicker, Digits, FinnhubQuote, Flag, Observation, Quote, Symbol, asset_class,
    currency, event_id, flags,
};

/// What is published of an observation. The job chooses the topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The symbol: quotes of one symbol keep their order.
    pub key: String,
    /// One JSON object.
    pub body: Vec<u8>,
}

/// The message of an observation: of shape `stock-quotes/1` for Finnhub, of shape `crypto-prices/1`
/// for Binance.
///
/// Numbers keep the provider's digits. The last member, `meta`, is the same in every shape: `source`,
/// `schema`, [`event_id()`], `asset_class`, `currency`, `event_time`, `fetched_at` and `flags`.
pub fn message(observation: &Observation) -> Message {
    let body = match &observation.quote {
        Quote::Finnhub(quote) => json(&StockQuote::new(quote, observation)),
        Quote::Binance(ticker) => json(&CryptoPrice::new(ticker, observation)),
    };
    Message {
        key: observation.quote.symbol().as_str().to_owned(),
        body,
    }
}

/// The shape `stock-quotes/1`.
#[derive(Serialize)]
struct StockQuote<'a> {
    c: &'a Digits,
    d: Option<&'a Digits>,
    dp: Option<&'a Digits>,
    h: &'a Digits,
    l: &'a Digits,
    o: &'a Digits,
    pc: &'a Digits,
    /// Epoch seconds.
    t: i64,
    symbol: &'a Symbol,
    /// Epoch seconds.
    fetched_at: i64,
    meta: Meta,
}

impl<'a> StockQuote<'a> {
    fn new(quote: &'a FinnhubQuote, observation: &Observation) -> Self {
        Self {
            c: &quote.current,
            d: quote.change.as_ref(),
            dp: quote.percent_change.as_ref(),
            h: &quote.high,
            l: &quote.low,
            o: &quote.open,
            pc: &quote.previous_close,
            t: quote.time.as_second(),
            symbol: &quote.symbol,
            fetched_at: observation.fetched_at.as_second(),
            meta: Meta::new("finnhub", "stock-quotes/1", observation),
        }
    }
}

/// The shape `crypto-prices/1`.
#[derive(Serialize)]
struct CryptoPrice<'a> {
    symbol: &'a Symbol,
    /// Epoch milliseconds.
    event_time: i64,
    price: &'a Digits,
    open: &'a Digits,
    high: &'a Digits,
    low: &'a Digits,
    volume: &'a Digits,
    quote_volume: &'a Digits,
    number_trades: u64,
    price_change: &'a Digits,
    price_change_percent: &'a Digits,
    /// When it was fetched, RFC 3339.
    timestamp: String,
    meta: Meta,
}

impl<'a> CryptoPrice<'a> {
    fn new(ticker: &'a BinanceTicker, observation: &Observation) -> Self {
        Self {
            symbol: &ticker.symbol,
            event_time: ticker.close_time.as_millisecond(),
            price: &ticker.last_price,
            open: &ticker.open_price,
            high: &ticker.high_price,
            low: &ticker.low_price,
            volume: &ticker.volume,
            quote_volume: &ticker.quote_volume,
            number_trades: ticker.trades,
            price_change: &ticker.price_change,
            price_change_percent: &ticker.price_change_percent,
            timestamp: rfc3339(observation.fetched_at),
            meta: Meta::new("binance", "crypto-prices/1", observation),
        }
    }
}

#[derive(Serialize)]
struct Meta {
    source: &'static str,
    schema: &'static str,
    event_id: String,
    asset_class: Option<AssetClass>,
    currency: Option<&'static str>,
    event_time: String,
    fetched_at: String,
    flags: Vec<Flag>,
}

impl Meta {
    fn new(source: &'static str, schema: &'static str, observation: &Observation) -> Self {
        let quote = &observation.quote;
        Self {
            source,
            schema,
            event_id: event_id(quote),
            asset_class: asset_class(quote),
            currency: currency(quote),
            event_time: rfc3339(quote.event_time()),
            fetched_at: rfc3339(observation.fetched_at),
            flags: flags(observation),
        }
    }
}

/// RFC 3339 in UTC with milliseconds.
fn rfc3339(time: Timestamp) -> String {
    format!("{time:.3}")
}

#[expect(
    clippy::expect_used,
    reason = "a struct of texts and numbers into memory: no map with odd keys, no I/O"
)]
fn json(message: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(message).expect("a message is JSON")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests;
