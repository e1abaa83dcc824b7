use std::{fmt, time::Duration};

use super::{Options, Summary};
use crate::{
    counts::Counts,
    output::{clock, trouble, write, write_json},
};

/// How the triggers are shown: plain lines, or JSON lines for machines.
pub struct View {
    is_json: bool,
}

impl View {
    /// The view that the options ask for.
    pub fn new(options: &Options) -> Self {
        Self {
            is_json: options.json,
        }
    }

    /// How often to call [`View::progress`].
    pub fn interval(&self) -> Duration {
        match self.is_json {
            true => Duration::from_secs(1),
            false => Duration::from_secs(5),
        }
    }

    /// Once the triggers run.
    pub fn started(&self, options: &Options) {
        if self.is_json {
            let places = [
                ("brokers", &options.brokers),
                ("lambda_endpoint", &options.lambda_endpoint),
            ];
            let places: std::collections::BTreeMap<_, _> = places.into();
            write_json("started", &places);
        } else {
            write(&format!(
                "running: brokers {}, functions at {}; Ctrl-C stops",
                options.brokers, options.lambda_endpoint
            ));
        }
    }

    /// While they run.
    pub fn progress(&self, elapsed: Duration, counts: &Counts) {
        if self.is_json {
            write_json("progress", counts);
        } else {
            write(&line(elapsed, counts));
        }
    }

    /// At the end.
    pub fn summary(&self, summary: &Summary) {
        if self.is_json {
            write_json("summary", summary);
        } else {
            write(&summary.to_string());
        }
    }
}

fn line(elapsed: Duration, counts: &Counts) -> String {
    format!(
        "{} batches {} retried {} | lag {} | p50 {} ms p99 {} ms{}",
        clock(elapsed),
        counts.batches,
        counts.retried_batches,
        counts.lag.values().sum::<i64>(),
        counts.latency_p50_ms,
        counts.latency_p99_ms,
        trouble(counts, " | "),
    )
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { counts, .. } = self;
        write!(
            f,
            "ran {:.0} s: {} records in {} batches ({} retried), {} left, {} dropped, {} expired, {} sent to a destination{}",
            self.seconds,
            self.records,
            counts.batches,
            counts.retried_batches,
            self.left,
            counts.dropped,
            counts.expired,
            counts.sent_to_destination,
            trouble(counts, "\n"),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts() -> Counts {
        Counts {
            batches: 4,
            retried_batches: 5,
            dropped: 6,
            expired: 7,
            lag: [("t-0".to_owned(), 4), ("t-1".to_owned(), 5)].into(),
            latency_p50_ms: 10,
            latency_p99_ms: 11,
            troubles: 12,
            last_trouble: Some("no".to_owned()),
            ..Counts::default()
        }
    }

    #[test]
    fn a_line_has_every_count() {
        assert_eq!(
            line(Duration::from_secs(83), &counts()),
            "01:23 batches 4 retried 5 | lag 9 | p50 10 ms p99 11 ms | troubles: 12, the last: no"
        );
    }

    #[test]
    fn the_summary_is_complete_only_if_every_record_is_done() {
        let mut summary = Summary {
            seconds: 83.4,
            records: 20,
            left: 9,
            counts: counts(),
        };
        assert_eq!(
            summary.to_string(),
            "ran 83 s: 20 records in 4 batches (5 retried), 9 left, 6 dropped, 7 expired, 0 sent to a destination\n\
             troubles: 12, the last: no"
        );
        assert!(!summary.is_complete());
        summary.left = 0;
        assert!(!summary.is_complete(), "six are dropped");
        summary.counts.dropped = 0;
        assert!(
            !summary.is_complete(),
            "seven were gone before they were read"
        );
        summary.counts.expired = 0;
        assert!(summary.is_complete());
    }
}
