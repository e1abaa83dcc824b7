use jiff::Timestamp;
use market::{BoardQuote, Calendar, Digits, Instrument, Observation, Quote, Symbol};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error as _},
};
use serde_json::value::RawValue;

use super::local;
use crate::{
    BodyError, FetchError,
    batch::{self, Row},
    number,
};

/// A row of a broker's price board, as they all have it. Prices are in VND, volumes in shares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BoardRow {
    /// The exchange, if it is one of the three.
    pub(crate) exchange: Option<Calendar>,
    /// The last price; `None` before the day's first trade.
    pub(crate) last: Option<Digits>,
    pub(crate) volume: Option<Digits>,
    pub(crate) total_volume: Digits,
    pub(crate) reference: Digits,
    pub(crate) ceiling: Digits,
    pub(crate) floor: Digits,
    pub(crate) high: Option<Digits>,
    pub(crate) low: Option<Digits>,
    pub(crate) average: Option<Digits>,
    pub(crate) bid: Option<Digits>,
    pub(crate) ask: Option<Digits>,
    /// When the last price was made, if the broker says so.
    pub(crate) time: Option<Timestamp>,
}

impl BoardRow {
    /// The quote of `symbol`. Before the first trade its price is the reference price.
    ///
    /// # Errors
    /// [`FetchError::UnknownSymbol`] for a row with neither: 0 is no price.
    pub(crate) fn observation(
        self,
        source: &'static str,
        symbol: Symbol,
        fetched_at: Timestamp,
    ) -> Result<Observation, FetchError> {
        let traded = self.last.is_some();
        let price = self.last.or_else(|| above_zero(self.reference.clone()));
        Ok(Observation {
            source,
            instrument: Instrument::vietnamese_share(symbol, self.exchange),
            said: Quote::Board(BoardQuote {
                price: price.ok_or(FetchError::UnknownSymbol)?,
                traded,
                volume: self.volume,
                total_volume: self.total_volume,
                reference: self.reference,
                ceiling: self.ceiling,
                floor: self.floor,
                high: self.high,
                low: self.low,
                average: self.average,
                bid: self.bid,
                ask: self.ask,
                time: self.time,
            }),
            fetched_at,
        })
    }
}

/// The rows of a price board, a JSON array, each with its symbol at `pointer` (RFC 6901).
///
/// # Errors
/// [`BodyError`] if the body is no JSON array.
pub(crate) fn rows<T: DeserializeOwned + Into<BoardRow>>(
    body: &[u8],
    pointer: &str,
) -> Result<Vec<Row<BoardRow>>, BodyError> {
    let rows = batch::rows::<T>(body, pointer)?;
    let rows = rows
        .into_iter()
        .map(|row| row.and_then(|row| Ok(row.into())));
    Ok(rows.collect())
}

/// The exchange that a broker calls so.
pub(crate) fn exchange(name: &str) -> Option<Calendar> {
    match name {
        "HSX" | "HOSE" => Some(Calendar::Hose),
        "HNX" => Some(Calendar::Hnx),
        "UPCOM" => Some(Calendar::Upcom),
        _ => None,
    }
}

/// A price or volume above 0. Where there is none brokers write 0, null, an empty text, or for the price of an
/// order at the opening or closing auction `ATO` or `ATC`.
pub(crate) fn positive<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Digits>, D::Error> {
    let raw = Box::<RawValue>::deserialize(deserializer)?;
    match raw.get() {
        "null" | r#""""# | r#""ATO""# | r#""ATC""# => Ok(None),
        number => serde_json::from_str(number)
            .map(above_zero)
            .map_err(D::Error::custom),
    }
}

/// A volume, 0 where it is null.
pub(crate) fn volume<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Digits, D::Error> {
    match Option::deserialize(deserializer)? {
        Some(volume) => Ok(volume),
        None => "0".parse().map_err(D::Error::custom),
    }
}

/// The time of a price: ISO 8601, local unless it says otherwise, or an epoch. What can't be read is no time, and
/// costs no price; nor is a zero, which means none: the epoch's, or the year 1.
pub(crate) fn time<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Timestamp>, D::Error> {
    let raw = Box::<RawValue>::deserialize(deserializer)?;
    let epoch = || number::time(&mut serde_json::Deserializer::from_str(raw.get())).ok();
    let text: Option<String> = serde_json::from_str(raw.get()).ok();
    let time = epoch().or_else(|| local::timestamp(&text?));
    Ok(time.filter(|time| *time > Timestamp::UNIX_EPOCH))
}

fn above_zero(digits: Digits) -> Option<Digits> {
    let value = digits.value();
    (value.is_sign_positive() && !value.is_zero()).then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Both {
        #[serde(default, deserialize_with = "positive")]
        price: Option<Digits>,
        #[serde(default, deserialize_with = "time")]
        time: Option<Timestamp>,
    }

    fn price(json: &str) -> Option<String> {
        let both: Both = serde_json::from_str(&format!(r#"{{"price":{json}}}"#)).unwrap();
        both.price.map(|price| price.to_string())
    }

    fn read_time(json: &str) -> Option<String> {
        let both: Both = serde_json::from_str(&format!(r#"{{"time":{json}}}"#)).unwrap();
        both.time.map(|time| time.to_string())
    }

    #[test]
    fn a_price_is_a_number_or_a_string_above_zero_or_there_is_none() {
        assert_eq!(price("32600").as_deref(), Some("32600"));
        assert_eq!(price(r#""32600.0""#).as_deref(), Some("32600.0"));
        for none in [
            "0", "0.0", r#""0""#, "-1", "null", r#""""#, r#""ATO""#, r#""ATC""#,
        ] {
            assert_eq!(price(none), None, "{none}");
        }
        for wrong in [r#""high""#, "true", "[1]", "{}"] {
            let json = format!(r#"{{"price":{wrong}}}"#);
            assert!(serde_json::from_str::<Both>(&json).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_time_without_a_zone_is_that_of_ho_chi_minh() {
        let cases = [
            (r#""2026-04-20T09:40:34""#, "2026-04-20T02:40:34Z"),
            (r#""2026-04-20T09:40:34.5""#, "2026-04-20T02:40:34.5Z"),
            (r#""2026-04-20 09:40""#, "2026-04-20T02:40:00Z"),
            (r#""2026-04-20T02:40:34.591Z""#, "2026-04-20T02:40:34.591Z"),
            (r#""2026-04-20T09:40:34+07:00""#, "2026-04-20T02:40:34Z"),
            ("1776652834000", "2026-04-20T02:40:34Z"),
            (r#""1776652834""#, "2026-04-20T02:40:34Z"),
        ];
        for (json, time) in cases {
            assert_eq!(read_time(json).as_deref(), Some(time), "{json}");
        }
        let year_1 = r#""0001-01-01T00:00:00""#;
        for none in ["null", r#""""#, r#""soon""#, "{}", "true", "0", year_1] {
            assert_eq!(read_time(none), None, "{none}");
        }
    }
}
