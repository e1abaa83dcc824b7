//! What every client here tells while it works: librdkafka reports a failed handshake to a callback only, and lets
//! the records time out.

use std::{
    collections::BTreeMap,
    error::Error,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use jiff::Timestamp;
use rdkafka::{
    ClientContext,
    client::OAuthToken,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, Consumer, ConsumerContext},
    error::{KafkaError, KafkaResult, RDKafkaErrorCode},
};
use tokio::sync::Notify;

use crate::{
    AuthenticationError, Cluster, TokenError,
    trouble::{self, Trouble},
};

/// The callbacks of one client, whichever kind it is; clones share what they have heard.
#[derive(Clone)]
pub(crate) struct Context {
    cluster: Cluster,
    latest: Arc<Mutex<Latest>>,
    troubled: Arc<Notify>,
}

#[derive(Default)]
struct Latest {
    trouble: Option<Trouble>,
    no_token: Option<TokenError>,
    token_expires: Option<Timestamp>,
    said: BTreeMap<String, Instant>,
}

/// How long the same report is not logged again: librdkafka makes it at every attempt to connect.
const SAID: Duration = Duration::from_secs(60);

impl Context {
    pub(crate) fn new(cluster: &Cluster) -> Self {
        Self::telling(cluster, Arc::default())
    }

    /// One that tells `troubled` when the brokers refuse the client or none can be reached.
    pub(crate) fn telling(cluster: &Cluster, troubled: Arc<Notify>) -> Self {
        Self {
            cluster: cluster.clone(),
            latest: Arc::default(),
            troubled,
        }
    }

    pub(crate) fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// What is wrong, if anything is.
    pub(crate) fn trouble(&self) -> Option<Trouble> {
        self.latest(|latest| latest.trouble.clone())
    }

    /// The handshake's failure, if it fails.
    pub(crate) fn refused(&self) -> Option<AuthenticationError> {
        match self.trouble()? {
            Trouble::Handshake(error) => Some(error),
            Trouble::Connection(_) => None,
        }
    }

    /// A broker has answered: what was wrong before is over.
    pub(crate) fn answered(&self) {
        self.latest(|latest| latest.trouble = None);
    }

    /// Whether the token that connections are opened with has expired, as it does while a process is frozen.
    pub(crate) fn has_stale_token(&self) -> bool {
        let Some(tokens) = self.cluster.security().tokens() else {
            return false;
        };
        let expires = self.latest(|latest| latest.token_expires);
        expires.is_some_and(|expires| expires <= tokens.source().now())
    }

    /// Logs a report of librdkafka as an error, the same one once a minute at most.
    fn report(&self, code: Option<RDKafkaErrorCode>, reason: &str) {
        let sentence = trouble::sentence(&self.cluster, code, reason);
        let now = Instant::now();
        let is_new = self.latest(|latest| {
            latest.said.retain(|_, at| now.duration_since(*at) < SAID);
            let is_new = !latest.said.contains_key(&sentence);
            if is_new {
                latest.said.insert(sentence.clone(), now);
            }
            is_new
        });
        if is_new {
            tracing::error!("{sentence}");
        } else {
            tracing::debug!("{sentence}");
        }
    }

    fn latest<T>(&self, look: impl FnOnce(&mut Latest) -> T) -> T {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        look(&mut latest)
    }
}

impl ClientContext for Context {
    // Asked for by OAUTHBEARER alone: the other kinds of security never call back.
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn log(&self, level: RDKafkaLogLevel, of: &str, line: &str) {
        use RDKafkaLogLevel as Level;
        let line = self.cluster.security().redact(line);
        match level {
            Level::Emerg | Level::Alert | Level::Critical | Level::Error => {
                self.report(None, &line);
            }
            Level::Warning => tracing::warn!(target: "librdkafka", "{of}: {line}"),
            Level::Notice | Level::Info => tracing::info!(target: "librdkafka", "{of}: {line}"),
            Level::Debug => tracing::debug!(target: "librdkafka", "{of}: {line}"),
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        let security = self.cluster.security();
        let reason = security.redact(reason);
        let code = error.rdkafka_error_code();
        let all_down = code == Some(RDKafkaErrorCode::AllBrokersDown);
        if all_down {
            // Said at each attempt; whoever waits is told by a time-out.
            tracing::debug!("librdkafka: {error}: {reason}");
        } else {
            self.report(code, &reason);
        }
        let refused = self.latest(|latest| {
            let found = match (&latest.no_token, code) {
                (Some(error), Some(RDKafkaErrorCode::Authentication)) => {
                    let error = AuthenticationError::NoToken(error.clone());
                    Some(Trouble::Handshake(error))
                }
                _ => trouble::of(&self.cluster, code, &reason),
            };
            let refused = matches!(found, Some(Trouble::Handshake(_)));
            // That all brokers are down says less than why.
            if found.is_some() && !(all_down && latest.trouble.is_some()) {
                latest.trouble = found;
            }
            refused
        });
        if refused || all_down {
            self.troubled.notify_one();
        }
    }

    fn generate_oauth_token(&self, _: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        let Some(tokens) = self.cluster.security().tokens() else {
            return Err("this cluster takes no tokens".into());
        };
        let token = tokens.source().token();
        self.latest(|latest| match &token {
            Ok(token) => {
                latest.no_token = None;
                latest.token_expires = Some(token.expires);
            }
            Err(error) => latest.no_token = Some(error.clone()),
        });
        let token = token?;
        Ok(OAuthToken {
            token: token.token.expose().to_owned(),
            principal_name: token.principal,
            lifetime_ms: token.expires.as_millisecond(),
        })
    }
}

impl ConsumerContext for Context {}

/// How long a consumer is polled for the next report of what went wrong.
const REPORTS: Duration = Duration::from_millis(10);

/// Has `question` answered by a consumer that nobody else polls: tokens and reports reach it by polls alone.
pub(crate) fn ask<T>(
    consumer: &BaseConsumer<Context>,
    question: impl FnOnce(&BaseConsumer<Context>) -> KafkaResult<T>,
) -> KafkaResult<T> {
    // A token that is due comes before anything else that waits.
    let _ = consumer.poll(Duration::ZERO);
    let answer = question(consumer);
    match answer {
        Ok(_) => consumer.context().answered(),
        Err(_) => while consumer.poll(REPORTS).is_some() {},
    }
    answer
}

#[cfg(test)]
mod tests;
