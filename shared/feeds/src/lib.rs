//! Quote providers: one folder a provider, and one way to poll them all.
//!
//! A [`Feed`] is a provider with everything that outlives one poll: its connections, its request
//! budget, and how long it must not be asked. Build it once per process.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use feeds::{Feed, FeedName, FeedSettings};
//! use tokio::time::Instant;
//!
//! # async fn poll() -> Result<(), Box<dyn std::error::Error>> {
//! let settings = FeedSettings::default();
//! let binance = Feed::new(FeedName::Binance, &settings, jiff::Timestamp::now)?;
//! let until = Instant::now() + Duration::from_secs(1);
//! for polled in binance.poll(&["BTCUSDT".parse()?, "ETHUSDT".parse()?], until).await {
//!     match polled.result {
//!         Ok(observation) => drop(market::message(&observation)),
//!         Err(error) => tracing::warn!(symbol = %polled.symbol, reason = error.reason(), "{error}"),
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! A new provider is a folder with `client`, `model`, `parse` and `fixtures`, and a variant of [`Feed`]
//! and of [`FeedName`].

pub mod binance;
pub mod budget;
pub mod finnhub;

mod body;
mod cooldown;
mod error;
mod http;
mod number;
#[cfg(test)]
mod replay;
mod retry;
mod settings;

use std::time::Duration;

use jiff::Timestamp;
use market::{Observation, Symbol};
use tokio::time::Instant;

pub use body::BodyError;
pub use error::{FeedError, FetchError};
pub use settings::{FeedName, FeedSettings, UnknownFeed};

/// A quote provider. The one registration of providers.
#[derive(Debug)]
pub enum Feed {
    /// Finnhub: stock quotes.
    Finnhub(finnhub::Client),
    /// Binance spot: 24-hour tickers.
    Binance(binance::Client),
}

/// What one poll brought for one symbol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Polled {
    /// The symbol, as asked for.
    pub symbol: Symbol,
    /// Its quote, or why there is none.
    pub result: Result<Observation, FetchError>,
}

impl Feed {
    /// The provider `name`. `clock` tells when an answer arrived.
    ///
    /// # Errors
    /// [`FeedError`] names the setting that is missing or wrong.
    pub fn new(
        name: FeedName,
        settings: &FeedSettings,
        clock: fn() -> Timestamp,
    ) -> Result<Self, FeedError> {
        Ok(match name {
            FeedName::Finnhub => Self::Finnhub(finnhub::Client::new(settings, clock)?),
            FeedName::Binance => Self::Binance(binance::Client::new(settings, clock)?),
        })
    }

    /// One poll of every symbol: exactly one outcome for each, in the order asked, by `until`
    /// whatever happens. One symbol's failure never costs another.
    pub async fn poll(&self, symbols: &[Symbol], until: Instant) -> Vec<Polled> {
        match self {
            Self::Finnhub(client) => client.poll(symbols, until).await,
            Self::Binance(client) => client.poll(symbols, until).await,
        }
    }

    /// The beat of a job that names none: 6 s for Finnhub, 1 s for Binance.
    pub fn default_beat(&self) -> Duration {
        match self {
            Self::Finnhub(_) => Duration::from_secs(6),
            Self::Binance(_) => Duration::from_secs(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_poll_can_move_between_threads() {
        fn is_send<T: Send>(_: &T) {}
        let feed = Feed::new(FeedName::Binance, &FeedSettings::default(), || {
            Timestamp::UNIX_EPOCH
        });
        is_send(&feed.unwrap().poll(&[], Instant::now()));
    }
}
