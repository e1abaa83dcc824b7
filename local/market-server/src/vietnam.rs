//! Ten stocks of the Ho Chi Minh Stock Exchange, `local/market-server/data/vietnam.csv`, as all Vietnamese feeds serve them.
//!
//! The days are recorded, and what happens within a day is drawn. With recorded times one of them is played in 60 s; on the
//! clock each trading day has one, drawn again and again round the clock.

use std::{iter, time::Duration};

use jiff::{civil::Date, tz::TimeZone};
use rust_decimal::{Decimal, prelude::ToPrimitive};

use super::{
    MarketError,
    playback::{Position, Times},
    recording::{Recording, RowFault, Stamped, amount, integer},
};

mod path;
mod session;
#[cfg(test)]
mod tests;
mod trading_days;

pub(super) use session::Session;

/// With recorded times, days are served at one per so much time.
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

/// A stock's days, the newest first.
pub(super) type Sessions = Box<dyn Iterator<Item = Session>>;

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

    /// A stock's day at a place in the recording.
    pub(super) fn session(&self, symbol: &str, position: Position) -> Option<Session> {
        self.sessions(symbol, position)?.next()
    }

    /// The day and those before it, which are over, the newest first.
    pub(super) fn sessions(&self, symbol: &str, position: Position) -> Option<Sessions> {
        let days = self.days.column(symbol)?.copied().collect();
        Some(match position.times {
            Times::Now => Box::new(on_the_clock(days, position)),
            Times::Recorded => Box::new(self.recorded_days(days, position)),
        })
    }

    /// After the last day comes the first one played.
    fn recorded_days(
        &self,
        days: Vec<Candle>,
        position: Position,
    ) -> impl Iterator<Item = Session> + use<> {
        let played = (days.len() - self.first) as u128;
        let today = self.first + (self.days.beats(position) % played) as usize;
        let passed = position.parts_of(BEAT, 60_000);
        let session = Session::new(days[today], days[today - 1].close, i64::from(passed));
        let past = days.into_iter().take(today).rev().map(Session::finished);
        iter::once(session).chain(past)
    }
}

/// The sessions of a year up to now, each of a recorded day; after the last day comes the first.
fn on_the_clock(days: Vec<Candle>, position: Position) -> impl Iterator<Item = Session> {
    let now = position.now.as_millisecond();
    let since = now / 1000 - HISTORY_DAYS * SECONDS_A_DAY;
    let count = i64::try_from(days.len()).unwrap_or(i64::MAX);
    let index = move |number: i64| usize::try_from(number.rem_euclid(count)).unwrap_or_default();
    let recorded = move |number| days[index(number)];
    let trading_days = trading_days::back_from(position.now);
    let of_a_year = trading_days.take_while(move |day| day.time >= since);
    of_a_year.map(move |day| {
        let candle = Candle {
            time: day.time,
            ..recorded(day.number)
        };
        let reference = recorded(day.number - 1).close;
        Session::on_the_clock(candle, reference, day.period, position.speed, now)
    })
}

/// Every day's candle up to now, the newest first and as far as it has grown.
pub(super) fn days(sessions: impl Iterator<Item = Session>) -> impl Iterator<Item = Candle> {
    sessions.filter_map(|session| session.so_far())
}

/// Every minute's candle up to now, the newest first and as far as it has grown.
pub(super) fn minutes(sessions: impl Iterator<Item = Session>) -> impl Iterator<Item = Candle> {
    sessions.flat_map(|session| session.minutes().rev())
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
        time: time * 1000,
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
