//! Binance spot: 24-hour tickers from `GET /api/v3/ticker/24hr`, up to 100 symbols a request.
//!
//! The limit is 6,000 weight a minute and address; a request of 1 to 20 symbols weighs 2, of 21 to 100
//! it weighs 40. One symbol that Binance does not know fails the whole request (code -1121).

mod client;
pub mod model;
pub mod parse;
mod unknown;

pub use client::Client;

/// The public API for market data, which needs no key.
pub const DEFAULT_URL: &str = "https://data-api.binance.vision";
