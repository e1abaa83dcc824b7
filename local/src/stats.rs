//! What the plane sees of a run, while it runs.

use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{Mutex, MutexGuard, PoisonError},
};

use hdrhistogram::Histogram;
use jiff::Timestamp;
use runtime::metrics::Metric;
use serde::Serialize;

use crate::trigger::{Condition, Destination};

/// The counts of a run. The functions' part of them comes from the metrics that they print.
#[derive(Default)]
pub struct Stats(Mutex<Counts>);

#[derive(Default)]
struct Counts {
    metrics: BTreeMap<Metric, u64>,
    batches: u64,
    retries: u64,
    dropped: u64,
    sent_to_destination: u64,
    dropped_events: u64,
    expired: u64,
    troubles: u64,
    last_trouble: Option<String>,
    committed: BTreeMap<(String, i32), i64>,
    held: BTreeMap<(String, i32), Range<i64>>,
    latency_ms: Latency,
}

/// Milliseconds up to an hour, to three digits.
struct Latency(Option<Histogram<u64>>);

impl Default for Latency {
    fn default() -> Self {
        Self(Histogram::new_with_max(3_600_000, 3).ok())
    }
}

/// The counts at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Snapshot {
    /// Quotes that providers answered with.
    pub polled: u64,
    /// Quotes that the broker acknowledged.
    pub published: u64,
    /// Quotes asked for and not published.
    pub failed: u64,
    /// Cycles left out because an earlier one overran.
    pub skipped_cycles: u64,
    /// Batches that the bronze writer has answered for.
    pub batches: u64,
    /// Batches that had to be sent again.
    pub retried_batches: u64,
    /// Records that a trigger has given up and that are in no destination.
    pub dropped: u64,
    /// Records that a trigger has given up and that are in its on-failure destination.
    pub sent_to_destination: u64,
    /// Asynchronous invocations that were given up.
    pub dropped_events: u64,
    /// Records that the broker has dropped before a trigger has read them.
    pub expired: u64,
    /// Lines brought to the lake.
    pub lines_written: u64,
    /// Records found in the lake already.
    pub already_there: u64,
    /// Records put aside.
    pub quarantined: u64,
    /// PUTs sent to the store by the writer.
    pub puts: u64,
    /// GETs sent to the store by the writer.
    pub gets: u64,
    /// Records published and not yet committed, by `topic-partition`, where there are any.
    pub lag: BTreeMap<String, i64>,
    /// Half of the quotes were durable this soon after their fetch, in milliseconds.
    pub latency_p50_ms: u64,
    /// 99 of 100 quotes were.
    pub latency_p99_ms: u64,
    /// Failed invocations and refusals so far.
    pub troubles: u64,
    /// The last of them.
    pub last_trouble: Option<String>,
}

impl Stats {
    /// A function has printed these metrics.
    pub fn metrics(&self, values: &[(Metric, u64)]) {
        let mut counts = self.lock();
        for &(metric, value) in values {
            *counts.metrics.entry(metric).or_default() += value;
        }
    }

    /// A batch is durable by `now`; its quotes were fetched at these times.
    pub fn delivered(&self, now: Timestamp, fetch_times: &[Timestamp]) {
        let mut counts = self.lock();
        counts.batches += 1;
        if let Some(histogram) = &mut counts.latency_ms.0 {
            for fetched in fetch_times {
                let millis = now.as_millisecond() - fetched.as_millisecond();
                histogram.saturating_record(u64::try_from(millis).unwrap_or(0));
            }
        }
    }

    /// A batch failed and goes again.
    pub fn retried(&self) {
        self.lock().retries += 1;
    }

    /// A trigger has given up on this many records, of which `first` is the first; without a destination they are
    /// dropped.
    pub fn gave_up(
        &self,
        records: usize,
        first: &str,
        condition: Condition,
        destination: Option<&Destination>,
    ) {
        let mut counts = self.lock();
        let (count, fate) = match destination {
            None => (&mut counts.dropped, "dropped".to_owned()),
            Some(destination) => {
                let fate = format!("sent to {}", destination.name());
                (&mut counts.sent_to_destination, fate)
            }
        };
        *count += u64::try_from(records).unwrap_or(u64::MAX);
        drop(counts);
        let records = match records {
            1 => first.to_owned(),
            records => format!("{first} and {} more", records - 1),
        };
        self.trouble(&format!("given up and {fate} ({condition:?}): {records}"));
    }

    /// An asynchronous invocation was given up.
    pub fn event_dropped(&self, why: &str) {
        self.lock().dropped_events += 1;
        self.trouble(&format!("an event is dropped: {why}"));
    }

    /// The broker has dropped records of these offsets before a trigger has read them.
    pub fn expired(&self, topic: &str, partition: i32, offsets: &Range<i64>) {
        let Range { start, end } = offsets;
        self.lock().expired += u64::try_from(end - start).unwrap_or(0);
        self.trouble(&format!(
            "{topic}-{partition}: offsets {start} to {} expired before they were read: raise the topic's retention",
            end - 1
        ));
    }

    /// Something did not work.
    pub fn trouble(&self, what: &str) {
        let mut counts = self.lock();
        counts.troubles += 1;
        counts.last_trouble = Some(what.to_owned());
    }

    /// A trigger has committed: everything below these offsets is done.
    pub fn committed(&self, topic: &str, offsets: &[(i32, i64)]) {
        let mut counts = self.lock();
        for &(partition, offset) in offsets {
            counts
                .committed
                .insert((topic.to_owned(), partition), offset);
        }
    }

    /// The offsets that a partition holds now.
    pub fn held(&self, topic: &str, partition: i32, offsets: Range<i64>) {
        let mut counts = self.lock();
        let place = (topic.to_owned(), partition);
        counts
            .committed
            .entry(place.clone())
            .or_insert(offsets.start);
        counts.held.insert(place, offsets);
    }

    /// The counts now.
    pub fn snapshot(&self) -> Snapshot {
        let counts = self.lock();
        let metric = |metric| counts.metrics.get(&metric).copied().unwrap_or(0);
        let lag = counts.held.iter().filter_map(|(place, held)| {
            // What is no longer held can't be committed.
            let committed = counts.committed.get(place).copied();
            let lag = held.end - committed.unwrap_or(held.start).max(held.start);
            (lag > 0).then(|| (format!("{}-{}", place.0, place.1), lag))
        });
        let percentile = |percentile| {
            let histogram = counts.latency_ms.0.as_ref();
            histogram.map_or(0, |histogram| histogram.value_at_percentile(percentile))
        };
        Snapshot {
            polled: metric(Metric::QuotesPolled),
            published: metric(Metric::QuotesPublished),
            failed: metric(Metric::QuotesFailed),
            skipped_cycles: metric(Metric::CyclesSkipped),
            batches: counts.batches,
            retried_batches: counts.retries,
            dropped: counts.dropped,
            sent_to_destination: counts.sent_to_destination,
            dropped_events: counts.dropped_events,
            expired: counts.expired,
            lines_written: metric(Metric::RecordsWritten),
            already_there: metric(Metric::RecordsAlreadyThere),
            quarantined: metric(Metric::RecordsQuarantined),
            puts: metric(Metric::StorePuts),
            gets: metric(Metric::StoreGets),
            lag: lag.collect(),
            latency_p50_ms: percentile(50.0),
            latency_p99_ms: percentile(99.0),
            troubles: counts.troubles,
            last_trouble: counts.last_trouble.clone(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lag_is_what_is_held_and_not_committed() {
        let stats = Stats::default();
        stats.held("t", 0, 2..10);
        stats.held("t", 1, 0..5);
        stats.held("t", 2, 0..0);
        stats.committed("t", &[(1, 5)]);
        assert_eq!(stats.snapshot().lag, [("t-0".to_owned(), 8)].into());
        stats.committed("t", &[(0, 9)]);
        assert_eq!(stats.snapshot().lag, [("t-0".to_owned(), 1)].into());
        stats.held("t", 0, 12..12);
        assert_eq!(stats.snapshot().lag, BTreeMap::new());
    }

    #[test]
    fn expired_records_are_counted_and_named() {
        let stats = Stats::default();
        stats.expired("t", 3, &(5..9));
        stats.expired("t", 0, &(0..1));
        let snapshot = stats.snapshot();
        assert_eq!((snapshot.expired, snapshot.troubles), (5, 2));
        let said = snapshot.last_trouble.unwrap();
        assert!(said.starts_with("t-0: offsets 0 to 0 expired"), "{said}");
    }

    #[test]
    fn latency_is_from_fetch_to_delivery() {
        let stats = Stats::default();
        let at = |second| Timestamp::constant(second, 0);
        stats.delivered(at(100), &[at(97), at(97), at(50)]);
        let snapshot = stats.snapshot();
        // To three digits.
        assert_eq!(
            (snapshot.latency_p50_ms, snapshot.latency_p99_ms),
            (3_001, 50_015)
        );
    }

    #[test]
    fn metrics_add_up() {
        let stats = Stats::default();
        for _ in 0..2 {
            stats.metrics(&[(Metric::QuotesPolled, 3), (Metric::RecordsAlreadyThere, 1)]);
        }
        let snapshot = stats.snapshot();
        assert_eq!((snapshot.polled, snapshot.already_there), (6, 2));
    }
}
