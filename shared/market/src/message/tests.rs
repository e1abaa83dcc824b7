use jiff::Timestamp;
use serde_json::Value;

use super::*;
use crate::{Assets, CryptoTicker, Digits, Instrument, Observation, Quote, StockQuote};

mod bars;
mod boards;
mod flags;
mod quotes;
mod read;
mod round_trip;
mod trades;

fn digits(text: &str) -> Digits {
    text.parse().unwrap()
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn observed<T>(
    source: &'static str,
    instrument: Instrument,
    said: T,
    fetched_at: &str,
) -> Observation<T> {
    Observation {
        source,
        instrument,
        said,
        fetched_at: time(fetched_at),
    }
}

fn text(message: Message) -> String {
    String::from_utf8(message.body).unwrap()
}

fn meta(message: &Message) -> Value {
    let body: Value = serde_json::from_slice(&message.body).unwrap();
    body["meta"].clone()
}

fn us_share(symbol: &str) -> Instrument {
    Instrument::us_share(symbol.parse().unwrap())
}

fn pair(base: &str, quote: &str) -> Instrument {
    let symbol = format!("{base}{quote}");
    let assets = Assets {
        base: base.to_owned(),
        quote: quote.to_owned(),
    };
    Instrument::crypto_pair(symbol.parse().unwrap(), &symbol, Some(&assets))
}

/// A quote of Finnhub: current, high, low, open, previous close.
fn stock([c, h, l, o, pc]: [&str; 5], change: Option<[&str; 2]>, seconds: i64) -> Quote {
    Quote::Stock(StockQuote {
        current: digits(c),
        change: change.map(|[d, _]| digits(d)),
        percent_change: change.map(|[_, dp]| digits(dp)),
        high: Some(digits(h)),
        low: Some(digits(l)),
        open: Some(digits(o)),
        previous_close: Some(digits(pc)),
        time: Timestamp::from_second(seconds).unwrap(),
    })
}

/// A ticker of Binance: price, open, high, low, volume, quote volume, change, percent.
fn ticker(close_time: i64, numbers: [&str; 8], trades: u64) -> CryptoTicker {
    let [
        price,
        open,
        high,
        low,
        volume,
        quote_volume,
        change,
        percent,
    ] = numbers.map(digits);
    CryptoTicker {
        close_time: Timestamp::from_millisecond(close_time).unwrap(),
        last_price: price,
        open_price: Some(open),
        high_price: Some(high),
        low_price: Some(low),
        volume: Some(volume),
        quote_volume: Some(quote_volume),
        trades: Some(trades),
        price_change: Some(change),
        price_change_percent: Some(percent),
        bid: None,
        ask: None,
    }
}

/// A number as JSON writes one.
fn number() -> &'static str {
    "-?(0|[1-9][0-9]{0,9})(\\.[0-9]{1,8})?"
}
