use std::{error::Error, time::Duration};

use secrets::SecretError;
use settings::SettingError;

use crate::{BodyError, budget::OverBudget};

/// Why a provider can't be set up. Never carries a secret or a URL.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// A setting is missing or wrong.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// There is no such provider.
    #[error("there is no feed {name:?}: the feeds are {known}")]
    Unknown {
        /// The name.
        name: String,
        /// The names that there are.
        known: String,
    },
    /// The system has no CA certificates, by which a provider over TLS is known.
    #[error(
        "there are no CA certificates on this system: install them (ca-certificates), or set SSL_CERT_FILE to a file of them"
    )]
    NoRoots,
    /// TLS can't be set up.
    #[error("TLS can't be set up: {0}")]
    Tls(#[source] rustls::Error),
    /// The HTTP client can't be built.
    #[error("the HTTP client can't be built ({})", chain(.0))]
    HttpClient(#[source] reqwest::Error),
}

/// Why there is no quote of a symbol. Never carries a secret or a URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// The provider has nothing under this symbol.
    #[error("the provider has no data for this symbol: check its spelling")]
    UnknownSymbol,
    /// The provider knows the symbol and has no bar of it in the time asked for.
    #[error("the provider has no bars of this symbol in that time: check that it is traded")]
    NoData,
    /// The key can't be fetched.
    #[error(transparent)]
    Key(#[from] SecretError),
    /// The key can't travel in an HTTP header.
    #[error("the key holds characters that no key has: copy it again")]
    UnusableKey,
    /// The key is missing or wrong (401).
    #[error("the provider refuses the key ({detail}): check the token")]
    Unauthorized {
        /// The provider's words.
        detail: String,
    },
    /// The key, the region or the address has no access (403, 451).
    #[error(
        "the provider denies access ({detail}): check the plan of the key and the region of this host"
    )]
    Forbidden {
        /// The provider's words.
        detail: String,
    },
    /// Too many requests (429): the provider is left alone for a while.
    #[error("the provider's rate limit is reached: it is asked again in {} s", .retry_after.as_secs())]
    RateLimited {
        /// How long the provider is left alone.
        retry_after: Duration,
    },
    /// Too many requests after too many warnings (418): the provider is left alone for a while.
    #[error("the provider has banned this address: it is asked again in {} s", .retry_after.as_secs())]
    Banned {
        /// How long the provider is left alone.
        retry_after: Duration,
    },
    /// A redirect, which is never followed: a wrong path, or another face of a rate limit.
    #[error("the provider redirects ({status}): check its URL and the request rate")]
    Redirected {
        /// The HTTP status.
        status: u16,
    },
    /// The request itself is wrong to the provider (other 4xx).
    #[error("the provider rejects the request ({status}, {detail}): check the symbol and its URL")]
    Rejected {
        /// The HTTP status.
        status: u16,
        /// The provider's words.
        detail: String,
    },
    /// The provider is down or overloaded (5xx).
    #[error("the provider is unavailable ({status}, {detail}): the next poll asks it again")]
    Unavailable {
        /// The HTTP status.
        status: u16,
        /// The provider's words.
        detail: String,
        /// When to ask again, if the provider said so.
        retry_after: Option<Duration>,
    },
    /// No whole answer in the time that one request has.
    #[error("the provider gave no answer in {} s: the next poll asks it again", .after.as_secs())]
    Timeout {
        /// The time that one request has.
        after: Duration,
    },
    /// The provider was not reached, or the connection broke.
    #[error("the provider could not be reached ({detail}): check the network and its URL")]
    Transport {
        /// The causes, outermost first.
        detail: String,
    },
    /// The answer is not what was asked for.
    #[error("the answer can't be read: {0}")]
    Malformed(#[from] BodyError),
    /// Not asked: the provider is left alone after an earlier request failed for this reason.
    #[error("{0}")]
    LeftAlone(Box<FetchError>),
    /// The request budget allows no request in time.
    #[error(
        "the provider's request budget is spent until after the deadline: poll fewer symbols or less often"
    )]
    OverBudget,
    /// The next cycle is due before the symbol's turn came.
    #[error("the next cycle came before the symbol's turn: it is among the first of the next one")]
    NoTurn,
    /// The provider's stream of trades ended, or reports an error and goes on.
    #[error("the provider's stream of trades failed ({detail}): check its symbols if that stays")]
    Stream {
        /// What happened.
        detail: String,
    },
    /// The provider takes no more symbols on a stream.
    #[error("the provider streams at most {limit} symbols to a key: ask for fewer")]
    TooManySymbols {
        /// The limit.
        limit: usize,
    },
    /// The deadline of the poll came first.
    #[error("the poll's deadline came before the answer: give the poll more time or fewer symbols")]
    PastDeadline,
}

impl FetchError {
    /// The meaning as a stable word, for counting.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::UnknownSymbol => "unknown-symbol",
            Self::NoData => "no-data",
            Self::Key(_) | Self::UnusableKey => "no-key",
            Self::Unauthorized { .. } => "unauthorized",
            Self::Forbidden { .. } => "forbidden",
            Self::RateLimited { .. } => "rate-limited",
            Self::Banned { .. } => "banned",
            Self::Redirected { .. } => "redirected",
            Self::Rejected { .. } => "rejected",
            Self::Unavailable { .. } => "unavailable",
            Self::Timeout { .. } => "timeout",
            Self::Transport { .. } => "transport",
            Self::Malformed(_) => "malformed",
            Self::LeftAlone(reason) => reason.reason(),
            Self::OverBudget => "over-budget",
            Self::NoTurn => "no-turn",
            Self::Stream { .. } => "stream",
            Self::TooManySymbols { .. } => "too-many-symbols",
            Self::PastDeadline => "past-deadline",
        }
    }

    /// Whether the same request may well succeed in a moment.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::LeftAlone(reason) => reason.is_retryable(),
            Self::Unavailable { .. } | Self::Timeout { .. } | Self::Transport { .. } => true,
            _ => false,
        }
    }

    /// Whether there were too many requests.
    pub(crate) fn is_rate_limit(&self) -> bool {
        matches!(self, Self::RateLimited { .. } | Self::Banned { .. })
    }

    /// Whether the provider was never asked.
    pub(crate) fn is_unasked(&self) -> bool {
        matches!(self, Self::LeftAlone(_) | Self::OverBudget | Self::NoTurn)
    }

    /// How long the provider wants to be left alone, if it said so.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after } | Self::Banned { retry_after } => Some(*retry_after),
            Self::Unavailable { retry_after, .. } => *retry_after,
            Self::LeftAlone(reason) => reason.retry_after(),
            _ => None,
        }
    }
}

impl From<OverBudget> for FetchError {
    fn from(_: OverBudget) -> Self {
        Self::OverBudget
    }
}

impl From<reqwest::Error> for FetchError {
    fn from(error: reqwest::Error) -> Self {
        Self::Transport {
            detail: chain(&error.without_url()),
        }
    }
}

/// An error and its causes in one line, outermost first.
fn chain(error: &dyn Error) -> String {
    std::iter::successors(Some(error), |&error| error.source())
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}
