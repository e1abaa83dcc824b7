use std::{ops::Range, sync::Arc};

use ::settings::{Absent, Form, Setting};
use async_trait::async_trait;
use jiff::{Timestamp, civil::Date};
use market::{Bar, DailyBars, Observation, Symbol};
use reqwest::Url;
use tokio::time::Instant;

use super::parse;
use crate::{
    Bars, FeedError, FeedSettings, FetchError, Sink,
    budget::Budget,
    rota::Rota,
    settings,
    vietnam::broker::{Broker, Settings},
};

/// Every setting of DNSE.
pub const SETTINGS: &[Setting] = &[URL, PER_MINUTE, HEADERS];

const URL: Setting = Setting::new(
    "DNSE_URL",
    Absent::Is("https://services.entrade.com.vn/chart-api/v2"),
    Form::Url,
    "where the API is",
)
.secret();

const PER_MINUTE: Setting = Setting::new(
    "DNSE_PER_MINUTE",
    Absent::Is("60"),
    Form::Number(1, 10_000),
    "the most requests per minute",
);

const HEADERS: Setting = Setting::new(
    "DNSE_HEADERS",
    Absent::Means("plain ones"),
    settings::HEADERS,
    "request headers over the defaults",
)
.secret();

const BROKER: Settings = Settings {
    name: "dnse",
    url: URL,
    per_minute: PER_MINUTE,
    headers: (HEADERS, &[("Accept", "application/json")]),
};

/// DNSE over HTTP.
#[derive(Debug)]
pub(crate) struct Client {
    broker: Broker,
    bars: Url,
    rota: Rota,
}

impl Client {
    /// A client with the settings that [`super::open`] names.
    pub(crate) fn new(settings: &FeedSettings) -> Result<Self, FeedError> {
        let broker = Broker::new(&BROKER, settings)?;
        Ok(Self {
            bars: broker.url(&["ohlcs", "stock"]),
            rota: broker.rota(),
            broker,
        })
    }

    pub(crate) fn budget(&self) -> Arc<Budget> {
        self.broker.budget()
    }

    /// Empty columns are [`FetchError::NoData`]: DNSE answers with them for an unknown symbol as for one that was
    /// not traded.
    async fn fetch(
        &self,
        symbol: Symbol,
        range: &Range<Timestamp>,
        until: Instant,
    ) -> Result<Observation<DailyBars>, FetchError> {
        let mut url = self.bars.clone();
        url.query_pairs_mut()
            .append_pair("symbol", symbol.as_str())
            .append_pair("from", &range.start.as_second().to_string())
            .append_pair("to", &range.end.as_second().to_string())
            .append_pair("resolution", "1D");
        let response = self.broker.get(&url, until).await?;
        let bars = parse::bars(&response.body)?;
        self.broker.series(symbol, bars, range, response.fetched_at)
    }
}

#[async_trait]
impl Bars<Date> for Client {
    /// One request a symbol.
    async fn bars(
        &self,
        symbols: &[Symbol],
        range: Range<Timestamp>,
        until: Instant,
        sink: Sink<'_, Vec<Bar<Date>>>,
    ) {
        let fetch = async |symbol: Symbol| self.fetch(symbol, &range, until).await;
        self.rota.each(symbols, sink, fetch).await;
    }
}

#[cfg(test)]
mod tests;
