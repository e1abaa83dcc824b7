//! The columns of each topic: the members of its wire type, in order and with their types.
//!
//! For readers that have to be told types because they would guess them wrong: from the first lines of a lake a
//! price is a whole number, and a member that is null so far is nothing.
//!
//! ```
//! use market::columns::{ColumnType, of_topic};
//!
//! let columns = of_topic("stock-quotes").ok_or("no such topic")?;
//! assert_eq!((columns[0].name, columns[0].holds), ("c", ColumnType::Decimal));
//! assert!(of_topic("weather").is_none());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use ColumnType::{
    Date, Decimal, EpochMilliseconds, EpochSeconds, Integer, Struct, Structs, Text, Texts, Time,
};

/// A member of a message, or of an object in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name as the message has it.
    pub name: &'static str,
    /// What it holds. Any may be null or absent.
    pub holds: ColumnType,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnType {
    /// A text.
    Text,
    /// A number with its provider's digits.
    Decimal,
    /// A whole number of 64 bits.
    Integer,
    /// A time as RFC 3339 in UTC, to the millisecond or the second.
    Time,
    /// A time as a whole number: milliseconds since 1970 in UTC.
    EpochMilliseconds,
    /// A time as a whole number: seconds since 1970 in UTC.
    EpochSeconds,
    /// A day: `2026-11-20`.
    Date,
    /// A list of texts.
    Texts,
    /// An object with these members.
    Struct(&'static [Column]),
    /// A list of objects with these members.
    Structs(&'static [Column]),
}

/// The topics, by the names that the template gives them, each with its columns.
pub const TOPICS: [(&str, &[Column]); 7] = [
    ("stock-quotes", STOCK_QUOTES),
    ("crypto-prices", CRYPTO_PRICES),
    ("trades_raw", TRADES_RAW),
    ("stock-prices", STOCK_PRICES),
    ("stock-intraday", STOCK_INTRADAY),
    ("stock-historical", STOCK_HISTORICAL),
    ("stock-board", STOCK_BOARD),
];

/// The columns of a topic; `None` if it is not one of [`TOPICS`].
pub fn of_topic(topic: &str) -> Option<&'static [Column]> {
    let found = TOPICS.iter().find(|(name, _)| *name == topic);
    found.map(|(_, columns)| *columns)
}

/// A column; for lists of them that stand elsewhere.
pub const fn column(name: &'static str, holds: ColumnType) -> Column {
    Column { name, holds }
}

const META: Column = column(
    "meta",
    Struct(&[
        column("source", Text),
        column("schema", Text),
        column("event_id", Text),
        column("symbol", Text),
        column("asset_class", Text),
        column("mic", Text),
        column("currency", Text),
        column("session", Text),
        column("trading_date", Date),
        column("event_time", Time),
        column("fetched_at", Time),
        column("age_ms", Integer),
        column("flags", Texts),
    ]),
);

const STOCK_QUOTES: &[Column] = &[
    column("c", Decimal),
    column("d", Decimal),
    column("dp", Decimal),
    column("h", Decimal),
    column("l", Decimal),
    column("o", Decimal),
    column("pc", Decimal),
    column("t", EpochSeconds),
    column("symbol", Text),
    column("fetched_at", EpochSeconds),
    META,
];

const CRYPTO_PRICES: &[Column] = &[
    column("symbol", Text),
    column("event_time", EpochMilliseconds),
    column("price", Decimal),
    column("open", Decimal),
    column("high", Decimal),
    column("low", Decimal),
    column("volume", Decimal),
    column("quote_volume", Decimal),
    column("number_trades", Integer),
    column("price_change", Decimal),
    column("price_change_percent", Decimal),
    column("timestamp", Time),
    META,
];

const TRADES_RAW: &[Column] = &[
    column("symbol", Text),
    column("price", Decimal),
    column("size", Decimal),
    column("time", EpochMilliseconds),
    column("conditions", Texts),
    META,
];

const STOCK_PRICES: &[Column] = &[
    column("symbol", Text),
    column("price", Decimal),
    column("volume", Decimal),
    column("change", Decimal),
    column("percent_change", Decimal),
    column("high", Decimal),
    column("low", Decimal),
    column("avg", Decimal),
    column("timestamp", Time),
    META,
];

const STOCK_INTRADAY: &[Column] = &[
    column("symbol", Text),
    column("type", Text),
    column(
        "data",
        Structs(&[
            column("Date", Time),
            column("Open", Decimal),
            column("High", Decimal),
            column("Low", Decimal),
            column("Close", Decimal),
            column("Volume", Decimal),
        ]),
    ),
    column("timestamp", Time),
    META,
];

const STOCK_HISTORICAL: &[Column] = &[
    column("symbol", Text),
    column("period_days", Integer),
    column(
        "data",
        Structs(&[
            column("Date", Date),
            column("Open", Decimal),
            column("High", Decimal),
            column("Low", Decimal),
            column("Close", Decimal),
            column("Volume", Decimal),
            column("SMA_20", Decimal),
            column("SMA_50", Decimal),
            column("EMA_12", Decimal),
            column("EMA_26", Decimal),
            column("RSI", Decimal),
            column("MACD", Decimal),
            column("MACD_signal", Decimal),
            column("MACD_hist", Decimal),
            column("BB_upper", Decimal),
            column("BB_middle", Decimal),
            column("BB_lower", Decimal),
            column("ATR", Decimal),
            column("STOCH_K", Decimal),
            column("STOCH_D", Decimal),
            column("OBV", Decimal),
        ]),
    ),
    column("timestamp", Time),
    META,
];

const STOCK_BOARD: &[Column] = &[
    column("symbol", Text),
    column("ticker", Text),
    column("time", Time),
    column("price", Decimal),
    column("volume", Decimal),
    column("total_volume", Decimal),
    column("change", Decimal),
    column("change_percent", Decimal),
    column("ceiling_price", Decimal),
    column("floor_price", Decimal),
    column("reference_price", Decimal),
    column("highest_price", Decimal),
    column("lowest_price", Decimal),
    column("bid_price", Decimal),
    column("ask_price", Decimal),
    META,
];

#[cfg(test)]
mod tests;
