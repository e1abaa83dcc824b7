//! Market data as values: symbols, decimal digits, quotes and the messages made of them.
//!
//! Pure: no async, no clock, no I/O, no environment. Times come in as arguments, and a number stays
//! the decimal text that the provider sent.
//!
//! What is published of an observation is one of seven wire types, from [`StockQuotes`] to [`StockBoard`], each
//! with its [`Schema`]. [`Published::read`] reads any of them back, by the schema in the message.
//!
//! ```
//! use market::{Instrument, Observation, Published, Quote, StockQuote, Volume, quote_message};
//!
//! let quote = StockQuote {
//!     current: "308.82".parse()?,
//!     change: Some("3.83".parse()?),
//!     percent_change: Some("1.2558".parse()?),
//!     high: Some("311.4".parse()?),
//!     low: Some("305.84".parse()?),
//!     open: Some("306.12".parse()?),
//!     previous_close: Some("304.99".parse()?),
//!     time: "2026-05-22T20:00:00Z".parse()?,
//! };
//! let observation = Observation {
//!     source: "finnhub",
//!     instrument: Instrument::us_share("AAPL".parse()?),
//!     said: Quote::Stock(quote),
//!     fetched_at: "2026-05-22T20:00:01Z".parse()?,
//! };
//! let message = quote_message(&observation, false);
//! assert_eq!(message.key, "AAPL");
//! assert!(message.body.starts_with(br#"{"c":308.82,"d":3.83,"#));
//!
//! // A consumer reads it back, whatever the topic, and takes the price with what the volume means.
//! let published = Published::read("stock-quotes", &message.body)?;
//! let tick = published.tick().ok_or("bars have no tick")?;
//! assert_eq!(tick.symbol.as_str(), "AAPL");
//! assert_eq!(tick.price.as_str(), "308.82");
//! assert_eq!(tick.volume, Volume::Unknown);
//! assert_eq!((tick.currency, tick.age_ms), (Some("USD"), Some(1000)));
//!
//! // A shape's own members are there too. Messages that hold bars have no tick: their type is matched.
//! let lows: Vec<_> = match &published {
//!     Published::StockQuotes(quote) => quote.l.iter().collect(),
//!     Published::StockIntraday(bars) => bars.data.iter().map(|bar| &bar.low).collect(),
//!     Published::StockHistorical(days) => days.data.iter().map(|row| &row.bar.low).collect(),
//!     _ => Vec::new(),
//! };
//! assert_eq!(lows[0].as_str(), "305.84");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

pub mod bars;
mod calendar;
pub mod columns;
mod digits;
mod event_id;
mod flags;
mod indicators;
mod instrument;
mod message;
mod observation;
mod said;
mod symbol;

pub use calendar::{Calendar, Session, TradingTime};
pub use digits::{Digits, DigitsError};
pub use event_id::event_id;
pub use flags::{Flag, flags};
pub use indicators::{Indicators, Ohlcv, indicators};
pub use instrument::{AssetClass, Assets, Instrument, Mic, MicError};
pub use message::{
    Basis, CryptoPrices, HistoryRow, Message, Meta, Published, ReadError, Schema, SchemaError,
    StockBoard, StockHistorical, StockIntraday, StockPrices, StockQuotes, Term, Tick, TradesRaw,
    Volume, board_message, history_message, intraday_message, minutes_message, quote_message,
    trade_message,
};
pub use observation::{
    Bar, BoardQuote, CryptoTicker, DailyBars, MinuteBars, Observation, Quote, StockQuote, Trade,
};
pub use said::{Prices, Said};
pub use symbol::{Symbol, SymbolError};
