use std::{fmt::Debug, ops::Range, sync::Arc};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp, civil::Date, tz::Offset};
use market::{Bar, Observation, Symbol};
use reqwest::Url;
use tokio::time::Instant;

use super::{client::Client, parse};
use crate::{
    Bars, BodyError, FetchError, Sink,
    rota::Rota,
    series::{Slot, series},
};

/// The most klines in an answer.
const PAGE: usize = 1_000;

/// The weight of a request.
const WEIGHT: u32 = 2;

/// How many symbols are asked for at once.
const CONCURRENCY: usize = 16;

/// Bars from klines: one request for each symbol and page.
#[derive(Debug)]
pub(crate) struct Klines<At> {
    client: Arc<Client>,
    interval: &'static str,
    length: SignedDuration,
    at: fn(Timestamp) -> At,
    rota: Rota,
}

impl Klines<Timestamp> {
    pub(crate) fn minutes(client: &Arc<Client>) -> Self {
        Self::new(client, "1m", SignedDuration::from_mins(1), |open| open)
    }
}

impl Klines<Date> {
    /// A day is that of the open time in UTC.
    pub(crate) fn days(client: &Arc<Client>) -> Self {
        let date = |open| Offset::UTC.to_datetime(open).date();
        Self::new(client, "1d", SignedDuration::from_hours(24), date)
    }
}

#[async_trait]
impl<At: Slot + Debug + Send + 'static> Bars<At> for Klines<At> {
    async fn bars(
        &self,
        symbols: &[Symbol],
        range: Range<Timestamp>,
        until: Instant,
        sink: Sink<'_, Vec<Bar<At>>>,
    ) {
        let fetch = async |symbol: Symbol| self.every_page(symbol, &range, until).await;
        self.rota.each(symbols, sink, fetch).await;
    }
}

impl<At: Slot> Klines<At> {
    fn new(
        client: &Arc<Client>,
        interval: &'static str,
        length: SignedDuration,
        at: fn(Timestamp) -> At,
    ) -> Self {
        Self {
            client: Arc::clone(client),
            interval,
            length,
            at,
            rota: Rota::new(CONCURRENCY, client.start()),
        }
    }

    /// The bars of one symbol, fetched when the last page was.
    async fn every_page(
        &self,
        symbol: Symbol,
        range: &Range<Timestamp>,
        until: Instant,
    ) -> Result<Observation<Vec<Bar<At>>>, FetchError> {
        if self.client.unknown.contains(&symbol) {
            return Err(FetchError::UnknownSymbol);
        }
        let mut bars = Vec::new();
        let mut rest = range.clone();
        while !rest.is_empty() {
            let url = self.url(&symbol, &rest);
            let answer = self.client.get(&url, WEIGHT, until).await;
            if let Err(FetchError::UnknownSymbol) = answer {
                self.client.unknown.insert(symbol.clone());
            }
            let answer = answer?;
            let page = parse::klines(&answer.body)?;
            let next = match page.last() {
                Some(last) if page.len() >= PAGE => last.at.checked_add(self.length).ok(),
                _ => None,
            };
            let next = next.unwrap_or(rest.end);
            if next <= rest.start {
                let problem = "the klines are all before the time asked for";
                return Err(BodyError::Shape(problem.to_owned()).into());
            }
            let asked = page.into_iter().filter(|bar| rest.contains(&bar.at));
            bars.extend(asked.map(|bar| self.bar(bar)));
            rest.start = next;
            if rest.is_empty() && !bars.is_empty() {
                return Ok(Observation {
                    source: "binance",
                    instrument: self.client.pair(symbol),
                    said: series(bars)?,
                    fetched_at: answer.fetched_at,
                });
            }
        }
        Err(FetchError::NoData)
    }

    /// Binance counts a kline that starts at `endTime` in.
    fn url(&self, symbol: &Symbol, range: &Range<Timestamp>) -> Url {
        let mut url = self.client.url(&["klines"]);
        url.query_pairs_mut()
            .append_pair("symbol", symbol.as_str())
            .append_pair("interval", self.interval)
            .append_pair("startTime", &range.start.as_millisecond().to_string())
            .append_pair("endTime", &range.end.as_millisecond().to_string())
            .append_pair("limit", &PAGE.to_string());
        url
    }

    fn bar(&self, bar: Bar<Timestamp>) -> Bar<At> {
        Bar {
            at: (self.at)(bar.at),
            open: bar.open,
            high: bar.high,
            low: bar.low,
            close: bar.close,
            volume: bar.volume,
        }
    }
}

#[cfg(test)]
mod tests;
