use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use futures::{StreamExt, stream};
use jiff::Timestamp;
use market::{Observation, Quote, Symbol};
use reqwest::{
    Url,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use secrets::Secret;
use tokio::time::Instant;

use super::{DEFAULT_URL, parse};
use crate::{
    FeedError, FeedSettings, FetchError, Polled, budget::Window, http::Http, retry::retried,
    settings::endpoint,
};

/// The header of the key, which keeps it out of URLs and so out of logs.
const TOKEN: HeaderName = HeaderName::from_static("x-finnhub-token");

/// The limit of a free key, and the limit of every key.
const BUDGET: [Window; 2] = [
    Window {
        limit: 60,
        period: Duration::from_mins(1),
    },
    Window {
        limit: 30,
        period: Duration::from_secs(1),
    },
];

/// How many requests are under way at once.
const CONCURRENCY: usize = 16;

/// Finnhub over HTTP.
#[derive(Debug)]
pub struct Client {
    http: Http,
    quote: Url,
    token: Secret,
    headers: HeaderMap,
    clock: fn() -> Timestamp,
    /// Where the next poll starts: with more symbols than budget, polls go round.
    next: AtomicUsize,
}

impl Client {
    /// A client with the key of the settings.
    ///
    /// # Errors
    /// [`FeedError`] names the setting that is missing or wrong.
    pub fn new(settings: &FeedSettings, clock: fn() -> Timestamp) -> Result<Self, FeedError> {
        let quote = endpoint(
            "FINNHUB_URL",
            &settings.finnhub_url,
            &["quote"],
            DEFAULT_URL,
        )?;
        let token = settings
            .finnhub_token
            .clone()
            .filter(|token| !token.expose().is_empty())
            .ok_or(FeedError::MissingToken)?;
        let mut value =
            HeaderValue::from_str(token.expose()).map_err(|_| FeedError::UnusableToken)?;
        value.set_sensitive(true);
        Ok(Self {
            http: Http::new(&quote, BUDGET)?,
            quote,
            token,
            headers: HeaderMap::from_iter([(TOKEN, value)]),
            clock,
            next: AtomicUsize::new(0),
        })
    }

    /// One poll of every symbol, as [`crate::Feed::poll`] promises it: one request a symbol, at most
    /// 16 at once.
    pub async fn poll(&self, symbols: &[Symbol], until: Instant) -> Vec<Polled> {
        if symbols.is_empty() {
            return Vec::new();
        }
        let first = self.next.load(Ordering::Relaxed) % symbols.len();
        let mut polls: Vec<_> = symbols
            .iter()
            .enumerate()
            .map(|(place, symbol)| async move { (place, self.poll_one(symbol, until).await) })
            .collect();
        polls.rotate_left(first);
        let mut polled: Vec<_> = stream::iter(polls)
            .buffer_unordered(CONCURRENCY)
            .collect()
            .await;
        polled.sort_by_key(|(place, _)| *place);
        let polled: Vec<_> = polled.into_iter().map(|(_, polled)| polled).collect();
        let served = polled.iter().filter(|polled| was_asked(polled)).count();
        self.next.store(first + served, Ordering::Relaxed);
        polled
    }

    /// One symbol. Retries stop at half of the budget: beyond it they would cost other symbols theirs, and the
    /// next poll is soon.
    async fn poll_one(&self, symbol: &Symbol, until: Instant) -> Polled {
        let may_retry = || self.http.has_half_left();
        let result = retried(until, may_retry, || self.fetch(symbol, until)).await;
        Polled {
            symbol: symbol.clone(),
            result,
        }
    }

    async fn fetch(&self, symbol: &Symbol, until: Instant) -> Result<Observation, FetchError> {
        let mut url = self.quote.clone();
        url.query_pairs_mut().append_pair("symbol", symbol.as_str());
        let mut response = self.http.get(url, self.headers.clone(), 1, until).await?;
        // Before anything is cut from it: half a key is still a secret.
        response.body = self
            .token
            .redact(&String::from_utf8_lossy(&response.body))
            .into_bytes();
        let fetched_at = (self.clock)();
        if let Some(failure) = response.failure(fetched_at) {
            if let FetchError::RateLimited { retry_after } | FetchError::Banned { retry_after } =
                failure
            {
                self.http.rest(&failure, retry_after);
            }
            return Err(failure);
        }
        let quote = parse::quote(&response.body)?.ok_or(FetchError::UnknownSymbol)?;
        Ok(Observation {
            quote: Quote::Finnhub(quote.of(symbol.clone())),
            fetched_at,
        })
    }
}

/// Whether a symbol had its turn in a poll.
fn was_asked(polled: &Polled) -> bool {
    !matches!(
        polled.result,
        Err(FetchError::OverBudget | FetchError::PastDeadline)
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests;
