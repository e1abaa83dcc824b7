use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use futures::{StreamExt, stream};
use market::{Observation, Symbol};

use crate::{FetchError, Polled};

/// Whose turn it is: in polls of more symbols than there is budget or time for, those go first that have waited
/// longest. No symbol has its second turn before every other of the same polls had its first.
#[derive(Debug)]
pub(crate) struct Rota {
    turns: Mutex<Turns>,
    concurrency: usize,
    start: usize,
}

#[derive(Debug, Default)]
struct Turns {
    /// How many there were.
    count: u64,
    /// The number of each symbol's latest.
    latest: HashMap<Symbol, u64>,
}

impl Rota {
    /// A rota that serves so many symbols at once. `start` is the place among symbols without a turn where it
    /// begins: one that differs from process to process keeps short-lived processes from always serving the first.
    pub(crate) fn new(concurrency: usize, start: usize) -> Self {
        Self {
            turns: Mutex::default(),
            concurrency,
            start,
        }
    }

    /// One outcome for each symbol, in the order asked.
    pub(crate) async fn each<T, F>(
        &self,
        symbols: &[Symbol],
        fetch: impl Fn(Symbol) -> F,
    ) -> Vec<Polled<T>>
    where
        F: Future<Output = Result<Observation<T>, FetchError>>,
    {
        let order = self.order(symbols);
        let mut polled: Vec<_> = stream::iter(order.iter().copied())
            .map(|place| {
                let symbol = symbols[place].clone();
                let result = fetch(symbol.clone());
                async move {
                    let result = result.await;
                    (place, Polled { symbol, result })
                }
            })
            .buffer_unordered(self.concurrency)
            .collect()
            .await;
        polled.sort_by_key(|(place, _)| *place);
        let polled: Vec<_> = polled.into_iter().map(|(_, polled)| polled).collect();
        self.note(order.iter().map(|place| &polled[*place]));
        polled
    }

    /// The places of `symbols`, longest wait first.
    pub(crate) fn order(&self, symbols: &[Symbol]) -> Vec<usize> {
        let mut places: Vec<usize> = (0..symbols.len()).collect();
        places.rotate_left(self.start.checked_rem(symbols.len()).unwrap_or_default());
        let turns = self.turns();
        places.sort_by_key(|place| turns.latest.get(&symbols[*place]));
        places
    }

    /// Counts the turns of a poll, in the order that it served.
    pub(crate) fn note<'a, T: 'a>(&self, polled: impl Iterator<Item = &'a Polled<T>>) {
        let mut turns = self.turns();
        for polled in polled.filter(|polled| had_its_turn(&polled.result)) {
            turns.count += 1;
            let turn = turns.count;
            turns.latest.insert(polled.symbol.clone(), turn);
        }
    }

    fn turns(&self) -> MutexGuard<'_, Turns> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a symbol was served. One whose answer did not come by the deadline was: else symbols that hang would be
/// the first in every poll, and others have no turn.
fn had_its_turn<T>(result: &Result<T, FetchError>) -> bool {
    !matches!(result, Err(FetchError::OverBudget | FetchError::NoTurn))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests;
