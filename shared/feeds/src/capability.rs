use std::{fmt::Debug, ops::Range, sync::Arc, time::Duration};

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
    /// The request budgets that polling it spends from, each with the name of its provider.
    pub budgets: Vec<(&'static str, Arc<dyn Budget>)>,
}

/// What one poll brought for one symbol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Polled<T> {
    /// The symbol, as asked for.
    pub symbol: Symbol,
    /// What was said of it, or why there is nothing.
    pub result: Result<Observation<T>, FetchError>,
}

/// Snapshot quotes.
#[async_trait]
pub trait Quotes: Debug + Send + Sync {
    /// A quote of every symbol: exactly one outcome for each, in the order asked, by `until` whatever
    /// happens. One symbol's failure never costs another.
    async fn quotes(&self, symbols: &[Symbol], until: Instant) -> Vec<Polled<Quote>>;
}

/// Bars over a range of time; `At` is a [`Timestamp`] for minutes and a [`Date`] for days.
#[async_trait]
pub trait Bars<At>: Debug + Send + Sync {
    /// The bars of every symbol that start in `range`, oldest first, at least one; a provider that gives the
    /// latest bars, however old, gives them over as long a time. Exactly one outcome for each symbol, in the
    /// order asked, by `until` whatever happens. One symbol's failure never costs another. The last bar may be
    /// unfinished.
    async fn bars(
        &self,
        symbols: &[Symbol],
        range: Range<Timestamp>,
        until: Instant,
    ) -> Vec<Polled<Vec<Bar<At>>>>;
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
    /// Why connections failed or broke, and what the provider complained of, oldest first.
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
