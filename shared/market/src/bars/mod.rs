//! Bars by event time, as a pure fold over what the lake has: no clock, no order of arrival.
//!
//! [`Reader`] reads bronze lines into [`Observed`] prices, [`minutes()`] folds those of one symbol into bars of a
//! minute, [`hours()`] and [`days()`] compose longer ones of them. Whatever the order and repetition of the lines, the
//! bars are the same.
//!
//! - Records with one `event_id` and event time are one observation. It is the one that was fetched first.
//! - An observation counts in the bar with `start <= event_time < end`, unless it is late: fetched more than
//!   [`Rules::lateness`] after its event. Late ones are counted in [`Bar::late`].
//! - Open and close are the first and last by (event time, partition, offset).
//! - Where a minute has trades, only they give prices; else quotes; else the provider's own bar.
//!
//! ```
//! use market::bars::{Amount, Lines, Reader, Rules, minutes};
//!
//! let rules = Rules::default();
//! let mut reader = Reader::new("trades_raw", rules);
//! let mut lines = Lines::default();
//! for (offset, price) in [(7, "101.5"), (8, "99.25")] {
//!     let line = format!(
//!         r#"{{"symbol":"AAPL","price":{price},"size":2,"time":1779480005123,"_kafka":{{"partition":3,"offset":{offset},"timestamp":1779480006000}}}}"#
//!     );
//!     reader.read(line.as_bytes(), &mut lines)?;
//! }
//! let bars = minutes(&mut lines.observed, reader.subjects(), &rules);
//! let prices = bars[0].prices.ok_or("no prices")?;
//! assert_eq!((prices.open.to_string(), prices.close.to_string()), ("101.5".to_owned(), "99.25".to_owned()));
//! assert_eq!(bars[0].volume, Some(Amount::from(4)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod amount;
mod bar;
mod compose;
mod fold;
mod line;
mod observed;
mod reader;
mod time;
mod zone;

pub use amount::Amount;
pub use bar::{Bar, Bases, Interval, Prices, Subject};
pub use compose::{add_session_volumes, days, hours};
pub use fold::minutes;
pub use observed::{Observed, Said};
pub use reader::{Aside, LineError, Lines, ProviderDay, Reader};
pub use zone::Zone;

/// Which records count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// How long after its event a record may have been fetched, in microseconds. One that was fetched later is late.
    pub lateness: i64,
    /// How long before its event a record may have been fetched, in microseconds: how far a provider's clock may be
    /// ahead. One beyond counts nowhere.
    pub ahead: i64,
}

impl Default for Rules {
    /// An hour late, a minute ahead.
    fn default() -> Self {
        Self {
            lateness: HOUR,
            ahead: MINUTE,
        }
    }
}

/// A minute in microseconds.
pub const MINUTE: i64 = 60_000_000;

/// An hour in microseconds.
pub const HOUR: i64 = 60 * MINUTE;

/// A day of UTC in microseconds.
pub const DAY: i64 = 24 * HOUR;

#[cfg(test)]
mod tests;
