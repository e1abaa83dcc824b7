//! Binance spot: 24-hour tickers from `GET /api/v3/ticker/24hr`, up to 100 symbols a request.
//!
//! The limit is 6,000 weight a minute and address; a request of 1 to 20 symbols weighs 2, of 21 to 100
//! it weighs 40. One symbol that Binance does not know fails the whole request (code -1121).

mod client;
pub mod model;
pub mod parse;
mod unknown;

use std::{sync::Arc, time::Duration};

use market::Calendar;

use crate::{Feed, FeedError, FeedSettings};
use client::Client;

/// Binance spot without a key, at the address in `BINANCE_URL`.
///
/// # Errors
/// [`FeedError`] names the setting that is wrong.
pub fn open(settings: &FeedSettings) -> Result<Feed, FeedError> {
    let client = Arc::new(Client::new(settings)?);
    Ok(Feed {
        calendar: Calendar::Continuous,
        beat: Duration::from_secs(1),
        budgets: vec![("binance", client.budget())],
        quotes: Some(client),
        minute_bars: None,
        daily_bars: None,
        trades: None,
        listing: None,
    })
}
