//! The holidays and early closes of the NYSE: by rule, and a table of the days that no rule foresaw.
//!
//! Compared day by day from 2000 to 2035 with the `XNYS` calendar of `exchange_calendars` 4.13.2
//! (Apache-2.0), which is the recording in `fixtures/us.csv`, and by hand with `NYSE` of
//! `pandas_market_calendars` 5.5.0 (MIT). The three agree on every holiday. On closes, the last one
//! differs on 1 June 2005: it ends the day at 15:56, when the exchange's systems failed.
//!
//! Before 2000 the sources differ on early closes (31 December 1999), so those years are not known. In
//! years to come a day of mourning may close the exchange: no table can foresee it.

use std::ops::RangeInclusive;

use jiff::civil::{Date, Weekday, date};

/// The years that were compared.
pub(super) const KNOWN_YEARS: RangeInclusive<i16> = 2000..=2035;

/// Whether the NYSE is closed on a weekday.
pub(super) fn is_holiday(date: Date) -> bool {
    is_yearly_holiday(date) || is_good_friday(date) || CLOSURES.contains(&date)
}

/// Whether the NYSE closes at 13:00 on a trading day.
pub(super) fn closes_early(date: Date) -> bool {
    let (year, weekday) = (date.year(), date.weekday());
    match (date.month(), date.day()) {
        // Before a Thursday's holiday; until 2012 the Friday after it was the short day instead.
        (7, 3) if weekday == Weekday::Wednesday => year >= 2013,
        (7, 5) => weekday == Weekday::Friday && year < 2013,
        (7, 3) | (12, 24) => true,
        (11, 23..=29) => weekday == Weekday::Friday,
        _ => date == FRIDAY_AFTER_CHRISTMAS_2003,
    }
}

/// Weekdays on which the NYSE was closed out of turn, since 2000.
const CLOSURES: [Date; 10] = [
    // The attacks on New York.
    date(2001, 9, 11),
    date(2001, 9, 12),
    date(2001, 9, 13),
    date(2001, 9, 14),
    // Mourning for Ronald Reagan.
    date(2004, 6, 11),
    // Mourning for Gerald Ford.
    date(2007, 1, 2),
    // Hurricane Sandy.
    date(2012, 10, 29),
    date(2012, 10, 30),
    // Mourning for George H. W. Bush.
    date(2018, 12, 5),
    // Mourning for Jimmy Carter.
    date(2025, 1, 9),
];

/// The one early close since 2000 that no rule gives.
const FRIDAY_AFTER_CHRISTMAS_2003: Date = date(2003, 12, 26);

/// The first year in which the NYSE kept Juneteenth.
const FIRST_JUNETEENTH: i16 = 2022;

/// The holidays that keep their date, or their weekday of the month.
fn is_yearly_holiday(date: Date) -> bool {
    match (date.month(), date.weekday(), date.day()) {
        // New Year, except on a Saturday: the books of the old year are closed on the Friday before.
        (1, Weekday::Monday, 2) | (1, _, 1) => true,
        // Martin Luther King's birthday and Washington's.
        (1 | 2, Weekday::Monday, 15..=21) => true,
        // Memorial Day.
        (5, Weekday::Monday, 25..=31) => true,
        (6, ..) => date.year() >= FIRST_JUNETEENTH && is_observance_of(19, date),
        // Independence Day.
        (7, ..) => is_observance_of(4, date),
        // Labor Day.
        (9, Weekday::Monday, 1..=7) => true,
        // Thanksgiving.
        (11, Weekday::Thursday, 22..=28) => true,
        // Christmas.
        (12, ..) => is_observance_of(25, date),
        _ => false,
    }
}

/// Whether the holiday on a day of the month is kept on this weekday of it: on the day itself, on the
/// Friday before a Saturday, on the Monday after a Sunday.
fn is_observance_of(day: i8, date: Date) -> bool {
    match date.weekday() {
        Weekday::Friday => date.day() == day || date.day() == day - 1,
        Weekday::Monday => date.day() == day || date.day() == day + 1,
        _ => date.day() == day,
    }
}

/// Whether it is the Friday before Easter, by the anonymous Gregorian computus of 1876.
fn is_good_friday(date: Date) -> bool {
    if date.weekday() != Weekday::Friday || !matches!(date.month(), 3 | 4) {
        return false;
    }
    let year = date.year();
    let golden = year % 19;
    let (century, of_century) = (year / 100, year % 100);
    let moon_correction = (century - (century + 8) / 25 + 1) / 3;
    let epact = (19 * golden + century - century / 4 - moon_correction + 15) % 30;
    let to_sunday = (32 + 2 * (century % 4) + 2 * (of_century / 4) - epact - of_century % 4) % 7;
    let late_moon = (golden + 11 * epact + 22 * to_sunday) / 451;
    // Easter is this many days after 22 March, Good Friday after 20 March.
    let days = epact + to_sunday - 7 * late_moon;
    let since_20_march = if date.month() == 3 { -20 } else { 11 } + i16::from(date.day());
    since_20_march == days
}
