use serde::Serialize;

use super::{Message, message, meta::Meta};
use crate::{Digits, Observation, Symbol, Trade};

/// The message of a trade, of shape `trades-raw/1`. Numbers keep the provider's digits.
pub fn trade_message(observation: &Observation<Trade>) -> Message {
    let trade = &observation.said;
    let symbol = &observation.instrument.symbol;
    message(
        symbol,
        &TradesRaw {
            symbol,
            price: &trade.price,
            size: &trade.size,
            time: trade.time.as_millisecond(),
            conditions: &trade.conditions,
            meta: Meta::new("trades-raw/1", observation, false),
        },
    )
}

#[derive(Serialize)]
struct TradesRaw<'a> {
    symbol: &'a Symbol,
    price: &'a Digits,
    size: &'a Digits,
    /// Epoch milliseconds.
    time: i64,
    conditions: &'a [String],
    meta: Meta<'a>,
}
