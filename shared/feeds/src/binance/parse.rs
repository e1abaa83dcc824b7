//! From the bytes of Binance's answers to its model: pure, and never panics.

use jiff::Timestamp;
use market::{Assets, Bar, Digits, MinuteBars, Symbol};
use serde::Deserialize;
use serde_json::{Deserializer, value::RawValue};

use super::model::{Pair, Ticker};
use crate::{BodyError, number, series::series};

/// An item of an answer that is no ticker.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the ticker of {} can't be read: {error}", .symbol.as_ref().map_or("an unknown symbol", Symbol::as_str))]
pub struct BadTicker {
    /// Its symbol, if that much can be read.
    pub symbol: Option<Symbol>,
    /// What is wrong with it.
    pub error: BodyError,
}

/// The tickers in the body of `GET /api/v3/ticker/24hr`: an array, or one object. A bad item costs no
/// other.
///
/// # Errors
/// [`BodyError`] if the body is neither.
pub fn tickers(body: &[u8]) -> Result<Vec<Result<Ticker, BadTicker>>, BodyError> {
    let unreadable = |error| BodyError::of(body, &error);
    if body.trim_ascii_start().starts_with(b"{") {
        let ticker = serde_json::from_slice(body).map_err(unreadable)?;
        return Ok(vec![Ok(ticker)]);
    }
    let items: Vec<&RawValue> = serde_json::from_slice(body).map_err(unreadable)?;
    Ok(items.into_iter().map(item).collect())
}

fn item(item: &RawValue) -> Result<Ticker, BadTicker> {
    #[derive(Deserialize)]
    struct Named {
        symbol: Symbol,
    }
    serde_json::from_str(item.get()).map_err(|error| BadTicker {
        symbol: serde_json::from_str(item.get())
            .ok()
            .map(|Named { symbol }| symbol),
        error: BodyError::of(item.get().as_bytes(), &error),
    })
}

/// The klines in the body of `GET /api/v3/klines`, each as the bar that starts at its open time: arrays of 12
/// items, `[openTime, open, high, low, close, volume, closeTime, quoteVolume, trades, takerBase, takerQuote, "0"]`,
/// as a series.
///
/// # Errors
/// [`BodyError`] if the body is anything else: a bar that can't be read would be a gap that nobody sees.
pub fn klines(body: &[u8]) -> Result<MinuteBars, BodyError> {
    let rows: Vec<Vec<&RawValue>> =
        serde_json::from_slice(body).map_err(|error| BodyError::of(body, &error))?;
    let bars = rows
        .iter()
        .map(|row| kline(row))
        .collect::<Result<_, _>>()?;
    series(bars)
}

fn kline(row: &[&RawValue]) -> Result<Bar<Timestamp>, BodyError> {
    let &[at, open, high, low, close, volume, _, _, _, _, _, _] = row else {
        let items = row.len();
        return Err(BodyError::Shape(format!(
            "a kline has 12 items, not {items}"
        )));
    };
    let unreadable = |error| BodyError::Shape(format!("a kline's item: {error}"));
    let digits = |item: &RawValue| serde_json::from_str::<Digits>(item.get()).map_err(unreadable);
    Ok(Bar {
        at: number::time(&mut Deserializer::from_str(at.get())).map_err(unreadable)?,
        open: digits(open)?,
        high: digits(high)?,
        low: digits(low)?,
        close: digits(close)?,
        volume: digits(volume)?,
    })
}

/// The assets of each pair in the body of `GET /api/v3/exchangeInfo`. A pair that can't be read costs no other.
///
/// # Errors
/// [`BodyError`] if the body is anything else.
pub fn assets(body: &[u8]) -> Result<Vec<(Symbol, Assets)>, BodyError> {
    #[derive(Deserialize)]
    struct Info<'a> {
        #[serde(borrow)]
        symbols: Vec<&'a RawValue>,
    }
    let info: Info<'_> =
        serde_json::from_slice(body).map_err(|error| BodyError::of(body, &error))?;
    let pairs = info.symbols.into_iter();
    let pairs = pairs.filter_map(|pair| serde_json::from_str::<Pair>(pair.get()).ok());
    let pairs = pairs.map(|pair| {
        let (base, quote) = (pair.base_asset.to_string(), pair.quote_asset.to_string());
        (pair.symbol, Assets { base, quote })
    });
    Ok(pairs.collect())
}

/// The end of a ban in the words of status 418: `... IP banned until 1785050129644. ...`, in epoch
/// milliseconds.
pub fn banned_until(body: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(body).ok()?;
    let (_, after) = text.split_once("banned until ")?;
    let digits = after.split(|c: char| !c.is_ascii_digit()).next()?;
    Timestamp::from_millisecond(digits.parse().ok()?).ok()
}

#[cfg(test)]
mod tests;
