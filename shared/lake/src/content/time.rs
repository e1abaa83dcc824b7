//! What counts as a time in a value.

use jiff::{
    Timestamp,
    civil::{Date, DateTime},
    tz::TimeZone,
};

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
    match time_as_published(text) {
        Some(millis) => usable(millis),
        None => time_of_any_text(text),
    }
}

pub(super) fn time_of_any_text(text: &str) -> Option<i64> {
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

/// The time of a text as the pollers write it, `2026-05-22T20:00:05.123Z`: every record has one, so it is read here in a
/// tenth of the time that a parser of all RFC 3339 takes. `None` for any other text.
fn time_as_published(text: &str) -> Option<i64> {
    let bytes: &[u8; 24] = text.as_bytes().try_into().ok()?;
    let marks = [
        (4, b'-'),
        (7, b'-'),
        (10, b'T'),
        (13, b':'),
        (16, b':'),
        (19, b'.'),
        (23, b'Z'),
    ];
    if !marks.iter().all(|&(at, mark)| bytes[at] == mark) {
        return None;
    }
    let number = |from: usize, to: usize| {
        bytes[from..to].iter().try_fold(0_i16, |number, byte| {
            let digit = byte.is_ascii_digit().then(|| i16::from(byte - b'0'))?;
            Some(number * 10 + digit)
        })
    };
    let small = |from| i8::try_from(number(from, from + 2)?).ok();
    let date = Date::new(number(0, 4)?, small(5)?, small(8)?).ok()?;
    let (hour, minute, second) = (small(11)?, small(14)?, small(17)?);
    // A leap second, and what is no time at all, is for the parser.
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let days = date.duration_since(EPOCH).as_hours() / 24;
    let seconds = i64::from(hour) * 3_600 + i64::from(minute) * 60 + i64::from(second);
    Some(days * 86_400_000 + seconds * 1_000 + i64::from(number(20, 23)?))
}

const EPOCH: Date = Date::constant(1970, 1, 1);
