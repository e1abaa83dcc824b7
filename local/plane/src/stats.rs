//! What the plane sees of a run, while it runs: by function, and by consumer group.

use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{Mutex, MutexGuard, PoisonError},
};

use hdrhistogram::Histogram;
use jiff::Timestamp;
use runtime::metrics::Emitted;
use serde::Serialize;

/// The counts of a run.
#[derive(Default)]
pub struct Stats(Mutex<Counts>);

#[derive(Default)]
struct Counts {
    functions: BTreeMap<String, OfFunction>,
    troubles: u64,
    last_trouble: Option<String>,
}

#[derive(Default)]
struct OfFunction {
    counts: FunctionCounts,
    partitions: BTreeMap<GroupPartition, Position>,
    latency_ms: Latency,
}

/// A partition as one consumer group reads it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct GroupPartition {
    /// The consumer group.
    pub group: String,
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
}

#[derive(Default)]
struct Position {
    /// Everything below is done.
    committed: i64,
    held: Range<i64>,
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
    /// The counts of each function that has any, by its name.
    pub functions: BTreeMap<String, FunctionCounts>,
    /// Failed invocations and refusals so far.
    pub troubles: u64,
    /// The last of them.
    pub last_trouble: Option<String>,
}

/// The counts of one function and its triggers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FunctionCounts {
    /// The sums of the metrics that the function has printed, by name and by the value of the dimension that splits them,
    /// such as the topic.
    pub metrics: BTreeMap<String, BTreeMap<String, u64>>,
    /// Batches that the function has answered for.
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
    /// Records published and not yet committed, by consumer group and `topic-partition`, where there are any.
    pub lag: BTreeMap<String, BTreeMap<String, i64>>,
    /// Half of the records were done this soon after their fetch, in milliseconds.
    pub latency_p50_ms: u64,
    /// 99 of 100 records were.
    pub latency_p99_ms: u64,
}

impl Stats {
    /// `function` has printed these metrics.
    pub fn metrics(&self, function: &str, emitted: &Emitted) {
        self.of(function, |of| {
            for (metric, value) in &emitted.values {
                let sums = of.counts.metrics.entry(metric.clone()).or_default();
                *sums.entry(emitted.of.clone()).or_default() += value;
            }
        });
    }

    /// `function` has answered for a batch by `now`; its records were fetched at these times.
    pub fn delivered(&self, function: &str, now: Timestamp, fetch_times: &[Timestamp]) {
        self.of(function, |of| {
            of.counts.batches += 1;
            if let Some(histogram) = &mut of.latency_ms.0 {
                for fetched in fetch_times {
                    let millis = now.as_millisecond() - fetched.as_millisecond();
                    histogram.saturating_record(u64::try_from(millis).unwrap_or(0));
                }
            }
        });
    }

    /// A batch of `function` failed and is sent again.
    pub fn retried(&self, function: &str) {
        self.of(function, |of| of.counts.retried_batches += 1);
    }

    /// A trigger of `function` has given up on this many records for the reason `why`; `first` names the first. Without
    /// a destination they are dropped.
    pub fn gave_up(
        &self,
        function: &str,
        records: usize,
        first: &str,
        why: &str,
        destination: Option<&str>,
    ) {
        let count = u64::try_from(records).unwrap_or(u64::MAX);
        let fate = self.of(function, |of| match destination {
            None => {
                of.counts.dropped += count;
                "dropped".to_owned()
            }
            Some(destination) => {
                of.counts.sent_to_destination += count;
                format!("sent to {destination}")
            }
        });
        let records = match records {
            1 => first.to_owned(),
            records => format!("{first} and {} more", records - 1),
        };
        self.trouble(&format!("given up and {fate} ({why}): {records}"));
    }

    /// An asynchronous invocation of `function` was given up.
    pub fn event_dropped(&self, function: &str, why: &str) {
        self.of(function, |of| of.counts.dropped_events += 1);
        self.trouble(&format!("an event is dropped: {why}"));
    }

    /// The broker has dropped records of these offsets before a trigger of `function` has read them.
    pub fn expired(&self, function: &str, topic: &str, partition: i32, offsets: &Range<i64>) {
        let Range { start, end } = offsets;
        let records = u64::try_from(end - start).unwrap_or(0);
        self.of(function, |of| of.counts.expired += records);
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

    /// A trigger of `function` has committed for its group: everything below `offset` is done.
    pub fn committed(&self, function: &str, place: GroupPartition, offset: i64) {
        self.of(function, |of| {
            of.partitions.entry(place).or_default().committed = offset;
        });
    }

    /// The offsets that a partition holds now of those that the group of a trigger of `function` has to read.
    pub fn held(&self, function: &str, place: GroupPartition, offsets: Range<i64>) {
        self.of(function, |of| {
            of.partitions.entry(place).or_default().held = offsets;
        });
    }

    /// The counts now.
    pub fn snapshot(&self) -> Snapshot {
        let counts = self.lock();
        let functions = counts.functions.iter();
        Snapshot {
            functions: functions
                .map(|(name, of)| (name.clone(), of.snapshot()))
                .collect(),
            troubles: counts.troubles,
            last_trouble: counts.last_trouble.clone(),
        }
    }

    fn of<T>(&self, function: &str, change: impl FnOnce(&mut OfFunction) -> T) -> T {
        let mut counts = self.lock();
        change(counts.functions.entry(function.to_owned()).or_default())
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OfFunction {
    fn snapshot(&self) -> FunctionCounts {
        let percentile = |percentile| {
            let histogram = self.latency_ms.0.as_ref();
            histogram.map_or(0, |histogram| histogram.value_at_percentile(percentile))
        };
        let mut counts = FunctionCounts {
            latency_p50_ms: percentile(50.0),
            latency_p99_ms: percentile(99.0),
            ..self.counts.clone()
        };
        for (place, Position { committed, held }) in &self.partitions {
            // What is no longer held can't be committed.
            let lag = held.end - (*committed).max(held.start);
            if lag > 0 {
                let of_group = counts.lag.entry(place.group.clone()).or_default();
                of_group.insert(format!("{}-{}", place.topic, place.partition), lag);
            }
        }
        counts
    }
}

impl Snapshot {
    /// The sum of a count over the functions.
    pub fn total(&self, count: impl Fn(&FunctionCounts) -> u64) -> u64 {
        self.functions.values().map(count).sum()
    }

    /// The sum of a metric over the functions.
    pub fn metric(&self, name: &str) -> u64 {
        self.total(|of| of.metric(name))
    }

    /// The records that are published and not yet committed, over all functions and groups.
    pub fn lag(&self) -> u64 {
        self.total(FunctionCounts::lag)
    }
}

impl FunctionCounts {
    /// The sum of a metric; 0 if the function has never printed it.
    pub fn metric(&self, name: &str) -> u64 {
        self.metrics.get(name).map_or(0, |of| of.values().sum())
    }

    /// The part of a metric that is of `topic`.
    pub fn metric_of(&self, name: &str, topic: &str) -> u64 {
        let sums = self.metrics.get(name);
        sums.and_then(|of| of.get(topic)).copied().unwrap_or(0)
    }

    /// The records that are published and not yet committed, over all groups.
    pub fn lag(&self) -> u64 {
        let partitions = self.lag.values().flat_map(BTreeMap::values);
        partitions.map(|lag| lag.unsigned_abs()).sum()
    }
}

#[cfg(test)]
mod tests;
