//! Several sources of the same data: what one does not answer, the next is asked.

use std::{
    collections::HashMap,
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use futures::future::BoxFuture;
use jiff::Timestamp;
use market::{Bar, Quote, Symbol};
use tokio::time::Instant;

use crate::{Bars, FetchError, Listing, Polled, Quotes, Sink};

/// Sources in the order they are asked, at least one.
///
/// The first is asked for every symbol, each next for those that have no answer yet, whatever the reason: one that
/// the first does not know may be known to the second. Of the time that is left each source has an equal share
/// with those after it, and what it does not use is theirs: a source that hangs never costs the others their turn.
/// An answer names its source; the error of a symbol without one is that of the first source.
#[derive(Debug)]
pub(crate) struct Fallback<S: ?Sized>(Vec<Arc<S>>);

impl<S: ?Sized> Fallback<S> {
    /// `None` without a source.
    pub(crate) fn new(sources: impl IntoIterator<Item = Arc<S>>) -> Option<Self> {
        let sources: Vec<_> = sources.into_iter().collect();
        (!sources.is_empty()).then_some(Self(sources))
    }

    /// Each source with the end of its turn, if that begins now.
    fn turns(&self, until: Instant) -> impl ExactSizeIterator<Item = (Arc<S>, Instant)> {
        let sources = self.0.iter().cloned();
        sources
            .zip((0..self.0.len()).rev())
            .map(move |(source, after)| {
                let now = Instant::now();
                let time = until.saturating_duration_since(now);
                let share = time / u32::try_from(after + 1).unwrap_or(u32::MAX);
                (source, now + share)
            })
    }

    /// Hands over an answer when it is there, and a failure when it is that of the last source too.
    async fn ask<T: Send>(
        &self,
        symbols: &[Symbol],
        until: Instant,
        sink: Sink<'_, T>,
        ask: impl for<'a> Fn(&'a S, &'a [Symbol], Instant, Sink<'a, T>) -> BoxFuture<'a, ()>,
    ) {
        let mut open = symbols.to_vec();
        let mut errors = HashMap::new();
        let mut turns = self.turns(until);
        while let Some((source, until)) = turns.next() {
            if open.is_empty() {
                break;
            }
            let is_last = turns.len() == 0;
            let failed = Mutex::new(Vec::new());
            let take = |Polled { symbol, result }| match result {
                Err(error) if !is_last => lock(&failed).push((symbol, error)),
                result => {
                    let result =
                        result.map_err(|error| errors.get(&symbol).cloned().unwrap_or(error));
                    sink(Polled { symbol, result });
                }
            };
            ask(&source, &open, until, &take).await;
            open.clear();
            for (symbol, error) in lock(&failed).drain(..) {
                open.push(symbol.clone());
                errors.entry(symbol).or_insert(error);
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl Quotes for Fallback<dyn Quotes> {
    async fn quotes(&self, symbols: &[Symbol], until: Instant, sink: Sink<'_, Quote>) {
        self.ask(symbols, until, sink, |source, symbols, until, sink| {
            source.quotes(symbols, until, sink)
        })
        .await;
    }
}

#[async_trait]
impl<At: std::fmt::Debug + Send + 'static> Bars<At> for Fallback<dyn Bars<At>> {
    async fn bars(
        &self,
        symbols: &[Symbol],
        range: Range<Timestamp>,
        until: Instant,
        sink: Sink<'_, Vec<Bar<At>>>,
    ) {
        self.ask(symbols, until, sink, |source, symbols, until, sink| {
            source.bars(symbols, range.clone(), until, sink)
        })
        .await;
    }
}

#[async_trait]
impl Listing for Fallback<dyn Listing> {
    async fn listed(&self, until: Instant) -> Result<Vec<Symbol>, FetchError> {
        let mut first_error = None;
        for (source, until) in self.turns(until) {
            match source.listed(until).await {
                Ok(symbols) => return Ok(symbols),
                Err(error) => first_error = first_error.or(Some(error)),
            }
        }
        Err(first_error.unwrap_or(FetchError::NoTurn))
    }
}

#[cfg(test)]
mod tests;
