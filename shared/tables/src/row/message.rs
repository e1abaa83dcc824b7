//! As much of a message as a row needs, borrowed from it, and how each type of member is read.

use std::borrow::Cow;

use jiff::{
    Timestamp,
    civil::{Date, DateTime},
};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::NoRow;
use crate::Number;

/// A message of any of the four shapes. What a shape does not have is absent.
#[derive(Deserialize)]
pub(super) struct Message<'a> {
    #[serde(borrow)]
    pub(super) c: Raw<'a>,
    #[serde(borrow)]
    pub(super) d: Raw<'a>,
    #[serde(borrow)]
    pub(super) dp: Raw<'a>,
    #[serde(borrow)]
    pub(super) h: Raw<'a>,
    #[serde(borrow)]
    pub(super) l: Raw<'a>,
    #[serde(borrow)]
    pub(super) pc: Raw<'a>,
    #[serde(borrow)]
    pub(super) t: Raw<'a>,
    #[serde(borrow)]
    pub(super) price: Raw<'a>,
    #[serde(borrow)]
    pub(super) volume: Raw<'a>,
    #[serde(borrow)]
    pub(super) total_volume: Raw<'a>,
    #[serde(borrow)]
    pub(super) change: Raw<'a>,
    #[serde(borrow)]
    pub(super) change_percent: Raw<'a>,
    #[serde(borrow)]
    pub(super) percent_change: Raw<'a>,
    #[serde(borrow)]
    pub(super) price_change: Raw<'a>,
    #[serde(borrow)]
    pub(super) price_change_percent: Raw<'a>,
    #[serde(borrow)]
    pub(super) ceiling_price: Raw<'a>,
    #[serde(borrow)]
    pub(super) floor_price: Raw<'a>,
    #[serde(borrow)]
    pub(super) reference_price: Raw<'a>,
    #[serde(borrow)]
    pub(super) highest_price: Raw<'a>,
    #[serde(borrow)]
    pub(super) lowest_price: Raw<'a>,
    #[serde(borrow)]
    pub(super) high: Raw<'a>,
    #[serde(borrow)]
    pub(super) low: Raw<'a>,
    #[serde(borrow)]
    pub(super) bid_price: Raw<'a>,
    #[serde(borrow)]
    pub(super) ask_price: Raw<'a>,
    #[serde(borrow)]
    pub(super) time: Raw<'a>,
    #[serde(borrow)]
    pub(super) event_time: Raw<'a>,
    #[serde(borrow)]
    pub(super) meta: Raw<'a>,
}

/// As much of `meta`.
#[derive(Default, Deserialize)]
pub(super) struct Meta<'a> {
    #[serde(borrow)]
    pub(super) schema: Raw<'a>,
    #[serde(borrow)]
    pub(super) event_time: Raw<'a>,
    #[serde(borrow)]
    pub(super) event_id: Raw<'a>,
    #[serde(borrow)]
    pub(super) source: Raw<'a>,
    #[serde(borrow)]
    pub(super) currency: Raw<'a>,
    #[serde(borrow)]
    pub(super) mic: Raw<'a>,
    #[serde(borrow)]
    pub(super) session: Raw<'a>,
    #[serde(borrow)]
    pub(super) trading_date: Raw<'a>,
    #[serde(borrow)]
    pub(super) flags: Raw<'a>,
}

/// The JSON of a member; `None` if it is absent or null.
pub(super) type Raw<'a> = Option<&'a RawValue>;

/// The object in a member.
pub(super) fn object<'a, T: Deserialize<'a>>(
    member: &'static str,
    raw: Raw<'a>,
) -> Result<Option<T>, NoRow> {
    let Some(raw) = raw else { return Ok(None) };
    // serde takes an array of the members in order for the object.
    match raw
        .get()
        .starts_with('{')
        .then(|| serde_json::from_str(raw.get()))
    {
        Some(Ok(read)) => Ok(Some(read)),
        _ => Err(wrong_type(member, raw, "an object")),
    }
}

/// The text in a member. An empty one says nothing.
pub(super) fn text<'a>(member: &'static str, raw: Raw<'a>) -> Result<Option<Cow<'a, str>>, NoRow> {
    let Some(raw) = raw else { return Ok(None) };
    let text = unquoted(raw).ok_or_else(|| wrong_type(member, raw, "a text"))?;
    if text.contains('\0') {
        return Err(NoRow::Nul { member });
    }
    Ok(Some(text).filter(|text| !text.is_empty()))
}

/// The same as a `String`.
pub(super) fn owned(member: &'static str, raw: Raw<'_>) -> Result<Option<String>, NoRow> {
    Ok(text(member, raw)?.map(Cow::into_owned))
}

/// The list of texts in a member.
pub(super) fn texts(member: &'static str, raw: Raw<'_>) -> Result<Option<Vec<String>>, NoRow> {
    let Some(raw) = raw else { return Ok(None) };
    let wrong = || wrong_type(member, raw, "a list of texts");
    let texts: Vec<String> = serde_json::from_str(raw.get()).map_err(|_| wrong())?;
    match texts.iter().any(|text| text.contains('\0')) {
        true => Err(NoRow::Nul { member }),
        false => Ok(Some(texts)),
    }
}

/// The number in a member, as JSON's number or as a text of one.
pub(super) fn number(member: &'static str, raw: Raw<'_>) -> Result<Option<Number>, NoRow> {
    let digits = match raw.map(|raw| (raw, raw.get().as_bytes())) {
        Some((raw, [b'-' | b'0'..=b'9', ..])) => Some(Cow::Borrowed(raw.get())),
        Some((_, [b'"', ..])) | None => text(member, raw)?,
        Some((raw, _)) => return Err(wrong_type(member, raw, "a number")),
    };
    let number = digits.map(|digits| digits.parse()).transpose();
    number.map_err(|source| NoRow::Number { member, source })
}

/// The time in a member, as a text in RFC 3339. The start of 1970 stands for a time that is not known.
pub(super) fn time(member: &'static str, raw: Raw<'_>) -> Result<Option<Timestamp>, NoRow> {
    let Some(text) = text(member, raw)? else {
        return Ok(None);
    };
    let instant: Result<Timestamp, _> = text.parse();
    match instant.ok().and_then(|time| known(time.as_microsecond())) {
        Some(time) => Ok(time),
        None if instant_without_zone(&text) => Err(NoRow::NoZone {
            member,
            text: start(&text),
        }),
        None => Err(NoRow::Time {
            member,
            text: start(&text),
            expected: "it in UTC, such as 2026-05-22T20:00:00Z",
        }),
    }
}

/// The time in a member, as a number of seconds since 1970. Zero stands for a time that is not known.
pub(super) fn seconds(member: &'static str, raw: Raw<'_>) -> Result<Option<Timestamp>, NoRow> {
    since_1970(member, raw, 6, "the seconds since 1970")
}

/// The same of milliseconds.
pub(super) fn milliseconds(member: &'static str, raw: Raw<'_>) -> Result<Option<Timestamp>, NoRow> {
    since_1970(member, raw, 3, "the milliseconds since 1970")
}

/// The day in a member.
pub(super) fn day(member: &'static str, raw: Raw<'_>) -> Result<Option<Date>, NoRow> {
    let Some(text) = text(member, raw)? else {
        return Ok(None);
    };
    // Ten characters: a parser of days also takes times, and `20260522`.
    let day = (text.len() == 10).then(|| text.parse::<Date>());
    match day {
        Some(Ok(day)) if day.year() >= 1 => Ok(Some(day)),
        _ => Err(NoRow::Day {
            member,
            text: start(&text),
        }),
    }
}

/// A text for a sentence.
pub(super) fn start(text: &str) -> String {
    text.chars().take(64).collect()
}

/// `digits` more make a microsecond of the unit.
fn since_1970(
    member: &'static str,
    raw: Raw<'_>,
    digits: usize,
    expected: &'static str,
) -> Result<Option<Timestamp>, NoRow> {
    let Some(number) = number(member, raw)? else {
        return Ok(None);
    };
    let micros = microseconds(number.as_str(), digits);
    micros.and_then(known).ok_or_else(|| NoRow::Time {
        member,
        text: start(number.as_str()),
        expected,
    })
}

/// The number with its point `digits` further right, and nothing after it; `None` beyond 64 bits.
fn microseconds(number: &str, digits: usize) -> Option<i64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let fraction = &fraction[..fraction.len().min(digits)];
    format!("{whole}{fraction:0<digits$}").parse().ok()
}

/// The time, or none for 0; `None` outside the years 1 to 9999.
fn known(micros: i64) -> Option<Option<Timestamp>> {
    let time = Timestamp::from_microsecond(micros).ok()?;
    match micros {
        ..YEAR_1 => None,
        0 => Some(None),
        _ => Some(Some(time)),
    }
}

/// 0001-01-01T00:00:00Z in microseconds since 1970. The year 9999 is where [`Timestamp`] ends.
const YEAR_1: i64 = -62_135_596_800_000_000;

fn instant_without_zone(text: &str) -> bool {
    text.parse::<Timestamp>().is_err() && text.parse::<DateTime>().is_ok()
}

/// The text of a JSON string; `None` of another type.
fn unquoted(raw: &RawValue) -> Option<Cow<'_, str>> {
    let inside = raw.get().strip_prefix('"')?.strip_suffix('"')?;
    match inside.contains('\\') {
        true => serde_json::from_str(raw.get()).ok().map(Cow::Owned),
        false => Some(Cow::Borrowed(inside)),
    }
}

fn wrong_type(member: &'static str, raw: &RawValue, expected: &'static str) -> NoRow {
    let found = match raw.get().as_bytes() {
        [b'"', ..] => "a text",
        [b'{', ..] => "an object",
        [b'[', ..] => "a list",
        [b't' | b'f', ..] => "true or false",
        _ => "a number",
    };
    NoRow::WrongType {
        member,
        found,
        expected,
    }
}
