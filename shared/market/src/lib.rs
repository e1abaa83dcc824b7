//! Market data as values: symbols, decimal digits, quotes and the messages made of them.
//!
//! Pure: no async, no clock, no I/O, no environment. Times come in as arguments, and a number stays
//! the decimal text that the provider sent.
//!
//! ```
//! use market::{Instrument, Observation, Quote, StockQuote, quote_message};
//!
//! let quote = StockQuote {
//!     current: "308.82".parse()?,
//!     change: Some("3.83".parse()?),
//!     percent_change: Some("1.2558".parse()?),
//!     high: "311.4".parse()?,
//!     low: "305.84".parse()?,
//!     open: "306.12".parse()?,
//!     previous_close: "304.99".parse()?,
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
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

mod calendar;
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
pub use instrument::{AssetClass, Instrument, Mic, MicError};
pub use message::{
    Message, board_message, history_message, intraday_message, quote_message, trade_message,
};
pub use observation::{
    Bar, BoardQuote, CryptoTicker, DailyBars, MinuteBars, Observation, Quote, StockQuote, Trade,
};
pub use said::{Prices, Said};
pub use symbol::{Symbol, SymbolError};
