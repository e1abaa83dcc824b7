use jiff::civil::Date;
use serde::Serialize;

use super::{Message, message, meta::Meta, rfc3339};
use crate::{
    Bar, DailyBars, Digits, Indicators, MinuteBars, Observation, Ohlcv, Symbol, indicators,
};

/// The message of the minute bars of a trading day so far, of shape `stock-intraday/1`: those of the last
/// trading date that `observation` has, oldest first.
pub fn intraday_message(observation: &Observation<MinuteBars>, repeated: bool) -> Message {
    let bars = &observation.said;
    let day = |bar: &Bar<_>| {
        let calendar = observation.instrument.calendar?;
        Some(calendar.at(bar.at).trading_date)
    };
    let last = bars.last().map(day);
    let of_the_day = bars.iter().filter(|bar| Some(day(bar)) == last);
    let symbol = &observation.instrument.symbol;
    message(
        symbol,
        &StockIntraday {
            symbol,
            kind: "intraday_ohlcv",
            data: of_the_day
                .map(|bar| Row::new(format!("{:.0}", bar.at), bar))
                .collect(),
            timestamp: rfc3339(observation.fetched_at),
            meta: Meta::new("stock-intraday/1", observation, repeated),
        },
    )
}

/// The message of daily bars, of shape `stock-historical/1`, with what is computed of them: indicators that
/// are not warmed up yet are null.
pub fn history_message(
    observation: &Observation<DailyBars>,
    period_days: u16,
    repeated: bool,
) -> Message {
    let symbol = &observation.instrument.symbol;
    message(
        symbol,
        &StockHistorical {
            symbol,
            period_days,
            data: observation
                .said
                .iter()
                .zip(indicators(&computable(&observation.said)))
                .map(|(bar, indicators)| HistoryRow {
                    row: Row::new(bar.at, bar),
                    indicators,
                })
                .collect(),
            timestamp: rfc3339(observation.fetched_at),
            meta: Meta::new("stock-historical/1", observation, repeated),
        },
    )
}

#[derive(Serialize)]
struct StockIntraday<'a> {
    symbol: &'a Symbol,
    #[serde(rename = "type")]
    kind: &'static str,
    /// `Date` is the start of the minute, RFC 3339 in UTC.
    data: Vec<Row<'a, String>>,
    /// When it was fetched, RFC 3339.
    timestamp: String,
    meta: Meta<'a>,
}

#[derive(Serialize)]
struct StockHistorical<'a> {
    symbol: &'a Symbol,
    /// How many calendar days were asked for.
    period_days: u16,
    data: Vec<HistoryRow<'a>>,
    /// When it was fetched, RFC 3339.
    timestamp: String,
    meta: Meta<'a>,
}

#[derive(Serialize)]
struct HistoryRow<'a> {
    #[serde(flatten)]
    row: Row<'a, Date>,
    #[serde(flatten)]
    indicators: Indicators,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Row<'a, At> {
    date: At,
    open: &'a Digits,
    high: &'a Digits,
    low: &'a Digits,
    close: &'a Digits,
    volume: &'a Digits,
}

impl<'a, At> Row<'a, At> {
    fn new<T>(date: At, bar: &'a Bar<T>) -> Self {
        Self {
            date,
            open: &bar.open,
            high: &bar.high,
            low: &bar.low,
            close: &bar.close,
            volume: &bar.volume,
        }
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
