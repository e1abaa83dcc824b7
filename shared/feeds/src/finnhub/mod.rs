//! Finnhub: stock quotes from `GET /quote`, one symbol a request.
//!
//! A free key has 60 requests a minute, every key 30 a second. A symbol without data is answered with
//! zeros and status 200. A closed market repeats its last quote.

mod client;
pub mod model;
pub mod parse;

pub use client::Client;

/// The public API.
pub const DEFAULT_URL: &str = "https://finnhub.io/api/v1";
