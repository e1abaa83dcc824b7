use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use reqwest::{Url, header::HeaderMap};
use tokio::time::Instant;

use crate::{
    BodyError, FeedError, FeedSettings, FetchError,
    body::is_html,
    budget::{Budget, Window},
    http::{Http, Manners, Request, Response},
    retry::retried,
    rota::Rota,
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
    http: Http,
    budget: Arc<dyn Budget>,
    base: Url,
    headers: HeaderMap,
    clock: fn() -> Timestamp,
    per_minute: u32,
}

/// The settings of a broker and what holds without them.
pub(crate) struct Settings {
    /// Its name as a feed.
    pub(crate) name: &'static str,
    /// The setting of the address, and the public one.
    pub(crate) url: (&'static str, &'static str),
    /// The setting of the request headers, and those that are sent unless it says otherwise.
    pub(crate) headers: (&'static str, &'static [(&'static str, &'static str)]),
    /// The setting of the most requests a minute, and that without it.
    pub(crate) per_minute: (&'static str, u32),
}

impl Broker {
    pub(crate) fn new(names: &Settings, settings: &FeedSettings) -> Result<Self, FeedError> {
        let base = settings.url(names.url.0, names.url.1)?;
        let per_minute = settings.number(names.per_minute.0, names.per_minute.1, 1..=10_000)?;
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
            http: Http::new(&base, Arc::clone(&budget), manners)?,
            budget,
            base,
            headers: settings.headers(names.headers.0, names.headers.1)?,
            clock: settings.clock,
            per_minute,
        })
    }

    pub(crate) fn budget(&self) -> Arc<dyn Budget> {
        Arc::clone(&self.budget)
    }

    /// Whose turn it is among symbols that are asked for one by one.
    pub(crate) fn rota(&self) -> Rota {
        // Wherever earlier processes stopped, so many symbols a minute were served by them.
        let minutes = usize::try_from((self.clock)().as_second() / 60).unwrap_or_default();
        Rota::new(CONCURRENCY, minutes.wrapping_mul(self.per_minute as usize))
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

    /// Retries stop at half of the budget: beyond it they would cost other symbols theirs.
    async fn send(
        &self,
        url: &Url,
        body: Option<String>,
        until: Instant,
    ) -> Result<Response, FetchError> {
        let may_retry = || self.http.has_half_left();
        let request = || Request {
            url: url.clone(),
            body: body.clone(),
            headers: self.headers.clone(),
            secret: None,
            weight: 1,
        };
        retried(until, may_retry, || {
            self.http.send(request(), self.clock, until)
        })
        .await
    }
}

/// A challenge page comes with status 200 too, and means the same as a denied access.
fn failure(response: &Response) -> Option<FetchError> {
    let is_page = || is_html(&response.body).then(|| BodyError::Html.into());
    response.failure().or_else(is_page)
}
