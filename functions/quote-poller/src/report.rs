use std::collections::BTreeMap;

use runtime::{
    clock,
    metrics::{Metric, emit, emit_each},
};
use serde::Serialize;

use crate::metrics;

/// What became of everything that a job asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Cycles that ran.
    pub cycles: u64,
    /// Cycles left out because an earlier one, or the invocation before, overran the beat.
    pub skipped_cycles: u64,
    /// Quotes, series of bars or trades that the provider answered with.
    pub polled: u64,
    /// Those that the broker acknowledged.
    pub published: u64,
    /// The others, by symbol and reason.
    pub failed: Vec<Failed>,
    /// Of a stream of trades: how its connections went.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<StreamReport>,
    /// The job came after its time was over, or a second time, so that nothing was asked for.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub expired: bool,
}

/// What was asked for and not published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failed {
    /// The symbol as the job has it, which may be none.
    pub symbol: String,
    /// Why, in kebab-case.
    pub reason: &'static str,
    /// How often.
    pub count: u64,
}

/// How the connections of a stream went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct StreamReport {
    /// How often it was connected and subscribed.
    pub connections: u64,
    /// How long it was not, in milliseconds, since the end of the job before: trades of that time are missing.
    pub gap_ms: u64,
}

/// The report of a job while it runs.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) cycles: u64,
    pub(crate) skipped_cycles: u64,
    pub(crate) polled: u64,
    pub(crate) published: u64,
    failed: BTreeMap<(String, &'static str), u64>,
    /// How long the brokers took to acknowledge each quote, in milliseconds, since the last time of emitting.
    pub(crate) acknowledged_after_ms: Vec<u64>,
    /// What of polled, published and failed has been emitted.
    emitted: [u64; 3],
}

impl Tally {
    /// Counts what was not published.
    pub(crate) fn fail(&mut self, symbol: &str, reason: &'static str) {
        *self.failed.entry((symbol.to_owned(), reason)).or_default() += 1;
    }

    /// Counts cycles that were left out.
    pub(crate) fn skip(&mut self, topic: &str, cycles: u64) {
        if cycles > 0 {
            self.skipped_cycles += cycles;
            let skipped = [(metrics::CYCLES_SKIPPED, cycles)];
            emit(clock::now(), ("topic", topic), &skipped);
        }
    }

    /// Emits what was counted since the last time.
    pub(crate) fn emit(&mut self, topic: &str) {
        let new = self.not_emitted();
        if new.iter().any(|(_, count)| *count > 0) {
            emit(clock::now(), ("topic", topic), &new);
        }
        let delays = std::mem::take(&mut self.acknowledged_after_ms);
        emit_each(
            clock::now(),
            ("topic", topic),
            metrics::PUBLISH_MILLISECONDS,
            &delays,
        );
    }

    fn not_emitted(&mut self) -> [(Metric, u64); 3] {
        let now = [self.polled, self.published, self.failed.values().sum()];
        let before = std::mem::replace(&mut self.emitted, now);
        [
            (metrics::QUOTES_POLLED, now[0] - before[0]),
            (metrics::QUOTES_PUBLISHED, now[1] - before[1]),
            (metrics::QUOTES_FAILED, now[2] - before[2]),
        ]
    }

    pub(crate) fn into_report(self, stream: Option<StreamReport>) -> Report {
        let failed = self.failed.into_iter();
        Report {
            cycles: self.cycles,
            skipped_cycles: self.skipped_cycles,
            polled: self.polled,
            published: self.published,
            failed: failed
                .map(|((symbol, reason), count)| Failed {
                    symbol,
                    reason,
                    count,
                })
                .collect(),
            stream,
            expired: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_counted_is_emitted_once() {
        let mut tally = Tally::default();
        tally.polled += 2;
        tally.fail("", "blank-symbol");
        let counts = |tally: &mut Tally| tally.not_emitted().map(|(_, count)| count);
        assert_eq!(counts(&mut tally), [2, 0, 1]);
        tally.published += 2;
        assert_eq!(counts(&mut tally), [0, 2, 0]);
        assert_eq!(counts(&mut tally), [0, 0, 0]);
    }
}
