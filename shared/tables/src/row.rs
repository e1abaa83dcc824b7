use jiff::{Timestamp, civil::Date};

use crate::Number;

mod digest;
mod message;
mod no_row;
mod read;

pub use no_row::NoRow;
pub use read::read;

/// One record as a row. What the record does not say is `None`, and NULL in a table; in the latest quotes a `source` of
/// `None` is the empty text, because it is part of their key.
///
/// Times are in UTC and of whole microseconds. Texts of the record hold no U+0000, which Postgres refuses, and none but a
/// flag is empty. Two rows are equal if all their columns are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The topic's name.
    pub topic: String,
    /// The epoch of the history; empty if there is none.
    pub epoch: String,
    /// The partition.
    pub partition: i32,
    /// The offset.
    pub offset: i64,
    /// The symbol as the provider writes it: what bronze has as `symbol`.
    pub ticker: String,
    /// When the price was made.
    pub time: Option<Timestamp>,
    /// The last price.
    pub price: Number,
    /// A volume: of 24 hours for a pair, of the last trade for a board.
    pub volume: Option<Number>,
    /// The day's volume so far.
    pub total_volume: Option<Number>,
    /// The change of the price.
    pub change: Option<Number>,
    /// That change in percent.
    pub change_percent: Option<Number>,
    /// The highest price that is allowed today.
    pub ceiling_price: Option<Number>,
    /// The lowest price that is allowed today.
    pub floor_price: Option<Number>,
    /// The price that changes are relative to: the previous close of a share in the US.
    pub reference_price: Option<Number>,
    /// The day's high; of a pair that of 24 hours.
    pub highest_price: Option<Number>,
    /// The day's low; of a pair that of 24 hours.
    pub lowest_price: Option<Number>,
    /// The best bid.
    pub bid_price: Option<Number>,
    /// The best ask.
    pub ask_price: Option<Number>,
    /// When the value was fetched: bronze's time of the record, never that of the write.
    pub created_at: Timestamp,
    /// Equal for equal observations.
    pub event_id: Option<String>,
    /// The provider.
    pub source: Option<String>,
    /// The currency or asset that prices are in.
    pub currency: Option<String>,
    /// The exchange, as its Market Identifier Code (ISO 10383).
    pub mic: Option<String>,
    /// The market's session when the value was fetched.
    pub session: Option<String>,
    /// The trading day that the price belongs to, in the exchange's own zone.
    pub trading_date: Option<Date>,
    /// Everything odd about it; `None` if the record says nothing of that.
    pub flags: Option<Vec<String>>,
}

#[cfg(test)]
pub(crate) mod tests;
