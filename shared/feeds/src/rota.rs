use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use futures::{StreamExt, stream};
use jiff::Timestamp;
use market::{Observation, Symbol};

use crate::{FetchError, Polled, Sink};

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
    /// How many were numbered.
    count: u64,
    /// The number of each symbol's latest.
    latest: HashMap<Symbol, u64>,
}

/// Where a process begins that looks at the clock `now`: wherever earlier ones stopped, so many symbols a minute were
/// served by them.
pub(crate) fn start_at(now: Timestamp, per_minute: u32) -> usize {
    let minutes = usize::try_from(now.as_second() / 60).unwrap_or_default();
    minutes.wrapping_mul(per_minute as usize)
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

    /// Hands over one outcome for each symbol, each when it is fetched.
    pub(crate) async fn each<T, F>(
        &self,
        symbols: &[Symbol],
        sink: Sink<'_, T>,
        fetch: impl Fn(Symbol) -> F,
    ) where
        F: Future<Output = Result<Observation<T>, FetchError>>,
    {
        stream::iter(self.order(symbols))
            .for_each_concurrent(self.concurrency, |(turn, symbol)| {
                let result = fetch(symbol.clone());
                async move {
                    let result = result.await;
                    self.hand_over(turn, Polled { symbol, result }, sink);
                }
            })
            .await;
    }

    /// The symbols, longest wait first, each with the number of its turn. The numbers are given before anything is
    /// served: an answer that takes longer than others must not change the order.
    pub(crate) fn order(&self, symbols: &[Symbol]) -> Vec<(u64, Symbol)> {
        let mut order = symbols.to_vec();
        let first = self.start.checked_rem(symbols.len()).unwrap_or_default();
        order.rotate_left(first);
        let mut turns = self.turns();
        order.sort_by_key(|symbol| turns.latest.get(symbol).copied());
        let next = turns.count + 1;
        turns.count += order.len() as u64;
        (next..).zip(order).collect()
    }

    /// Hands over an outcome, and notes the turn if the symbol had it.
    pub(crate) fn hand_over<T>(&self, turn: u64, polled: Polled<T>, sink: Sink<'_, T>) {
        if had_its_turn(&polled.result) {
            let mut turns = self.turns();
            let latest = turns.latest.entry(polled.symbol.clone()).or_default();
            *latest = turn.max(*latest);
        }
        sink(polled);
    }

    fn turns(&self) -> MutexGuard<'_, Turns> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a symbol was served. One whose answer did not come by the deadline was: else symbols that hang would be
/// the first in every poll, and others have no turn. One that met a rate limit was not: else those before it would
/// have every turn that the limit leaves.
fn had_its_turn<T>(result: &Result<T, FetchError>) -> bool {
    !result
        .as_ref()
        .is_err_and(|error| error.is_rate_limit() || error.is_unasked())
}

#[cfg(test)]
mod tests;
