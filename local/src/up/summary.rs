//! The last word on a run.

use std::fmt;

use serde::Serialize;

use crate::{
    stats::Snapshot,
    verify::{Verdict, write_findings},
};

/// What a run did.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// How long it ran, in seconds.
    pub seconds: f64,
    /// Records that were in the topics before the start and not yet in the lake.
    pub backlog: u64,
    /// Whether others may have published to the topics too.
    pub shared_topics: bool,
    /// The functions' own counts.
    pub counts: Snapshot,
    /// What the broker and the store hold.
    pub audit: Verdict,
    /// Where the objects are.
    pub location: String,
}

impl Summary {
    /// Whether polled = published = bronze + quarantine, with nothing missing, doubled or dropped. On brokers that
    /// are shared more may have been published than was polled here.
    pub fn is_exact(&self) -> bool {
        let known = self.counts.polled + self.backlog;
        let in_topics = self.audit.in_topics;
        self.is_complete() && (known == in_topics || (self.shared_topics && known < in_topics))
    }

    /// Whether the store holds every record exactly once, as far as the audit and the triggers know.
    fn is_complete(&self) -> bool {
        self.audit.is_exact() && self.counts.dropped == 0 && self.counts.expired == 0
    }

    /// Whether the run is exact and there was something to count.
    pub fn is_success(&self) -> bool {
        self.is_exact() && self.audit.in_topics > 0
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { counts, audit, .. } = self;
        let sign = |equal: bool| if equal { '=' } else { '≠' };
        writeln!(
            f,
            "ran {:.0} s: {} batches ({} retried), {} records written by {} PUTs and {} GETs, {} already there, {} quotes failed",
            self.seconds,
            counts.batches,
            counts.retried_batches,
            counts.lines_written,
            counts.puts,
            counts.gets,
            counts.already_there,
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
        write_findings(f, audit)?;
        if counts.dropped + counts.sent_to_destination > 0 {
            writeln!(
                f,
                "records given up by the triggers: dropped {}, sent to a destination {}",
                counts.dropped, counts.sent_to_destination
            )?;
        }
        if counts.expired > 0 {
            writeln!(
                f,
                "records that expired before the triggers read them: {}",
                counts.expired
            )?;
        }
        if let Some(trouble) = &counts.last_trouble {
            writeln!(f, "troubles: {}, the last: {trouble}", counts.troubles)?;
        }
        let verdict = match (audit.in_topics, self.is_complete(), self.is_exact()) {
            (0, _, _) => "nothing was published",
            (_, false, _) => "NOT EXACT",
            (_, true, true) => "nothing lost, nothing doubled",
            (_, true, false) => {
                "nothing published was lost or doubled, but the pollers count otherwise"
            }
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
        let mut audit = Verdict {
            in_topics,
            in_bronze,
            in_quarantine: 1,
            ..Verdict::default()
        };
        if in_bronze + 1 < in_topics {
            audit.missing.add_offsets("t", 0, &(1..2));
        }
        Summary {
            seconds: 60.0,
            backlog,
            shared_topics: false,
            counts: Snapshot {
                polled,
                ..Snapshot::default()
            },
            audit,
            location: "there".to_owned(),
        }
    }

    #[test]
    fn a_run_is_exact_only_if_all_three_counts_agree() {
        assert!(summary(5, 5, 4, 0).is_success());
        assert!(summary(3, 5, 4, 2).is_success());
        assert!(!summary(5, 4, 3, 0).is_exact());
        assert!(!summary(4, 5, 4, 0).is_exact());
        assert!(!summary(5, 5, 3, 0).is_exact());
        let mut doubled = summary(5, 5, 4, 0);
        doubled.audit.doubled.add_offsets("t", 0, &(1..2));
        assert!(!doubled.is_exact());
    }

    #[test]
    fn a_run_with_dropped_records_is_not_exact_and_says_so() {
        let mut summary = summary(5, 5, 4, 0);
        summary.counts.sent_to_destination = 2;
        assert!(summary.is_exact());
        summary.counts.dropped = 1;
        assert!(!summary.is_exact());
        let text = summary.to_string();
        let line = "records given up by the triggers: dropped 1, sent to a destination 2\n";
        assert!(text.contains(line) && text.contains("NOT EXACT"), "{text}");
    }

    #[test]
    fn on_shared_brokers_others_may_publish_and_nothing_may_be_missing() {
        let shared = |summary| Summary {
            shared_topics: true,
            ..summary
        };
        assert!(shared(summary(4, 5, 4, 0)).is_exact());
        assert!(!shared(summary(6, 5, 4, 0)).is_exact());
        assert!(!shared(summary(4, 5, 3, 0)).is_exact());
    }

    #[test]
    fn a_run_that_published_nothing_proves_nothing() {
        let mut idle = summary(0, 0, 0, 0);
        idle.audit.in_quarantine = 0;
        assert!(idle.is_exact() && !idle.is_success());
        assert!(idle.to_string().contains("nothing was published"));
    }

    #[test]
    fn the_equality_is_one_line() {
        let text = summary(5, 5, 4, 0).to_string();
        assert!(
            text.contains("polled 5 = published 5 = bronze 4 + quarantine 1\n"),
            "{text}"
        );
        assert!(text.contains("nothing lost, nothing doubled"), "{text}");
        let text = summary(5, 5, 3, 0).to_string();
        assert!(
            text.contains("polled 5 = published 5 ≠ bronze 3 + quarantine 1\n"),
            "{text}"
        );
        assert!(text.contains("1 missing: t-0@1\nNOT EXACT"), "{text}");
    }
}
