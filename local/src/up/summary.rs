//! The last word on a run.

use std::{fmt, time::Duration};

use serde::Serialize;

use super::{audit::Audit, stats::Snapshot};

/// What a run did, and whether it lost or doubled anything.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// Whether polled = published = bronze + quarantine, with nothing missing and nothing doubled.
    pub exact: bool,
    /// How long it ran, in seconds.
    pub seconds: f64,
    /// Records that were in the topics before the start and not yet in the lake.
    pub backlog: u64,
    /// The functions' own counts.
    pub counts: Snapshot,
    /// What the broker and the store hold.
    pub audit: Audit,
    /// Where the objects are.
    pub location: String,
}

impl Summary {
    /// Puts the counts and the audit side by side.
    pub fn new(
        elapsed: Duration,
        counts: Snapshot,
        audit: Audit,
        backlog: u64,
        location: &str,
    ) -> Self {
        let in_store = audit.in_bronze + audit.in_quarantine;
        Self {
            exact: counts.polled + backlog == audit.in_topics
                && audit.in_topics == in_store
                && audit.is_exact(),
            seconds: elapsed.as_secs_f64(),
            backlog,
            counts,
            audit,
            location: location.to_owned(),
        }
    }

    /// The exit code: 0 if the run is exact and polled something, else 1.
    pub fn is_success(&self) -> bool {
        self.exact && (self.audit.in_topics > 0 || self.counts.troubles == 0)
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { counts, audit, .. } = self;
        let sign = |equal: bool| if equal { '=' } else { '≠' };
        writeln!(
            f,
            "ran {:.0} s: {} batches ({} retried), {} objects written, {} records merged, {} quotes failed",
            self.seconds,
            counts.batches,
            counts.retried_batches,
            counts.objects_written,
            counts.merged,
            counts.failed,
        )?;
        writeln!(
            f,
            "fetch to durable object: p50 {} ms, p99 {} ms",
            counts.latency_p50_ms, counts.latency_p99_ms
        )?;
        let backlog = match self.backlog {
            0 => String::new(),
            backlog => format!(" + backlog {backlog}"),
        };
        writeln!(
            f,
            "polled {}{backlog} {} published {} {} bronze {} + quarantine {}",
            counts.polled,
            sign(counts.polled + self.backlog == audit.in_topics),
            audit.in_topics,
            sign(audit.in_topics == audit.in_bronze + audit.in_quarantine),
            audit.in_bronze,
            audit.in_quarantine,
        )?;
        for (what, places) in [("missing", &audit.missing), ("doubled", &audit.doubled)] {
            if !places.is_empty() {
                let first: Vec<_> = places.iter().take(10).map(String::as_str).collect();
                writeln!(f, "{} {what}: {}", places.len(), first.join(", "))?;
            }
        }
        if let Some(trouble) = &counts.last_trouble {
            writeln!(f, "troubles: {}, the last: {trouble}", counts.troubles)?;
        }
        let verdict = if self.exact {
            "nothing lost, nothing doubled"
        } else {
            "NOT EXACT"
        };
        write!(
            f,
            "{verdict}: counted in the topics and in {}",
            self.location
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(polled: u64, in_topics: u64, in_bronze: u64, backlog: u64) -> Summary {
        let counts = Snapshot {
            polled,
            ..Snapshot::default()
        };
        let audit = Audit {
            in_topics,
            in_bronze,
            in_quarantine: 1,
            ..Audit::default()
        };
        Summary::new(Duration::from_secs(60), counts, audit, backlog, "there")
    }

    #[test]
    fn a_run_is_exact_only_if_all_three_counts_agree() {
        assert!(summary(5, 5, 4, 0).exact);
        assert!(summary(3, 5, 4, 2).exact);
        assert!(!summary(5, 4, 3, 0).exact);
        assert!(!summary(5, 5, 3, 0).exact);
        let mut doubled = summary(5, 5, 4, 0).audit;
        doubled.doubled.push("t-0@1".to_owned());
        assert!(
            !Summary::new(
                Duration::ZERO,
                Snapshot {
                    polled: 5,
                    ..Snapshot::default()
                },
                doubled,
                0,
                "there"
            )
            .exact
        );
    }

    #[test]
    fn the_equality_is_one_line() {
        let text = summary(5, 5, 4, 0).to_string();
        assert!(
            text.contains("polled 5 = published 5 = bronze 4 + quarantine 1\n"),
            "{text}"
        );
        assert!(text.contains("nothing lost, nothing doubled"), "{text}");
        let text = summary(5, 4, 3, 0).to_string();
        assert!(
            text.contains("polled 5 ≠ published 4 = bronze 3 + quarantine 1\n"),
            "{text}"
        );
        assert!(text.contains("NOT EXACT"), "{text}");
    }
}
