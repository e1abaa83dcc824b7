use std::{fmt, ops::Range};

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use market::{Bar, Digits};
use serde::{Deserialize, Deserializer};

use super::local;
use crate::{BodyError, FetchError, number};

/// The length of a bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Length {
    Minute,
    Day,
}

/// What a bar is of: a minute from a [`Timestamp`] on, or a trading [`Date`].
pub(crate) trait Interval: Copy + Ord + fmt::Debug + Send + Sync + 'static {
    const LENGTH: Length;

    /// That of a bar which a source says to start so.
    fn starting(at: Timestamp) -> Self;

    /// Its start. That of a date is midnight UTC, 07:00 local, before any session.
    fn start(self) -> Option<Timestamp>;
}

impl Interval for Timestamp {
    const LENGTH: Length = Length::Minute;

    fn starting(at: Timestamp) -> Self {
        at
    }

    fn start(self) -> Option<Timestamp> {
        Some(self)
    }
}

impl Interval for Date {
    const LENGTH: Length = Length::Day;

    /// The local date: sources write midnight UTC, 07:00 local or midnight local.
    fn starting(at: Timestamp) -> Self {
        local::date(at)
    }

    fn start(self) -> Option<Timestamp> {
        let midnight = self.to_zoned(TimeZone::UTC).ok()?;
        Some(midnight.timestamp())
    }
}

/// The bars that start in `range`, oldest first; if all are older, as after holidays, those over as long a time up
/// to the newest.
///
/// # Errors
/// [`FetchError::NoData`] if there is none.
pub(crate) fn within<At: Interval>(
    mut bars: Vec<Bar<At>>,
    range: &Range<Timestamp>,
) -> Result<Vec<Bar<At>>, FetchError> {
    bars.retain(|bar| bar.at.start().is_some_and(|start| start < range.end));
    bars.sort_by_key(|bar| bar.at);
    let newest = bars.last().and_then(|bar| bar.at.start());
    let newest = newest.ok_or(FetchError::NoData)?;
    let from = if range.contains(&newest) {
        range.start
    } else {
        newest - range.end.duration_since(range.start)
    };
    bars.retain(|bar| bar.at.start().is_some_and(|start| start >= from));
    Ok(bars)
}

/// Bars as columns of one length: starts in epoch seconds, prices, and volumes in shares. A source without bars
/// may write null.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Columns {
    #[serde(deserialize_with = "column")]
    t: Vec<Start>,
    #[serde(deserialize_with = "column")]
    o: Vec<Digits>,
    #[serde(deserialize_with = "column")]
    h: Vec<Digits>,
    #[serde(deserialize_with = "column")]
    l: Vec<Digits>,
    #[serde(deserialize_with = "column")]
    c: Vec<Digits>,
    #[serde(deserialize_with = "column")]
    v: Vec<Digits>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
struct Start(#[serde(deserialize_with = "number::time")] Timestamp);

impl Columns {
    /// The bars in the order sent.
    ///
    /// # Errors
    /// [`BodyError::Shape`] for columns that differ in length: a series with a hole would pass for a whole one.
    pub(crate) fn bars<At: Interval>(self) -> Result<Vec<Bar<At>>, BodyError> {
        let columns = [&self.o, &self.h, &self.l, &self.c, &self.v];
        if columns.iter().any(|column| column.len() != self.t.len()) {
            return Err(BodyError::Shape(
                "the columns of the bars differ in length".to_owned(),
            ));
        }
        let prices = self.o.into_iter().zip(self.h).zip(self.l).zip(self.c);
        let rows = self.t.into_iter().zip(prices).zip(self.v);
        Ok(rows
            .map(|((Start(at), (((open, high), low), close)), volume)| Bar {
                at: At::starting(at),
                open,
                high,
                low,
                close,
                volume,
            })
            .collect())
    }
}

fn column<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
