use std::sync::atomic::{AtomicUsize, Ordering};

use futures::{StreamExt, stream};
use market::{Observation, Symbol};

use crate::{FetchError, Polled};

/// Whose turn it is: polls of more symbols than there is budget or time for go round, so that the last symbols
/// are served as often as the first.
#[derive(Debug)]
pub(crate) struct Rota {
    next: AtomicUsize,
    concurrency: usize,
}

impl Rota {
    /// A rota that serves so many symbols at once. `start` is where it begins: one that differs from process to
    /// process keeps short-lived processes from always serving the first symbols.
    pub(crate) fn new(concurrency: usize, start: usize) -> Self {
        Self {
            next: AtomicUsize::new(start),
            concurrency,
        }
    }

    /// One outcome for each symbol, in the order asked. The next call begins after the last symbol that had its
    /// turn in this one.
    pub(crate) async fn each<T, F>(
        &self,
        symbols: &[Symbol],
        fetch: impl Fn(Symbol) -> F,
    ) -> Vec<Polled<T>>
    where
        F: Future<Output = Result<Observation<T>, FetchError>>,
    {
        if symbols.is_empty() {
            return Vec::new();
        }
        let first = self.next.load(Ordering::Relaxed) % symbols.len();
        let mut places: Vec<usize> = (0..symbols.len()).collect();
        places.rotate_left(first);
        let mut polled: Vec<_> = stream::iter(places)
            .map(|place| {
                let symbol = symbols[place].clone();
                let result = fetch(symbol.clone());
                async move {
                    (
                        place,
                        Polled {
                            symbol,
                            result: result.await,
                        },
                    )
                }
            })
            .buffer_unordered(self.concurrency)
            .collect()
            .await;
        polled.sort_by_key(|(place, _)| *place);
        let polled: Vec<_> = polled.into_iter().map(|(_, polled)| polled).collect();
        let served = polled
            .iter()
            .filter(|polled| had_its_turn(&polled.result))
            .count();
        self.next.store(first + served, Ordering::Relaxed);
        polled
    }
}

/// Whether the provider was asked.
pub(crate) fn had_its_turn<T>(result: &Result<T, FetchError>) -> bool {
    !matches!(result, Err(FetchError::OverBudget | FetchError::NoTurn))
}
