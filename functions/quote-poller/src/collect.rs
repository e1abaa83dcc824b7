//! One poll of everything that a job asks for, as messages.

use feeds::{Feed, FetchError, Polled, gathered};
use jiff::{Timestamp, ToSpan, tz::TimeZone};
use market::{
    Calendar, Message, Observation, Said, Symbol, board_message, history_message, intraday_message,
    quote_message,
};
use runtime::clock;
use tokio::time::Instant;

use crate::{Dataset, Job, memory::Memory};

/// What came of one symbol.
pub(crate) struct Collected {
    pub(crate) symbol: String,
    pub(crate) result: Result<Message, FetchError>,
}

/// Polls every symbol once: exactly one outcome for each, by `until`. A job for trades collects nothing here.
pub(crate) async fn collect(
    feed: &Feed,
    job: &Job,
    memory: &Memory,
    until: Instant,
) -> Vec<Collected> {
    let symbols = match symbols(feed, job, memory, until).await {
        Ok(symbols) => symbols,
        Err(error) => {
            let symbol = "*".to_owned();
            let result = Err(error);
            return vec![Collected { symbol, result }];
        }
    };
    let now = clock::now();
    match job.dataset {
        Dataset::Quotes | Dataset::Board => {
            let message = match job.dataset {
                Dataset::Board => board_message,
                _ => quote_message,
            };
            let Some(quotes) = &feed.quotes else {
                return Vec::new();
            };
            let polled = gathered(&symbols, async |sink| {
                quotes.quotes(&symbols, until, sink).await;
            })
            .await;
            collected(polled, job, memory, message)
        }
        Dataset::IntradayBars => {
            let Some(bars) = &feed.minute_bars else {
                return Vec::new();
            };
            let range = start_of_day(feed.calendar, now)..now;
            let polled = gathered(&symbols, async |sink| {
                bars.bars(&symbols, range, until, sink).await;
            })
            .await;
            collected(polled, job, memory, intraday_message)
        }
        Dataset::DailyBars => {
            let Some(bars) = &feed.daily_bars else {
                return Vec::new();
            };
            let period = (i64::from(job.period_days) * 24).hours();
            let range = now.saturating_sub(period).unwrap_or(now)..now;
            let polled = gathered(&symbols, async |sink| {
                bars.bars(&symbols, range, until, sink).await;
            })
            .await;
            collected(polled, job, memory, |observation, repeated| {
                history_message(observation, job.period_days, repeated)
            })
        }
        Dataset::Trades => Vec::new(),
    }
}

fn collected<T>(
    polled: Vec<Polled<T>>,
    job: &Job,
    memory: &Memory,
    message: impl Fn(&Observation<T>, bool) -> Message,
) -> Vec<Collected>
where
    T: Said,
{
    let message = |mut observation: Observation<T>| {
        let instrument = &mut observation.instrument;
        let venue = job.symbols.venues.get(&instrument.symbol);
        instrument.mic = instrument.mic.or(venue.copied());
        let repeated = memory.is_repeated(&job.topic, &observation);
        message(&observation, repeated)
    };
    polled
        .into_iter()
        .map(|Polled { symbol, result }| Collected {
            symbol: symbol.as_str().to_owned(),
            result: result.map(&message),
        })
        .collect()
}

/// The job's symbols, and with `*` all that the provider lists.
async fn symbols(
    feed: &Feed,
    job: &Job,
    memory: &Memory,
    until: Instant,
) -> Result<Vec<Symbol>, FetchError> {
    let mut symbols = job.symbols.listed.clone();
    if !job.symbols.all {
        return Ok(symbols);
    }
    let listed = match (memory.listed(&job.feed), &feed.listing) {
        (Some(listed), _) => listed,
        (None, Some(listing)) => {
            let listed = listing.listed(until).await?;
            memory.remember_list(&job.feed, listed.clone());
            listed
        }
        (None, None) => Vec::new(),
    };
    symbols.extend(listed);
    symbols.sort();
    symbols.dedup();
    Ok(symbols)
}

/// Midnight of the trading day that `now` belongs to, where the exchange is.
fn start_of_day(calendar: Calendar, now: Timestamp) -> Timestamp {
    let date = calendar.at(now).trading_date;
    let zone = TimeZone::get(calendar.zone()).unwrap_or(TimeZone::UTC);
    date.to_zoned(zone)
        .map_or(now, |midnight| midnight.timestamp())
}
