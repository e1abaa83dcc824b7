use std::{ops::Range, sync::Arc, time::Duration};

use jiff::Timestamp;
use market::{Bar, Instrument, Observation, Symbol};
use reqwest::{Url, header::HeaderMap};
use settings::Setting;
use tokio::time::Instant;

use super::{
    board::BoardRow,
    interval::{Interval, within},
};
use crate::{
    BodyError, FeedError, FeedSettings, FetchError,
    batch::Row,
    body::is_html,
    budget::{Budget, Window},
    http::{Http, Manners, Request, Response},
    rota::{Rota, start_at},
    settings::under,
};

/// How long a broker is left alone after it denied access, by status 403 or a challenge page: these interfaces
/// are private.
const FORBIDDEN_REST: Duration = Duration::from_mins(15);

/// How many requests for one symbol each are under way at once.
const CONCURRENCY: usize = 4;

/// A broker's public web interface: its address, its headers and its request budget.
#[derive(Debug)]
pub(crate) struct Broker {
    name: &'static str,
    http: Http,
    base: Url,
    headers: HeaderMap,
    /// Where its rotas begin.
    start: usize,
}

/// The settings of a broker and what holds without them.
pub(crate) struct Settings {
    /// Its name as a feed.
    pub(crate) name: &'static str,
    /// The setting of the address.
    pub(crate) url: Setting,
    /// The setting of the most requests per minute.
    pub(crate) per_minute: Setting,
    /// The setting of the request headers, and those that are sent unless it says otherwise.
    pub(crate) headers: (Setting, &'static [(&'static str, &'static str)]),
}

impl Broker {
    pub(crate) fn new(names: &Settings, settings: &FeedSettings) -> Result<Self, FeedError> {
        let base = settings.url(&names.url)?;
        let per_minute = settings.read(&names.per_minute)?;
        let a_minute = Window {
            limit: per_minute,
            period: Duration::from_mins(1),
        };
        let budget = settings.budget(names.name, &[a_minute]);
        let manners = Manners {
            forbidden_rest: Some(FORBIDDEN_REST),
            failure,
            ..Manners::USUAL
        };
        Ok(Self {
            name: names.name,
            http: Http::new(&base, budget, manners, settings.clock)?,
            base,
            headers: settings.headers(&names.headers.0, names.headers.1)?,
            start: start_at((settings.clock)(), per_minute),
        })
    }

    pub(crate) fn budget(&self) -> Arc<Budget> {
        self.http.budget()
    }

    /// Whose turn it is among symbols that are asked for one by one.
    pub(crate) fn rota(&self) -> Rota {
        Rota::new(CONCURRENCY, self.start)
    }

    /// What the rows of a board say, in an answer that arrived at this time.
    pub(crate) fn quotes(
        &self,
        rows: Vec<Row<BoardRow>>,
        fetched_at: Timestamp,
    ) -> Vec<Row<Observation, FetchError>> {
        let observe = |symbol, row: BoardRow| row.observation(self.name, symbol, fetched_at);
        rows.into_iter().map(|row| row.observed(observe)).collect()
    }

    /// The bars of a share over a range, in an answer that arrived at this time.
    pub(crate) fn series<At: Interval>(
        &self,
        symbol: Symbol,
        bars: Vec<Bar<At>>,
        range: &Range<Timestamp>,
        fetched_at: Timestamp,
    ) -> Result<Observation<Vec<Bar<At>>>, FetchError> {
        Ok(Observation {
            source: self.name,
            instrument: Instrument::vietnamese_share(symbol, None),
            said: within(bars, range)?,
            fetched_at,
        })
    }

    pub(crate) fn url(&self, path: &[&str]) -> Url {
        under(&self.base, path)
    }

    pub(crate) async fn get(&self, url: &Url, until: Instant) -> Result<Response, FetchError> {
        self.send(url, None, until).await
    }

    /// Sends a JSON value.
    pub(crate) async fn post(
        &self,
        url: &Url,
        body: &serde_json::Value,
        until: Instant,
    ) -> Result<Response, FetchError> {
        self.send(url, Some(body.to_string()), until).await
    }

    async fn send(
        &self,
        url: &Url,
        body: Option<String>,
        until: Instant,
    ) -> Result<Response, FetchError> {
        let send = || {
            let request = Request {
                body: body.clone(),
                headers: self.headers.clone(),
                ..Request::get(url.clone(), 1)
            };
            self.http.send(request, until)
        };
        self.http.retried(until, send).await
    }
}

/// A challenge page comes with status 200 too, and means the same as a denied access.
fn failure(response: &Response) -> Option<FetchError> {
    let is_page = || is_html(&response.body).then(|| BodyError::Html.into());
    response.failure().or_else(is_page)
}
