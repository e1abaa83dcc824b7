//! What counts as a time in a value.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

use crate::Version;

/// The instant of epoch milliseconds, from 1970 up to the end of what a key can spell (30 December 9999). Zero, which
/// stands for a time that is not known, is none but in layout 1.
pub(crate) fn usable_time(version: Version, millis: i64) -> Option<Timestamp> {
    let is_known = millis != 0 || version == Version::One;
    Timestamp::from_millisecond(usable(millis).filter(|_| is_known)?).ok()
}

/// Epoch milliseconds from 1970 up to the last that [`Timestamp`] can hold.
fn usable(millis: i64) -> Option<i64> {
    (0..=Timestamp::MAX.as_millisecond())
        .contains(&millis)
        .then_some(millis)
}

/// Epoch seconds reach 1e11 in the year 5138, so each larger unit starts three digits further up.
pub(super) fn time_of_number(number: i64) -> Option<i64> {
    usable(match number {
        ..0 => return None,
        0..100_000_000_000 => number * 1_000,
        100_000_000_000..100_000_000_000_000 => number,
        100_000_000_000_000..100_000_000_000_000_000 => number / 1_000,
        _ => number / 1_000_000,
    })
}

/// Seconds with a fraction, or a larger unit whose fraction is below a millisecond.
#[expect(
    clippy::cast_possible_truncation,
    reason = "rounded, and checked against the range before"
)]
pub(super) fn time_of_fraction(number: f64) -> Option<i64> {
    match number {
        0.0..1e11 => usable((number * 1_000.0).floor() as i64),
        1e11..1e18 => time_of_number(number as i64),
        _ => None,
    }
}

pub(super) fn time_of_text(text: &str) -> Option<i64> {
    let instant = text.parse::<Timestamp>().ok().or_else(|| {
        let civil: DateTime = text.parse().ok()?;
        civil
            .to_zoned(TimeZone::UTC)
            .ok()
            .map(|zoned| zoned.timestamp())
    });
    match instant {
        Some(instant) => usable(instant.as_millisecond()),
        None => match text.parse::<i64>() {
            Ok(number) => time_of_number(number),
            Err(_) => text.parse().ok().and_then(time_of_fraction),
        },
    }
}
