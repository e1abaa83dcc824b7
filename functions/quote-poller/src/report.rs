use std::collections::BTreeMap;

use serde::Serialize;

/// What became of everything that a job asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Cycles that ran.
    pub cycles: u64,
    /// Cycles left out because an earlier one overran the beat.
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
    /// The job came after its time was over, so that nothing was asked for.
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
}

impl Tally {
    /// Counts what was not published.
    pub(crate) fn fail(&mut self, symbol: &str, reason: &'static str) {
        *self.failed.entry((symbol.to_owned(), reason)).or_default() += 1;
    }

    /// Counts what of the job's list is no symbol.
    pub(crate) fn refuse(&mut self, refused: &[(String, &'static str)]) {
        for (symbol, reason) in refused {
            self.fail(symbol, reason);
        }
    }

    pub(crate) fn failed(&self) -> u64 {
        self.failed.values().sum()
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
