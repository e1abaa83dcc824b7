//! Records that come after their hour is over.

use std::sync::Arc;

use market::bars::{HOUR, Interval};

use super::{Counting, Lake, Record, at, hour_range, minute_bars};
use crate::Period;

const MINUTE: i64 = 60_000_000;

fn bar(start: &str, ticks: i64, late: i64) -> (String, Option<String>, i64, i64) {
    (
        start.to_owned(),
        (ticks > 0).then(|| "1".to_owned()),
        ticks,
        late,
    )
}

async fn bars<S: lake::store::PutIf + lake::store::Get + lake::store::List>(
    lake: &Lake<S>,
    month: &str,
) -> Vec<(String, Option<String>, i64, i64)> {
    let bars = minute_bars(&lake.minutes(month).await).into_iter();
    bars.map(|(start, close, ticks, late, _)| (start, close, ticks, late))
        .collect()
}

#[tokio::test]
async fn late_records_of_an_hour_days_before_the_range_are_counted_and_cost_none_of_its_ticks() {
    let lake = Lake::new();
    let (then, now) = (at("2026-11-16T10:00:00Z"), at("2026-11-20T10:00:00Z"));
    lake.land(&[Record::quote(0, then + MINUTE, 100)]).await;
    lake.roll(hour_range("2026-11-16T09:00:00Z", 4)).await;
    let range = hour_range("2026-11-20T09:00:00Z", 4);
    // One after the other in one object.
    for late in 1..=3 {
        let event = then + MINUTE + late;
        lake.land(&[Record::quote(late, event, 100).fetched(now + late * MINUTE)])
            .await;
        lake.roll_right(range).await;
        assert_eq!(
            bars(&lake, "2026-11-16T10:00:00Z").await,
            [bar("10:01", 1, late)]
        );
        assert_eq!(lake.roll(range).await.files, 0);
    }
    // And in another object, the first one still counted.
    let other = Record::quote(4, then + MINUTE + 4, 100).fetched(now + HOUR);
    lake.land(&[other]).await;
    lake.roll_right(range).await;
    assert_eq!(
        bars(&lake, "2026-11-16T10:00:00Z").await,
        [bar("10:01", 1, 4)]
    );
}

#[tokio::test]
async fn a_late_record_of_an_earlier_month_is_counted_in_its_month() {
    let lake = Lake::with(Arc::new(Counting::default()));
    let then = at("2026-10-12T10:00:00Z");
    lake.land(&[
        Record::quote(0, then + MINUTE, 100),
        Record::quote(9, then + 20 * HOUR, 100),
    ])
    .await;
    lake.roll(hour_range("2026-10-12T09:00:00Z", 24)).await;
    let now = at("2026-11-20T10:00:00Z");
    let range = hour_range("2026-11-20T09:00:00Z", 4);
    lake.land(&[Record::quote(1, now, 100)]).await;
    lake.store.asked();
    lake.roll(range).await;
    assert_eq!(lake.judge().await.wrong, []);
    let october = |asked: &String| asked.starts_with("GET silver") && asked.contains("2026-10.p");
    assert_eq!(
        lake.store.asked().iter().filter(|one| october(one)).count(),
        1,
        "by the judge alone"
    );
    for late in 2..4 {
        lake.land(&[Record::quote(late, then + 2 * MINUTE, 100).fetched(now + late)])
            .await;
        lake.roll(range).await;
        assert_eq!(lake.judge().await.wrong, []);
        let expected = [bar("10:01", 1, 0), bar("10:02", 0, late - 1)];
        assert_eq!(bars(&lake, "2026-10-12T10:00:00Z").await[..2], expected);
    }
    lake.store.asked();
    assert_eq!(lake.roll(range).await.files, 0);
    assert!(!lake.store.asked().iter().any(october));
}

#[tokio::test]
async fn a_late_record_of_a_minute_that_had_nothing_makes_a_complete_bar_without_prices() {
    let lake = Lake::new();
    let then = at("2026-10-12T10:00:00Z");
    let range = hour_range("2026-11-20T09:00:00Z", 4);
    let late = Record::quote(0, then + MINUTE, 100).fetched(at("2026-11-20T10:00:00Z"));
    lake.land(&[late]).await;
    lake.roll_right(range).await;
    let found = minute_bars(&lake.minutes("2026-10-12T10:00:00Z").await);
    assert_eq!(found, [("10:01".to_owned(), None, 0, 1, true)]);
    assert_eq!(lake.roll(range).await.files, 0);
}

/// Every hour of a weekend repeats Friday's last price.
async fn weekend(first_fetch: i64) -> Lake<Counting> {
    let lake = Lake::with(Arc::new(Counting::default()));
    let friday = at("2026-10-30T20:59:59Z");
    let close = Record::quote(0, friday, 100).fetched(friday + first_fetch);
    let night = Record::quote(20, at("2026-10-30T23:00:00Z"), 100);
    lake.land(&[close.clone(), night]).await;
    lake.roll(hour_range("2026-10-30T00:00:00Z", 72)).await;
    lake.store.asked();
    let sunday = at("2026-11-01T10:00:00Z");
    for again in 1..10 {
        let fetched = sunday + again * 30 * MINUTE;
        let repeat = Record {
            offset: again,
            ..close.clone().fetched(fetched)
        };
        lake.land(&[repeat]).await;
        lake.store.asked();
        let hour = fetched - fetched.rem_euclid(HOUR);
        let range = crate::Range {
            from: hour - 2 * HOUR,
            to: hour + HOUR,
        };
        lake.roll(range).await;
        assert_eq!(lake.judge().await.wrong, []);
        let asked = lake.store.asked();
        let october = |one: &String| one.contains("2026-10.parquet");
        let touched = asked
            .iter()
            .find(|one| one.starts_with("PUT") && october(one));
        assert_eq!(touched, None, "{again}");
        if first_fetch < HOUR {
            let bronze =
                |one: &&String| one.starts_with("GET bronze") && one.contains("2026-10-30");
            let count = asked.iter().filter(bronze).count();
            assert_eq!(count, 2, "two objects, by the judge alone");
        }
    }
    lake
}

#[tokio::test]
async fn repeats_of_a_close_over_a_weekend_are_not_late_and_leave_its_file_alone() {
    let lake = weekend(1_000_000).await;
    assert_eq!(
        bars(&lake, "2026-10-30T20:00:00Z").await[0],
        bar("20:59", 1, 0)
    );
}

#[tokio::test]
async fn repeats_of_a_close_that_was_late_at_first_sight_are_counted_once_and_leave_its_file_alone()
{
    let lake = weekend(5 * HOUR).await;
    assert_eq!(
        bars(&lake, "2026-10-30T20:00:00Z").await[0],
        bar("20:59", 0, 1)
    );
    let month = Period::Month {
        year: 2026,
        month: 10,
    };
    let units = lake.file(Interval::Minute, month).await.units;
    let late: Vec<usize> = units.values().map(|unit| unit.late.len()).collect();
    assert_eq!(
        late.iter().sum::<usize>(),
        1,
        "the object that has it first"
    );
}

#[tokio::test]
async fn a_late_record_whose_twin_in_time_lands_after_it_is_not_late() {
    let lake = Lake::new();
    let then = at("2026-11-16T10:00:00Z");
    let in_time = Record::quote(0, then + MINUTE, 100);
    let late = Record {
        offset: 1,
        ..in_time.clone().fetched(then + 9 * HOUR)
    };
    lake.land(&[late]).await;
    lake.roll_right(hour_range("2026-11-16T18:00:00Z", 3)).await;
    assert_eq!(
        bars(&lake, "2026-11-16T10:00:00Z").await,
        [bar("10:01", 0, 1)]
    );
    lake.land(&[in_time]).await;
    lake.roll_right(hour_range("2026-11-16T09:00:00Z", 3)).await;
    assert_eq!(
        bars(&lake, "2026-11-16T10:00:00Z").await,
        [bar("10:01", 1, 0)]
    );
}

#[tokio::test]
async fn one_id_at_two_times_of_a_minute_is_two_observations() {
    let lake = Lake::new();
    let then = at("2026-11-16T10:00:00Z");
    let close = Record::quote(0, then + MINUTE, 100);
    lake.land(std::slice::from_ref(&close)).await;
    lake.roll(hour_range("2026-11-16T09:00:00Z", 3)).await;
    let other = Record {
        offset: 1,
        event: then + MINUTE + 1,
        ..close.fetched(then + 9 * HOUR)
    };
    lake.land(&[other]).await;
    lake.roll_right(hour_range("2026-11-16T18:00:00Z", 3)).await;
    assert_eq!(
        bars(&lake, "2026-11-16T10:00:00Z").await,
        [bar("10:01", 1, 1)]
    );
}
