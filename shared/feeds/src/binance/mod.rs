//! Binance spot: 24-hour tickers from `GET /api/v3/ticker/24hr`, all symbols in one request, and bars of a minute
//! and of a day from `GET /api/v3/klines`, one request a symbol and 1,000 bars.
//!
//! Which assets a pair has is learned from `GET /api/v3/exchangeInfo`, once an environment: its name does not tell.
//!
//! The limit is 6,000 weight a minute and address; tickers of 1 to 20 symbols weigh 2, of 21 to 100 they weigh
//! 40, of more 80, klines 2 and `exchangeInfo` 20. One symbol that Binance does not know fails the whole request (code -1121).

mod assets;
mod client;
mod klines;
pub mod model;
pub mod parse;
mod tickers;
mod unknown;

use std::{sync::Arc, time::Duration};

use market::Calendar;
use settings::{Absent, Form, Setting};

use crate::{Feed, FeedError, FeedSettings};
use client::Client;
use klines::Klines;

/// Every setting of Binance.
pub const SETTINGS: &[Setting] = &[URL];

const URL: Setting = Setting::new(
    "BINANCE_URL",
    Absent::Is("https://data-api.binance.vision"),
    Form::Url,
    "where the API is",
)
.secret();

/// Binance spot without a key, with [`SETTINGS`].
///
/// # Errors
/// [`FeedError`] names the setting that is wrong.
pub fn open(settings: &FeedSettings) -> Result<Feed, FeedError> {
    let client = Arc::new(Client::new(settings)?);
    Ok(Feed {
        budgets: vec![("binance", client.budget())],
        minute_bars: Some(Arc::new(Klines::minutes(&client))),
        daily_bars: Some(Arc::new(Klines::days(&client))),
        instruments: Some(Arc::clone(&client) as _),
        quotes: Some(client),
        ..Feed::new(Calendar::Continuous, Duration::from_secs(1))
    })
}

#[cfg(test)]
mod tests;
