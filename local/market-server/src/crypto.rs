//! The recorded crypto seconds, `local/market-server/data/crypto.csv`: the last trade, the best quote and the totals so far.

use std::time::Duration;

use rust_decimal::Decimal;

use super::{
    MarketError,
    recording::{Recording, RowFault, Stamped, amount, integer, within},
};

/// Recorded rows are one second apart.
const BEAT: Duration = Duration::from_secs(1);

/// The state of one symbol at one second. Totals, high, low and open run from the start of the recording.
#[derive(Clone, Debug)]
pub(super) struct Second {
    pub(super) last: Decimal,
    pub(super) last_quantity: Decimal,
    pub(super) bid: Decimal,
    pub(super) bid_quantity: Decimal,
    pub(super) ask: Decimal,
    pub(super) ask_quantity: Decimal,
    pub(super) volume: Decimal,
    pub(super) quote_volume: Decimal,
    pub(super) count: u64,
    pub(super) first_id: u64,
    pub(super) last_id: u64,
    pub(super) high: Decimal,
    pub(super) low: Decimal,
    pub(super) open: Decimal,
}

/// The seconds compiled in.
pub(super) fn seconds() -> Result<Recording<Second>, MarketError> {
    read(include_str!("../data/crypto.csv"))
}

#[rustfmt::skip]
const COLUMNS: [&str; 16] = [
    "time_ms", "symbol", "last", "last_qty", "bid", "bid_qty", "ask", "ask_qty",
    "volume", "quote_volume", "count", "first_id", "last_id", "high", "low", "open",
];

pub(super) fn read(text: &str) -> Result<Recording<Second>, MarketError> {
    Recording::read("crypto.csv", COLUMNS, BEAT, text, read_second)
}

#[rustfmt::skip]
fn read_second(
    [
        time, symbol, last, last_quantity, bid, bid_quantity, ask, ask_quantity,
        volume, quote_volume, count, first_id, last_id, high, low, open,
    ]: [&str; 16],
) -> Result<Stamped<Second>, RowFault> {
    let second = Second {
        last: amount("last", last)?,
        last_quantity: amount("last_qty", last_quantity)?,
        bid: amount("bid", bid)?,
        bid_quantity: amount("bid_qty", bid_quantity)?,
        ask: amount("ask", ask)?,
        ask_quantity: amount("ask_qty", ask_quantity)?,
        volume: amount("volume", volume)?,
        quote_volume: amount("quote_volume", quote_volume)?,
        count: integer("count", count)?,
        first_id: integer("first_id", first_id)?,
        last_id: integer("last_id", last_id)?,
        high: amount("high", high)?,
        low: amount("low", low)?,
        open: amount("open", open)?,
    };
    within("open", second.open, second.low, second.high)?;
    within("last", second.last, second.low, second.high)?;
    if second.first_id > second.last_id {
        return Err(RowFault::Range { column: "first_id" });
    }
    let time = integer("time_ms", time)?;
    Ok(Stamped { time, symbol: symbol.to_owned(), row: second })
}
