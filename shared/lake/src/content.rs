use std::{borrow::Cow, fmt};

use jiff::Timestamp;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

mod time;

use time::{time_of_fraction, time_of_number, time_of_text};

pub(crate) use time::usable_time;

/// What the lake needs to know of a record's value.
#[derive(Debug, PartialEq, Eq)]
pub struct Content<'a> {
    /// The member `symbol`, else `ticker`.
    pub symbol: Cow<'a, str>,
    /// The value's own time: the first usable one of `fetched_at`, `event_time`, `timestamp`, `time` and `t`.
    pub time: Option<Timestamp>,
}

/// Why a value can't become a bronze line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Defect {
    /// Not UTF-8, or not JSON.
    #[error("the value is not JSON: {0}")]
    BrokenJson(String),
    /// JSON of another kind.
    #[error("the value is JSON but no object")]
    NotAnObject,
    /// No text in `symbol` or `ticker`.
    #[error("the value has no symbol: neither 'symbol' nor 'ticker' is a text")]
    NoSymbol,
    /// A symbol that no venue has and that would be a path: `.` or `..` between slashes, or control characters.
    #[error("the symbol {0:?} is a path or holds control characters")]
    UnsafeSymbol(String),
    /// A member that is ours to add.
    #[error("the value has a member '_kafka', which is reserved for its coordinates")]
    ReservedMember,
}

/// Reads a record's value in one pass that keeps nothing else.
///
/// A number counts as seconds, milli-, micro- or nanoseconds by its magnitude; a text as RFC 3339, without a
/// zone as UTC, or as such a number.
///
/// # Errors
/// [`Defect`].
pub fn read_content(value: &[u8]) -> Result<Content<'_>, Defect> {
    match read_members(value)? {
        (content, None) => Ok(content),
        (_, Some(_)) => Err(Defect::ReservedMember),
    }
}

/// The same for what may have a member `_kafka`, which is the second value.
pub(crate) fn read_members(value: &[u8]) -> Result<(Content<'_>, Option<&RawValue>), Defect> {
    let text = std::str::from_utf8(value).map_err(|error| Defect::BrokenJson(error.to_string()))?;
    let mut members = Members::default();
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let read = if text.trim_ascii_start().starts_with('{') {
        MembersSeed(&mut members)
            .deserialize(&mut deserializer)
            .map(|()| true)
    } else {
        IgnoredAny::deserialize(&mut deserializer).map(|_| false)
    };
    let is_object = read
        .and_then(|is_object| deserializer.end().map(|()| is_object))
        .map_err(|error| Defect::BrokenJson(error.to_string()))?;
    if !is_object {
        return Err(Defect::NotAnObject);
    }
    let symbol = members
        .symbol
        .or(members.ticker)
        .filter(|symbol| !symbol.is_empty())
        .ok_or(Defect::NoSymbol)?;
    if !is_safe(&symbol) {
        return Err(Defect::UnsafeSymbol(symbol.chars().take(64).collect()));
    }
    let time = members.times.into_iter().flatten().next();
    let content = Content {
        symbol,
        time: time.and_then(usable_time),
    };
    Ok((content, members.kafka))
}

/// Whether no part of a symbol between slashes is `.` or `..`, and nothing in it is a control character.
fn is_safe(symbol: &str) -> bool {
    if symbol.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return true;
    }
    let mut parts = symbol.split(['/', '\\']);
    !parts.any(|part| part == "." || part == "..") && !symbol.chars().any(char::is_control)
}

/// The members of a value that matter, as far as they are usable.
#[derive(Default)]
struct Members<'a> {
    symbol: Option<Cow<'a, str>>,
    ticker: Option<Cow<'a, str>>,
    /// Epoch milliseconds, in the order in which they count.
    times: [Option<i64>; 5],
    kafka: Option<&'a RawValue>,
}

/// Fills in the members of an object; given in and not given back, because a large value is costly to move.
struct MembersSeed<'m, 'a>(&'m mut Members<'a>);

impl<'de> DeserializeSeed<'de> for MembersSeed<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for MembersSeed<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Members {
            symbol,
            ticker,
            times,
            kafka,
        } = self.0;
        while let Some(name) = map.next_key()? {
            match name {
                Name::Symbol => *symbol = map.next_value_seed(TextSeed)?,
                Name::Ticker => *ticker = map.next_value_seed(TextSeed)?,
                Name::FetchedAt => times[0] = map.next_value_seed(TimeSeed)?,
                Name::EventTime => times[1] = map.next_value_seed(TimeSeed)?,
                Name::Timestamp => times[2] = map.next_value_seed(TimeSeed)?,
                Name::Time => times[3] = map.next_value_seed(TimeSeed)?,
                Name::T => times[4] = map.next_value_seed(TimeSeed)?,
                Name::Kafka => *kafka = Some(map.next_value()?),
                Name::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Name {
    Symbol,
    Ticker,
    FetchedAt,
    EventTime,
    Timestamp,
    Time,
    T,
    #[serde(rename = "_kafka")]
    Kafka,
    #[serde(other)]
    Other,
}

/// Text, borrowed where it has no escapes; `None` for a value of another type.
struct TextSeed;

/// A time in epoch milliseconds; `None` for what is none, and for one that is not usable.
struct TimeSeed;

macro_rules! scalar_seed {
    ($seed:ident -> $value:ty { $($visit:item)* }) => {
        impl<'de> DeserializeSeed<'de> for $seed {
            type Value = Option<$value>;

            fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
                deserializer.deserialize_any(self)
            }
        }

        impl<'de> Visitor<'de> for $seed {
            type Value = Option<$value>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON value")
            }

            fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
                Ok(None)
            }

            fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> {
                Ok(None)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(None)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(None)
            }

            $($visit)*
        }
    };
}

scalar_seed!(TextSeed -> Cow<'de, str> {
    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Some(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(text.to_owned())))
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }
});

scalar_seed!(TimeSeed -> i64 {
    fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        Ok(time_of_number(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        Ok(i64::try_from(number).ok().and_then(time_of_number))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
        Ok(time_of_fraction(number))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(time_of_text(text.trim()))
    }
});

#[cfg(test)]
mod tests;
