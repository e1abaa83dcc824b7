//! What can be made to go wrong with a provider while the recorded market runs.

use std::{
    fmt::{self, Display, Formatter},
    str::FromStr,
    time::Duration,
};

use jiff::fmt::friendly::{Spacing, SpanPrinter};
use runtime::clock;

mod inject;
mod switch;

pub(super) use inject::{inject, retry_after};
pub(super) use switch::router;

/// A provider whose feed the recorded market speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    /// Finnhub's quotes over HTTP.
    Finnhub,
    /// Finnhub's trades over its websocket.
    FinnhubTrades,
    /// Binance's tickers, klines and exchange information.
    Binance,
    /// VCI's price board, listing and history.
    Vci,
    /// KBS's price board and history.
    Kbs,
    /// DNSE's history.
    Dnse,
}

/// What goes wrong with every answer of a provider, until it is switched off again.
///
/// As text: `latency=100ms`, `429`, `429=30s`, `418=120s`, `500`, `html`, `truncated`, `empty`, `frozen`, `reset`,
/// `drop=2s`.
///
/// A websocket meets the faults of HTTP as it is opened. On an open one `truncated` halves every message, and
/// `empty` and `frozen` leave only pings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Every answer comes so much later.
    Latency(Duration),
    /// Status 429 with the provider's own body.
    RateLimited {
        /// What the header `Retry-After` says, if it is sent.
        retry_after: Option<Duration>,
    },
    /// Status 418 with Binance's body, which names the end of the ban in milliseconds since the epoch.
    Banned {
        /// How long the ban lasts, as `Retry-After` says too.
        retry_after: Duration,
    },
    /// Status 500.
    ServerError,
    /// Status 200 with a web page that wants a browser.
    Html,
    /// The first half of the body, as if it were all of it.
    Truncated,
    /// The answer without its contents: empty arrays, or an object without members.
    EmptyBoard,
    /// Prices and times stand still.
    Frozen,
    /// The connection is cut in the middle of the body.
    Reset,
    /// The websocket is closed without a word, again and again; of no effect over HTTP.
    DropWebsocket {
        /// How long a connection lasts.
        after: Duration,
    },
}

/// The faults as a sentence lists them.
const FAULTS: &str = "latency=TIME, 429, 429=TIME, 418=TIME, 500, html, truncated, empty, frozen, reset or, for \
                      finnhub-trades, drop=TIME";

/// Why a text names no fault of a provider.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// No such provider.
    #[error(
        "the recorded market has no provider {text:?}: give {}",
        Provider::names()
    )]
    UnknownProvider {
        /// The text given.
        text: String,
    },
    /// No such fault.
    #[error(
        "the recorded market has no fault {text:?}: give {FAULTS}, with a TIME such as 100ms or 2s"
    )]
    UnknownFault {
        /// The text given.
        text: String,
    },
    /// A websocket's fault for a provider without one.
    #[error("{provider} has no websocket to drop: give {fault} to finnhub-trades")]
    NoWebsocket {
        /// The provider.
        provider: Provider,
        /// The fault.
        fault: Fault,
    },
}

impl Provider {
    /// Every provider.
    pub const ALL: [Self; 6] = [
        Self::Finnhub,
        Self::FinnhubTrades,
        Self::Binance,
        Self::Vci,
        Self::Kbs,
        Self::Dnse,
    ];

    /// The names of all, as a sentence lists them.
    fn names() -> String {
        let names = Self::ALL.map(Self::name);
        let (last, others) = names.split_last().unwrap_or((&"", &[]));
        format!("{} or {last}", others.join(", "))
    }

    fn name(self) -> &'static str {
        match self {
            Self::Finnhub => "finnhub",
            Self::FinnhubTrades => "finnhub-trades",
            Self::Binance => "binance",
            Self::Vci => "vci",
            Self::Kbs => "kbs",
            Self::Dnse => "dnse",
        }
    }
}

impl Display for Provider {
    fn fmt(&self, formatter: &mut Formatter) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Provider {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let named = Self::ALL
            .into_iter()
            .find(|provider| provider.name() == text);
        named.ok_or_else(|| FaultError::UnknownProvider {
            text: text.to_owned(),
        })
    }
}

impl Fault {
    /// Reads a fault for a provider, and refuses one that it cannot have.
    ///
    /// # Errors
    /// [`FaultError::UnknownFault`] and [`FaultError::NoWebsocket`].
    pub fn read(provider: Provider, text: &str) -> Result<Self, FaultError> {
        let fault = text.parse()?;
        match (provider, fault) {
            (Provider::FinnhubTrades, _) => Ok(fault),
            (_, Self::DropWebsocket { .. }) => Err(FaultError::NoWebsocket { provider, fault }),
            _ => Ok(fault),
        }
    }
}

/// The help of an option that takes `PROVIDER=FAULT`.
pub fn fault_help() -> String {
    format!(
        "Make a provider of the recorded market go wrong from the start; may be repeated.\n\nPROVIDER is {}. FAULT is \
         {FAULTS}.",
        Provider::names()
    )
}

/// Reads `PROVIDER=FAULT`, as an option of a command line has it.
///
/// # Errors
/// [`FaultError`].
pub fn provider_and_fault(text: &str) -> Result<(Provider, Fault), FaultError> {
    let (provider, fault) = text.split_once('=').unwrap_or((text, ""));
    let provider = provider.parse()?;
    Ok((provider, Fault::read(provider, fault)?))
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let unknown = || FaultError::UnknownFault {
            text: text.to_owned(),
        };
        let (name, time) = match text.split_once('=') {
            Some((name, time)) => (name, Some(clock::duration(time).ok_or_else(unknown)?)),
            None => (text, None),
        };
        match (name, time) {
            ("latency", Some(time)) => Ok(Self::Latency(time)),
            ("429", retry_after) => Ok(Self::RateLimited { retry_after }),
            ("418", Some(retry_after)) => Ok(Self::Banned { retry_after }),
            ("500", None) => Ok(Self::ServerError),
            ("html", None) => Ok(Self::Html),
            ("truncated", None) => Ok(Self::Truncated),
            ("empty", None) => Ok(Self::EmptyBoard),
            ("frozen", None) => Ok(Self::Frozen),
            ("reset", None) => Ok(Self::Reset),
            ("drop", Some(after)) => Ok(Self::DropWebsocket { after }),
            _ => Err(unknown()),
        }
    }
}

impl Display for Fault {
    fn fmt(&self, formatter: &mut Formatter) -> fmt::Result {
        let (name, time) = match self {
            Self::Latency(time) => ("latency", Some(*time)),
            Self::RateLimited { retry_after } => ("429", *retry_after),
            Self::Banned { retry_after } => ("418", Some(*retry_after)),
            Self::ServerError => ("500", None),
            Self::Html => ("html", None),
            Self::Truncated => ("truncated", None),
            Self::EmptyBoard => ("empty", None),
            Self::Frozen => ("frozen", None),
            Self::Reset => ("reset", None),
            Self::DropWebsocket { after } => ("drop", Some(*after)),
        };
        formatter.write_str(name)?;
        // Without spaces, so that it is one word of a command line.
        let printer = SpanPrinter::new().spacing(Spacing::None);
        let time = time.map(|time| printer.unsigned_duration_to_string(&time));
        time.map_or(Ok(()), |time| write!(formatter, "={time}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_a_provider_and_what_goes_wrong_with_it() {
        let read = |text| provider_and_fault(text).map_err(|error| error.to_string());
        let retry_after = Some(Duration::from_secs(30));
        let limited = Fault::RateLimited { retry_after };
        assert_eq!(read("finnhub=429=30s"), Ok((Provider::Finnhub, limited)));
        assert_eq!(read("vci=empty"), Ok((Provider::Vci, Fault::EmptyBoard)));
        for (wrong, sentence) in [
            (
                "ssi=429",
                "the recorded market has no provider \"ssi\": give finnhub, ",
            ),
            (
                "vci=boom",
                "the recorded market has no fault \"boom\": give latency=TIME, ",
            ),
            (
                "vci",
                "the recorded market has no fault \"\": give latency=TIME, ",
            ),
            (
                "vci=drop=2s",
                "vci has no websocket to drop: give drop=2s to finnhub-trades",
            ),
        ] {
            let said = read(wrong).unwrap_err();
            assert!(said.starts_with(sentence), "{said}");
        }
    }
}
