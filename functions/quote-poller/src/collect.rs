//! One poll of everything that a job asks for, as messages.

use std::{collections::BTreeSet, sync::Mutex, time::Duration};

use feeds::{Feed, FetchError, Polled};
use jiff::{Timestamp, ToSpan, tz::TimeZone};
use market::{
    Calendar, Message, Observation, Said, Symbol, board_message, history_message, intraday_message,
    quote_message,
};
use runtime::clock;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::{
    Dataset, Job,
    memory::{Memory, lock},
    outgoing::Outcome,
    symbols::ALL,
};

/// The time that a poll still has once the environment is asked to end.
const STOP_TIME: Duration = Duration::from_secs(2);

/// Polls every symbol once, and hands over the outcome of each as soon as it is known: exactly one, by `until`, and
/// soon after `stop`. A job for trades collects nothing here.
pub(crate) async fn collect(
    feed: &Feed,
    job: &Job,
    memory: &Memory,
    until: Instant,
    stop: &CancellationToken,
    sink: &(dyn Fn(Outcome) + Send + Sync),
) {
    let open = Open {
        symbols: Mutex::default(),
        sink,
    };
    tokio::select! {
        () = poll(feed, job, memory, until, &open) => {}
        () = stopped(stop) => open.give_up(),
    }
}

async fn stopped(stop: &CancellationToken) {
    stop.cancelled().await;
    sleep(STOP_TIME).await;
}

/// Where outcomes go, and the symbols that have none yet.
struct Open<'a> {
    symbols: Mutex<BTreeSet<String>>,
    sink: &'a (dyn Fn(Outcome) + Send + Sync),
}

impl Open<'_> {
    fn add(&self, symbols: &[Symbol]) {
        let symbols = symbols.iter().map(|symbol| symbol.as_str().to_owned());
        lock(&self.symbols).extend(symbols);
    }

    fn hand_over(&self, outcome: Outcome) {
        lock(&self.symbols).remove(&outcome.symbol);
        (self.sink)(outcome);
    }

    fn give_up(&self) {
        for symbol in std::mem::take(&mut *lock(&self.symbols)) {
            (self.sink)(Outcome {
                symbol,
                result: Err(FetchError::PastDeadline),
            });
        }
    }
}

async fn poll(feed: &Feed, job: &Job, memory: &Memory, until: Instant, open: &Open<'_>) {
    let symbols = symbols(feed, job, memory, until, open).await;
    let now = clock::now();
    let into = Into { job, memory, open };
    match job.dataset {
        Dataset::Quotes | Dataset::Board => {
            let message = match job.dataset {
                Dataset::Board => board_message,
                _ => quote_message,
            };
            if let Some(quotes) = &feed.quotes {
                let sink = |polled| into.message(polled, message);
                quotes.quotes(&symbols, until, &sink).await;
            }
        }
        Dataset::IntradayBars => {
            if let Some(bars) = &feed.minute_bars {
                let range = start_of_day(feed.calendar, now)..now;
                let sink = |polled| into.message(polled, intraday_message);
                bars.bars(&symbols, range, until, &sink).await;
            }
        }
        Dataset::DailyBars => {
            if let Some(bars) = &feed.daily_bars {
                let period = (i64::from(job.period_days) * 24).hours();
                let range = now.saturating_sub(period).unwrap_or(now)..now;
                let history = |observation: &_, repeated| {
                    history_message(observation, job.period_days, repeated)
                };
                let sink = |polled| into.message(polled, history);
                bars.bars(&symbols, range, until, &sink).await;
            }
        }
        Dataset::Trades => {}
    }
}

/// What is added to an observation on its way.
struct Into<'a> {
    job: &'a Job,
    memory: &'a Memory,
    open: &'a Open<'a>,
}

impl Into<'_> {
    fn message<T: Said>(
        &self,
        Polled { symbol, result }: Polled<T>,
        message: impl Fn(&Observation<T>, bool) -> Message,
    ) {
        let result = result.map(|mut observation| {
            self.job.symbols.complete(&mut observation.instrument);
            let topic = &self.job.topic;
            let repeated = self
                .memory
                .is_repeated(topic, symbol.as_str(), &observation);
            message(&observation, repeated)
        });
        self.open.hand_over(Outcome {
            symbol: symbol.as_str().to_owned(),
            result,
        });
    }
}

/// The job's symbols, and with `*` all that the provider lists. A list that does not come in half of the time is an
/// outcome of `*`; those of the last list are polled then.
async fn symbols(
    feed: &Feed,
    job: &Job,
    memory: &Memory,
    until: Instant,
    open: &Open<'_>,
) -> Vec<Symbol> {
    let mut symbols = job.symbols.listed.clone();
    open.add(&symbols);
    let (true, Some(listing)) = (job.symbols.all, &feed.listing) else {
        return symbols;
    };
    let all = match memory.listed(&job.feed) {
        Some((all, true)) => all,
        last => {
            let now = Instant::now();
            let list_until = now + until.saturating_duration_since(now) / 2;
            lock(&open.symbols).insert(ALL.to_owned());
            match listing.listed(list_until).await {
                Ok(all) => {
                    lock(&open.symbols).remove(ALL);
                    memory.remember_list(&job.feed, all.clone());
                    all
                }
                Err(error) => {
                    open.hand_over(Outcome {
                        symbol: ALL.to_owned(),
                        result: Err(error),
                    });
                    last.map(|(all, _)| all).unwrap_or_default()
                }
            }
        }
    };
    let named: BTreeSet<Symbol> = symbols.iter().cloned().collect();
    symbols.extend(all.into_iter().filter(|symbol| !named.contains(symbol)));
    open.add(&symbols);
    symbols
}

/// Midnight of the trading day that `now` belongs to, where the exchange is.
fn start_of_day(calendar: Calendar, now: Timestamp) -> Timestamp {
    let date = calendar.at(now).trading_date;
    let zone = TimeZone::get(calendar.zone()).unwrap_or(TimeZone::UTC);
    date.to_zoned(zone)
        .map_or(now, |midnight| midnight.timestamp())
}
