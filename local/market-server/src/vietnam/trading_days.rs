//! The exchange's trading days on the clock, by the calendar that the pipeline dates its messages by.
//!
//! As there, a trading date lasts from its opening to that of the next: the nights, weekends and holidays after it are its.

use std::{iter, ops::Range};

use jiff::{
    Timestamp,
    civil::{Date, date},
    tz::offset,
};
use market::Calendar;

const EXCHANGE: Calendar = Calendar::Hose;
/// The first recorded day. From it on trading days are counted, so that each plays a recorded day of its own.
const FIRST: Date = date(2024, 6, 12);

/// A trading day.
pub(super) struct TradingDay {
    /// Midnight in UTC, in seconds since the epoch.
    pub(super) time: i64,
    /// How many trading days lie between the first recorded one and this.
    pub(super) number: i64,
    /// From its opening to the next trading day's, in milliseconds since the epoch.
    pub(super) period: Range<i64>,
}

/// The trading day that it is at a time, and those before it, the newest first.
pub(super) fn back_from(now: Timestamp) -> impl Iterator<Item = TradingDay> {
    let today = EXCHANGE.at(now).trading_date;
    let tomorrow = days(today, Date::tomorrow).find(is_trading_day);
    let mut end = opening(tomorrow.unwrap_or(Date::MAX));
    let dates = iter::once(today).chain(days(today, Date::yesterday).filter(is_trading_day));
    let number = number(today);
    dates.zip(0..).map(move |(date, back)| {
        let start = opening(date);
        TradingDay {
            time: midnight(date),
            number: number - back,
            period: start..std::mem::replace(&mut end, start),
        }
    })
}

fn number(today: Date) -> i64 {
    let count = |from: Date, to: Date| {
        let dates = iter::once(from).chain(days(from, Date::tomorrow));
        let before = dates.take_while(|date| *date < to);
        before.filter(is_trading_day).map(|_| 1_i64).sum::<i64>()
    };
    count(FIRST, today) - count(today, FIRST)
}

/// The days after a date, in the direction of a step.
fn days(date: Date, step: fn(Date) -> Result<Date, jiff::Error>) -> impl Iterator<Item = Date> {
    let next = move |date: &Date| step(*date).ok();
    iter::successors(next(&date), next)
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "a filter has a reference"
)]
fn is_trading_day(date: &Date) -> bool {
    EXCHANGE.is_trading_day(*date)
}

/// 09:00 in Vietnam, in milliseconds since the epoch.
fn opening(date: Date) -> i64 {
    let opening = offset(7).to_timestamp(date.at(9, 0, 0, 0));
    opening.unwrap_or(Timestamp::MAX).as_millisecond()
}

fn midnight(date: Date) -> i64 {
    let midnight = offset(0).to_timestamp(date.at(0, 0, 0, 0));
    midnight.unwrap_or(Timestamp::MIN).as_second()
}
