//! The counts of a run as the commands show them: the sums that most people ask for, and those of each function.

use std::collections::BTreeMap;

use plane::stats::{FunctionCounts, Snapshot};
use serde::Serialize;

/// The counts at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Quotes that providers answered with.
    pub polled: u64,
    /// Quotes that the broker acknowledged.
    pub published: u64,
    /// Quotes asked for and not published.
    pub failed: u64,
    /// Cycles left out because an earlier one overran.
    pub skipped_cycles: u64,
    /// Batches that a function has answered for.
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
    /// Records in quarantine.
    pub quarantined: u64,
    /// PUTs sent to the store by the writers.
    pub puts: u64,
    /// GETs sent to the store by the writers.
    pub gets: u64,
    /// Minute bars written by the rollers; one that is made again counts again.
    pub bars_written: u64,
    /// Late observations in them.
    pub late: u64,
    /// Rows brought to a database's history of quotes.
    pub rows_written: u64,
    /// Rows found there already.
    pub rows_already_there: u64,
    /// Latest quotes that a newer one took the place of.
    pub latest_changed: u64,
    /// Records published and not yet committed, by `topic-partition`, where there are any; over all consumer groups.
    pub lag: BTreeMap<String, i64>,
    /// Half of the quotes were done by the slowest function this soon after their fetch, in milliseconds.
    pub latency_p50_ms: u64,
    /// 99 of 100 quotes were.
    pub latency_p99_ms: u64,
    /// Failed invocations and refusals so far.
    pub troubles: u64,
    /// The last of them.
    pub last_trouble: Option<String>,
    /// The counts of each function.
    pub functions: BTreeMap<String, FunctionCounts>,
}

impl From<Snapshot> for Counts {
    fn from(snapshot: Snapshot) -> Self {
        let mut lag = BTreeMap::new();
        let groups = snapshot.functions.values().flat_map(|of| of.lag.values());
        for (partition, records) in groups.flatten() {
            *lag.entry(partition.clone()).or_default() += records;
        }
        let slowest = |latency: fn(&FunctionCounts) -> u64| {
            let latencies = snapshot.functions.values().map(latency);
            latencies.max().unwrap_or(0)
        };
        Self {
            polled: snapshot.metric("QuotesPolled"),
            published: snapshot.metric("QuotesPublished"),
            failed: snapshot.metric("QuotesFailed"),
            skipped_cycles: snapshot.metric("CyclesSkipped"),
            batches: snapshot.total(|of| of.batches),
            retried_batches: snapshot.total(|of| of.retried_batches),
            dropped: snapshot.total(|of| of.dropped),
            sent_to_destination: snapshot.total(|of| of.sent_to_destination),
            dropped_events: snapshot.total(|of| of.dropped_events),
            expired: snapshot.total(|of| of.expired),
            lines_written: snapshot.metric("RecordsWritten"),
            already_there: snapshot.metric("RecordsAlreadyThere"),
            quarantined: snapshot.metric("RecordsQuarantined"),
            puts: snapshot.metric("StorePuts"),
            gets: snapshot.metric("StoreGets"),
            bars_written: snapshot.metric("BarsWritten"),
            late: snapshot.metric("LateRecords"),
            rows_written: snapshot.metric("RowsWritten"),
            rows_already_there: snapshot.metric("RowsAlreadyThere"),
            latest_changed: snapshot.metric("LatestChanged"),
            lag,
            latency_p50_ms: slowest(|of| of.latency_p50_ms),
            latency_p99_ms: slowest(|of| of.latency_p99_ms),
            troubles: snapshot.troubles,
            last_trouble: snapshot.last_trouble,
            functions: snapshot.functions,
        }
    }
}

impl Counts {
    /// The records that are published and not yet committed, over all functions and groups.
    pub fn left(&self) -> u64 {
        self.functions.values().map(FunctionCounts::lag).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counts_of_the_functions_add_up_and_stay_apart() {
        let of = |batches, lag, polled, p99| FunctionCounts {
            batches,
            latency_p99_ms: p99,
            lag: [("g".to_owned(), [("t-0".to_owned(), lag)].into())].into(),
            metrics: [("QuotesPolled".to_owned(), [("t".to_owned(), polled)].into())].into(),
            ..FunctionCounts::default()
        };
        let functions = BTreeMap::from([
            ("a".to_owned(), of(1, 2, 3, 10)),
            ("b".to_owned(), of(10, 20, 30, 5)),
        ]);
        let counts = Counts::from(Snapshot {
            functions: functions.clone(),
            ..Snapshot::default()
        });
        assert_eq!((counts.batches, counts.polled), (11, 33));
        assert_eq!((counts.lag["t-0"], counts.left()), (22, 22));
        assert_eq!(counts.latency_p99_ms, 10);
        assert_eq!(counts.functions, functions);
    }
}
