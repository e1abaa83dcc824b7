use std::{ops::Range, sync::Arc};

use ::settings::{Absent, Form, Setting};
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use market::{Bar, Observation, Quote, Symbol};
use reqwest::Url;
use serde_json::json;
use tokio::time::Instant;

use super::parse;
use crate::{
    Bars, FeedError, FeedSettings, FetchError, Listing, Quotes, Sink,
    batch::{Batches, Row},
    budget::Budget,
    settings,
    vietnam::{
        broker::{Broker, Settings},
        interval::{Interval, Length},
        local,
    },
};

/// Every setting of VCI.
pub const SETTINGS: &[Setting] = &[URL, PER_MINUTE, HEADERS];

const URL: Setting = Setting::new(
    "VCI_URL",
    Absent::Is("https://trading.vietcap.com.vn"),
    Form::Url,
    "where the API is",
)
.secret();

const PER_MINUTE: Setting = Setting::new(
    "VCI_PER_MINUTE",
    Absent::Is("60"),
    Form::Number(1, 10_000),
    "the most requests per minute",
);

const HEADERS: Setting = Setting::new(
    "VCI_HEADERS",
    Absent::Means("plain ones"),
    settings::HEADERS,
    "request headers over the defaults",
)
.secret();

const BROKER: Settings = Settings {
    name: "vci",
    url: URL,
    per_minute: PER_MINUTE,
    headers: (
        HEADERS,
        &[
            ("Accept", "application/json, text/plain, */*"),
            ("Referer", "https://trading.vietcap.com.vn/"),
            ("Origin", "https://trading.vietcap.com.vn"),
        ],
    ),
};

/// The most symbols in a request for the board: an answer of some 200 kB.
const BOARD_SYMBOLS: usize = 200;

/// The most symbols in a request for bars: an answer of some 1 MB for two years of days.
const BAR_SYMBOLS: usize = 20;

/// The most minutes that a trading day has, from 09:00 to 15:00.
const MINUTES_A_DAY: u64 = 360;

/// VCI over HTTP.
#[derive(Debug)]
pub(crate) struct Client {
    broker: Broker,
    board: Url,
    chart: Url,
    securities: Url,
    board_batches: Batches,
    bar_batches: Batches,
}

impl Client {
    /// A client with the settings that [`super::open`] names.
    pub(crate) fn new(settings: &FeedSettings) -> Result<Self, FeedError> {
        let broker = Broker::new(&BROKER, settings)?;
        Ok(Self {
            board: broker.url(&["api", "price", "symbols", "getList"]),
            chart: broker.url(&["api", "chart", "OHLCChart", "gap-chart"]),
            securities: broker.url(&["api", "price", "symbols", "getAll"]),
            board_batches: Batches::of(BOARD_SYMBOLS),
            bar_batches: Batches::of(BAR_SYMBOLS),
            broker,
        })
    }

    pub(crate) fn budget(&self) -> Arc<Budget> {
        self.broker.budget()
    }

    async fn fetch_board(
        &self,
        symbols: &[Symbol],
        until: Instant,
    ) -> Result<Vec<Row<Observation, FetchError>>, FetchError> {
        let body = json!({ "symbols": symbols });
        let response = self.broker.post(&self.board, &body, until).await?;
        let rows = parse::board(&response.body)?;
        Ok(self.broker.quotes(rows, response.fetched_at))
    }

    async fn fetch_bars<At: Interval>(
        &self,
        symbols: &[Symbol],
        range: &Range<Timestamp>,
        until: Instant,
    ) -> Result<Vec<Row<Observation<Vec<Bar<At>>>, FetchError>>, FetchError> {
        let time_frame = match At::LENGTH {
            Length::Minute => "ONE_MINUTE",
            Length::Day => "ONE_DAY",
        };
        let body = json!({
            "timeFrame": time_frame,
            "symbols": symbols,
            "to": seconds_up(range.end),
            "countBack": most_bars(At::LENGTH, range),
        });
        let response = self.broker.post(&self.chart, &body, until).await?;
        let observe = |symbol, bars| {
            let fetched_at = response.fetched_at;
            self.broker.series(symbol, bars, range, fetched_at)
        };
        let rows = parse::bars(&response.body)?;
        Ok(rows.into_iter().map(|row| row.observed(observe)).collect())
    }
}

#[async_trait]
impl Quotes for Client {
    /// One request for each 200 symbols, one after the other.
    async fn quotes(&self, symbols: &[Symbol], until: Instant, sink: Sink<'_, Quote>) {
        let fetch = async |batch: Vec<Symbol>| self.fetch_board(&batch, until).await;
        self.board_batches.each(symbols, sink, fetch).await;
    }
}

#[async_trait]
impl<At: Interval> Bars<At> for Client {
    /// One request for each 20 symbols, one after the other.
    async fn bars(
        &self,
        symbols: &[Symbol],
        range: Range<Timestamp>,
        until: Instant,
        sink: Sink<'_, Vec<Bar<At>>>,
    ) {
        let fetch = async |batch: Vec<Symbol>| self.fetch_bars(&batch, &range, until).await;
        self.bar_batches.each(symbols, sink, fetch).await;
    }
}

#[async_trait]
impl Listing for Client {
    /// The shares of HOSE, HNX and UPCOM.
    async fn listed(&self, until: Instant) -> Result<Vec<Symbol>, FetchError> {
        let response = self.broker.get(&self.securities, until).await?;
        Ok(parse::shares(&response.body)?)
    }
}

/// The end of a range in whole seconds, which VCI leaves out.
fn seconds_up(end: Timestamp) -> i64 {
    end.as_second() + i64::from(end.subsec_nanosecond() > 0)
}

/// The most bars that a symbol can have in a range.
fn most_bars(length: Length, range: &Range<Timestamp>) -> u64 {
    let days = local::date(range.end).duration_since(local::date(range.start));
    let days = 1 + whole(days, SignedDuration::from_hours(24));
    match length {
        Length::Day => days,
        Length::Minute => {
            let minutes = range.end.duration_since(range.start);
            (1 + whole(minutes, SignedDuration::from_mins(1))).min(days * MINUTES_A_DAY)
        }
    }
}

/// How often `unit` goes into `time` as a whole; 0 for a negative one.
fn whole(time: SignedDuration, unit: SignedDuration) -> u64 {
    u64::try_from(time.as_secs() / unit.as_secs()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
