//! Several sources of the same data: what one does not answer, the next is asked.

use std::{ops::Range, sync::Arc};

use async_trait::async_trait;
use jiff::Timestamp;
use market::{Bar, Quote, Symbol};
use tokio::time::Instant;

use crate::{Bars, FetchError, Listing, Polled, Quotes};

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
    fn turns(&self, until: Instant) -> impl Iterator<Item = (Arc<S>, Instant)> {
        let sources = self.0.iter().cloned();
        sources
            .zip((1..=self.0.len()).rev())
            .map(move |(source, left)| {
                let now = Instant::now();
                let time = until.saturating_duration_since(now);
                let share = time / u32::try_from(left).unwrap_or(u32::MAX);
                (source, now + share)
            })
    }

    async fn ask<T, F>(
        &self,
        symbols: &[Symbol],
        until: Instant,
        ask: impl Fn(Arc<S>, Vec<Symbol>, Instant) -> F,
    ) -> Vec<Polled<T>>
    where
        F: Future<Output = Vec<Polled<T>>>,
    {
        let mut outcomes: Vec<Option<Polled<T>>> = symbols.iter().map(|_| None).collect();
        for (source, until) in self.turns(until) {
            let open: Vec<usize> = (0..symbols.len())
                .filter(|place| !is_answered(outcomes[*place].as_ref()))
                .collect();
            if open.is_empty() {
                break;
            }
            let asked = open.iter().map(|place| symbols[*place].clone()).collect();
            for (place, polled) in open.into_iter().zip(ask(source, asked, until).await) {
                let outcome = &mut outcomes[place];
                if outcome.is_none() || polled.result.is_ok() {
                    *outcome = Some(polled);
                }
            }
        }
        symbols
            .iter()
            .zip(outcomes)
            .map(|(symbol, outcome)| {
                outcome.unwrap_or_else(|| Polled {
                    symbol: symbol.clone(),
                    result: Err(FetchError::NoTurn),
                })
            })
            .collect()
    }
}

fn is_answered<T>(outcome: Option<&Polled<T>>) -> bool {
    outcome.is_some_and(|polled| polled.result.is_ok())
}

#[async_trait]
impl Quotes for Fallback<dyn Quotes> {
    async fn quotes(&self, symbols: &[Symbol], until: Instant) -> Vec<Polled<Quote>> {
        let ask = |source: Arc<dyn Quotes>, symbols: Vec<Symbol>, until| async move {
            source.quotes(&symbols, until).await
        };
        self.ask(symbols, until, ask).await
    }
}

#[async_trait]
impl<At: std::fmt::Debug + Send + 'static> Bars<At> for Fallback<dyn Bars<At>> {
    async fn bars(
        &self,
        symbols: &[Symbol],
        range: Range<Timestamp>,
        until: Instant,
    ) -> Vec<Polled<Vec<Bar<At>>>> {
        let ask = |source: Arc<dyn Bars<At>>, symbols: Vec<Symbol>, until| {
            let range = range.clone();
            async move { source.bars(&symbols, range, until).await }
        };
        self.ask(symbols, until, ask).await
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
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests;
