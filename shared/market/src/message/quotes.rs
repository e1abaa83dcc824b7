use rust_decimal::{Decimal, RoundingStrategy};
use serde::Serialize;

use super::{Message, message, meta::Meta, rfc3339};
use crate::{BoardQuote, CryptoTicker, Digits, Observation, Quote, StockQuote, Symbol};

/// The message of a quote: of shape `stock-quotes/1`, `crypto-prices/1` or `stock-prices/1`, by its kind.
/// Numbers keep the provider's digits.
pub fn quote_message(observation: &Observation, repeated: bool) -> Message {
    let symbol = &observation.instrument.symbol;
    match &observation.said {
        Quote::Stock(quote) => message(symbol, &StockQuotes::new(quote, observation, repeated)),
        Quote::Crypto(ticker) => message(symbol, &CryptoPrices::new(ticker, observation, repeated)),
        Quote::Board(quote) => message(symbol, &StockPrices::new(quote, observation, repeated)),
    }
}

/// The message of a row of a price board, of shape `stock-board/1`; of another quote, its
/// [`quote_message`].
pub fn board_message(observation: &Observation, repeated: bool) -> Message {
    match &observation.said {
        Quote::Board(quote) => message(
            &observation.instrument.symbol,
            &StockBoard::new(quote, observation, repeated),
        ),
        _ => quote_message(observation, repeated),
    }
}

#[derive(Serialize)]
struct StockQuotes<'a> {
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
    meta: Meta<'a>,
}

impl<'a> StockQuotes<'a> {
    fn new(quote: &'a StockQuote, observation: &'a Observation, repeated: bool) -> Self {
        Self {
            c: &quote.current,
            d: quote.change.as_ref(),
            dp: quote.percent_change.as_ref(),
            h: &quote.high,
            l: &quote.low,
            o: &quote.open,
            pc: &quote.previous_close,
            t: quote.time.as_second(),
            symbol: &observation.instrument.symbol,
            fetched_at: observation.fetched_at.as_second(),
            meta: Meta::new("stock-quotes/1", observation, repeated),
        }
    }
}

#[derive(Serialize)]
struct CryptoPrices<'a> {
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
    meta: Meta<'a>,
}

impl<'a> CryptoPrices<'a> {
    fn new(ticker: &'a CryptoTicker, observation: &'a Observation, repeated: bool) -> Self {
        Self {
            symbol: &observation.instrument.symbol,
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
            meta: Meta::new("crypto-prices/1", observation, repeated),
        }
    }
}

#[derive(Serialize)]
struct StockPrices<'a> {
    symbol: &'a Symbol,
    price: &'a Digits,
    /// The day's so far, in shares.
    volume: &'a Digits,
    /// Since the reference price.
    change: Digits,
    percent_change: Option<Digits>,
    high: Option<&'a Digits>,
    low: Option<&'a Digits>,
    avg: Option<&'a Digits>,
    /// When it was fetched, RFC 3339.
    timestamp: String,
    meta: Meta<'a>,
}

impl<'a> StockPrices<'a> {
    fn new(quote: &'a BoardQuote, observation: &'a Observation, repeated: bool) -> Self {
        Self {
            symbol: &observation.instrument.symbol,
            price: &quote.price,
            volume: &quote.total_volume,
            change: change(quote).into(),
            percent_change: percent_change(quote).map(Digits::from),
            high: quote.high.as_ref(),
            low: quote.low.as_ref(),
            avg: quote.average.as_ref(),
            timestamp: rfc3339(observation.fetched_at),
            meta: Meta::new("stock-prices/1", observation, repeated),
        }
    }
}

#[derive(Serialize)]
struct StockBoard<'a> {
    ticker: &'a Symbol,
    /// When the price was made, or fetched where the provider does not say, RFC 3339.
    time: String,
    price: &'a Digits,
    /// Of the last trade, in shares.
    volume: Option<&'a Digits>,
    /// The day's so far, in shares.
    total_volume: &'a Digits,
    change: Digits,
    change_percent: Option<Digits>,
    ceiling_price: &'a Digits,
    floor_price: &'a Digits,
    reference_price: &'a Digits,
    highest_price: Option<&'a Digits>,
    lowest_price: Option<&'a Digits>,
    bid_price: Option<&'a Digits>,
    ask_price: Option<&'a Digits>,
    meta: Meta<'a>,
}

impl<'a> StockBoard<'a> {
    fn new(quote: &'a BoardQuote, observation: &'a Observation, repeated: bool) -> Self {
        Self {
            ticker: &observation.instrument.symbol,
            time: rfc3339(quote.time.unwrap_or(observation.fetched_at)),
            price: &quote.price,
            volume: quote.volume.as_ref(),
            total_volume: &quote.total_volume,
            change: change(quote).into(),
            change_percent: percent_change(quote).map(Digits::from),
            ceiling_price: &quote.ceiling,
            floor_price: &quote.floor,
            reference_price: &quote.reference,
            highest_price: quote.high.as_ref(),
            lowest_price: quote.low.as_ref(),
            bid_price: quote.bid.as_ref(),
            ask_price: quote.ask.as_ref(),
            meta: Meta::new("stock-board/1", observation, repeated),
        }
    }
}

/// Recomputed, because sources disagree about what their own is relative to.
fn change(quote: &BoardQuote) -> Decimal {
    quote.price.value().saturating_sub(quote.reference.value())
}

/// With two decimals; `None` for a reference of 0.
fn percent_change(quote: &BoardQuote) -> Option<Decimal> {
    let percent = change(quote)
        .checked_mul(Decimal::ONE_HUNDRED)?
        .checked_div(quote.reference.value())?;
    Some(percent.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero))
}
