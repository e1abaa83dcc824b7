//! Finnhub: stock quotes from `GET /quote`, one symbol a request, and trades from a websocket.
//!
//! A free key has 60 requests a minute, every key 30 a second. A symbol without data is answered with
//! zeros and status 200. A closed market repeats its last quote. A free key streams 50 symbols, over one
//! connection.

mod client;
mod instrument;
mod key;
pub mod model;
pub mod parse;
mod socket;
mod trades;

use std::{sync::Arc, time::Duration};

use market::Calendar;

use crate::{Feed, FeedError, FeedSettings};
use client::Client;
use trades::TradeStream;

/// Finnhub with the key, the limits and the address of the settings: `FINNHUB_API_KEY` or
/// `FINNHUB_API_KEY_SECRET`, `FINNHUB_PER_MINUTE` (60), `FINNHUB_PER_SECOND` (30), `FINNHUB_CONCURRENCY` (32),
/// `FINNHUB_URL`; for trades `FINNHUB_TRADES_URL` and `FINNHUB_TRADES_SYMBOLS` (50).
///
/// # Errors
/// [`FeedError`] names the setting that is missing or wrong.
pub fn open(settings: &FeedSettings) -> Result<Feed, FeedError> {
    let key = settings.key("FINNHUB_API_KEY", "https://finnhub.io")?;
    let client = Arc::new(Client::new(settings, key.clone())?);
    let trades = TradeStream::new(settings, key)?;
    Ok(Feed {
        budgets: vec![("finnhub", client.budget())],
        quotes: Some(client),
        trades: Some(Arc::new(trades)),
        ..Feed::new(Calendar::UnitedStates, Duration::from_secs(6))
    })
}
