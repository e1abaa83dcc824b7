//! Ten stocks of the Ho Chi Minh Stock Exchange, `local/market-server/data/vietnam.csv`, as all Vietnamese feeds serve them.
//!
//! The days are recorded, one of them is played in 60 s, and what happens within a day is drawn.

use std::time::Duration;

use jiff::{civil::Date, tz::TimeZone};
use rust_decimal::{Decimal, prelude::ToPrimitive};

use super::{
    MarketError,
    recording::{Recording, RowFault, Stamped, amount, integer},
};

mod session;
#[cfg(test)]
mod tests;

pub(super) use session::Session;

/// Recorded days are served at one per so much time.
const BEAT: Duration = Duration::from_secs(60);
/// A played day has this much history.
const HISTORY_DAYS: i64 = 365;
const SECONDS_A_DAY: i64 = 86_400;

/// What was traded in a day or a minute, in VND and shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Candle {
    /// In seconds since the epoch: a minute's start, or midnight in UTC, which is 07:00 in Vietnam, of a day.
    pub(super) time: i64,
    pub(super) open: i64,
    pub(super) high: i64,
    pub(super) low: i64,
    pub(super) close: i64,
    pub(super) volume: i64,
    /// Turnover, in VND.
    pub(super) value: i64,
}

/// The recorded days, and which of them are played.
pub(super) struct Exchange {
    days: Recording<Candle>,
    /// The first day that is played.
    first: usize,
}

/// A stock at a time of a played day.
pub(super) struct Stock {
    /// The days before.
    past: Vec<Candle>,
    pub(super) session: Session,
}

impl Exchange {
    /// The days compiled in.
    pub(super) fn recorded() -> Result<Self, MarketError> {
        let columns = ["date", "symbol", "open", "high", "low", "close", "volume"];
        let text = include_str!("../data/vietnam.csv");
        let days = Recording::read("vietnam.csv", columns, BEAT, text, read_day)?;
        let earliest = days.first().time + HISTORY_DAYS * SECONDS_A_DAY;
        let first = days
            .rows_by_time()
            .take(days.times() - 1)
            .filter(|rows| rows[0].time < earliest)
            .count();
        Ok(Self { days, first })
    }

    pub(super) fn symbols(&self) -> &[String] {
        self.days.symbols()
    }

    /// A stock when so much recorded time has been played; after the last day comes the first one played.
    pub(super) fn stock(&self, symbol: &str, played: Duration) -> Option<Stock> {
        let days = (self.days.times() - self.first) as u128;
        let day = self.first + (self.days.beats(played) % days) as usize;
        let mut past: Vec<_> = self.days.column(symbol)?.take(day + 1).copied().collect();
        let today = past.pop()?;
        let passed = (played.as_millis() % BEAT.as_millis()) as i64;
        let session = Session::new(today, past.last()?.close, passed);
        Some(Stock { past, session })
    }
}

impl Stock {
    /// Every day's candle up to now in order, today's as far as it has grown.
    pub(super) fn days(&self) -> impl DoubleEndedIterator<Item = Candle> {
        self.past.iter().copied().chain(self.session.so_far())
    }

    /// Every minute's candle up to now in order, the last as far as it has grown.
    pub(super) fn minutes(&self) -> impl DoubleEndedIterator<Item = Candle> {
        let past = self.past.iter().copied().map(Session::finished);
        past.chain([self.session]).flat_map(Session::minutes)
    }
}

/// A range up to the real now, or any that ends after the recorded market's now, moved back by as much.
pub(super) fn ending_by(now: i64, (from, to): (i64, i64)) -> (i64, i64) {
    let late = to.saturating_sub(now).max(0);
    (from.saturating_sub(late), to.saturating_sub(late))
}

fn read_day(
    [date, symbol, open, high, low, close, volume]: [&str; 7],
) -> Result<Stamped<Candle>, RowFault> {
    let time = midnight(date)?;
    let (open, close) = (vnd("open", open)?, vnd("close", close)?);
    // Two recorded bars close outside their own low and high.
    let low = vnd("low", low)?.min(open).min(close);
    let high = vnd("high", high)?.max(open).max(close);
    let day = Candle {
        time,
        open,
        high,
        low,
        close,
        volume: integer("volume", volume)?,
        value: 0,
    };
    Ok(Stamped {
        time,
        symbol: symbol.to_owned(),
        row: Session::finished(day).so_far().unwrap_or(day),
    })
}

/// A price in thousand VND as whole VND.
fn vnd(column: &'static str, text: &str) -> Result<i64, RowFault> {
    let value = amount(column, text)? * Decimal::ONE_THOUSAND;
    let whole = value.is_integer().then(|| value.to_i64()).flatten();
    whole.ok_or_else(|| RowFault::Value {
        column,
        text: text.to_owned(),
        wanted: "a price of whole VND in thousand VND",
    })
}

fn midnight(date: &str) -> Result<i64, RowFault> {
    let midnight = date
        .parse::<Date>()
        .and_then(|date| date.to_zoned(TimeZone::UTC));
    match midnight {
        Ok(midnight) => Ok(midnight.timestamp().as_second()),
        Err(_) => Err(RowFault::Value {
            column: "date",
            text: date.to_owned(),
            wanted: "a date such as 2026-02-13",
        }),
    }
}
