//! The scheduled function: makes bars of what bronze has of a topic, and keeps them right.
//!
//! The schedule's input is the [`Job`]. What is made again twice, by two rollers or after a kill, is the same. What one
//! invocation has no time for is the next one's.

#![forbid(unsafe_code)]

mod job;
pub mod metrics;
mod report;
mod settings;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use jiff::Timestamp;
use lake::{
    ObjectKey, Version, described,
    store::{Get, List, PutIf, StoreError, pauses},
};
use runtime::Invocation;
use serde_json::value::RawValue;
use silver::{How, Layout, RollError, Rolled, TopicRolled, roll_topic};
use tokio::{
    sync::OnceCell,
    time::{Instant, sleep, timeout_at},
};
use tokio_util::sync::CancellationToken;

pub use job::{Job, JobError};
pub use report::{Named, Report};
pub use settings::{Place, SETTINGS, Settings};

/// Symbols at the same time. Each waits for S3 most of the time, and holds an object and a month of bars in memory.
const SYMBOLS_AT_ONCE: usize = 16;

/// What is left of the time limit when the last symbol has to be done with.
const ROLL_MARGIN: Duration = Duration::from_secs(10);

/// What is left of it for the answer itself.
const ANSWER_MARGIN: Duration = Duration::from_secs(1);

/// How long symbols that are begun may go on when the environment is asked to end; no other is begun then.
const STOP_GRACE: Duration = Duration::from_secs(5);

/// What the function keeps from one invocation to the next.
pub struct Roller<S> {
    store: Arc<S>,
    place: Place,
    how: How,
    layout: OnceCell<Layout>,
}

/// Why an invocation made no bars.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The input is no job.
    #[error(transparent)]
    Job(#[from] JobError),
    /// The store, before any symbol was known or for what is recorded of the topic.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An old history.
    #[error(
        "the history at {root} has layout 1, of which no bars are made: begin a new one with another BRONZE_EPOCH"
    )]
    LayoutOne {
        /// The history's root.
        root: String,
    },
    /// The store, for each symbol.
    #[error("none of the {symbols} symbols of {topic} was rolled: {error}")]
    NoneRolled {
        /// The topic.
        topic: String,
        /// How many.
        symbols: usize,
        /// The first one's reason.
        #[source]
        error: RollError,
    },
}

impl<S: PutIf + Get + List + 'static> Roller<S> {
    /// A roller that has looked at nothing yet.
    pub fn new(store: S, place: Place, how: How) -> Self {
        Self {
            store: Arc::new(store),
            place,
            how,
            layout: OnceCell::new(),
        }
    }

    /// The store.
    pub fn store(&self) -> &S {
        &self.store
    }

    /// Rolls the topic of the job in `input`, as it is at `now`.
    ///
    /// # Errors
    /// [`Fault`] if nothing could be done. The failure of some symbols is no error, but counted in the [`Report`].
    pub async fn handle(
        &self,
        input: &RawValue,
        invocation: &Invocation,
        now: Timestamp,
    ) -> Result<Report, Fault> {
        let job = Job::parse(input.get())?;
        let asked_to_end = async {
            invocation.stop.cancelled().await;
            sleep(STOP_GRACE).await;
        };
        tokio::select! {
            report = self.roll(&job, invocation, now) => report,
            () = asked_to_end => Ok(Report {
                topic: job.topic.clone(),
                stopped: true,
                ..Report::default()
            }),
        }
    }

    async fn roll(
        &self,
        job: &Job,
        invocation: &Invocation,
        now: Timestamp,
    ) -> Result<Report, Fault> {
        let until = |margin| Instant::now() + invocation.remaining(margin);
        let end = (until(ROLL_MARGIN), &invocation.stop);
        let rolling = self.repeat(job, now, end);
        let rolled = match timeout_at(until(ANSWER_MARGIN), rolling).await {
            Ok(rolled) => rolled?,
            Err(_) => return Err(self.out_of_time().into()),
        };
        let Some(rolled) = rolled else {
            return Ok(Report {
                topic: job.topic.clone(),
                nothing_yet: true,
                ..Report::default()
            });
        };
        let report = Report::of(&job.topic, &rolled);
        report.emit(now, rolled.total.newest);
        tell(job, &report);
        match none_rolled(rolled) {
            Some((symbols, error)) => Err(Fault::NoneRolled {
                topic: job.topic.clone(),
                symbols,
                error,
            }),
            None => Ok(report),
        }
    }

    /// Rolls the topic, again while the store can't be asked for its symbols; `None` if the lake has nothing yet.
    async fn repeat(
        &self,
        job: &Job,
        now: Timestamp,
        (until, stop): (Instant, &CancellationToken),
    ) -> Result<Option<TopicRolled>, Fault> {
        let mut pauses = pauses();
        loop {
            let fault = match self.roll_once(job, now, (until, stop)).await {
                Ok(rolled) => return Ok(rolled),
                Err(fault) => fault,
            };
            let may_succeed = matches!(&fault, Fault::Store(error) if error.is_transient());
            let pause = pauses.next().filter(|_| may_succeed);
            match pause.filter(|&pause| Instant::now() + pause < until) {
                Some(pause) => sleep(pause).await,
                None => return Err(fault),
            }
        }
    }

    async fn roll_once(
        &self,
        job: &Job,
        now: Timestamp,
        end: (Instant, &CancellationToken),
    ) -> Result<Option<TopicRolled>, Fault> {
        let Some(layout) = self.layout().await? else {
            return Ok(None);
        };
        let of_topic = silver::Job {
            topic: spelled(layout, &job.topic),
            range: job.range(now, self.how.rules.lateness),
            how: self.how,
            shard: job.shard,
            symbols: BTreeSet::new(),
            at_once: SYMBOLS_AT_ONCE,
        };
        let rolled = roll_topic(&self.store, layout, &of_topic, end, log);
        Ok(Some(rolled.await?))
    }

    /// Where bars are made of what, once in the life of the function; `None` before the history has begun.
    async fn layout(&self) -> Result<Option<&Layout>, Fault> {
        if let Some(layout) = self.layout.get() {
            return Ok(Some(layout));
        }
        let Place {
            bronze,
            epoch,
            silver,
        } = &self.place;
        let Some(found) = described(&*self.store, bronze, epoch.as_deref()).await? else {
            return Ok(None);
        };
        if found.version() == Version::One {
            return Err(Fault::LayoutOne { root: found.root() });
        }
        let layout = Layout::new(silver, epoch.as_deref(), found);
        Ok(Some(self.layout.get_or_init(async || layout).await))
    }

    fn out_of_time(&self) -> StoreError {
        StoreError::OutOfTime {
            key: ObjectKey::new(&*self.place.silver),
        }
    }
}

/// A topic as keys spell it.
fn spelled(layout: &Layout, topic: &str) -> String {
    let bronze = layout.bronze();
    let root = bronze.topic_root(topic);
    let name = root.trim_end_matches('/').rsplit('/').next();
    let name = name.and_then(|name| name.strip_prefix(bronze.names().topic));
    name.unwrap_or(topic).to_owned()
}

/// Says at once what is wrong with a symbol.
fn log(_: usize, symbol: &str, rolled: &Result<Rolled, RollError>) {
    match rolled {
        Ok(rolled) => {
            for (key, reason) in &rolled.damaged {
                tracing::error!(
                    symbol,
                    %key,
                    reason,
                    "a bronze object can't be read, so the bars of its hours are not complete: restore or remove it, and \
                     the next roll makes them again"
                );
            }
        }
        // Left, and told with the others.
        Err(RollError::Store(StoreError::OutOfTime { .. })) => {}
        Err(error) => tracing::error!(symbol, %error, "a symbol was not rolled"),
    }
}

fn tell(job: &Job, report: &Report) {
    let Job {
        topic, scheduled, ..
    } = job;
    if report.left.count > 0 {
        tracing::warn!(
            topic,
            left = report.left.count,
            first = report.left.first.join(","),
            "there was no time for some symbols: the next run takes them up"
        );
    }
    tracing::info!(
        topic,
        scheduled,
        symbols = report.symbols,
        unchanged = report.unchanged,
        bars = report.bars,
        files = report.files,
        "topic rolled"
    );
}

/// How many symbols there are and the first one's failure, if the store failed for all.
fn none_rolled(rolled: TopicRolled) -> Option<(usize, RollError)> {
    let is_of_the_store = |error: &RollError| matches!(error, RollError::Store(_));
    let all_failed = rolled.failed.len() == rolled.symbols;
    if !all_failed || !rolled.failed.values().all(is_of_the_store) {
        return None;
    }
    let (_, error) = rolled.failed.into_iter().next()?;
    Some((rolled.symbols, error))
}

#[cfg(test)]
mod tests;
