use market::bars::{Amount, HOUR, MINUTE};

use super::*;
use crate::{
    Range,
    roll::tests::{Lake, Record, at, hour_range},
};

const NOVEMBER: Period = Period::Month {
    year: 2026,
    month: 11,
};

fn day() -> Range {
    hour_range("2026-11-20T00:00:00Z", 48)
}

/// Three hours of quotes, the first day of them complete.
async fn lake() -> Lake {
    let lake = Lake::new();
    let ten = at("2026-11-20T10:00:00Z");
    let quotes = [0, 1, 60, 300, 1_500]
        .map(|minute| Record::quote(minute % 1_000, ten + minute * MINUTE, 100 + minute));
    lake.land(&quotes).await;
    lake.roll_right(day()).await;
    lake
}

/// What is wrong after a change of a stored file that looks as if a roll had written it.
async fn wrong_after(
    interval: Interval,
    period: Period,
    change: impl FnOnce(&mut File),
) -> Vec<Wrong> {
    let lake = lake().await;
    lake.forge(interval, period, change).await;
    let judged = lake.judge().await;
    assert_eq!(judged.behind, 0);
    judged.wrong
}

#[tokio::test]
async fn a_bar_with_another_price_is_named_with_its_field() {
    let start = at("2026-11-20T10:01:00Z");
    let raise = |file: &mut File| {
        let prices = file.bars[1].prices.as_mut().unwrap();
        prices.close = Amount::from(9);
    };
    let expected = |interval, start| Wrong {
        interval,
        start,
        how: Difference::Other(vec!["open, high, low, close"]),
    };
    let wrong = wrong_after(Interval::Minute, NOVEMBER, raise).await;
    assert_eq!(wrong, [expected(Interval::Minute, start)]);
    let year = Period::Year(2026);
    let wrong = wrong_after(Interval::Hour, year, raise).await;
    assert_eq!(
        wrong,
        [expected(Interval::Hour, at("2026-11-20T11:00:00Z"))]
    );
    let wrong = wrong_after(Interval::Day, year, raise).await;
    assert_eq!(wrong, [expected(Interval::Day, at("2026-11-21T00:00:00Z"))]);
}

#[tokio::test]
async fn a_bar_that_is_missing_or_has_no_records_is_named() {
    let start = at("2026-11-20T10:01:00Z");
    let remove = |file: &mut File| drop(file.bars.remove(1));
    let missing = |interval, start| Wrong {
        interval,
        start,
        how: Difference::Missing,
    };
    let wrong = wrong_after(Interval::Minute, NOVEMBER, remove).await;
    assert_eq!(wrong, [missing(Interval::Minute, start)]);
    let wrong = wrong_after(Interval::Day, Period::Year(2026), remove).await;
    assert_eq!(wrong, [missing(Interval::Day, at("2026-11-21T00:00:00Z"))]);
    let add = |file: &mut File| {
        let mut other = file.bars[1].clone();
        (other.start, other.end) = (start + MINUTE, start + 2 * MINUTE);
        file.bars.insert(2, other);
    };
    let wrong = wrong_after(Interval::Minute, NOVEMBER, add).await;
    let unfounded = Wrong {
        interval: Interval::Minute,
        start: start + MINUTE,
        how: Difference::Unfounded,
    };
    assert_eq!(wrong, [unfounded]);
}

#[tokio::test]
async fn bars_of_what_has_landed_since_are_behind_and_not_wrong() {
    let lake = lake().await;
    let next = at("2026-11-21T12:00:00Z");
    lake.land(&[Record::quote(600, next, 900)]).await;
    let judged = lake.judge().await;
    assert_eq!((&judged.wrong[..], judged.behind > 0), (&[][..], true));
    lake.roll_right(hour_range("2026-11-21T10:00:00Z", 4)).await;
}

#[tokio::test]
async fn a_day_of_a_provider_that_no_roll_has_seen_is_behind() {
    let lake = Lake::new();
    let ten = at("2026-11-20T10:00:00Z");
    let days = Record {
        said: crate::roll::tests::Said::Days { price: 100 },
        ..Record::quote(0, ten - 48 * HOUR, 100).fetched(ten)
    };
    lake.land(&[days]).await;
    let judged = lake.judge().await;
    assert_eq!((&judged.wrong[..], judged.behind), (&[][..], 2));
    lake.roll_right(day()).await;
    lake.forge(Interval::Day, Period::Year(2026), |file| {
        drop(file.bars.remove(0));
    })
    .await;
    assert_eq!(lake.judge().await.wrong.len(), 1);
}
