use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use jiff::Timestamp;
use market::{Instrument, Observation, Quote, Symbol};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Url, header::HeaderMap};
use tokio::time::Instant;

use super::{parse, unknown::UnknownSymbols};
use crate::{
    FeedError, FeedSettings, FetchError, Polled, Quotes,
    body::error_code,
    budget::{Budget, SlidingWindows, Window},
    http::{Http, Manners, Request, Response, until as time_until},
    retry::retried,
    settings::under,
};

/// The limit of an address, in weight.
const BUDGET: Window = Window {
    limit: 6_000,
    period: Duration::from_mins(1),
};

/// The header with the weight that an address spent in the last minute, whoever spent it.
const USED_WEIGHT: &str = "x-mbx-used-weight-1m";

/// The most symbols in a request.
const MAX_SYMBOLS: usize = 100;

/// How long Binance is left alone after its firewall turned a request down.
const FORBIDDEN_REST: Duration = Duration::from_mins(1);

/// What stays readable in the list of symbols, as in Binance's own examples.
const SYMBOLS: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b',')
    .remove(b'-')
    .remove(b'_')
    .remove(b'.');

/// Binance spot over HTTP.
#[derive(Debug)]
pub(crate) struct Client {
    http: Http,
    budget: Arc<dyn Budget>,
    ticker: Url,
    unknown: UnknownSymbols,
    clock: fn() -> Timestamp,
}

/// The outcome of each symbol that was asked for.
type Outcomes = HashMap<Symbol, Result<Observation, FetchError>>;

impl Client {
    /// A client with the settings that [`super::open`] names.
    pub(crate) fn new(settings: &FeedSettings) -> Result<Self, FeedError> {
        let base = settings.url("BINANCE_URL", "https://data-api.binance.vision")?;
        let budget: Arc<dyn Budget> = Arc::new(SlidingWindows::new([BUDGET]));
        let manners = Manners {
            forbidden_rest: Some(FORBIDDEN_REST),
            used: used_weight,
            failure,
        };
        Ok(Self {
            http: Http::new(&base, Arc::clone(&budget), manners)?,
            budget,
            ticker: under(&base, &["api", "v3", "ticker", "24hr"]),
            unknown: UnknownSymbols::default(),
            clock: settings.clock,
        })
    }

    pub(crate) fn budget(&self) -> Arc<dyn Budget> {
        Arc::clone(&self.budget)
    }

    /// The outcome of each symbol; one that Binance does not know may be absent.
    ///
    /// A request that fails for an unknown symbol is split in two until that symbol is alone. That takes
    /// at most two requests a symbol, within the budget and the deadline, and once in ten minutes.
    async fn outcomes(&self, symbols: &[Symbol], until: Instant) -> Outcomes {
        let asked: Vec<_> = unique(symbols)
            .filter(|symbol| !self.unknown.contains(symbol))
            .collect();
        let mut groups: VecDeque<&[&Symbol]> = asked.chunks(MAX_SYMBOLS).collect();
        let mut outcomes = Outcomes::new();
        while let Some(group) = groups.pop_front() {
            match (
                retried(until, || true, || self.fetch(group, until)).await,
                group,
            ) {
                (Ok(found), _) => outcomes.extend(found),
                (Err(FetchError::UnknownSymbol), [symbol]) => {
                    self.unknown.insert(Symbol::clone(symbol));
                }
                (Err(FetchError::UnknownSymbol), _) => {
                    let (one, other) = group.split_at(group.len() / 2);
                    groups.extend([one, other]);
                }
                (Err(error), _) => outcomes.extend(
                    group
                        .iter()
                        .map(|symbol| (Symbol::clone(symbol), Err(error.clone()))),
                ),
            }
        }
        outcomes
    }

    /// One request for a group; [`FetchError::UnknownSymbol`] if one of its symbols is unknown.
    async fn fetch(&self, group: &[&Symbol], until: Instant) -> Result<Outcomes, FetchError> {
        let request = Request {
            url: self.url(group),
            body: None,
            headers: HeaderMap::new(),
            secret: None,
            weight: weight(group.len()),
        };
        let response = self.http.send(request, self.clock, until).await?;
        let fetched_at = response.fetched_at;
        let mut outcomes = Outcomes::new();
        for item in parse::tickers(&response.body)? {
            match item {
                Ok(ticker) => {
                    let symbol = ticker.symbol.clone();
                    let observation = Observation {
                        source: "binance",
                        instrument: Instrument::crypto_pair(symbol.clone(), symbol.as_str()),
                        said: Quote::Crypto(ticker.into()),
                        fetched_at,
                    };
                    outcomes.insert(symbol, Ok(observation));
                }
                Err(bad) => {
                    // An item without a symbol may be that of any symbol that is missing.
                    let of_it =
                        |symbol: &Symbol| bad.symbol.as_ref().is_none_or(|bad| bad == symbol);
                    for symbol in group.iter().filter(|symbol| of_it(symbol)) {
                        outcomes
                            .entry(Symbol::clone(symbol))
                            .or_insert(Err(bad.error.clone().into()));
                    }
                }
            }
        }
        Ok(outcomes)
    }

    /// The list of symbols is JSON without spaces, percent-encoded but for its commas:
    /// `symbols=%5B%22BTCUSDT%22,%22ETHUSDT%22%5D`.
    fn url(&self, group: &[&Symbol]) -> Url {
        let names: Vec<_> = group.iter().map(|symbol| symbol.as_str()).collect();
        let list = serde_json::Value::from(names).to_string();
        let mut url = self.ticker.clone();
        url.set_query(Some(&format!(
            "symbols={}",
            utf8_percent_encode(&list, SYMBOLS)
        )));
        url
    }
}

#[async_trait]
impl Quotes for Client {
    /// One request for all, or one for each 100.
    async fn quotes(&self, symbols: &[Symbol], until: Instant) -> Vec<Polled<Quote>> {
        let outcomes = self.outcomes(symbols, until).await;
        symbols
            .iter()
            .map(|symbol| Polled {
                symbol: symbol.clone(),
                result: outcomes
                    .get(symbol)
                    .cloned()
                    .unwrap_or(Err(FetchError::UnknownSymbol)),
            })
            .collect()
    }
}

/// The symbols without repetition, in order: Binance refuses a list that has one twice.
fn unique(symbols: &[Symbol]) -> impl Iterator<Item = &Symbol> {
    let mut seen = HashSet::new();
    symbols.iter().filter(move |symbol| seen.insert(*symbol))
}

/// The weight of a request for so many symbols.
fn weight(symbols: usize) -> u32 {
    if symbols <= 20 { 2 } else { 40 }
}

fn used_weight(headers: &HeaderMap) -> Option<u32> {
    headers.get(USED_WEIGHT)?.to_str().ok()?.parse().ok()
}

/// What the status and the code mean, unless it is success.
fn failure(response: &Response) -> Option<FetchError> {
    let now = response.fetched_at;
    match response.failure()? {
        // -1121 is an invalid symbol, -1100 a character that no symbol has.
        FetchError::Rejected { status: 400, .. }
            if matches!(error_code(&response.body), Some(-1121 | -1100)) =>
        {
            Some(FetchError::UnknownSymbol)
        }
        FetchError::Banned { retry_after } => Some(FetchError::Banned {
            retry_after: parse::banned_until(&response.body)
                .map_or(retry_after, |end| time_until(end, now).max(retry_after)),
        }),
        failure => Some(failure),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests;
