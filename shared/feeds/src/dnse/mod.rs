//! DNSE (Entrade): daily bars of shares on HOSE, HNX and UPCOM.
//!
//! The interface is undocumented: its shape is that which public clients report. Its prices are thousands of VND;
//! everything that leaves here is VND.

mod client;
mod parse;

use std::{sync::Arc, time::Duration};

use market::Calendar;

use crate::{Feed, FeedError, FeedSettings};
use client::Client;
pub use client::SETTINGS;

/// DNSE with [`SETTINGS`].
///
/// # Errors
/// [`FeedError`] names the setting that is wrong.
pub fn open(settings: &FeedSettings) -> Result<Feed, FeedError> {
    let client = Arc::new(Client::new(settings)?);
    Ok(Feed {
        budgets: vec![("dnse", client.budget())],
        daily_bars: Some(client),
        ..Feed::new(Calendar::Hose, Duration::from_secs(10))
    })
}
