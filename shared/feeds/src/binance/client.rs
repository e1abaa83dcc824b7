use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use market::{Instrument, Symbol};
use reqwest::{Url, header::HeaderMap};
use tokio::time::Instant;

use super::{assets::KnownAssets, parse, unknown::UnknownSymbols};
use crate::{
    FeedError, FeedSettings, FetchError,
    body::error_code,
    budget::{Budget, Window},
    http::{Http, Manners, Request, Response, until as time_until},
    settings::under,
};

/// The limit of an address, in weight.
const BUDGET: Window = Window {
    limit: 6_000,
    period: Duration::from_mins(1),
};

/// The header with the weight that an address spent in the last minute, whoever spent it.
const USED_WEIGHT: &str = "x-mbx-used-weight-1m";

/// How long Binance is left alone after its firewall turned a request down.
const FORBIDDEN_REST: Duration = Duration::from_mins(1);

/// Binance spot over HTTP: what all its capabilities share.
#[derive(Debug)]
pub(crate) struct Client {
    http: Http,
    /// For what no quote depends on.
    aside: Http,
    base: Url,
    clock: fn() -> Timestamp,
    pub(crate) unknown: UnknownSymbols,
    pub(super) assets: KnownAssets,
}

impl Client {
    /// A client with the settings that [`super::open`] names.
    pub(crate) fn new(settings: &FeedSettings) -> Result<Self, FeedError> {
        let base = settings.url(&super::URL)?;
        let budget = settings.budget("binance", &[BUDGET]);
        let manners = Manners {
            forbidden_rest: Some(FORBIDDEN_REST),
            used: used_weight,
            failure,
        };
        let http = Http::new(&base, budget, manners, settings.clock)?;
        Ok(Self {
            aside: http.aside(),
            http,
            base,
            clock: settings.clock,
            unknown: UnknownSymbols::default(),
            assets: KnownAssets::default(),
        })
    }

    pub(crate) fn budget(&self) -> Arc<Budget> {
        self.http.budget()
    }

    /// Where a [`Rota`](crate::rota::Rota) begins: anywhere, by the second at which this process looks.
    pub(crate) fn start(&self) -> usize {
        usize::try_from((self.clock)().as_second()).unwrap_or_default()
    }

    /// The URL of an endpoint under `/api/v3`.
    pub(crate) fn url(&self, endpoint: &[&str]) -> Url {
        under(&under(&self.base, &["api", "v3"]), endpoint)
    }

    /// The answer to a GET of `url`, with retries; [`FetchError::UnknownSymbol`] if Binance does not know a symbol in
    /// it.
    pub(crate) async fn get(
        &self,
        url: &Url,
        weight: u32,
        until: Instant,
    ) -> Result<Response, FetchError> {
        let send = || self.http.send(Request::get(url.clone(), weight), until);
        self.http.retried(until, send).await
    }

    /// The answer to a GET of `url` that no quote depends on, tried once and while half of the weight is left.
    pub(super) async fn get_aside(
        &self,
        url: &Url,
        weight: u32,
        until: Instant,
    ) -> Result<Response, FetchError> {
        if !self.budget().has_half_left() {
            return Err(FetchError::OverBudget);
        }
        let request = Request::get(url.clone(), weight);
        self.aside.send(request, until).await
    }

    /// The pair that Binance calls so, with its assets if it has said them.
    pub(super) fn pair(&self, symbol: Symbol) -> Instrument {
        let assets = self.assets.of(&symbol);
        let name = symbol.as_str().to_owned();
        Instrument::crypto_pair(symbol, &name, assets.as_ref())
    }
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
