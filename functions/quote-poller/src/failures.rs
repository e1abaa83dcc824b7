use std::{collections::BTreeMap, error::Error};

use stream::publish::PublishError;

use crate::{Symbols, memory::Memory, report::Tally};

/// How many symbols a line of the log names.
const NAMED: usize = 20;

/// The failures of one cycle, so that the log has one line for a reason however many symbols it struck, once in a
/// while however many cycles.
pub(crate) struct Failures<'a> {
    topic: &'a str,
    memory: &'a Memory,
    by_reason: BTreeMap<&'static str, Group>,
}

struct Group {
    symbols: Vec<String>,
    count: u64,
    first: String,
}

impl<'a> Failures<'a> {
    pub(crate) fn new(topic: &'a str, memory: &'a Memory) -> Self {
        Self {
            topic,
            memory,
            by_reason: BTreeMap::new(),
        }
    }

    /// Counts one.
    pub(crate) fn add(
        &mut self,
        tally: &mut Tally,
        symbol: &str,
        reason: &'static str,
        error: &dyn Error,
    ) {
        tally.fail(symbol, reason);
        let group = self.by_reason.entry(reason).or_insert_with(|| Group {
            symbols: Vec::new(),
            count: 0,
            first: error.to_string(),
        });
        group.count += 1;
        if group.symbols.len() < NAMED && !group.symbols.iter().any(|named| named == symbol) {
            group.symbols.push(symbol.to_owned());
        }
    }

    /// Counts a record that was not acknowledged. The same observation is no repetition when it comes again.
    pub(crate) fn add_unpublished(
        &mut self,
        tally: &mut Tally,
        symbol: &str,
        error: &PublishError,
    ) {
        self.memory.forget(self.topic, symbol);
        self.add(tally, symbol, error.reason(), error);
    }

    /// Counts what of the job's list is no symbol.
    pub(crate) fn refuse(&mut self, tally: &mut Tally, symbols: &Symbols) {
        for (entry, error) in &symbols.refused {
            self.add(tally, entry, error.reason(), error);
        }
    }

    /// Logs what is news.
    pub(crate) fn log(self) {
        for (reason, group) in self.by_reason {
            if self.memory.is_news(self.topic, reason) {
                tracing::warn!(
                    topic = self.topic,
                    reason,
                    count = group.count,
                    symbols = group.symbols.join(","),
                    "{}",
                    group.first
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EntryError;

    #[test]
    fn a_reason_names_each_symbol_once_and_counts_every_failure() {
        let (memory, mut tally) = (Memory::default(), Tally::default());
        let mut failures = Failures::new("trades_raw", &memory);
        for symbol in ["*", "A", "*"] {
            let error = EntryError::Invalid;
            failures.add(&mut tally, symbol, error.reason(), &error);
        }
        let group = &failures.by_reason["invalid-symbol"];
        assert_eq!(
            (group.symbols.join(","), group.count),
            ("*,A".to_owned(), 3)
        );
    }
}
