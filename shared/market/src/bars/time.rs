//! Times of messages in microseconds since 1970.

use jiff::{
    Timestamp,
    civil::{Date, DateTime},
    tz::Offset,
};
use serde_json::value::RawValue;

/// The time of a JSON text or number, by the rule of the lake: a number is seconds, milli-, micro- or nanoseconds by its
/// magnitude, a text is RFC 3339. Zero is no time.
pub(super) fn usable(raw: &RawValue) -> Option<i64> {
    let text = raw.get();
    let number = |text: &str| match text.parse() {
        Ok(number) => of_number(number),
        Err(_) => text.parse().ok().and_then(of_fraction),
    };
    let time = match text.strip_prefix('"') {
        Some(rest) => {
            let text = rest.strip_suffix('"')?;
            rfc3339(text).or_else(|| number(text))?
        }
        None => number(text)?,
    };
    // In milliseconds it is zero, which is no time.
    (time >= 1_000).then_some(time)
}

/// The time of a JSON number of whole seconds.
pub(super) fn seconds(raw: &RawValue) -> Option<i64> {
    whole(raw)?.checked_mul(1_000_000).and_then(checked)
}

/// The time of a JSON number of whole milliseconds.
pub(super) fn milliseconds(raw: &RawValue) -> Option<i64> {
    whole(raw)?.checked_mul(1_000).and_then(checked)
}

/// The time of a JSON text.
pub(super) fn text(raw: &RawValue) -> Option<i64> {
    rfc3339(raw.get().strip_prefix('"')?.strip_suffix('"')?)
}

/// The time of a text in RFC 3339.
pub(super) fn rfc3339(text: &str) -> Option<i64> {
    as_published(text).or_else(|| {
        let instant: Result<Timestamp, _> = text.parse();
        let instant = instant.or_else(|_| Offset::UTC.to_timestamp(text.parse::<DateTime>()?));
        instant.ok().map(Timestamp::as_microsecond)
    })
}

fn whole(raw: &RawValue) -> Option<i64> {
    raw.get().parse().ok()
}

fn checked(time: i64) -> Option<i64> {
    Timestamp::from_microsecond(time).ok().map(|_| time)
}

/// Epoch seconds reach 1e11 in the year 5138, so each larger unit starts three digits further up.
fn of_number(number: i64) -> Option<i64> {
    let time = match number {
        ..0 => return None,
        0..100_000_000_000 => number * 1_000_000,
        100_000_000_000..100_000_000_000_000 => number * 1_000,
        100_000_000_000_000..100_000_000_000_000_000 => number,
        _ => number / 1_000,
    };
    checked(time)
}

/// Seconds with a fraction, or a larger unit whose fraction is below a millisecond.
#[expect(
    clippy::cast_possible_truncation,
    reason = "rounded, and checked against the range before"
)]
fn of_fraction(number: f64) -> Option<i64> {
    match number {
        0.0..1e11 => checked(((number * 1_000.0).floor() as i64).checked_mul(1_000)?),
        1e11..1e18 => of_number(number as i64),
        _ => None,
    }
}

/// The time of a text as the pollers write it, `2026-05-22T20:00:05.123Z`, read in a tenth of the time of a parser of all
/// RFC 3339. `None` for any other text.
fn as_published(text: &str) -> Option<i64> {
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
    let (hour, minute, second) = (small(11)?, small(14)?, small(17)?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let days = days(number(0, 4)?, small(5)?, small(8)?)?;
    let seconds = i64::from(hour) * 3_600 + i64::from(minute) * 60 + i64::from(second);
    Some((days * 86_400 + seconds) * 1_000_000 + i64::from(number(20, 23)?) * 1_000)
}

/// The days from 1970 to a date.
fn days(year: i16, month: i8, day: i8) -> Option<i64> {
    let date = Date::new(year, month, day).ok()?;
    Some(date.duration_since(Date::constant(1970, 1, 1)).as_hours() / 24)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_time_as_published_is_that_of_rfc_3339(millis in -62_000_000_000_000_i64..253_000_000_000_000) {
            let time = Timestamp::from_millisecond(millis).unwrap();
            prop_assert_eq!(rfc3339(&format!("{time:.3}")), Some(millis * 1_000));
            prop_assert_eq!(rfc3339(&time.to_string()), Some(millis * 1_000));
        }

        #[test]
        fn a_number_is_a_time_by_its_magnitude_and_may_have_a_fraction(seconds in 1..4_000_000_000_i64, millis in 0..1_000_i64) {
            let read = |text: String| usable(&RawValue::from_string(text).unwrap());
            let time = seconds * 1_000_000;
            prop_assert_eq!(read(seconds.to_string()), Some(time));
            // A text of eight digits is a date, in bronze too.
            if seconds >= 1_000_000_000 {
                prop_assert_eq!(read(format!("\"{seconds}\"")), Some(time));
            }
            let fraction = read(format!("{seconds}.{millis:03}")).unwrap();
            prop_assert!((fraction - time - millis * 1_000).abs() <= 1_000, "{}", fraction);
            prop_assert_eq!(fraction % 1_000, 0);
        }

        #[test]
        fn any_text_is_a_time_or_none(text in "[0-9TZ:.+-]{0,26}") {
            let expected: Option<Timestamp> = text.parse().ok();
            if let Some(expected) = expected {
                prop_assert_eq!(rfc3339(&text), Some(expected.as_microsecond()));
            }
        }
    }
}
