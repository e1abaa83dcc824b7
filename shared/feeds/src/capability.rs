use std::{
    collections::{HashMap, VecDeque},
    fmt::Debug,
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use jiff::{Timestamp, civil::Date};
use market::{Bar, Calendar, Observation, Quote, Symbol, Trade};
use tokio::{sync::mpsc, time::Instant};

use crate::{FetchError, budget::Budget};

/// A provider: its capabilities, each `None` where it does not have it.
#[derive(Clone, Debug)]
pub struct Feed {
    /// Whose trading day is "today" in its bars.
    pub calendar: Calendar,
    /// The beat of a job that names none.
    pub beat: Duration,
    /// Snapshots.
    pub quotes: Option<Arc<dyn Quotes>>,
    /// Bars of a minute.
    pub minute_bars: Option<Arc<dyn Bars<Timestamp>>>,
    /// Bars of a trading day.
    pub daily_bars: Option<Arc<dyn Bars<Date>>>,
    /// Trades as they are made.
    pub trades: Option<Arc<dyn Trades>>,
    /// The symbols that there are.
    pub listing: Option<Arc<dyn Listing>>,
    /// What the exchange says of its instruments, beside their quotes.
    pub instruments: Option<Arc<dyn Instruments>>,
    /// The request budgets that polling it spends from, each with the name of its provider.
    pub budgets: Vec<(&'static str, Arc<Budget>)>,
}

impl Feed {
    /// A provider without any capability: its own stand over it as `Feed { quotes, ..Feed::new(calendar, beat) }`.
    pub(crate) fn new(calendar: Calendar, beat: Duration) -> Self {
        Self {
            calendar,
            beat,
            quotes: None,
            minute_bars: None,
            daily_bars: None,
            trades: None,
            listing: None,
            instruments: None,
            budgets: Vec::new(),
        }
    }
}

/// What one poll brought for one symbol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Polled<T> {
    /// The symbol, as asked for.
    pub symbol: Symbol,
    /// What was said of it, or why there is nothing.
    pub result: Result<Observation<T>, FetchError>,
}

/// Takes the outcome of a symbol as soon as it is known. The poll goes on when it returns, so it should not block.
pub type Sink<'a, T> = &'a (dyn Fn(Polled<T>) + Send + Sync);

/// Snapshot quotes.
#[async_trait]
pub trait Quotes: Debug + Send + Sync {
    /// Hands a quote of every symbol over to `sink`: exactly one outcome for each symbol asked, in any order, each
    /// as soon as it is known, all by `until` whatever happens. One symbol's failure never costs another.
    async fn quotes(&self, symbols: &[Symbol], until: Instant, sink: Sink<'_, Quote>);
}

/// Bars over a range of time; `At` is a [`Timestamp`] for minutes and a [`Date`] for days.
#[async_trait]
pub trait Bars<At>: Debug + Send + Sync {
    /// Hands over to `sink` the bars of every symbol that start in `range`, oldest first, at least one; a provider
    /// that gives the latest bars, however old, gives them over as long a time. Exactly one outcome for each symbol
    /// asked, in any order, each as soon as it is known, all by `until` whatever happens. One symbol's failure never
    /// costs another. The last bar may be unfinished.
    async fn bars(
        &self,
        symbols: &[Symbol],
        range: Range<Timestamp>,
        until: Instant,
        sink: Sink<'_, Vec<Bar<At>>>,
    );
}

/// All outcomes of a `poll` of these symbols, in the order asked, when it is over. An outcome that was not asked for
/// comes last.
///
/// ```
/// # use feeds::{Polled, Quotes, gathered};
/// # async fn all(quotes: &dyn Quotes, until: tokio::time::Instant) -> Vec<Polled<market::Quote>> {
/// # let symbols: Vec<market::Symbol> = Vec::new();
/// gathered(&symbols, async |sink| quotes.quotes(&symbols, until, sink).await).await
/// # }
/// ```
pub async fn gathered<T: Send>(
    symbols: &[Symbol],
    poll: impl AsyncFnOnce(Sink<'_, T>),
) -> Vec<Polled<T>> {
    let gathered = Mutex::new(Vec::with_capacity(symbols.len()));
    let push = |polled| {
        let mut gathered = gathered.lock().unwrap_or_else(PoisonError::into_inner);
        gathered.push(polled);
    };
    poll(&push).await;
    let mut places: HashMap<_, VecDeque<_>> = HashMap::new();
    for (place, symbol) in symbols.iter().enumerate() {
        places.entry(symbol).or_default().push_back(place);
    }
    let mut gathered = gathered
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    gathered.sort_by_cached_key(|polled| {
        let places = places.get_mut(&polled.symbol);
        places
            .and_then(VecDeque::pop_front)
            .unwrap_or(symbols.len())
    });
    gathered
}

/// A stream of trades.
#[async_trait]
pub trait Trades: Debug + Send + Sync {
    /// Sends the trades of the symbols into `sink` as they come, until `until` or until nobody receives;
    /// reconnects as long as there is time. Done within half a second of that. What is not received by then is
    /// dropped.
    async fn trades(
        &self,
        symbols: &[Symbol],
        until: Instant,
        sink: mpsc::Sender<Observation<Trade>>,
    ) -> TradeSession;
}

/// How a session of [`Trades`] went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TradeSession {
    /// How often a connection was made and every symbol subscribed.
    pub connections: u64,
    /// How long nothing was received that may have been traded: before the first subscription, from the end
    /// of the session before in the same process if there was one, and between connections. Trades of that time are missing.
    pub gap: Duration,
    /// How many items of the provider's messages were no trades; each cost itself only.
    pub malformed: u64,
    /// The symbols that were not subscribed at the end, with the reason, each once.
    pub failed: Vec<(Symbol, FetchError)>,
    /// Why connections failed or broke, and what the provider complained of, each complaint once and a hundred at
    /// most, oldest first.
    pub errors: Vec<FetchError>,
}

/// The symbols of a provider.
#[async_trait]
pub trait Listing: Debug + Send + Sync {
    /// Every symbol that is listed now, each once.
    ///
    /// # Errors
    /// [`FetchError`].
    async fn listed(&self, until: Instant) -> Result<Vec<Symbol>, FetchError>;
}

/// What an exchange says of its instruments, beside their quotes.
#[async_trait]
pub trait Instruments: Debug + Send + Sync {
    /// Asks for what is not known yet of these symbols; later observations of them have it. No poll waits for it or
    /// depends on it, and a failure is no more than a line in the log.
    async fn learn(&self, symbols: &[Symbol], until: Instant);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_server::symbols;

    #[tokio::test]
    async fn outcomes_are_gathered_in_the_order_asked_and_none_is_lost() {
        let asked = symbols(&["A", "B", "A", "C"]);
        let came = symbols(&["EXTRA", "C", "A", "B", "A", "C"]);
        let polled = gathered(&asked, async |sink: Sink<'_, ()>| {
            for symbol in came {
                let result = Err(FetchError::NoData);
                sink(Polled { symbol, result });
            }
        })
        .await;
        let names: Vec<_> = polled.iter().map(|polled| polled.symbol.as_str()).collect();
        assert_eq!(names, ["A", "B", "A", "C", "EXTRA", "C"]);
    }
}
