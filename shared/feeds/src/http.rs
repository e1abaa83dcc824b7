use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use reqwest::{
    Url,
    header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER},
    redirect::Policy,
};
use secrets::Secret;
use tokio::{
    select,
    time::{Instant, timeout_at},
};

use crate::{
    BodyError, FeedError, FetchError, body::explain, budget::Budget, cooldown::Cooldown,
    retry::retried, tls,
};

/// The time that one request has.
const REQUEST_TIME: Duration = Duration::from_secs(5);

/// The most that is read of an answer.
pub(crate) const MAX_BODY: usize = 8 << 20;

/// How long a provider is left alone that says 429 and not for how long.
const RATE_LIMIT_REST: Duration = Duration::from_secs(60);

/// How long a provider is left alone that says 418 and not for how long: its shortest ban.
const BAN_REST: Duration = Duration::from_mins(2);

/// How long a provider is left alone that says 429 or 418 and `Retry-After: 0`, or a date that is past: else a storm
/// of refusals would be answered with a storm of requests.
const SHORTEST_REST: Duration = Duration::from_secs(1);

/// A provider as seen over HTTP: its connections, its request budget and its cool-down.
#[derive(Debug)]
pub(crate) struct Http {
    client: reqwest::Client,
    budget: Arc<Budget>,
    cooldown: Arc<Cooldown>,
    /// Whether a failure keeps no other request from being sent.
    is_aside: bool,
    manners: Manners,
    clock: fn() -> Timestamp,
}

/// What is particular of a provider's answers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manners {
    /// How long it is left alone after it denied access (403, or a page where data belongs).
    pub(crate) forbidden_rest: Option<Duration>,
    /// The weight that its longest window holds already, if its headers say so.
    pub(crate) used: fn(&HeaderMap) -> Option<u32>,
    /// What an answer means, unless it is success; [`Response::failure`] where it is like all others.
    pub(crate) failure: fn(&Response) -> Option<FetchError>,
}

/// A request.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) url: Url,
    /// A JSON text to POST; nothing to GET.
    pub(crate) body: Option<String>,
    pub(crate) headers: HeaderMap,
    /// What must not be seen of the answer: a provider may repeat a key.
    pub(crate) secret: Option<Secret>,
    /// What it spends of the budget.
    pub(crate) weight: u32,
}

/// A whole answer, whatever its status.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    pub(crate) fetched_at: Timestamp,
}

impl Manners {
    /// Those of most providers.
    pub(crate) const USUAL: Self = Self {
        forbidden_rest: None,
        used: |_| None,
        failure: Response::failure,
    };
}

impl Request {
    /// A GET of `url`.
    pub(crate) fn get(url: Url, weight: u32) -> Self {
        Self {
            url,
            body: None,
            headers: HeaderMap::new(),
            secret: None,
            weight,
        }
    }
}

impl Http {
    /// The HTTP side of the provider at `base`, within `budget`. `clock` tells when an answer arrived.
    pub(crate) fn new(
        base: &Url,
        budget: Arc<Budget>,
        manners: Manners,
        clock: fn() -> Timestamp,
    ) -> Result<Self, FeedError> {
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("quotelake/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .tls_backend_preconfigured(tls::for_server(base)?);
        if matches!(base.host_str(), Some("localhost" | "127.0.0.1" | "[::1]")) {
            // A proxy has no way to a server on this host.
            builder = builder.no_proxy();
        }
        Ok(Self {
            client: builder.build().map_err(FeedError::HttpClient)?,
            budget,
            cooldown: Arc::default(),
            is_aside: false,
            manners,
            clock,
        })
    }

    /// The same provider for requests that nothing depends on: one that fails keeps no other from being sent, unless
    /// the provider says that there were too many.
    pub(crate) fn aside(&self) -> Self {
        Self {
            client: self.client.clone(),
            budget: self.budget(),
            cooldown: Arc::clone(&self.cooldown),
            is_aside: true,
            manners: self.manners,
            clock: self.clock,
        }
    }

    /// The budget that requests spend from.
    pub(crate) fn budget(&self) -> Arc<Budget> {
        Arc::clone(&self.budget)
    }

    /// The outcome of `ask`, tried again as [`retried`] does it, up to half of the budget: beyond it retries would
    /// cost other symbols theirs, and the next poll is soon.
    pub(crate) async fn retried<T, F>(
        &self,
        until: Instant,
        ask: impl Fn() -> F,
    ) -> Result<T, FetchError>
    where
        F: Future<Output = Result<T, FetchError>>,
    {
        retried(until, || self.budget.has_half_left(), ask).await
    }

    /// One exchange, begun when the budget has room and the provider may be asked; done by `until` and within
    /// 5 s of being sent. A provider that says how long to leave it alone is left alone, by later polls too.
    ///
    /// # Errors
    /// [`FetchError`], also for an answer that means failure.
    pub(crate) async fn send(
        &self,
        request: Request,
        until: Instant,
    ) -> Result<Response, FetchError> {
        if Instant::now() >= until {
            return Err(FetchError::NoTurn);
        }
        // Whoever waits when the provider refuses another hears it at once, and spends nothing.
        select! {
            biased;
            refused = self.cooldown.begins() => return Err(refused),
            acquired = self.budget.acquire(request.weight, until) => acquired?,
        }
        let limit = until.min(Instant::now() + REQUEST_TIME);
        let response = match timeout_at(limit, self.exchange(request)).await {
            Ok(response) => response?,
            Err(_) if limit == until => return Err(FetchError::PastDeadline),
            Err(_) => {
                return Err(FetchError::Timeout {
                    after: REQUEST_TIME,
                });
            }
        };
        if let Some(used) = (self.manners.used)(&response.headers) {
            self.budget.charge(used);
        }
        match (self.manners.failure)(&response) {
            None => Ok(response),
            Some(failure) => {
                self.rest_after(&failure);
                Err(failure)
            }
        }
    }

    /// Leaves the provider alone for as long as the failure asks for.
    fn rest_after(&self, failure: &FetchError) {
        let time = match failure {
            failure if self.is_aside && !failure.is_rate_limit() => None,
            FetchError::Forbidden { .. } | FetchError::Malformed(BodyError::Html) => {
                self.manners.forbidden_rest
            }
            failure => failure.retry_after(),
        };
        if let Some(time) = time
            && self.cooldown.start(failure, time)
        {
            tracing::warn!(
                reason = failure.reason(),
                seconds = time.as_secs(),
                "the provider is left alone: {failure}"
            );
        }
    }

    async fn exchange(&self, request: Request) -> Result<Response, FetchError> {
        let builder = match request.body {
            None => self.client.get(request.url),
            Some(json) => self
                .client
                .post(request.url)
                .header(CONTENT_TYPE, "application/json")
                .body(json),
        };
        let mut response = builder.headers(request.headers).send().await?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len() + chunk.len() > MAX_BODY {
                return Err(BodyError::TooLong.into());
            }
            body.extend_from_slice(&chunk);
        }
        if let Some(secret) = request.secret {
            // Before anything is cut from it: half a key is still a secret.
            body = secret.redact(&String::from_utf8_lossy(&body)).into_bytes();
        }
        Ok(Response {
            status: response.status().as_u16(),
            headers: std::mem::take(response.headers_mut()),
            body,
            fetched_at: (self.clock)(),
        })
    }
}

impl Response {
    /// What the status means, unless it is success.
    pub(crate) fn failure(&self) -> Option<FetchError> {
        let status = self.status;
        let detail = || explain(&self.body);
        let retry_after = retry_after(&self.headers, self.fetched_at);
        let rest = |usual: Duration| retry_after.unwrap_or(usual).max(SHORTEST_REST);
        Some(match status {
            200..=299 => return None,
            300..=399 => FetchError::Redirected { status },
            401 => FetchError::Unauthorized { detail: detail() },
            403 | 451 => FetchError::Forbidden { detail: detail() },
            418 => FetchError::Banned {
                retry_after: rest(BAN_REST),
            },
            429 => FetchError::RateLimited {
                retry_after: rest(RATE_LIMIT_REST),
            },
            500.. => FetchError::Unavailable {
                status,
                detail: detail(),
                retry_after,
            },
            _ => FetchError::Rejected {
                status,
                detail: detail(),
            },
        })
    }
}

/// `Retry-After` (RFC 9110, 10.2.3): seconds, or a date.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(value).ok()?.timestamp();
    Some(until(date, now))
}

/// The time from `now` to `then`, nothing if that is past.
pub(crate) fn until(then: Timestamp, now: Timestamp) -> Duration {
    then.duration_since(now)
        .max(SignedDuration::ZERO)
        .unsigned_abs()
}

#[cfg(test)]
mod tests;
