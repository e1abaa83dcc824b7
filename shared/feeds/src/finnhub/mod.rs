//! Finnhub: stock quotes from `GET /quote`, one symbol a request, and trades from a websocket.
//!
//! A free key has 60 requests a minute, every key 30 a second. A symbol without data is answered with
//! zeros and status 200. A closed market repeats its last quote. A free key streams 50 symbols, over one
//! connection.

mod client;
mod exchanges;
mod instrument;
mod key;
pub mod model;
pub mod parse;
mod settings;
mod socket;
mod trades;

use std::{sync::Arc, time::Duration};

use market::Calendar;

use crate::{Feed, FeedError, FeedSettings};
pub use settings::SETTINGS;

use client::Client;
use settings::{API_KEY, API_KEY_SECRET};
use trades::TradeStream;

/// Finnhub with the key, the limits and the addresses of [`SETTINGS`].
///
/// # Errors
/// [`FeedError`] names the setting that is missing or wrong.
pub fn open(settings: &FeedSettings) -> Result<Feed, FeedError> {
    let key = settings.key(&API_KEY, &API_KEY_SECRET)?;
    let client = Arc::new(Client::new(settings, key.clone())?);
    let trades = TradeStream::new(settings, key)?;
    Ok(Feed {
        budgets: vec![("finnhub", client.budget())],
        quotes: Some(client),
        trades: Some(Arc::new(trades)),
        ..Feed::new(Calendar::UnitedStates, Duration::from_secs(6))
    })
}
