//! VCI, the price board of Vietcap Securities: board quotes, bars and the listed shares of HOSE, HNX and UPCOM.
//!
//! The interface is private and undocumented: its shapes are those that public clients report. It is asked
//! slowly, with plain headers, and left alone for 15 minutes after it denied access. Prices are VND.

mod client;
mod model;
mod parse;

use std::{sync::Arc, time::Duration};

use market::Calendar;

use crate::{Feed, FeedError, FeedSettings};
use client::Client;
pub use client::SETTINGS;

/// VCI with [`SETTINGS`].
///
/// # Errors
/// [`FeedError`] names the setting that is wrong.
pub fn open(settings: &FeedSettings) -> Result<Feed, FeedError> {
    let client = Arc::new(Client::new(settings)?);
    Ok(Feed {
        budgets: vec![("vci", client.budget())],
        quotes: Some(Arc::clone(&client) as _),
        minute_bars: Some(Arc::clone(&client) as _),
        daily_bars: Some(Arc::clone(&client) as _),
        listing: Some(client),
        ..Feed::new(Calendar::Hose, Duration::from_secs(10))
    })
}
