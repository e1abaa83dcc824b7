//! What happens to bronze while a roll reads it.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use lake::{
    ObjectKey,
    store::{ETag, Get, List, Listed, MemoryStore, Object, PutIf, StoreError},
};

use super::{Lake, Record, at, hour_range, lake_of_records, minute_bars};
use market::bars::Interval;

use crate::{How, Period, Range, Watermarks};

const MINUTE: i64 = 60_000_000;

/// A store in which something happens before the n-th read of an object.
#[derive(Default)]
struct Eventful {
    store: MemoryStore,
    /// What the key has in it, how many reads of it are still to come, and what lands or goes then.
    event: Mutex<Option<(&'static str, usize, Happening)>>,
}

enum Happening {
    Land(Vec<Record>),
    Remove,
}

impl Eventful {
    async fn happen(&self, key: &ObjectKey) {
        let happens = {
            let mut event = self.event.lock().unwrap();
            match &mut *event {
                Some((part, left, _)) if key.as_str().contains(*part) => {
                    *left -= 1;
                    if *left == 0 { event.take() } else { None }
                }
                _ => None,
            }
        };
        match happens {
            Some((.., Happening::Land(records))) => {
                let lake = Lake::new();
                let of = (lake.market, "A");
                lake_of_records::land(&self.store, lake.layout.bronze(), of, &records).await;
            }
            Some((.., Happening::Remove)) => self.store.remove(key),
            None => {}
        }
    }
}

impl PutIf for Eventful {
    async fn put_if_absent(&self, key: &ObjectKey, body: Bytes) -> Result<ETag, StoreError> {
        self.store.put_if_absent(key, body).await
    }

    async fn put_if_match(
        &self,
        key: &ObjectKey,
        body: Bytes,
        etag: &ETag,
    ) -> Result<ETag, StoreError> {
        self.store.put_if_match(key, body, etag).await
    }
}

impl Get for Eventful {
    async fn get_within(&self, key: &ObjectKey, most: usize) -> Result<Object, StoreError> {
        self.happen(key).await;
        self.store.get_within(key, most).await
    }

    async fn get_if_changed(
        &self,
        key: &ObjectKey,
        etag: &ETag,
        most: usize,
    ) -> Result<Option<Object>, StoreError> {
        self.store.get_if_changed(key, etag, most).await
    }
}

impl List for Eventful {
    async fn list(
        &self,
        prefix: &str,
        after: Option<&ObjectKey>,
    ) -> Result<Vec<Listed>, StoreError> {
        self.store.list(prefix, after).await
    }

    async fn folders(&self, prefix: &str, after: Option<&str>) -> Result<Vec<String>, StoreError> {
        self.store.folders(prefix, after).await
    }
}

#[tokio::test]
async fn an_object_that_grows_between_two_passes_is_read_again_by_the_next_roll() {
    let lake = Lake::with(Arc::new(Eventful::default()));
    let ten = at("2026-11-20T10:00:00Z");
    let range = hour_range("2026-11-20T09:00:00Z", 10);
    // At 16:00 comes a late record of 10:00, so its object is read in a second pass, too.
    let late = Record::quote(1, ten + MINUTE, 100).fetched(ten + 360 * MINUTE);
    lake.land(&[
        Record::quote(0, ten, 100),
        Record::quote(2, ten + 360 * MINUTE, 100),
    ])
    .await;
    lake.roll(range).await;
    lake.land(&[late]).await;
    let new = Record::quote(3, ten + 361 * MINUTE, 200);
    *lake.store.event.lock().unwrap() = Some(("T160000", 2, Happening::Land(vec![new])));
    lake.roll(range).await;
    assert!(
        lake.store.event.lock().unwrap().is_none(),
        "it was read twice"
    );
    lake.roll_right(range).await;
    let bars = minute_bars(&lake.minutes("2026-11-20T10:00:00Z").await);
    let starts: Vec<&str> = bars.iter().map(|bar| &*bar.0).collect();
    assert_eq!(starts, ["10:00", "10:01", "16:00", "16:01"]);
}

#[tokio::test(start_paused = true)]
async fn an_object_that_goes_between_the_listing_and_the_read_is_nothing() {
    let lake = Lake::with(Arc::new(Eventful::default()));
    let ten = at("2026-11-20T10:00:00Z");
    let range = hour_range("2026-11-20T09:00:00Z", 4);
    lake.land(&[
        Record::quote(0, ten, 100),
        Record::quote(1, ten + 61 * MINUTE, 100),
    ])
    .await;
    *lake.store.event.lock().unwrap() = Some(("T100000", 1, Happening::Remove));
    lake.roll_right(range).await;
    assert_eq!(lake.minutes("2026-11-20T10:00:00Z").await.len(), 1);
}

#[tokio::test]
async fn any_range_of_hours_is_rolled() {
    let lake = Lake::new();
    let records = [
        "2026-10-31T23:59:59Z",
        "2026-11-01T00:00:00Z",
        "2026-12-31T23:59:00Z",
        "2027-01-01T00:00:00Z",
    ];
    for (offset, time) in (0..).zip(records) {
        lake.land(&[Record::quote(offset, at(time), 100)]).await;
    }
    let all = Range {
        from: 0,
        to: i64::MAX,
    };
    lake.roll_right(all).await;
    assert_eq!(lake.roll(all).await.files, 0);
    for (from, to) in [(i64::MIN, 0), (0, 0), (5, 1), (i64::MAX - 9, i64::MAX)] {
        assert_eq!(lake.roll(Range { from, to }).await.files, 0);
    }
    let short = Range {
        from: at("2026-10-31T22:00:00Z"),
        to: at("2026-11-01T02:00:00Z"),
    };
    assert_eq!(lake.roll(short).await.files, 0);
}

#[tokio::test]
async fn a_dry_run_writes_nothing_and_says_what_it_would() {
    let lake = Lake::new();
    let range = hour_range("2026-11-20T09:00:00Z", 4);
    lake.land(&[Record::quote(0, at("2026-11-20T10:00:00Z"), 100)])
        .await;
    let before = lake.store.objects();
    let how = How {
        dry_run: true,
        ..How::default()
    };
    let rolled = lake.roll_with(range, &how).await.unwrap();
    assert_eq!((rolled.bars, rolled.files), (1, 3));
    assert_eq!(lake.store.objects(), before);
}

#[tokio::test(start_paused = true)]
async fn rollers_of_different_lateness_leave_each_hour_by_one_rule_and_the_last_one_wins() {
    let lake = Lake::new();
    let ten = at("2026-11-20T10:00:00Z");
    let range = hour_range("2026-11-20T06:00:00Z", 24);
    let ages = [1, 20, 50, 61, 200, 400];
    for (offset, age) in (0..).zip(ages) {
        let event = ten + offset * 1_000_000;
        lake.land(&[Record::quote(offset, event, 100).fetched(event + age * MINUTE)])
            .await;
    }
    let with = async |minutes: i64| {
        let mut how = How::default();
        how.rules.lateness = minutes * MINUTE;
        lake.roll_with(range, &how).await.unwrap();
        lake.minutes("2026-11-20T10:00:00Z").await[0].late
    };
    for (minutes, late) in [
        (60, 3),
        (30, 4),
        (300, 1),
        (30, 4),
        (60, 3),
        (0, 6),
        (60, 3),
    ] {
        assert_eq!(with(minutes).await, late, "{minutes}");
    }
    lake.roll_right(range).await;
}

#[tokio::test]
async fn a_providers_days_of_earlier_years_are_written() {
    let lake = Lake::new();
    let now = at("2026-11-20T10:00:00Z");
    let of_days = |offset, event: &str| Record {
        said: super::Said::Days { price: 100 },
        ..Record::quote(offset, at(event), 100).fetched(now)
    };
    lake.land(&[
        of_days(0, "2024-05-06T00:00:00Z"),
        of_days(1, "2025-01-01T00:00:00Z"),
    ])
    .await;
    let range = hour_range("2026-11-20T09:00:00Z", 3);
    lake.roll_right(range).await;
    let days = lake.file(Interval::Day, Period::Year(2024)).await.bars;
    let dates: Vec<String> = days
        .iter()
        .map(|day| day.trading_date.to_string())
        .collect();
    assert_eq!(dates, ["2024-05-05", "2024-05-06", "2024-12-31"]);
    assert_eq!(lake.roll(range).await.files, 0);
}

#[tokio::test]
async fn bars_outlive_their_records() {
    let lake = Lake::new();
    let ten = at("2026-11-20T10:00:00Z");
    let range = hour_range("2026-11-20T09:00:00Z", 8);
    let records: Vec<Record> = (0..5)
        .map(|hour| Record::quote(hour, ten + hour * 60 * MINUTE, 100))
        .collect();
    lake.land(&records).await;
    lake.roll_right(range).await;
    let before = lake.minutes("2026-11-20T10:00:00Z").await;
    let expired =
        |key: &&ObjectKey| key.as_str().contains("T100000") || key.as_str().contains("T110000");
    for key in lake.bronze().await.iter().filter(expired) {
        lake.store.remove(key);
    }
    lake.roll(range).await;
    assert_eq!(lake.roll(range).await.files, 0);
    assert_eq!(lake.minutes("2026-11-20T10:00:00Z").await, before);
    let judged = lake.judge().await;
    assert_eq!((&judged.wrong[..], judged.behind), (&[][..], 0));
    assert!(judged.kept >= 4, "{judged:?}");

    // What comes late now would be all that is left of its hour.
    let late = Record::quote(9, ten + MINUTE, 900).fetched(ten + 240 * MINUTE);
    lake.land(&[late]).await;
    lake.roll(range).await;
    assert_eq!(lake.minutes("2026-11-20T10:00:00Z").await[0], before[0]);

    let rebuild = How {
        rebuild: true,
        ..How::default()
    };
    lake.roll_with(range, &rebuild).await.unwrap();
    assert_eq!(lake.minutes("2026-11-20T10:00:00Z").await, before);
}

#[tokio::test]
async fn a_file_of_another_place_is_none_of_this() {
    let lake = Lake::new();
    let range = hour_range("2026-11-20T09:00:00Z", 4);
    lake.land(&[Record::quote(0, at("2026-11-20T10:00:00Z"), 100)])
        .await;
    lake.roll_right(range).await;
    let minutes = lake.key(
        Interval::Minute,
        Period::of_time(Interval::Minute, range.from),
    );
    let hours = lake.key(Interval::Hour, Period::Year(2026));
    let body = lake.store.get(&minutes).await.unwrap().body;
    lake.overwrite(&hours, body).await;
    let refused = lake.roll_with(range, &How::default()).await.unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("it is the file of lake_interval=1m/"),
        "{refused}"
    );
    assert_eq!(lake.judge().await.damaged.len(), 1);
    let rebuild = How {
        rebuild: true,
        ..How::default()
    };
    lake.roll_with(range, &rebuild).await.unwrap();
    lake.roll_right(range).await;
}

#[tokio::test]
async fn hours_and_days_outlive_a_file_of_minutes_that_is_removed() {
    let lake = Lake::new();
    let ten = at("2026-11-18T10:00:00Z");
    lake.land(&[
        Record::quote(0, ten, 100),
        Record::quote(1, ten + 2 * 24 * 60 * MINUTE, 100),
    ])
    .await;
    lake.roll_right(hour_range("2026-11-18T00:00:00Z", 80))
        .await;
    let before = lake.file(Interval::Hour, Period::Year(2026)).await.bars;
    let minutes = lake.key(Interval::Minute, Period::of_time(Interval::Minute, ten));
    lake.store.remove(&minutes);
    lake.roll(hour_range("2026-11-20T09:00:00Z", 4)).await;
    assert_eq!(
        lake.file(Interval::Hour, Period::Year(2026)).await.bars,
        before
    );
    lake.roll_right(hour_range("2026-11-18T00:00:00Z", 80))
        .await;
}

#[tokio::test]
async fn an_hour_is_closed_by_a_roll_of_later_hours() {
    let lake = Lake::new();
    let friday = at("2026-11-20T20:55:00Z");
    let monday = at("2026-11-23T14:35:00Z");
    lake.land(&[Record::quote(0, friday, 100)]).await;
    lake.roll(hour_range("2026-11-20T19:00:00Z", 3)).await;
    assert!(!lake.minutes("2026-11-20T20:55:00Z").await[0].complete);
    lake.land(&[Record::quote(1, monday, 100)]).await;
    let range = hour_range("2026-11-23T12:00:00Z", 3);
    let mut known = Watermarks::default();
    known.see(0, at("2026-11-23T14:00:00Z"));
    let known = (&known, lake_of_records::soon());
    let of = (&lake.layout, &lake.of);
    crate::roll(&*lake.store, of.0, of.1, range, &How::default(), known)
        .await
        .unwrap();
    let bars = lake.minutes("2026-11-20T20:55:00Z").await;
    let complete: Vec<bool> = bars.iter().map(|bar| bar.complete).collect();
    assert_eq!(complete, [true, false]);
    assert_eq!(lake.judge().await.wrong, []);
}
