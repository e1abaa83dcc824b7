//! The recorded stock sessions, `local/market-server/data/stocks.csv`: a daily bar and the close before it.

use std::time::Duration;

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::{
    MarketError,
    recording::{Recording, RowFault, Stamped, amount, within},
};

/// Recorded sessions are served at one per so much time.
const BEAT: Duration = Duration::from_secs(6);

/// One daily bar, in USD.
#[derive(Clone, Debug)]
pub(super) struct Bar {
    pub(super) open: Decimal,
    pub(super) high: Decimal,
    pub(super) low: Decimal,
    pub(super) close: Decimal,
}

/// A session as its close leaves it.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) bar: Bar,
    pub(super) previous_close: Decimal,
}

/// The sessions compiled in. The first recorded day has no close before it and only lends its own.
pub(super) fn sessions() -> Result<Recording<Session>, MarketError> {
    read(include_str!("../data/stocks.csv"))
}

pub(super) fn read(text: &str) -> Result<Recording<Session>, MarketError> {
    let columns = ["date", "symbol", "open", "high", "low", "close"];
    let bars = Recording::read("stocks.csv", columns, BEAT, text, read_bar)?;
    Ok(bars.with_previous(|previous, bar| Session {
        bar: bar.clone(),
        previous_close: previous.close,
    }))
}

fn read_bar([date, symbol, open, high, low, close]: [&str; 6]) -> Result<Stamped<Bar>, RowFault> {
    let bar = Bar {
        open: amount("open", open)?,
        high: amount("high", high)?,
        low: amount("low", low)?,
        close: amount("close", close)?,
    };
    within("open", bar.open, bar.low, bar.high)?;
    within("close", bar.close, bar.low, bar.high)?;
    Ok(Stamped {
        time: closing_time(date)?,
        symbol: symbol.to_owned(),
        row: bar,
    })
}

/// 16:00 in New York, in milliseconds since the epoch.
fn closing_time(date: &str) -> Result<i64, RowFault> {
    let closing = date
        .parse::<Date>()
        .and_then(|date| date.at(16, 0, 0, 0).in_tz("America/New_York"));
    match closing {
        Ok(closing) => Ok(closing.timestamp().as_millisecond()),
        Err(_) => Err(RowFault::Value {
            column: "date",
            text: date.to_owned(),
            wanted: "a date such as 2012-05-18",
        }),
    }
}
