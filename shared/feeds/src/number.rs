//! Whole numbers and times as providers write them: as numbers or strings, in one of several units.

use jiff::Timestamp;
use market::Digits;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error as _},
};
use serde_json::value::RawValue;

/// What stands where a `T` belongs. Of a row that lacks it the rest is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Loose<T> {
    /// Nothing, null or an empty text.
    #[default]
    Missing,
    /// A `T`.
    Given(T),
    /// Anything else, such as the word for a kind of order.
    Other,
}

/// What stands where a number belongs.
pub(crate) type Number = Loose<Digits>;

impl<T> Loose<T> {
    /// The `T`, if it is one.
    pub(crate) fn given(self) -> Option<T> {
        match self {
            Self::Given(given) => Some(given),
            Self::Missing | Self::Other => None,
        }
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Loose<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Ok(match raw.get() {
            "null" | r#""""# => Self::Missing,
            given => serde_json::from_str(given).map_or(Self::Other, Self::Given),
        })
    }
}

/// A number, or `None` where anything else stands.
pub(crate) fn if_any<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Digits>, D::Error> {
    Ok(Number::deserialize(deserializer)?.given())
}

/// A count, or `None` where anything else stands.
pub(crate) fn count_if_any<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<u64>, D::Error> {
    let count = |digits: Digits| u64::try_from(whole(&digits)?).ok();
    Ok(if_any(deserializer)?.and_then(count))
}

/// A time in epoch seconds, milliseconds, microseconds or nanoseconds.
///
/// The magnitude tells the unit: each is unmistakable between 1973 and 5138. A smaller number counts
/// as seconds, so 0 is 1970.
pub(crate) fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    let digits = Digits::deserialize(deserializer)?;
    whole(&digits)
        .and_then(|number| {
            match number.unsigned_abs() {
                0..100_000_000_000 => Timestamp::from_second(number),
                100_000_000_000..100_000_000_000_000 => Timestamp::from_millisecond(number),
                100_000_000_000_000..100_000_000_000_000_000 => Timestamp::from_microsecond(number),
                _ => Timestamp::from_nanosecond(number.into()),
            }
            .ok()
        })
        .ok_or_else(|| D::Error::custom(format!("{digits} is not a time")))
}

fn whole(digits: &Digits) -> Option<i64> {
    let value = digits.value();
    value.is_integer().then(|| value.try_into().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(json: &str) -> Result<Timestamp, serde_json::Error> {
        time(&mut serde_json::Deserializer::from_str(json))
    }

    #[test]
    fn a_time_is_read_in_any_unit_as_a_number_or_a_string() {
        for json in [
            "1779480000",
            "1779480000000",
            "1779480000000000",
            "1779480000000000000",
            r#""1779480000""#,
            "1779480000.0",
        ] {
            assert_eq!(
                read(json).unwrap().to_string(),
                "2026-05-22T20:00:00Z",
                "{json}"
            );
        }
        assert_eq!(read("0").unwrap(), Timestamp::UNIX_EPOCH);
    }

    #[test]
    fn what_is_no_time_is_named_and_what_is_no_count_is_none() {
        assert_eq!(read("1.5").unwrap_err().to_string(), "1.5 is not a time");
        let count = |json| count_if_any(&mut serde_json::Deserializer::from_str(json)).unwrap();
        assert_eq!((count("3"), count(r#""3""#)), (Some(3), Some(3)));
        for none in ["-1", "1.5", "null", r#""""#, "[1]", r#""many""#] {
            assert_eq!(count(none), None, "{none}");
        }
    }

    proptest! {
        #[test]
        fn any_whole_number_is_a_time(number: i64) {
            prop_assert!(read(&number.to_string()).is_ok());
        }

        #[test]
        fn milliseconds_of_this_age_keep_their_instant(ms in 100_000_000_000_i64..4_102_444_800_000) {
            prop_assert_eq!(read(&ms.to_string()).unwrap().as_millisecond(), ms);
            prop_assert_eq!(read(&(ms * 1000).to_string()).unwrap().as_millisecond(), ms);
        }
    }
}
