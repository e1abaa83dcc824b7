//! The scheduled function: polls a provider's quotes on a steady beat and publishes each to Kafka.
//!
//! The schedule's input is the [`Job`]. One invocation runs many cycles, because schedules can't come more
//! often than once a minute; it ends with the job's budget, or in time before its deadline.

mod cycles;
mod job;
mod report;
mod settings;

use std::{collections::HashMap, sync::Arc};

use feeds::{Feed, FeedError, FeedName, FeedSettings};
use runtime::{Invocation, clock};
use serde_json::value::RawValue;
use stream::publish::Publish;
use tokio::sync::Mutex;

pub use job::{Job, JobError};
pub use report::{Failed, Report};
pub use settings::Settings;

/// Everything that outlives an invocation: the providers' connections and budgets.
pub struct Poller {
    settings: FeedSettings,
    feeds: Mutex<HashMap<FeedName, Arc<Feed>>>,
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
}

impl Poller {
    /// A poller of the providers at these addresses; they are connected to when a job first names them.
    pub fn new(settings: FeedSettings) -> Self {
        Self {
            settings,
            feeds: Mutex::default(),
        }
    }

    /// Runs the job in `input` and counts what became of every quote.
    ///
    /// # Errors
    /// [`Fault`] if the input is no job or its provider can't be set up; the failure of single quotes is no
    /// error, but counted in the [`Report`].
    pub async fn handle(
        &self,
        publisher: &impl Publish,
        input: &RawValue,
        invocation: &Invocation,
    ) -> Result<Report, Fault> {
        let job = Job::parse(input.get())?;
        let feed = self.feed(job.feed).await?;
        let report = cycles::run(&feed, publisher, &job, invocation).await;
        tracing::info!(feed = %job.feed, topic = job.topic, cycles = report.cycles, polled = report.polled,
            published = report.published, skipped_cycles = report.skipped_cycles, "job done");
        Ok(report)
    }

    async fn feed(&self, name: FeedName) -> Result<Arc<Feed>, FeedError> {
        let mut feeds = self.feeds.lock().await;
        if let Some(feed) = feeds.get(&name) {
            return Ok(Arc::clone(feed));
        }
        let feed = Arc::new(Feed::new(name, &self.settings, clock::now)?);
        feeds.insert(name, Arc::clone(&feed));
        Ok(feed)
    }
}

#[cfg(test)]
mod tests;
