//! Finnhub: stock quotes from `GET /quote`, one symbol a request.
//!
//! A free key has 60 requests a minute, every key 30 a second. A symbol without data is answered with
//! zeros and status 200. A closed market repeats its last quote.

mod client;
mod instrument;
pub mod model;
pub mod parse;

use std::{sync::Arc, time::Duration};

use market::Calendar;

use crate::{Feed, FeedError, FeedSettings};
use client::Client;

/// Finnhub with the key, the limits and the address of the settings: `FINNHUB_API_KEY` or
/// `FINNHUB_API_KEY_SECRET`, `FINNHUB_PER_MINUTE` (60), `FINNHUB_PER_SECOND` (30), `FINNHUB_CONCURRENCY` (32),
/// `FINNHUB_URL`.
///
/// # Errors
/// [`FeedError`] names the setting that is missing or wrong.
pub fn open(settings: &FeedSettings) -> Result<Feed, FeedError> {
    let client = Arc::new(Client::new(settings)?);
    Ok(Feed {
        calendar: Calendar::UnitedStates,
        beat: Duration::from_secs(6),
        budgets: vec![("finnhub", client.budget())],
        quotes: Some(client),
        minute_bars: None,
        daily_bars: None,
        trades: None,
        listing: None,
    })
}
