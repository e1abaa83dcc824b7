use std::collections::{HashMap, HashSet};

use async_trait::async_trait;
use market::{Observation, Quote, Symbol};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Url;
use tokio::time::Instant;

use super::{client::Client, parse};
use crate::{BodyError, FetchError, Polled, Quotes, Sink};

/// The longest URL that is sent, in bytes: servers and proxies commonly take lines of 8 KiB.
const MAX_URL: usize = 8_000;

/// The weight of a request for every symbol that there is.
const WEIGHT_OF_ALL: u32 = 80;

/// What stays readable in the list of symbols, as in Binance's own examples.
const SYMBOLS: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b',')
    .remove(b'-')
    .remove(b'_')
    .remove(b'.');

/// What an answer says of each symbol in it.
type Outcomes = HashMap<Symbol, Result<Observation, FetchError>>;

#[async_trait]
impl Quotes for Client {
    /// One request for all symbols, and a second one if Binance does not know one of them.
    async fn quotes(&self, symbols: &[Symbol], until: Instant, sink: Sink<'_, Quote>) {
        let hand_over = |symbol: &Symbol, result| {
            let symbol = symbol.clone();
            sink(Polled { symbol, result });
        };
        let (unknown, asked): (Vec<_>, Vec<_>) = symbols
            .iter()
            .partition(|symbol| self.unknown.contains(symbol));
        for symbol in unknown {
            hand_over(symbol, Err(FetchError::UnknownSymbol));
        }
        let tickers = self.tickers(&unique(&asked), until).await;
        for symbol in asked {
            let result = match &tickers {
                Ok(outcomes) => outcomes.get(symbol).cloned(),
                Err(error) => Some(Err(error.clone())),
            };
            hand_over(symbol, result.unwrap_or(Err(FetchError::UnknownSymbol)));
        }
    }
}

impl Client {
    /// What Binance says of the symbols; one that it does not know is absent.
    ///
    /// It refuses a list with an unknown symbol and does not say which. All tickers then bring the other quotes
    /// and tell the unknown symbols, in one request of about 2 MB; later polls leave these out for a while. The
    /// same request serves a list that is too long for a URL.
    async fn tickers(&self, asked: &[&Symbol], until: Instant) -> Result<Outcomes, FetchError> {
        if asked.is_empty() {
            return Ok(Outcomes::new());
        }
        let all = self.url(&["ticker", "24hr"]);
        if let Some(listed) = with_list(&all, asked) {
            let found = self.fetch(&listed, weight(asked.len()), asked, until).await;
            match (found, asked) {
                (Err(FetchError::UnknownSymbol), [symbol]) => {
                    self.unknown.insert(Symbol::clone(symbol));
                    return Ok(Outcomes::new());
                }
                (Err(FetchError::UnknownSymbol), _) => {}
                (found, _) => return found,
            }
        }
        let found = self.fetch(&all, WEIGHT_OF_ALL, asked, until).await?;
        if found.is_empty() {
            // That every symbol is unknown would be remembered.
            return Err(BodyError::Shape("it lists no ticker".to_owned()).into());
        }
        for symbol in asked.iter().filter(|symbol| !found.contains_key(**symbol)) {
            self.unknown.insert(Symbol::clone(symbol));
        }
        Ok(found)
    }

    /// One request.
    async fn fetch(
        &self,
        url: &Url,
        weight: u32,
        asked: &[&Symbol],
        until: Instant,
    ) -> Result<Outcomes, FetchError> {
        let response = self.get(url, weight, until).await?;
        let fetched_at = response.fetched_at;
        let mut outcomes = Outcomes::new();
        for item in parse::tickers(&response.body)? {
            match item {
                Ok(ticker) => {
                    let symbol = ticker.symbol.clone();
                    let observation = Observation {
                        source: "binance",
                        instrument: self.pair(symbol.clone()),
                        said: Quote::Crypto(ticker.into()),
                        fetched_at,
                    };
                    outcomes.insert(symbol, Ok(observation));
                }
                Err(bad) => {
                    // An item without a symbol may be that of any symbol that is missing.
                    let of_it =
                        |symbol: &Symbol| bad.symbol.as_ref().is_none_or(|bad| bad == symbol);
                    for symbol in asked.iter().filter(|symbol| of_it(symbol)) {
                        outcomes
                            .entry(Symbol::clone(symbol))
                            .or_insert(Err(bad.error.clone().into()));
                    }
                }
            }
        }
        Ok(outcomes)
    }
}

/// The symbols without repetition, in order: Binance refuses a list that has one twice.
fn unique<'a>(symbols: &[&'a Symbol]) -> Vec<&'a Symbol> {
    let mut seen = HashSet::new();
    let symbols = symbols.iter().copied();
    symbols.filter(|symbol| seen.insert(*symbol)).collect()
}

/// The URL with a list of symbols, unless that is too long.
///
/// The list is JSON without spaces, percent-encoded but for its commas:
/// `symbols=%5B%22BTCUSDT%22,%22ETHUSDT%22%5D`.
pub(super) fn with_list(url: &Url, symbols: &[&Symbol]) -> Option<Url> {
    let names: Vec<_> = symbols.iter().map(|symbol| symbol.as_str()).collect();
    let list = serde_json::Value::from(names).to_string();
    let mut url = url.clone();
    url.set_query(Some(&format!(
        "symbols={}",
        utf8_percent_encode(&list, SYMBOLS)
    )));
    (url.as_str().len() <= MAX_URL).then_some(url)
}

/// The weight of a request with a list of so many symbols.
fn weight(symbols: usize) -> u32 {
    match symbols {
        0..=20 => 2,
        21..=100 => 40,
        _ => WEIGHT_OF_ALL,
    }
}

#[cfg(test)]
mod tests;
