use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use serde_json::value::RawValue;

use super::{Message, Meta, Schema, message, time};
use crate::{
    Bar, DailyBars, Digits, Indicators, MinuteBars, Observation, Ohlcv, Symbol, indicators,
};

/// The message of the minute bars of a trading day so far, a [`StockIntraday`]: those of the last trading
/// date that `observation` has, oldest first.
pub fn intraday_message(observation: &Observation<MinuteBars>, repeated: bool) -> Message {
    let bars = &observation.said;
    let day = |bar: &Bar<_>| {
        let calendar = observation.instrument.calendar?;
        Some(calendar.at(bar.at).trading_date)
    };
    let last = bars.last().map(day);
    let of_the_day = bars.iter().filter(|bar| Some(day(bar)) == last);
    intraday(observation, of_the_day, repeated)
}

/// The message of minute bars of any time, a [`StockIntraday`]: all that `observation` has, oldest first.
///
/// It is what fills a gap in a topic of any shape: a consumer tells it from the topic's own by its schema.
pub fn minutes_message(observation: &Observation<MinuteBars>) -> Message {
    intraday(observation, observation.said.iter(), false)
}

fn intraday<'a>(
    observation: &Observation<MinuteBars>,
    bars: impl Iterator<Item = &'a Bar<Timestamp>>,
    repeated: bool,
) -> Message {
    let symbol = &observation.instrument.symbol;
    message(
        symbol,
        &StockIntraday {
            symbol: symbol.clone(),
            kind: StockIntraday::KIND.to_owned(),
            data: bars.map(on_a_whole_second).collect(),
            timestamp: observation.fetched_at,
            meta: Some(Meta::new(StockIntraday::SCHEMA, observation, repeated)),
        },
    )
}

/// The message of daily bars, a [`StockHistorical`], with what is computed of them: indicators that are not
/// warmed up yet are null.
pub fn history_message(
    observation: &Observation<DailyBars>,
    period_days: u16,
    repeated: bool,
) -> Message {
    let bars = &observation.said;
    let symbol = &observation.instrument.symbol;
    let indicators = indicators(&computable(bars));
    message(
        symbol,
        &StockHistorical {
            symbol: symbol.clone(),
            period_days,
            data: bars
                .iter()
                .zip(indicators)
                .map(|(bar, indicators)| HistoryRow {
                    bar: bar.clone(),
                    indicators: indicators.map(Digits::from),
                })
                .collect(),
            timestamp: observation.fetched_at,
            meta: Some(Meta::new(StockHistorical::SCHEMA, observation, repeated)),
        },
    )
}

/// The minute bars of a trading day so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockIntraday {
    /// The symbol as the provider writes it.
    pub symbol: Symbol,
    /// [`StockIntraday::KIND`].
    #[serde(rename = "type")]
    pub kind: String,
    /// Oldest first; the last may be unfinished. A bar starts on a whole second.
    pub data: Vec<Bar<Timestamp>>,
    /// When it was fetched, RFC 3339.
    #[serde(with = "time")]
    pub timestamp: Timestamp,
    /// What the message says of itself; `None` if another writer left it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meta: Option<Meta>,
}

impl StockIntraday {
    /// `stock-intraday/1`.
    pub const SCHEMA: Schema = Schema::first("stock-intraday");
    /// What stands in the member `type`.
    pub const KIND: &'static str = "intraday_ohlcv";
}

/// Daily bars with their indicators.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockHistorical {
    /// The symbol as the provider writes it.
    pub symbol: Symbol,
    /// How many calendar days were asked for.
    pub period_days: u16,
    /// Oldest first; the last may be unfinished.
    pub data: Vec<HistoryRow>,
    /// When it was fetched, RFC 3339.
    #[serde(with = "time")]
    pub timestamp: Timestamp,
    /// What the message says of itself; `None` if another writer left it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meta: Option<Meta>,
}

impl StockHistorical {
    /// `stock-historical/1`.
    pub const SCHEMA: Schema = Schema::first("stock-historical");
}

/// A daily bar and the indicators at its close, in one JSON object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HistoryRow {
    /// The bar.
    #[serde(flatten)]
    pub bar: Bar<Date>,
    /// The indicators at its close.
    #[serde(flatten)]
    pub indicators: Indicators<Digits>,
}

impl<'de> Deserialize<'de> for HistoryRow {
    // By its text, read twice: serde's own flattening would make floats of the numbers.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let row = Box::<RawValue>::deserialize(deserializer)?;
        Ok(Self {
            bar: serde_json::from_str(row.get()).map_err(D::Error::custom)?,
            indicators: serde_json::from_str(row.get()).map_err(D::Error::custom)?,
        })
    }
}

fn on_a_whole_second(bar: &Bar<Timestamp>) -> Bar<Timestamp> {
    Bar {
        at: Timestamp::from_second(bar.at.as_second()).unwrap_or(bar.at),
        ..bar.clone()
    }
}

fn computable(bars: &[Bar<Date>]) -> Vec<Ohlcv> {
    bars.iter()
        .map(|bar| Ohlcv {
            high: bar.high.value(),
            low: bar.low.value(),
            close: bar.close.value(),
            volume: bar.volume.value(),
        })
        .collect()
}
