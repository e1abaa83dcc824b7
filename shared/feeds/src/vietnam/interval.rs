use std::{fmt, ops::Range};

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use market::{Bar, Digits};
use serde::{Deserialize, Deserializer};

use super::local;
use crate::{
    BodyError, FetchError, number,
    series::{Slot, series},
};

/// The length of a bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Length {
    Minute,
    Day,
}

/// What a bar is of: a minute from a [`Timestamp`] on, or a trading [`Date`].
pub(crate) trait Interval: Slot + fmt::Debug + Send + Sync + 'static {
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

/// The [series] of the bars that start in `range`; if all are older, as after holidays, of those over as long a time
/// up to the newest.
///
/// # Errors
/// [`FetchError::NoData`] if there is none, [`FetchError::Malformed`] if they are no series.
pub(crate) fn within<At: Interval>(
    mut bars: Vec<Bar<At>>,
    range: &Range<Timestamp>,
) -> Result<Vec<Bar<At>>, FetchError> {
    bars.retain(|bar| bar.at.start().is_some_and(|start| start < range.end));
    let newest = bars.iter().map(|bar| bar.at).max();
    let newest = newest.and_then(Interval::start);
    let newest = newest.ok_or(FetchError::NoData)?;
    let from = if range.contains(&newest) {
        range.start
    } else {
        let length = range.end.duration_since(range.start);
        newest.checked_sub(length).unwrap_or(Timestamp::MIN)
    };
    bars.retain(|bar| bar.at.start().is_some_and(|start| start >= from));
    Ok(series(bars)?)
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

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use proptest::prelude::*;

    use super::*;

    fn bar<At: Interval>(second: i64) -> Bar<At> {
        let one: Digits = "1".parse().unwrap();
        Bar {
            at: At::starting(Timestamp::from_second(second).unwrap()),
            open: one.clone(),
            high: one.clone(),
            low: one.clone(),
            close: one.clone(),
            volume: one,
        }
    }

    #[test]
    fn a_day_is_its_local_date_whether_it_starts_at_midnight_in_utc_or_in_vietnam() {
        for start in [
            "2026-02-12T00:00:00Z",
            "2026-02-12T00:00:00+07:00",
            "2026-02-12T07:00:00+07:00",
        ] {
            let day = Date::starting(start.parse().unwrap());
            assert_eq!(day.to_string(), "2026-02-12", "{start}");
        }
    }

    #[test]
    fn a_bar_at_the_beginning_of_time_is_one_like_others() {
        let range = Timestamp::from_second(1).unwrap()..Timestamp::from_second(9).unwrap();
        let first = Bar {
            at: Timestamp::MIN,
            ..bar(0)
        };
        assert_eq!(within(vec![first.clone()], &range), Ok(vec![first]));
    }

    proptest! {
        #[test]
        fn bars_come_oldest_first_within_the_range_or_as_long_before_it(
            seconds in prop::collection::vec(1_770_000_000..1_771_000_000_i64, 0..30),
            start in 1_770_000_000..1_771_000_000_i64,
            length in 0..2_000_000_i64,
        ) {
            let range = Timestamp::from_second(start).unwrap()..Timestamp::from_second(start + length).unwrap();
            let minutes: Vec<Bar<Timestamp>> = seconds.iter().map(|second| bar(*second)).collect();
            let newest = minutes.iter().map(|bar| bar.at).filter(|at| *at < range.end).max();
            let from = newest.map(|newest| range.start.min(newest - SignedDuration::from_secs(length)));
            let from = newest.filter(|newest| *newest >= range.start).map(|_| range.start).or(from);
            let mut expected: Vec<_> = minutes.iter().map(|bar| bar.at).collect();
            expected.retain(|at| *at < range.end && from.is_some_and(|from| *at >= from));
            expected.sort();
            expected.dedup_by(|next, one| next.is_same(*one));
            match within(minutes, &range) {
                Ok(found) => prop_assert_eq!(found.into_iter().map(|bar| bar.at).collect::<Vec<_>>(), expected),
                Err(error) => prop_assert!(error == FetchError::NoData && expected.is_empty()),
            }
            let days: Vec<Bar<Date>> = seconds.iter().map(|second| bar(*second)).collect();
            for bars in within(days, &range).into_iter() {
                prop_assert!(bars.is_sorted_by_key(|bar| bar.at));
                prop_assert!(bars.iter().all(|bar| bar.at.start().unwrap() < range.end));
            }
        }
    }
}
