use jiff::Timestamp;
use market::{AssetClass, BoardQuote, Calendar, Digits, Instrument, Observation, Quote, Symbol};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error as _},
};
use serde_json::value::RawValue;

use super::local;
use crate::{
    BodyError, FetchError,
    batch::{self, Row},
    number::{self, Loose, Number},
};

/// A row of a broker's price board, as they all have it. Prices are in VND, volumes in shares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BoardRow {
    /// The exchange, if it is one of the three.
    pub(crate) exchange: Option<Calendar>,
    /// What it is of: a share where the broker names no type.
    pub(crate) asset_class: Option<AssetClass>,
    /// The last price; `None` before the day's first trade.
    pub(crate) last: Option<Digits>,
    pub(crate) volume: Option<Digits>,
    pub(crate) total_volume: Option<Digits>,
    pub(crate) reference: Option<Digits>,
    pub(crate) ceiling: Option<Digits>,
    pub(crate) floor: Option<Digits>,
    pub(crate) high: Option<Digits>,
    pub(crate) low: Option<Digits>,
    pub(crate) average: Option<Digits>,
    pub(crate) bid: Option<Digits>,
    pub(crate) ask: Option<Digits>,
    /// When the last price was made, if the broker says so.
    pub(crate) time: Option<Timestamp>,
    /// Whether a number is missing that every row has, or something else stood in the place of one.
    pub(crate) incomplete: bool,
}

/// Takes the numbers of a row beside its last price: none of them costs it that.
#[derive(Debug, Default)]
pub(crate) struct Numbers {
    /// Whether one was missing that every row has, or something else stood in the place of one.
    pub(crate) incomplete: bool,
}

impl Numbers {
    /// A number that every row has.
    pub(crate) fn always(&mut self, number: Number) -> Option<Digits> {
        self.incomplete |= number == Number::Missing;
        self.if_any(number)
    }

    /// A price or volume above 0. Where there is none, 0 may stand.
    pub(crate) fn positive(&mut self, number: Number) -> Option<Digits> {
        self.if_any(number).and_then(above_zero)
    }

    /// The day's volume, which is 0 before the first trade even where nothing stands.
    pub(crate) fn total(&mut self, number: Number, last: Option<&Digits>) -> Option<Digits> {
        match (number, last) {
            (Number::Missing, None) => "0".parse().ok(),
            (number, _) => self.always(number),
        }
    }

    /// What holds numbers, if it is there.
    pub(crate) fn if_any<T>(&mut self, holder: Loose<T>) -> Option<T> {
        self.incomplete |= matches!(holder, Loose::Other);
        holder.given()
    }
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
        let price = self.last.or_else(|| above_zero(self.reference.clone()?));
        Ok(Observation {
            source,
            instrument: Instrument {
                asset_class: self.asset_class,
                ..Instrument::vietnamese_share(symbol, self.exchange)
            },
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
                incomplete: self.incomplete,
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

/// What a broker means by a type; `None` for one that is not known here.
pub(crate) fn asset_class(kind: &str) -> Option<AssetClass> {
    match kind {
        "STOCK" => Some(AssetClass::Equity),
        "ETF" => Some(AssetClass::Etf),
        "CW" => Some(AssetClass::Warrant),
        _ => None,
    }
}

/// The last price, above 0. Where there is none brokers write 0, null, an empty text or the word for an auction.
pub(crate) fn last_price<'de, D: Deserializer<'de>>(
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
        #[serde(default, deserialize_with = "last_price")]
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
