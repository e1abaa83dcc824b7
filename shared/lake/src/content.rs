use std::borrow::Cow;

use jiff::Timestamp;

use crate::{
    Version,
    scan::{KAFKA, NESTING_MAX, NUMBER_MAX, Scanned, scan},
};

mod time;

use time::{time_of_fraction, time_of_number, time_of_text};

pub(crate) use time::usable_time;

/// What the lake needs to know of a record's value.
#[derive(Debug, PartialEq, Eq)]
pub struct Content<'a> {
    /// The member `symbol`; where there is none, `ticker`.
    pub symbol: Cow<'a, str>,
    /// Whether the value has no member `symbol`, so that its line gets one.
    pub has_only_ticker: bool,
    /// When the value was fetched, as it says itself: the first usable one of `meta.fetched_at` and `fetched_at`.
    ///
    /// In layout 1 the first of `fetched_at`, `event_time`, `timestamp`, `time` and `t`.
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
    /// A member that is ours to add, to the line or to its path.
    #[error("the value has a member '{0}', which is reserved for its coordinates")]
    ReservedMember(&'static str),
    /// Half of a UTF-16 pair, which is no character: most engines refuse it.
    #[error(
        "a text of the value has a lone surrogate, such as \\ud800: write both halves of the pair"
    )]
    LoneSurrogate,
    /// Two members of one object whose names are equal, or differ only in upper and lower case.
    #[error(
        "two members of one object are named '{0}': names that differ only in case count as one"
    )]
    NamedTwice(String),
    /// Arrays and objects in each other beyond [`NESTING_MAX`].
    #[error("arrays and objects lie more than {NESTING_MAX} deep in each other")]
    TooDeep,
    /// A number of more than [`NUMBER_MAX`] characters, or beyond what a 64-bit float can hold.
    #[error("the number {0} has more than {NUMBER_MAX} characters, or lies beyond 1.8e308")]
    NumberTooLarge(String),
}

impl Defect {
    pub(crate) fn named_twice(name: &str) -> Self {
        Self::NamedTwice(name.chars().take(64).collect())
    }
}

/// Reads a record's value in one pass that keeps nothing else, and checks that every engine can read it.
///
/// A time that is a number counts as seconds, milli-, micro- or nanoseconds by its magnitude; a text as RFC 3339,
/// without a zone as UTC, or as such a number. Zero is no time.
///
/// # Errors
/// [`Defect`].
pub fn read_content(version: Version, value: &[u8]) -> Result<Content<'_>, Defect> {
    match read_members(version, value)? {
        (content, None) => Ok(content),
        (_, Some(_)) => Err(Defect::ReservedMember(KAFKA)),
    }
}

/// The same for what may have a member `_kafka`, whose text is the second value.
pub(crate) fn read_members(
    version: Version,
    value: &[u8],
) -> Result<(Content<'_>, Option<&str>), Defect> {
    let text = std::str::from_utf8(value).map_err(|error| Defect::BrokenJson(error.to_string()))?;
    let members = scan(text)?;
    if version == Version::Two {
        if let Some(defect) = members.unreadable {
            return Err(defect);
        }
        if let Some(name) = members.reserved {
            return Err(Defect::ReservedMember(name));
        }
    }
    let symbol = members.symbol.and_then(text_of);
    let ticker = || members.ticker.and_then(text_of);
    let has_only_ticker = version == Version::Two && !members.has_symbol;
    let symbol = match version {
        Version::One => symbol.or_else(ticker),
        Version::Two if has_only_ticker => ticker(),
        Version::Two => symbol,
    };
    let symbol = symbol
        .filter(|symbol| !symbol.is_empty())
        .ok_or(Defect::NoSymbol)?;
    if !is_safe(&symbol) {
        return Err(Defect::UnsafeSymbol(symbol.chars().take(64).collect()));
    }
    let content = Content {
        symbol,
        has_only_ticker,
        time: time(version, &members),
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

fn time(version: Version, members: &Scanned<'_>) -> Option<Timestamp> {
    let fetched_at = [members.meta_fetched_at, members.times[0]];
    let times = match version {
        Version::One => members.times.as_slice(),
        Version::Two => fetched_at.as_slice(),
    };
    let mut times = times.iter().flatten();
    times.find_map(|time| usable_time(version, time_of(time)?))
}

/// The text of a JSON string; `None` for a value of another type.
fn text_of(value: &str) -> Option<Cow<'_, str>> {
    let inside = value.strip_prefix('"')?.strip_suffix('"')?;
    if inside.contains('\\') {
        serde_json::from_str(value).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(inside))
    }
}

/// The epoch milliseconds that a JSON value says.
fn time_of(value: &str) -> Option<i64> {
    match value.as_bytes().first()? {
        b'"' => time_of_text(text_of(value)?.trim()),
        b'-' | b'0'..=b'9' => match value.parse() {
            Ok(number) => time_of_number(number),
            Err(_) => value.parse().ok().and_then(time_of_fraction),
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests;
