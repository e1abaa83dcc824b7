use std::{ops::Range, sync::Arc};

use ::settings::{Absent, Form, Setting};
use async_trait::async_trait;
use jiff::Timestamp;
use market::{Bar, Observation, Quote, Symbol};
use reqwest::Url;
use serde_json::json;
use tokio::time::Instant;

use super::parse;
use crate::{
    Bars, FeedError, FeedSettings, FetchError, Quotes, Sink,
    batch::{Batches, Row},
    budget::Budget,
    rota::Rota,
    settings,
    vietnam::{
        broker::{Broker, Settings},
        interval::{Interval, Length},
        local,
    },
};

/// Every setting of KBS.
pub const SETTINGS: &[Setting] = &[URL, PER_MINUTE, HEADERS];

const URL: Setting = Setting::new(
    "KBS_URL",
    Absent::Is("https://kbbuddywts.kbsec.com.vn/iis-server/investment"),
    Form::Url,
    "where the API is",
)
.secret();

const PER_MINUTE: Setting = Setting::new(
    "KBS_PER_MINUTE",
    Absent::Is("60"),
    Form::Number(1, 10_000),
    "the most requests per minute",
);

const HEADERS: Setting = Setting::new(
    "KBS_HEADERS",
    Absent::Means("plain ones"),
    settings::HEADERS,
    "request headers over the defaults",
)
.secret();

const BROKER: Settings = Settings {
    name: "kbs",
    url: URL,
    per_minute: PER_MINUTE,
    headers: (
        HEADERS,
        &[
            ("Accept", "application/json, text/plain, */*"),
            ("Accept-Language", "vi,en;q=0.8"),
            ("Referer", "https://kbbuddywts.kbsec.com.vn/"),
            ("Origin", "https://kbbuddywts.kbsec.com.vn"),
            ("x-lang", "vi"),
        ],
    ),
};

/// The most symbols in a request for the board.
const BOARD_SYMBOLS: usize = 200;

/// KBS over HTTP.
#[derive(Debug)]
pub(crate) struct Client {
    broker: Broker,
    board: Url,
    board_batches: Batches,
    rota: Rota,
}

impl Client {
    /// A client with the settings that [`super::open`] names.
    pub(crate) fn new(settings: &FeedSettings) -> Result<Self, FeedError> {
        let broker = Broker::new(&BROKER, settings)?;
        Ok(Self {
            board: broker.url(&["stock", "iss"]),
            board_batches: Batches::of(BOARD_SYMBOLS),
            rota: broker.rota(),
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
        let symbols: Vec<_> = symbols.iter().map(Symbol::as_str).collect();
        let body = json!({ "code": symbols.join(",") });
        let response = self.broker.post(&self.board, &body, until).await?;
        let rows = parse::board(&response.body)?;
        Ok(self.broker.quotes(rows, response.fetched_at))
    }

    async fn fetch_bars<At: Interval>(
        &self,
        symbol: Symbol,
        range: &Range<Timestamp>,
        until: Instant,
    ) -> Result<Observation<Vec<Bar<At>>>, FetchError> {
        let list = match At::LENGTH {
            Length::Minute => "data_1P",
            Length::Day => "data_day",
        };
        let day = |time| local::date(time).strftime("%d-%m-%Y").to_string();
        let mut url = self.broker.url(&["stocks", symbol.as_str(), list]);
        url.query_pairs_mut()
            .append_pair("sdate", &day(range.start))
            .append_pair("edate", &day(range.end));
        let response = self.broker.get(&url, until).await?;
        let bars = parse::bars(&response.body)?;
        self.broker.series(symbol, bars, range, response.fetched_at)
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
    /// One request a symbol.
    async fn bars(
        &self,
        symbols: &[Symbol],
        range: Range<Timestamp>,
        until: Instant,
        sink: Sink<'_, Vec<Bar<At>>>,
    ) {
        let fetch = async |symbol: Symbol| self.fetch_bars(symbol, &range, until).await;
        self.rota.each(symbols, sink, fetch).await;
    }
}

#[cfg(test)]
mod tests;
