//! When a bar is complete: by what the lake has, never by a clock.

use super::{Lake, Record, at, hour_range, minute_bars, soon};
use crate::{How, Watermarks, roll};

const MINUTE: i64 = 60_000_000;

/// Whether the first bar is complete.
async fn is_complete(lake: &Lake) -> bool {
    let bars = lake.minutes("2026-11-20T10:00:00Z").await;
    bars.first().is_some_and(|bar| bar.complete)
}

#[tokio::test]
async fn a_bar_is_not_complete_while_a_record_of_it_can_come_in_time() {
    let lake = Lake::new();
    let ten = at("2026-11-20T10:00:00Z");
    let range = hour_range("2026-11-20T09:00:00Z", 6);
    lake.land(&[Record::quote(0, ten + MINUTE, 100)]).await;
    for (offset, minutes, expected) in [
        (1, 30, false),
        (2, 60, false),
        // At 11:59:59 one of 10:59:59 is fetched in time.
        (3, 119, false),
        (4, 120, true),
    ] {
        let later = Record::quote(offset, ten + minutes * MINUTE, 100);
        lake.land(&[later.fetched(ten + minutes * MINUTE)]).await;
        lake.roll_right(range).await;
        assert_eq!(is_complete(&lake).await, expected, "{minutes}");
    }
    assert_eq!(lake.roll(range).await.files, 0);
}

#[tokio::test]
async fn every_partition_of_an_hour_has_to_come_past_it() {
    let lake = Lake::new();
    let ten = at("2026-11-20T10:00:00Z");
    let range = hour_range("2026-11-20T09:00:00Z", 6);
    let two = [0, 1].map(|partition| Record::quote(0, ten + MINUTE, 100).in_partition(partition));
    lake.land(&two).await;
    lake.land(&[Record::quote(1, ten + 150 * MINUTE, 100)])
        .await;
    lake.roll_right(range).await;
    assert!(!is_complete(&lake).await);
    lake.land(&[Record::quote(1, ten + 130 * MINUTE, 100).in_partition(1)])
        .await;
    lake.roll_right(range).await;
    assert!(is_complete(&lake).await);
}

#[tokio::test]
async fn what_another_symbol_has_shown_completes_a_bar_and_nobody_takes_it_back() {
    let lake = Lake::new();
    let ten = at("2026-11-20T10:00:00Z");
    let range = hour_range("2026-11-20T09:00:00Z", 6);
    lake.land(&[Record::quote(0, ten + MINUTE, 100)]).await;
    let roll_knowing = async |partition, bucket| {
        let mut known = Watermarks::default();
        known.see(partition, bucket);
        let how = How::default();
        let rolled = roll(
            &*lake.store,
            &lake.layout,
            &lake.of,
            range,
            &how,
            (&known, soon()),
        );
        rolled.await.unwrap().files
    };
    roll_knowing(1, ten + 120 * MINUTE).await;
    assert!(!is_complete(&lake).await, "another partition");
    roll_knowing(0, ten + 60 * MINUTE).await;
    assert!(!is_complete(&lake).await);
    assert_eq!(roll_knowing(0, ten + 120 * MINUTE).await, 3);
    assert!(is_complete(&lake).await);
    assert_eq!(roll_knowing(0, ten).await, 0, "a roller that has seen less");
    assert!(is_complete(&lake).await);
}

#[tokio::test]
async fn without_provisional_only_complete_bars_are_written() {
    let lake = Lake::new();
    let ten = at("2026-11-20T10:00:00Z");
    let range = hour_range("2026-11-20T09:00:00Z", 60);
    let how = How {
        provisional: false,
        ..How::default()
    };
    lake.land(&[Record::quote(0, ten + MINUTE, 100)]).await;
    assert_eq!(lake.roll_with(range, &how).await.unwrap().files, 0);
    lake.land(&[Record::quote(1, ten + 130 * MINUTE, 100)])
        .await;
    lake.roll_with(range, &how).await.unwrap();
    let bars = minute_bars(&lake.minutes("2026-11-20T10:00:00Z").await);
    assert_eq!(
        bars,
        [("10:01".to_owned(), Some("1".to_owned()), 1, 0, true)]
    );
    let judged = lake.judge().await;
    assert!(judged.wrong.is_empty(), "{judged:?}");
    assert_eq!(
        (judged.right, judged.behind > 0),
        (2, true),
        "a minute and an hour"
    );
    lake.land(&[Record::quote(2, ten + 1_500 * MINUTE, 100)])
        .await;
    lake.roll_with(range, &how).await.unwrap();
    let year = crate::Period::Year(2026);
    let days = lake.file(market::bars::Interval::Day, year).await.bars;
    assert_eq!(
        days.iter().map(|day| day.complete).collect::<Vec<_>>(),
        [true]
    );
}

#[tokio::test]
async fn a_late_record_that_comes_while_its_hour_is_held_back_is_counted_later() {
    let lake = Lake::new();
    let ten = at("2026-11-20T10:00:00Z");
    // Partition 1 is behind, so 10:00 is not complete when the late record comes.
    let first = Record::quote(0, ten + MINUTE, 100).in_partition(1);
    let late = Record::quote(0, ten + 2 * MINUTE, 100).fetched(ten + 400 * MINUTE);
    lake.land(&[first, late]).await;
    let how = How {
        provisional: false,
        ..How::default()
    };
    let of_late = hour_range("2026-11-20T15:00:00Z", 3);
    lake.roll_with(of_late, &how).await.unwrap();
    lake.land(&[
        Record::quote(1, ten + 400 * MINUTE, 100),
        Record::quote(1, ten + 600 * MINUTE, 100).in_partition(1),
    ])
    .await;
    lake.roll(hour_range("2026-11-20T15:00:00Z", 8)).await;
    lake.roll_right(hour_range("2026-11-20T09:00:00Z", 4)).await;
}
