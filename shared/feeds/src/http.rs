use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::{
    Url,
    header::{HeaderMap, RETRY_AFTER},
    redirect::Policy,
};
use tokio::time::{Instant, timeout_at};

use crate::{
    BodyError, FeedError, FetchError,
    body::explain,
    budget::{Budget, Window},
    cooldown::Cooldown,
};

/// The time that one request has.
const REQUEST_TIME: Duration = Duration::from_secs(5);

/// The most that is read of an answer.
const MAX_BODY: usize = 8 << 20;

/// How long a provider is left alone that says 429 and not for how long.
const RATE_LIMIT_REST: Duration = Duration::from_secs(60);

/// How long a provider is left alone that says 418 and not for how long: its shortest ban.
const BAN_REST: Duration = Duration::from_mins(2);

/// A provider as seen over HTTP: its connections, its request budget and its cool-down.
#[derive(Debug)]
pub(crate) struct Http {
    client: reqwest::Client,
    budget: Budget,
    cooldown: Cooldown,
}

/// A whole answer, whatever its status.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Http {
    /// The HTTP side of the provider at `endpoint`, within `windows`.
    pub(crate) fn new(
        endpoint: &Url,
        windows: impl IntoIterator<Item = Window>,
    ) -> Result<Self, FeedError> {
        // Fails when a provider is installed already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("quotelake/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none());
        if endpoint.scheme() == "http" {
            // A plain server needs no CA certificates, and a small host may have none.
            builder = builder.tls_certs_only([]);
        }
        if matches!(
            endpoint.host_str(),
            Some("localhost" | "127.0.0.1" | "[::1]")
        ) {
            // A proxy has no way to a server on this host.
            builder = builder.no_proxy();
        }
        Ok(Self {
            client: builder.build().map_err(FeedError::HttpClient)?,
            budget: Budget::new(windows),
            cooldown: Cooldown::default(),
        })
    }

    /// One GET, sent when the budget has room for `weight` and the provider may be asked; done by
    /// `until` and within 5 s of being sent.
    pub(crate) async fn get(
        &self,
        url: Url,
        headers: HeaderMap,
        weight: u32,
        until: Instant,
    ) -> Result<Response, FetchError> {
        if Instant::now() >= until {
            return Err(FetchError::PastDeadline);
        }
        self.cooldown.check()?;
        self.budget.acquire(weight, until).await?;
        self.cooldown.check()?;
        let limit = until.min(Instant::now() + REQUEST_TIME);
        match timeout_at(limit, self.exchange(url, headers)).await {
            Ok(response) => response,
            Err(_) if limit == until => Err(FetchError::PastDeadline),
            Err(_) => Err(FetchError::Timeout {
                after: REQUEST_TIME,
            }),
        }
    }

    async fn exchange(&self, url: Url, headers: HeaderMap) -> Result<Response, FetchError> {
        let mut response = self.client.get(url).headers(headers).send().await?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len() + chunk.len() > MAX_BODY {
                return Err(BodyError::TooLong.into());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Response {
            status: response.status().as_u16(),
            headers: std::mem::take(response.headers_mut()),
            body,
        })
    }

    /// Leaves the provider alone for `time`, because of `reason`.
    pub(crate) fn rest(&self, reason: &FetchError, time: Duration) {
        tracing::warn!(
            reason = reason.reason(),
            seconds = time.as_secs(),
            "the provider is left alone: {reason}"
        );
        self.cooldown.start(reason, time);
    }

    /// Whether at least half of the budget is unspent now.
    pub(crate) fn has_half_left(&self) -> bool {
        self.budget.has_half_left()
    }

    /// Takes the provider's word on the budget that is spent.
    pub(crate) fn charge(&self, used: u32) {
        self.budget.charge(used);
    }
}

impl Response {
    /// What the status means, unless it is success.
    pub(crate) fn failure(&self, now: Timestamp) -> Option<FetchError> {
        let status = self.status;
        let detail = || explain(&self.body);
        let retry_after = retry_after(&self.headers, now);
        Some(match status {
            200..=299 => return None,
            300..=399 => FetchError::Redirected { status },
            401 => FetchError::Unauthorized { detail: detail() },
            403 | 451 => FetchError::Forbidden { detail: detail() },
            418 => FetchError::Banned {
                retry_after: retry_after.unwrap_or(BAN_REST),
            },
            429 => FetchError::RateLimited {
                retry_after: retry_after.unwrap_or(RATE_LIMIT_REST),
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
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    fn failure(status: u16, retry_after: Option<&str>, body: &str) -> Option<FetchError> {
        let mut headers = HeaderMap::new();
        if let Some(value) = retry_after {
            headers.insert(RETRY_AFTER, value.parse().unwrap());
        }
        let now = "2026-11-21T05:26:49Z".parse().unwrap();
        let body = body.as_bytes().to_vec();
        Response {
            status,
            headers,
            body,
        }
        .failure(now)
    }

    #[test]
    fn each_status_has_its_reason() {
        let cases = [
            (204, None),
            (302, Some("redirected")),
            (400, Some("rejected")),
            (401, Some("unauthorized")),
            (403, Some("forbidden")),
            (404, Some("rejected")),
            (418, Some("banned")),
            (429, Some("rate-limited")),
            (451, Some("forbidden")),
            (500, Some("unavailable")),
            (503, Some("unavailable")),
            (999, Some("unavailable")),
        ];
        for (status, reason) in cases {
            let failure = failure(status, None, "");
            assert_eq!(failure.as_ref().map(FetchError::reason), reason, "{status}");
        }
    }

    #[test]
    fn retry_after_is_read_as_seconds_or_a_date_and_has_a_default() {
        let seconds = |status, value| {
            failure(status, value, "")
                .unwrap()
                .retry_after()
                .map(|time| time.as_secs())
        };
        assert_eq!(seconds(429, Some("7")), Some(7));
        assert_eq!(seconds(418, Some("259200")), Some(259_200));
        assert_eq!(
            seconds(429, Some("Sat, 21 Nov 2026 05:27:09 GMT")),
            Some(20)
        );
        assert_eq!(seconds(429, Some("Sat, 21 Nov 2026 05:00:00 GMT")), Some(0));
        assert_eq!(seconds(429, Some("soon")), Some(60));
        assert_eq!(seconds(429, None), Some(60));
        assert_eq!(seconds(418, None), Some(120));
        assert_eq!(seconds(503, None), None);
        assert_eq!(seconds(503, Some("2")), Some(2));
    }

    #[test]
    fn an_error_says_in_one_sentence_what_the_provider_said() {
        assert_eq!(
            failure(403, None, "<html>").unwrap().to_string(),
            "the provider denies access (an HTML page): check the plan of the key and the region of this host"
        );
        assert_eq!(
            failure(401, None, r#"{"error":"Invalid API key."}"#)
                .unwrap()
                .to_string(),
            "the provider refuses the key (Invalid API key.): check the token"
        );
    }
}
