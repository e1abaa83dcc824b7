//! Bringing records back: from quarantine, and from where a trigger has given them up to.
//!
//! The records go through the writer's own code as the trigger's event, so however often and wherever this is cut
//! short, running it again ends the same. Nothing is deleted before the record was read back from where it is now, and
//! nothing that somebody has replaced since it was read.

mod counts;
mod database;
mod event;
mod options;
mod payloads;
mod progress;
mod quarantine;
mod standing;
mod text;

use std::time::Duration;

use bronze_writer::{FailureResponse, Fault, Writer};
use lake::{
    Layout, ObjectKey, Reason,
    store::{DeleteIf, ETag, Get, List, PutIf, StoreError},
};
use plane::brokers::Brokers;
use runtime::{Environment, Invocation};
use stream::{AccessError, topics::TopicError};
use tables::UpsertError;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{database_location::DatabaseLocationError, lake_location::LakeLocationError};
pub use counts::{Counts, Outcome};
pub use database::{DatabaseOutcome, Named, ReadCounts, WrittenCounts, run_to_database};
use event::Entry;
pub use options::{Options, To};
pub use progress::Progress;

/// Why records could not be brought back. Running it again goes on.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// There is no such lake.
    #[error(transparent)]
    Location(#[from] LakeLocationError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The writer.
    #[error(transparent)]
    Writer(#[from] Fault),
    /// The brokers' addresses or credentials.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The topic of given-up records.
    #[error(transparent)]
    Topic(#[from] TopicError),
    /// The address of the database.
    #[error(transparent)]
    Database(#[from] DatabaseLocationError),
    /// The tables.
    #[error(transparent)]
    Tables(#[from] UpsertError),
    /// The object behind which to go on is none of the lake's records.
    #[error(
        "--after '{0}' is no object of the lake's records of these topics: give the key that the interrupted run has printed, or leave --after out, which brings no row twice"
    )]
    NoSuchObject(String),
    /// The tables take nothing.
    #[error(
        "the database at {database} has taken no row in {seconds} s: another session may hold a lock on the tables; let it end, or end it (pg_stat_activity names it)"
    )]
    Held {
        /// The database.
        database: String,
        /// How long it was tried, in seconds.
        seconds: u64,
    },
    /// It ended on the way.
    #[error("{cause}; what came before is in the tables: {go_on}")]
    CutShort {
        /// Why.
        cause: Box<ReplayError>,
        /// How to go on.
        go_on: String,
    },
    /// Options that do not go together.
    #[error("{option} goes with --to {other} alone: leave one of them out")]
    Mismatched {
        /// The option.
        option: &'static str,
        /// What it goes with.
        other: &'static str,
    },
}

/// How long the writer may take for one batch, a store that is down included.
const BATCH_TIME: Duration = Duration::from_secs(60);

/// The most records of a batch.
const BATCH_RECORDS: usize = 500;

/// About the most bytes of a batch.
const BATCH_BYTES: u64 = 8 << 20;

/// Brings records back to one lake.
pub struct Replay<S> {
    writer: Writer<S>,
    layout: Layout,
    topic: Option<String>,
    reason: Option<Reason>,
    dry_run: bool,
    stop: CancellationToken,
    progress: Progress,
}

impl<S: PutIf + Get + List + DeleteIf> Replay<S> {
    /// To the lake with this layout in `store`, and within what the options say of topic, reason and a dry run;
    /// `stop` ends it after the batch in hand.
    pub fn new(store: S, layout: &Layout, options: &Options, stop: CancellationToken) -> Self {
        Self {
            writer: Writer::new(store, layout.clone(), FailureResponse::Batch),
            layout: layout.clone(),
            topic: options.topic.clone(),
            reason: options.reason,
            dry_run: options.dry_run,
            stop,
            progress: Progress::new(options.json),
        }
    }

    fn store(&self) -> &S {
        self.writer.store()
    }

    /// Has the writer land these records.
    async fn bring<'e>(
        &self,
        entries: impl IntoIterator<Item = &'e Entry>,
    ) -> Result<(), ReplayError> {
        let event = event::event(entries).map_err(|error| Fault::NotAnEvent(error.into()))?;
        let invocation = Invocation {
            deadline: Instant::now() + BATCH_TIME,
            stop: CancellationToken::new(),
        };
        self.writer.handle(&event, &invocation).await?;
        Ok(())
    }
}

/// Deletes an object unless it was replaced since it was read, and says whether it is deleted.
async fn delete_as_read(
    store: &impl DeleteIf,
    key: &ObjectKey,
    etag: &ETag,
) -> Result<bool, StoreError> {
    match store.delete_if_match(key, etag).await {
        Ok(()) => Ok(true),
        Err(StoreError::Changed { .. } | StoreError::Conflict { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Runs `quotelake replay` until it is done or `stop` is cancelled.
///
/// # Errors
/// [`ReplayError`]; what was done until then stays done.
pub async fn run(
    options: &Options,
    environment: &Environment,
    stop: CancellationToken,
) -> Result<Outcome, ReplayError> {
    options.check()?;
    let lake = options.location.open(environment).await?;
    let replay = Replay::new(lake.s3().clone(), lake.layout(), options, stop);
    let mut outcome = Outcome {
        dry_run: options.dry_run,
        ..Outcome::default()
    };
    if let Some(bucket) = &options.payloads {
        let bucket = lake.bucket(bucket).await;
        outcome.payloads = Some(replay.payloads(&bucket, options.keep).await?);
    }
    if let Some((topic, brokers)) = options
        .failures_topic
        .as_ref()
        .zip(options.brokers.as_ref())
    {
        let cluster = Brokers::new(brokers, environment).cluster().await?;
        outcome.messages = Some(replay.messages(&cluster, topic).await?);
    }
    outcome.quarantine = replay.quarantine().await?;
    outcome.stopped = replay.stop.is_cancelled();
    replay.progress.finish();
    Ok(outcome)
}

/// The outcome as the options want it printed.
pub fn text(options: &Options, outcome: &Outcome) -> String {
    if options.json {
        text::json(outcome)
    } else {
        text::text(outcome)
    }
}

#[cfg(test)]
mod tests;
