//! From the bytes of Finnhub's answers to its model: pure, and never panics.

use jiff::Timestamp;

use super::model::Quote;
use crate::BodyError;

/// The quote in the body of `GET /quote`, or `None` if Finnhub has no data for the symbol, which it
/// says with a price and a time of zero. Other zeros are part of a quote.
///
/// # Errors
/// [`BodyError`] if the body is anything else.
pub fn quote(body: &[u8]) -> Result<Option<Quote>, BodyError> {
    let quote: Quote = serde_json::from_slice(body).map_err(|error| BodyError::of(body, &error))?;
    let no_data = quote.c.value().is_zero() && quote.t == Timestamp::UNIX_EPOCH;
    Ok((!no_data).then_some(quote))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests;
