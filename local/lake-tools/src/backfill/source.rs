//! Who has the bars of a symbol's past, and asking for them.

use std::{collections::HashMap, sync::Arc, time::Duration};

use feeds::{Bars, Feed, FeedError, FeedSettings, FetchError, gathered};
use jiff::Timestamp;
use market::{Instrument, MinuteBars, Observation, Symbol};
use runtime::{Environment, clock};
use tokio::time::{Instant, sleep};

use crate::gaps::SymbolGaps;

/// How long one question may take, its turn in the provider's budget included.
const PATIENCE: Duration = Duration::from_secs(90);

/// How often a question is asked that meets a rate limit or a fault that may pass.
const ATTEMPTS: u32 = 3;

/// The most that is waited for a provider that asks to be left alone.
const LEFT_ALONE: Duration = Duration::from_mins(2);

/// Whom to ask for what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    /// The feed's name.
    pub(crate) feed: &'static str,
    /// The symbol as that feed has it.
    pub(crate) symbol: String,
}

/// Why a symbol's gaps can't be filled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoSource {
    #[error(
        "its provider {0} has no history of minutes here: nothing but its own records can fill it"
    )]
    NoHistory(String),
    #[error("no record says which provider it is of")]
    NoProvider,
    #[error("its records are daily bars, all of which the next poll brings again")]
    Daily,
}

/// The feed with the history of a symbol.
pub(crate) fn source(of: &SymbolGaps) -> Result<Source, NoSource> {
    let asked = |feed, symbol: &str| Source {
        feed,
        symbol: symbol.to_owned(),
    };
    if of.is_daily {
        return Err(NoSource::Daily);
    }
    let symbol = &of.symbol;
    let mut providers = of.sources.iter();
    let known = providers.find_map(|provider| match provider.as_str() {
        "binance" => Some(asked("binance", symbol)),
        "vci" | "kbs" | "dnse" => Some(asked("vietnam", symbol)),
        // Finnhub sells candles and gives none away; a pair of Binance is asked for where it is traded.
        "finnhub" => symbol
            .strip_prefix("BINANCE:")
            .map(|pair| asked("binance", pair)),
        _ => None,
    });
    known.ok_or_else(|| match &*of.sources {
        [] => NoSource::NoProvider,
        named => NoSource::NoHistory(named.join(", ")),
    })
}

/// The feeds that were asked, each opened once.
pub(crate) struct Sources {
    settings: FeedSettings,
    open: HashMap<&'static str, Arc<Feed>>,
}

impl Sources {
    /// With the addresses that the environment sets, as the pollers have them.
    pub(crate) fn new(environment: &Environment) -> Self {
        let environment = environment.clone();
        let lookup = move |name: &str| environment.secret(name);
        Self {
            settings: FeedSettings::new(lookup, None, clock::now),
            open: HashMap::new(),
        }
    }

    /// A feed.
    ///
    /// # Errors
    /// [`FeedError`].
    pub(crate) fn feed(&mut self, name: &'static str) -> Result<Arc<Feed>, FeedError> {
        if let Some(feed) = self.open.get(name) {
            return Ok(Arc::clone(feed));
        }
        let feed = Arc::new(feeds::open(name, &self.settings)?);
        self.open.insert(name, Arc::clone(&feed));
        Ok(feed)
    }
}

/// The bars that a feed has of a stretch of time, as those of `symbol`.
///
/// # Errors
/// [`FetchError`], the last one.
pub(crate) async fn fetch(
    feed: &Feed,
    (source, symbol): (&Source, &str),
    (from, to): (Timestamp, Timestamp),
) -> Result<Observation<MinuteBars>, FetchError> {
    let bars = feed.minute_bars.as_ref().ok_or(FetchError::NoData)?;
    let unknown = |_| FetchError::UnknownSymbol;
    let asked: Symbol = source.symbol.parse().map_err(unknown)?;
    let named: Symbol = symbol.parse().map_err(unknown)?;
    let asked = [asked];
    if let Some(instruments) = &feed.instruments {
        instruments.learn(&asked, Instant::now() + PATIENCE).await;
    }
    let mut attempts = 1;
    loop {
        match ask(&**bars, &asked, (from, to)).await {
            Ok(mut observation) => {
                let instrument = observation.instrument;
                observation.instrument = Instrument {
                    symbol: named,
                    ..instrument
                };
                return Ok(observation);
            }
            Err(error) if attempts < ATTEMPTS && may_pass(&error) => {
                let pause = error.retry_after().unwrap_or(Duration::from_secs(1));
                sleep(pause.min(LEFT_ALONE)).await;
                attempts += 1;
            }
            Err(error) => return Err(error),
        }
    }
}

async fn ask(
    bars: &dyn Bars<Timestamp>,
    asked: &[Symbol; 1],
    (from, to): (Timestamp, Timestamp),
) -> Result<Observation<MinuteBars>, FetchError> {
    let until = Instant::now() + PATIENCE;
    let polled = gathered(asked, async |sink| {
        bars.bars(asked, from..to, until, sink).await;
    });
    let polled = polled.await.into_iter().next();
    polled.map_or(Err(FetchError::NoData), |polled| polled.result)
}

fn may_pass(error: &FetchError) -> bool {
    error.is_retryable() || error.retry_after().is_some() || *error == FetchError::OverBudget
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_symbol_is_asked_for_where_its_history_is() {
        let source = |providers: &[&str], symbol: &str| {
            let of = SymbolGaps {
                symbol: symbol.to_owned(),
                market: "UTC",
                sources: providers.iter().map(ToString::to_string).collect(),
                is_daily: symbol == "VN30",
                minutes: BTreeMap::new(),
                gaps: Vec::new(),
            };
            source(&of).map(|source| (source.feed, source.symbol))
        };
        let is = |feed, symbol: &str| Ok((feed, symbol.to_owned()));
        assert_eq!(source(&["binance"], "BTCUSDT"), is("binance", "BTCUSDT"));
        assert_eq!(source(&["kbs", "vci"], "FPT"), is("vietnam", "FPT"));
        assert_eq!(
            source(&["finnhub"], "BINANCE:BTCUSDT"),
            is("binance", "BTCUSDT")
        );
        let none = NoSource::NoHistory("finnhub".to_owned());
        assert_eq!(source(&["finnhub"], "AAPL"), Err(none));
        assert_eq!(source(&[], "AAPL"), Err(NoSource::NoProvider));
        assert_eq!(source(&["vci"], "VN30"), Err(NoSource::Daily));
    }
}
