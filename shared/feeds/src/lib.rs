//! Market data providers: one folder a provider, and small capabilities that each offers some of.
//!
//! A [`Feed`] is a provider with everything that outlives one poll: its connections, its request budget, and how
//! long it must not be asked. Open it once per process.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use feeds::{FeedSettings, Polled};
//! use market::Quote;
//! use tokio::time::Instant;
//!
//! # async fn poll() -> Result<(), Box<dyn std::error::Error>> {
//! let settings = FeedSettings::new(|_| None, None, jiff::Timestamp::now);
//! let binance = feeds::open("binance", &settings)?;
//! let until = Instant::now() + Duration::from_secs(1);
//! let quotes = binance.quotes.as_ref().ok_or("no quotes")?;
//! let symbols = ["BTCUSDT".parse()?, "ETHUSDT".parse()?];
//! let take = |polled: Polled<Quote>| match polled.result {
//!     Ok(observation) => drop(market::quote_message(&observation, false)),
//!     Err(error) => tracing::warn!(symbol = %polled.symbol, reason = error.reason(), "{error}"),
//! };
//! quotes.quotes(&symbols, until, &take).await;
//! # Ok(())
//! # }
//! ```
//!
//! A poll hands over each symbol's outcome as soon as it is known; [`gathered`] waits for all of them.
//!
//! A new provider is a folder with `client`, `model`, `parse` and `fixtures`, and a line in [`FEEDS`];
//! `docs/adding-a-feed.md` walks through it.

#![forbid(unsafe_code)]

pub mod binance;
pub mod budget;
pub mod dnse;
pub mod finnhub;
pub mod kbs;
pub mod vci;
pub mod vietnam;

mod batch;
mod body;
mod capability;
#[cfg(test)]
mod conformance;
mod cooldown;
mod error;
mod fallback;
mod http;
mod number;
mod retry;
mod rota;
mod series;
mod settings;
#[cfg(test)]
mod test_server;
mod tls;

pub use body::BodyError;
pub use capability::{
    Bars, Feed, Instruments, Listing, Polled, Quotes, Sink, TradeSession, Trades, gathered,
};
pub use error::{FeedError, FetchError};
pub use settings::FeedSettings;

use ::settings::Setting;

/// What opens a provider.
type Open = fn(&FeedSettings) -> Result<Feed, FeedError>;

/// Every provider by the name that jobs give it, with its settings. The one registration.
pub const FEEDS: &[(&str, Open, &[Setting])] = &[
    ("finnhub", finnhub::open, finnhub::SETTINGS),
    ("binance", binance::open, binance::SETTINGS),
    ("vci", vci::open, vci::SETTINGS),
    ("kbs", kbs::open, kbs::SETTINGS),
    ("dnse", dnse::open, dnse::SETTINGS),
    ("vietnam", vietnam::open, vietnam::SETTINGS),
];

/// Opens the provider `name`: reads its settings and makes its clients, and neither connects nor fetches a secret. The
/// first one over TLS reads the system's CA certificates, a millisecond of a processor.
///
/// # Errors
/// [`FeedError`] if there is none, or names the setting that is missing or wrong.
pub fn open(name: &str, settings: &FeedSettings) -> Result<Feed, FeedError> {
    let registered = FEEDS.iter().find(|(known, ..)| *known == name);
    let (_, open, _) = registered.ok_or_else(|| FeedError::Unknown {
        name: name.to_owned(),
        known: FEEDS
            .iter()
            .map(|(known, ..)| *known)
            .collect::<Vec<_>>()
            .join(", "),
    })?;
    open(settings)
}
