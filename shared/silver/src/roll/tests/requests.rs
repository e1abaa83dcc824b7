//! What a roll asks of the store.

use std::{
    sync::{Arc, atomic::Ordering::SeqCst},
    time::{Duration, Instant},
};

use market::bars::HOUR;

use super::{Counting, Lake, Record, at, hour_range};
use crate::Range;

const MINUTE: i64 = 60_000_000;

fn verbs(asked: &[String]) -> [usize; 3] {
    ["GET", "LIST", "PUT"].map(|verb| asked.iter().filter(|one| one.starts_with(verb)).count())
}

#[tokio::test]
async fn an_unchanged_symbol_costs_three_reads_and_a_listing() {
    let lake = Lake::with(Arc::new(Counting::default()));
    let ten = at("2026-11-20T10:00:00Z");
    let range = hour_range("2026-11-20T08:00:00Z", 6);
    for hour in 0..4 {
        lake.land(&[Record::quote(hour, ten + hour * HOUR, 100)])
            .await;
    }
    lake.roll_right(range).await;
    lake.store.asked();
    lake.roll(range).await;
    assert_eq!(
        verbs(&lake.store.asked()),
        [3, 1, 0],
        "a month and two years"
    );
    lake.land(&[Record::quote(9, ten + 3 * HOUR + 1, 100)])
        .await;
    lake.store.asked();
    lake.roll(range).await;
    let asked = lake.store.asked();
    let [_, lists, puts] = verbs(&asked);
    assert_eq!((lists, puts), (1, 3), "{asked:#?}");
    let silver = asked.iter().filter(|one| one.starts_with("GET silver"));
    assert_eq!(silver.count(), 3);
}

/// A quote each minute of these hours, an object each hour.
async fn land_minutes(lake: &Lake<Counting>, start: i64, hours: i64, every: i64) {
    for hour in 0..hours {
        let minutes = (0..60).step_by(usize::try_from(every).unwrap());
        let records = minutes.map(|minute| {
            let at = start + hour * HOUR + minute * MINUTE;
            Record::quote((hour * 60 + minute) % 1_000, at, 100)
        });
        lake.land(&records.collect::<Vec<_>>()).await;
    }
}

#[tokio::test]
async fn a_month_of_minutes_takes_time_in_proportion() {
    let lake = Lake::with(Arc::new(Counting::default()));
    let start = at("2026-10-01T00:00:00Z");
    land_minutes(&lake, start, 744, 1).await;
    let range = hour_range("2026-10-01T00:00:00Z", 744);
    let begin = Instant::now();
    let rolled = lake.roll(range).await;
    let whole = begin.elapsed();
    assert_eq!((rolled.bars, rolled.objects), (44_640, 744));
    let begin = Instant::now();
    assert_eq!(lake.roll(range).await.files, 0);
    let unchanged = begin.elapsed();
    // Far above what it takes on a slow machine, far below what the square of it would take.
    assert!(whole < Duration::from_secs(60), "{whole:?}");
    assert!(unchanged < Duration::from_secs(20), "{unchanged:?}");
}

#[tokio::test]
async fn a_year_is_rolled_month_by_month_with_a_few_objects_in_memory() {
    let lake = Lake::with(Arc::new(Counting::default()));
    let start = at("2025-12-15T00:00:00Z");
    land_minutes(&lake, start, 8_760, 60).await;
    lake.store.most_alive.store(0, SeqCst);
    lake.store.asked();
    let rolled = lake
        .roll(Range {
            from: 0,
            to: i64::MAX,
        })
        .await;
    assert_eq!(
        (rolled.bars, rolled.objects),
        (8_760, 8_760 + 12 * 2),
        "those at a border twice"
    );
    assert!(lake.store.most_alive.load(SeqCst) <= 4, "at the same time");
    let asked = lake.store.asked();
    let months = asked
        .iter()
        .filter(|one| one.starts_with("PUT") && one.contains("=1m/"));
    assert_eq!(months.count(), 13, "each once");
    let judged = lake.judge().await;
    assert_eq!((judged.wrong.len(), judged.behind), (0, 0));
}
