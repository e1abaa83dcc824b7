//! One poll of everything that a job asks for, as messages.

use std::collections::BTreeSet;

use feeds::{Feed, Polled};
use jiff::{Timestamp, ToSpan, tz::TimeZone};
use market::{
    Calendar, Message, Observation, Said, Symbol, board_message, history_message, intraday_message,
    quote_message,
};
use runtime::clock;
use tokio::time::Instant;

use crate::{Dataset, Job, memory::Memory, outgoing::Outcome};

/// Polls every symbol once, and hands over the outcome of each as soon as it is known: exactly one, by `until`. A job
/// for trades collects nothing here.
pub(crate) async fn collect(
    feed: &Feed,
    job: &Job,
    memory: &Memory,
    until: Instant,
    sink: &(dyn Fn(Outcome) + Send + Sync),
) {
    let symbols = symbols(feed, job, memory, until, sink).await;
    let now = clock::now();
    let into = Into { job, memory, sink };
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

/// Where outcomes go, and what is added to them on the way.
struct Into<'a> {
    job: &'a Job,
    memory: &'a Memory,
    sink: &'a (dyn Fn(Outcome) + Send + Sync),
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
        (self.sink)(Outcome {
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
    sink: &(dyn Fn(Outcome) + Send + Sync),
) -> Vec<Symbol> {
    let mut symbols = job.symbols.listed.clone();
    let (true, Some(listing)) = (job.symbols.all, &feed.listing) else {
        return symbols;
    };
    let all = match memory.listed(&job.feed) {
        Some((all, true)) => all,
        last => {
            let now = Instant::now();
            let list_until = now + until.saturating_duration_since(now) / 2;
            match listing.listed(list_until).await {
                Ok(all) => {
                    memory.remember_list(&job.feed, all.clone());
                    all
                }
                Err(error) => {
                    sink(Outcome {
                        symbol: "*".to_owned(),
                        result: Err(error),
                    });
                    last.map(|(all, _)| all).unwrap_or_default()
                }
            }
        }
    };
    let named: BTreeSet<Symbol> = symbols.iter().cloned().collect();
    symbols.extend(all.into_iter().filter(|symbol| !named.contains(symbol)));
    symbols
}

/// Midnight of the trading day that `now` belongs to, where the exchange is.
fn start_of_day(calendar: Calendar, now: Timestamp) -> Timestamp {
    let date = calendar.at(now).trading_date;
    let zone = TimeZone::get(calendar.zone()).unwrap_or(TimeZone::UTC);
    date.to_zoned(zone)
        .map_or(now, |midnight| midnight.timestamp())
}
