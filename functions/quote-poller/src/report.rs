use std::collections::BTreeMap;

use market::Symbol;
use serde::Serialize;

/// What became of every quote that a job asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Cycles that ran.
    pub cycles: u64,
    /// Cycles left out because an earlier one overran the beat.
    pub skipped_cycles: u64,
    /// Quotes that the provider answered with.
    pub polled: u64,
    /// Quotes that the broker acknowledged.
    pub published: u64,
    /// The others, by symbol and reason.
    pub failed: Vec<Failed>,
}

/// Quotes that were asked for and not published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failed {
    /// The symbol.
    pub symbol: Symbol,
    /// Why, in kebab-case.
    pub reason: &'static str,
    /// How often.
    pub count: u64,
}

/// The report of a job while it runs.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) cycles: u64,
    pub(crate) skipped_cycles: u64,
    pub(crate) polled: u64,
    pub(crate) published: u64,
    failed: BTreeMap<(Symbol, &'static str), u64>,
}

impl Tally {
    /// Counts a quote that was not published; whether it is the first of its kind.
    pub(crate) fn fail(&mut self, symbol: &Symbol, reason: &'static str) -> bool {
        let count = self.failed.entry((symbol.clone(), reason)).or_default();
        *count += 1;
        *count == 1
    }

    pub(crate) fn failed(&self) -> u64 {
        self.failed.values().sum()
    }

    pub(crate) fn into_report(self) -> Report {
        Report {
            cycles: self.cycles,
            skipped_cycles: self.skipped_cycles,
            polled: self.polled,
            published: self.published,
            failed: self
                .failed
                .into_iter()
                .map(|((symbol, reason), count)| Failed {
                    symbol,
                    reason,
                    count,
                })
                .collect(),
        }
    }
}
