//! From the bytes of Finnhub's answers to its model: pure, and never panics.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::model::{Frame, Quote, Trade};
use crate::{BodyError, body::explain};

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

/// A message of the stream of trades. An item that is no trade costs no other.
///
/// # Errors
/// [`BodyError`] if it is no message at all.
pub fn frame(message: &[u8]) -> Result<Frame, BodyError> {
    #[derive(Deserialize)]
    struct Envelope<'a> {
        r#type: String,
        #[serde(borrow)]
        data: Option<&'a RawValue>,
    }
    let wrong = |error| BodyError::of(message, &error);
    let envelope: Envelope<'_> = serde_json::from_slice(message).map_err(wrong)?;
    match (envelope.r#type.as_str(), envelope.data) {
        ("trade", data) => {
            let data = data.map_or("null", RawValue::get);
            let items: Vec<&RawValue> = serde_json::from_str(data).map_err(wrong)?;
            let count = items.len();
            let trades: Vec<_> = items
                .into_iter()
                .filter_map(|item| serde_json::from_str::<Trade>(item.get()).ok())
                .map(Into::into)
                .collect();
            let malformed = (count - trades.len()) as u64;
            Ok(Frame::Trades { trades, malformed })
        }
        ("error", _) if explain(message).contains("too many symbols") => Ok(Frame::TooManySymbols),
        ("error", _) => Ok(Frame::Error),
        _ => Ok(Frame::Other),
    }
}

#[cfg(test)]
mod tests;
