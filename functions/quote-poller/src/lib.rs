//! The scheduled function: polls a provider on a steady beat and publishes everything it says to Kafka.
//!
//! The schedule's input is the [`Job`]. One invocation runs many cycles, because schedules can't come more
//! often than once a minute; it ends with the job's budget, or in time before its deadline.

#![forbid(unsafe_code)]

mod beat;
mod collect;
mod cycles;
mod failures;
mod job;
mod memory;
pub mod metrics;
mod outgoing;
mod period;
mod report;
mod settings;
mod symbols;
mod trades;

use std::{collections::HashMap, sync::Arc, time::Duration};

use feeds::{Feed, FeedError, FeedSettings};
use runtime::{Invocation, clock};
use serde_json::value::RawValue;
use stream::publish::Publish;
use tokio::{sync::Mutex, time::Instant};

pub use job::{Dataset, Job, JobError};
pub use report::{Failed, Report, StreamReport};
pub use settings::Settings;
pub use symbols::{EntryError, Symbols};

use beat::Turn;
use memory::Memory;

/// The time that learning of instruments has, in each invocation.
const LEARN_TIME: Duration = Duration::from_secs(10);

/// Everything that outlives an invocation: the providers' connections and budgets, and what was seen.
pub struct Poller {
    settings: FeedSettings,
    feeds: Mutex<HashMap<String, Arc<Feed>>>,
    memory: Memory,
}

/// Why an invocation polled nothing.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The input is no job.
    #[error(transparent)]
    Job(#[from] JobError),
    /// The provider can't be asked.
    #[error(transparent)]
    Feed(#[from] FeedError),
    /// The provider does not have what the job asks for.
    #[error("the feed {feed} has no {what}: ask another feed, or for another dataset")]
    Incapable {
        /// The provider.
        feed: String,
        /// The dataset, or the list of symbols.
        what: &'static str,
    },
    /// The record of so many days would be too large for its topic.
    #[error(
        "the job's period_days is {days}, whose record may exceed the {} bytes that a topic takes: give at most {most} \
         for the feed {feed}",
        period::LARGEST_RECORD
    )]
    Period {
        /// The job's `period_days`.
        days: u16,
        /// The provider.
        feed: String,
        /// The most that fit.
        most: u16,
    },
}

impl Poller {
    /// A poller with these settings of providers; one is opened when a job first names it, or by [`Self::open`].
    pub fn new(settings: FeedSettings) -> Self {
        Self {
            settings,
            feeds: Mutex::default(),
            memory: Memory::default(),
        }
    }

    /// Opens these providers before a job names them: what is wrong with their settings shows at once, and the job finds
    /// their clients made. Connects to none and fetches no key.
    ///
    /// # Errors
    /// [`FeedError`] for the first that can't be opened.
    pub async fn open(&self, feeds: &[&str]) -> Result<(), FeedError> {
        for name in feeds {
            self.feed(name).await?;
        }
        Ok(())
    }

    /// Runs the job in `input` and counts what became of everything it asked for.
    ///
    /// # Errors
    /// [`Fault`] if the input is no job or its provider can't be set up; the failure of single symbols is no
    /// error, but counted in the [`Report`].
    pub async fn handle(
        &self,
        publisher: &impl Publish,
        input: &RawValue,
        invocation: &Invocation,
    ) -> Result<Report, Fault> {
        let job = Job::parse(input.get())?;
        let feed = self.feed(&job.feed).await?;
        check(&feed, &job)?;
        let (now, before) = (clock::now(), self.memory.turn(&job.topic));
        let came_twice =
            job.scheduled.is_some() && before.map(|turn| turn.scheduled) == job.scheduled;
        if job.is_expired(now) || came_twice {
            tracing::warn!(
                topic = job.topic,
                "the job came after its time was over, or twice: its cycles are those of another invocation"
            );
            return Ok(Report {
                expired: true,
                ..Report::default()
            });
        }
        learn(&feed, &job);
        let end = beat::end(now, job.scheduled, job.budget, before);
        let time = Duration::try_from(end.duration_since(now)).unwrap_or_default();
        let memory = &self.memory;
        let report = match (&feed.trades, job.dataset) {
            (Some(trades), Dataset::Trades) => {
                trades::run(&**trades, publisher, &job, memory, invocation, time).await
            }
            _ => cycles::run(&feed, publisher, &job, memory, invocation, time).await,
        };
        if let Some(scheduled) = job.scheduled {
            let done = clock::now();
            let turn = Turn {
                scheduled,
                end,
                done,
            };
            memory.remember_turn(&job.topic, turn);
        }
        tracing::info!(feed = %job.feed, topic = job.topic, cycles = report.cycles, polled = report.polled,
            published = report.published, skipped_cycles = report.skipped_cycles, "job done");
        Ok(report)
    }

    async fn feed(&self, name: &str) -> Result<Arc<Feed>, FeedError> {
        let mut feeds = self.feeds.lock().await;
        if let Some(feed) = feeds.get(name) {
            return Ok(Arc::clone(feed));
        }
        let feed = Arc::new(feeds::open(name, &self.settings)?);
        feeds.insert(name.to_owned(), Arc::clone(&feed));
        Ok(feed)
    }
}

/// Learns what the exchange says of the job's instruments, beside the polls: none waits for it.
fn learn(feed: &Feed, job: &Job) {
    if let Some(instruments) = feed.instruments.clone() {
        let symbols = job.symbols.listed.clone();
        let until = Instant::now() + LEARN_TIME;
        tokio::spawn(async move { instruments.learn(&symbols, until).await });
    }
}

/// Whether the provider has what the job asks for, and its topic takes that.
fn check(feed: &Feed, job: &Job) -> Result<(), Fault> {
    let (has, what) = match job.dataset {
        Dataset::Quotes | Dataset::Board => (feed.quotes.is_some(), "quotes"),
        Dataset::IntradayBars => (feed.minute_bars.is_some(), "intraday bars"),
        Dataset::DailyBars => (feed.daily_bars.is_some(), "daily bars"),
        Dataset::Trades => (feed.trades.is_some(), "trades"),
    };
    let incapable = |what| Fault::Incapable {
        feed: job.feed.clone(),
        what,
    };
    match (has, job.symbols.all && feed.listing.is_none()) {
        (false, _) => Err(incapable(what)),
        (true, true) => Err(incapable("list of its symbols")),
        (true, false) => {
            let (days, most) = (job.period_days, period::longest(feed));
            if job.dataset == Dataset::DailyBars && days > most {
                let feed = job.feed.clone();
                return Err(Fault::Period { days, feed, most });
            }
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests;
