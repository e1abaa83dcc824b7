use jiff::Timestamp;
use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};

use super::{Message, Meta, Schema, message, quote_message, time};
use crate::{BoardQuote, Digits, Observation, Quote, Symbol};

/// The message of a row of a price board, a [`StockBoard`]; of another quote, its [`quote_message`].
pub fn board_message(observation: &Observation, repeated: bool) -> Message {
    match &observation.said {
        Quote::Board(quote) => message(
            &observation.instrument.symbol,
            &StockBoard::new(quote, observation, repeated),
        ),
        _ => quote_message(observation, repeated),
    }
}

/// The last price of a share and its trading day so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockPrices {
    /// The symbol as the provider writes it.
    pub symbol: Symbol,
    /// The last price; the reference price before the day's first trade.
    pub price: Digits,
    /// The day's volume so far, in shares.
    pub volume: Option<Digits>,
    /// The price less the reference price; null without one.
    pub change: Option<Digits>,
    /// That change in percent; null without a reference price, or for one of 0.
    pub percent_change: Option<Digits>,
    /// The day's high.
    pub high: Option<Digits>,
    /// The day's low.
    pub low: Option<Digits>,
    /// The day's average price.
    pub avg: Option<Digits>,
    /// When it was fetched, RFC 3339.
    #[serde(with = "time")]
    pub timestamp: Timestamp,
    /// What the message says of itself; `None` if another writer left it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meta: Option<Meta>,
}

impl StockPrices {
    /// `stock-prices/1`.
    pub const SCHEMA: Schema = Schema::first("stock-prices");

    pub(super) fn new(quote: &BoardQuote, observation: &Observation, repeated: bool) -> Self {
        Self {
            symbol: observation.instrument.symbol.clone(),
            price: quote.price.clone(),
            volume: quote.total_volume.clone(),
            change: change(quote).map(Digits::from),
            percent_change: percent_change(quote).map(Digits::from),
            high: quote.high.clone(),
            low: quote.low.clone(),
            avg: quote.average.clone(),
            timestamp: observation.fetched_at,
            meta: Some(Meta::new(Self::SCHEMA, observation, repeated)),
        }
    }
}

/// A row of a price board: a share's trading day so far within its daily band.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockBoard {
    /// The symbol as the provider writes it, as in every other message; `None` from a writer that only knew
    /// `ticker`, which is the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub symbol: Option<Symbol>,
    /// The symbol as the provider writes it.
    pub ticker: Symbol,
    /// When the price was made, or fetched where the provider does not say, RFC 3339.
    #[serde(with = "time")]
    pub time: Timestamp,
    /// The last price; the reference price before the day's first trade.
    pub price: Digits,
    /// The volume of the last trade, in shares.
    pub volume: Option<Digits>,
    /// The day's volume so far, in shares.
    pub total_volume: Option<Digits>,
    /// The price less the reference price; null without one.
    pub change: Option<Digits>,
    /// That change in percent; null without a reference price, or for one of 0.
    pub change_percent: Option<Digits>,
    /// The highest price that is allowed today.
    pub ceiling_price: Option<Digits>,
    /// The lowest price that is allowed today.
    pub floor_price: Option<Digits>,
    /// The reference price, which the band lies around.
    pub reference_price: Option<Digits>,
    /// The day's high.
    pub highest_price: Option<Digits>,
    /// The day's low.
    pub lowest_price: Option<Digits>,
    /// The best bid.
    pub bid_price: Option<Digits>,
    /// The best ask.
    pub ask_price: Option<Digits>,
    /// What the message says of itself; `None` if another writer left it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meta: Option<Meta>,
}

impl StockBoard {
    /// `stock-board/1`.
    pub const SCHEMA: Schema = Schema::first("stock-board");

    fn new(quote: &BoardQuote, observation: &Observation, repeated: bool) -> Self {
        Self {
            symbol: Some(observation.instrument.symbol.clone()),
            ticker: observation.instrument.symbol.clone(),
            time: quote.time.unwrap_or(observation.fetched_at),
            price: quote.price.clone(),
            volume: quote.volume.clone(),
            total_volume: quote.total_volume.clone(),
            change: change(quote).map(Digits::from),
            change_percent: percent_change(quote).map(Digits::from),
            ceiling_price: quote.ceiling.clone(),
            floor_price: quote.floor.clone(),
            reference_price: quote.reference.clone(),
            highest_price: quote.high.clone(),
            lowest_price: quote.low.clone(),
            bid_price: quote.bid.clone(),
            ask_price: quote.ask.clone(),
            meta: Some(Meta::new(Self::SCHEMA, observation, repeated)),
        }
    }
}

/// Recomputed, because sources disagree about what their own is relative to. `None` without a reference.
fn change(quote: &BoardQuote) -> Option<Decimal> {
    let reference = quote.reference.as_ref()?.value();
    Some(quote.price.value().saturating_sub(reference))
}

/// With two decimals; `None` without a reference, or for one of 0.
fn percent_change(quote: &BoardQuote) -> Option<Decimal> {
    let percent = change(quote)?
        .checked_mul(Decimal::ONE_HUNDRED)?
        .checked_div(quote.reference.as_ref()?.value())?;
    Some(percent.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero))
}
