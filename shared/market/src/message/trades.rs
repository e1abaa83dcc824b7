use jiff::{Timestamp, fmt::serde::timestamp::millisecond};
use serde::{Deserialize, Serialize};

use super::{Message, Meta, Schema, message};
use crate::{Digits, Observation, Symbol, Trade};

/// The message of a trade, a [`TradesRaw`]. Numbers keep the provider's digits.
pub fn trade_message(observation: &Observation<Trade>) -> Message {
    let trade = &observation.said;
    message(
        &observation.instrument.symbol,
        &TradesRaw {
            symbol: observation.instrument.symbol.clone(),
            price: trade.price.clone(),
            size: trade.size.clone(),
            time: trade.time,
            conditions: trade.conditions.clone(),
            meta: Some(Meta::new(TradesRaw::SCHEMA, observation, false)),
        },
    )
}

/// A trade.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TradesRaw {
    /// The symbol as the provider writes it.
    pub symbol: Symbol,
    /// The price.
    pub price: Digits,
    /// The size: shares, or the base asset. 0 is a price update without a trade.
    pub size: Digits,
    /// When it was made, in epoch milliseconds.
    #[serde(with = "millisecond::required")]
    pub time: Timestamp,
    /// The provider's condition codes.
    #[serde(default)]
    pub conditions: Vec<String>,
    /// What the message says of itself; `None` if another writer left it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meta: Option<Meta>,
}

impl TradesRaw {
    /// `trades-raw/1`.
    pub const SCHEMA: Schema = Schema::first("trades-raw");
}
