use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use market::{Observation, Quote, Symbol};
use reqwest::{
    Url,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use secrets::{Key, Secret};
use tokio::time::{Instant, timeout_at};

use super::{
    instrument::instrument,
    key::with_key,
    parse,
    settings::{CONCURRENCY, PER_MINUTE, PER_SECOND, URL},
};
use crate::{
    FeedError, FeedSettings, FetchError, Quotes, Sink,
    budget::{Budget, Window},
    http::{Http, Manners, Request, Response},
    rota::{Rota, start_at},
    settings::under,
};

/// The header of the key, which keeps it out of URLs and so out of logs.
const TOKEN: HeaderName = HeaderName::from_static("x-finnhub-token");

/// The headers that some plans answer with: requests a minute, and what is left of them.
const LIMIT: &str = "x-ratelimit-limit";
const REMAINING: &str = "x-ratelimit-remaining";

/// Finnhub over HTTP.
#[derive(Debug)]
pub(crate) struct Client {
    http: Http,
    quote: Url,
    key: Key,
    rota: Rota,
}

impl Client {
    /// A client with the settings that [`super::open`] names.
    pub(crate) fn new(settings: &FeedSettings, key: Key) -> Result<Self, FeedError> {
        let base = settings.url(&URL)?;
        let per_minute = settings.read(&PER_MINUTE)?;
        let per_second = settings.read(&PER_SECOND)?;
        let concurrency = settings.read::<u32>(&CONCURRENCY)?;
        let windows = [
            Window {
                limit: per_minute,
                period: Duration::from_mins(1),
            },
            Window {
                limit: per_second,
                period: Duration::from_secs(1),
            },
        ];
        let budget = settings.budget("finnhub", &windows);
        let manners = Manners {
            used,
            ..Manners::USUAL
        };
        let start = start_at((settings.clock)(), per_minute);
        Ok(Self {
            http: Http::new(&base, budget, manners, settings.clock)?,
            quote: under(&base, &["quote"]),
            key,
            rota: Rota::new(concurrency as usize, start),
        })
    }

    pub(crate) fn budget(&self) -> Arc<Budget> {
        self.http.budget()
    }

    /// The quote. Fetching the key has no more time than the quote.
    async fn fetch(&self, symbol: &Symbol, until: Instant) -> Result<Observation, FetchError> {
        let fetched = with_key(&self.key, |key| self.fetch_with(key, symbol, until));
        timeout_at(until, fetched)
            .await
            .unwrap_or(Err(FetchError::PastDeadline))
    }

    async fn fetch_with(
        &self,
        key: Secret,
        symbol: &Symbol,
        until: Instant,
    ) -> Result<Observation, FetchError> {
        let mut url = self.quote.clone();
        url.query_pairs_mut().append_pair("symbol", symbol.as_str());
        let mut token = HeaderValue::from_str(key.expose()).map_err(|_| FetchError::UnusableKey)?;
        token.set_sensitive(true);
        let request = Request {
            headers: HeaderMap::from_iter([(TOKEN, token)]),
            secret: Some(key),
            ..Request::get(url, 1)
        };
        let Response {
            body, fetched_at, ..
        } = self.http.send(request, until).await?;
        let quote = parse::quote(&body)?.ok_or(FetchError::UnknownSymbol)?;
        Ok(Observation {
            source: "finnhub",
            instrument: instrument(symbol),
            said: Quote::Stock(quote.into()),
            fetched_at,
        })
    }
}

#[async_trait]
impl Quotes for Client {
    /// One request a symbol.
    async fn quotes(&self, symbols: &[Symbol], until: Instant, sink: Sink<'_, Quote>) {
        let fetch = async |symbol: Symbol| {
            let ask = || self.fetch(&symbol, until);
            self.http.retried(until, ask).await
        };
        self.rota.each(symbols, sink, fetch).await;
    }
}

fn used(headers: &HeaderMap) -> Option<u32> {
    let number = |name| headers.get(name)?.to_str().ok()?.trim().parse::<u32>().ok();
    number(LIMIT)?.checked_sub(number(REMAINING)?)
}

#[cfg(test)]
mod tests;
