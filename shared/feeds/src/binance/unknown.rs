use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use market::Symbol;
use tokio::time::Instant;

/// How long a symbol stays known as unknown. A new listing is found after this time.
const MEMORY: Duration = Duration::from_mins(10);

/// The symbols that Binance did not know lately: finding them takes a request for all tickers, so it is not
/// done again with every poll.
#[derive(Debug, Default)]
pub(crate) struct UnknownSymbols(Mutex<HashMap<Symbol, Instant>>);

impl UnknownSymbols {
    pub(crate) fn contains(&self, symbol: &Symbol) -> bool {
        self.until()
            .get(symbol)
            .is_some_and(|until| *until > Instant::now())
    }

    pub(crate) fn insert(&self, symbol: Symbol) {
        let now = Instant::now();
        let mut unknown = self.until();
        unknown.retain(|_, until| *until > now);
        unknown.insert(symbol, now + MEMORY);
    }

    fn until(&self) -> MutexGuard<'_, HashMap<Symbol, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_unknown_symbol_is_asked_for_again_after_ten_minutes() {
        let unknown = UnknownSymbols::default();
        let symbol: Symbol = "NEWUSDT".parse().unwrap();
        unknown.insert(symbol.clone());
        tokio::time::advance(Duration::from_secs(599)).await;
        assert!(unknown.contains(&symbol));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(!unknown.contains(&symbol));
    }
}
