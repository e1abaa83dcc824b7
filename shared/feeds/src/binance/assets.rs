use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use market::{Assets, Symbol};
use tokio::time::Instant;

use super::{client::Client, parse, tickers::with_list};
use crate::{FetchError, Instruments};

/// The weight of a request, whatever it asks for.
const WEIGHT: u32 = 20;

/// The most pairs in a request: an answer of some 400 kB.
const PAIRS: usize = 100;

/// The assets of pairs, as Binance has said them. A pair never gets others.
#[derive(Debug, Default)]
pub(super) struct KnownAssets(Mutex<HashMap<Symbol, Assets>>);

impl KnownAssets {
    pub(super) fn of(&self, symbol: &Symbol) -> Option<Assets> {
        self.known().get(symbol).cloned()
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Symbol, Assets>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Instruments for Client {
    /// One request for each 100 pairs that are not known yet, one after the other.
    async fn learn(&self, symbols: &[Symbol], until: Instant) {
        let new: Vec<Symbol> = {
            let known = self.assets.known();
            let is_new =
                |symbol: &&Symbol| !known.contains_key(*symbol) && !self.unknown.contains(symbol);
            symbols.iter().filter(is_new).cloned().collect()
        };
        let mut open: Vec<&[Symbol]> = new.chunks(PAIRS).rev().collect();
        while let Some(pairs) = open.pop() {
            match self.ask(pairs, until).await {
                Ok(()) => {}
                // One that Binance does not know fails all, and it does not say which.
                Err(FetchError::UnknownSymbol) => {
                    if pairs.len() > 1 {
                        let (first, second) = pairs.split_at(pairs.len() / 2);
                        open.extend([second, first]);
                    }
                }
                Err(error) => {
                    let reason = error.reason();
                    tracing::warn!(reason, "pairs keep the exchange's names: {error}");
                    return;
                }
            }
        }
    }
}

impl Client {
    async fn ask(&self, pairs: &[Symbol], until: Instant) -> Result<(), FetchError> {
        let listed: Vec<_> = pairs.iter().collect();
        let url = with_list(&self.url(&["exchangeInfo"]), &listed);
        // A list that is too long for a URL is halved as well.
        let url = url.ok_or(FetchError::UnknownSymbol)?;
        let response = self.get_aside(&url, WEIGHT, until).await?;
        let said = parse::assets(&response.body)?;
        self.assets.known().extend(said);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
