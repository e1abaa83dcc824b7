//! Filling the tables of a database from bronze, without Kafka.
//!
//! Objects are read in the order of their keys, several at once, and their records' rows are brought in chunks, each by one
//! transaction. Rows that are there stay as they are, so to do it again changes nothing.

mod outcome;
mod read;
#[cfg(test)]
mod tests;
mod write;

use std::time::Instant;

use futures::TryStreamExt;
use lake::{
    Layout, Name, ObjectKey,
    store::{Get, List},
};
use runtime::Environment;
use tables::Upsert;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{Options, Progress, ReplayError};
use crate::{database_location::tables, listed::listed, verify::QUOTE_TOPICS};
pub use outcome::{DatabaseOutcome, Named, ReadCounts, WrittenCounts};
use read::Reader;
use write::Written;

/// The rows of one transaction.
const CHUNK: usize = 5_000;

/// Chunks that wait for the database.
const WAITING: usize = 2;

/// What is brought to tables.
struct Wanted<'a> {
    topics: &'a [String],
    /// The history of the topics; empty without a name.
    epoch: &'a str,
    /// The last object that is done.
    after: Option<ObjectKey>,
}

impl Wanted<'_> {
    /// Whether the object to go on behind is one of the lake's records of these topics.
    ///
    /// # Errors
    /// [`ReplayError::NoSuchObject`] if it is not.
    async fn check(&self, store: &impl List, layout: &Layout) -> Result<(), ReplayError> {
        let Some(after) = &self.after else {
            return Ok(());
        };
        let is_of_records = matches!(
            layout.name_of(after),
            Name::Bronze { .. } | Name::Quarantine { .. }
        );
        let mut roots = self.topics.iter().flat_map(|topic| {
            [
                layout.topic_root(topic),
                layout.quarantine_topic_root(topic),
            ]
        });
        let is_wanted = is_of_records && roots.any(|root| after.as_str().starts_with(&root));
        let is_there = is_wanted && {
            let mut objects = std::pin::pin!(listed(store, after.as_str()));
            let first = objects.try_next().await?;
            first.is_some_and(|listed| listed.key == *after)
        };
        match is_there {
            true => Ok(()),
            false => Err(ReplayError::NoSuchObject(after.to_string())),
        }
    }
}

/// Runs `quotelake replay --to database` until it is done or `stop` is cancelled.
///
/// # Errors
/// [`ReplayError`]; what was done until then stays done.
pub async fn run_to_database(
    options: &Options,
    environment: &Environment,
    stop: CancellationToken,
) -> Result<DatabaseOutcome, ReplayError> {
    options.check()?;
    let lake = options.location.open(environment).await?;
    let access = options.database.access(environment)?;
    let topics = match &options.topic {
        Some(topic) => vec![topic.clone()],
        None => QUOTE_TOPICS.map(str::to_owned).to_vec(),
    };
    let wanted = Wanted {
        topics: &topics,
        epoch: lake.epoch().unwrap_or_default(),
        after: options.after.clone().map(ObjectKey::new),
    };
    wanted.check(lake.s3(), lake.layout()).await?;
    let tables = tables(access, !options.no_history).await?;
    let progress = Progress::new(options.json);
    let filled = fill(&tables, lake.s3(), lake.layout(), &wanted, &stop, &progress).await;
    progress.finish();
    filled
}

/// Brings the rows of every record of bronze, those in quarantine included, to the tables.
async fn fill(
    tables: &impl Upsert,
    store: &(impl Get + List),
    layout: &Layout,
    wanted: &Wanted<'_>,
    stop: &CancellationToken,
    progress: &Progress,
) -> Result<DatabaseOutcome, ReplayError> {
    let started = Instant::now();
    let (chunks, waiting) = mpsc::channel(WAITING);
    let mut reader = Reader::new(store, layout, wanted, stop);
    let mut written = Written::new(wanted.after.clone());
    let (read, brought) = tokio::join!(
        reader.read(chunks),
        written.bring(tables, waiting, progress)
    );
    let after = written.after.clone();
    let go_on = |cause: Box<ReplayError>| ReplayError::CutShort {
        cause,
        go_on: match &after {
            Some(after) => format!("go on with --after '{after}'"),
            None => "run it again to go on".to_owned(),
        },
    };
    // What the database refuses ends the reading too, and not the reverse.
    brought.map_err(|error| go_on(Box::new(error)))?;
    read.map_err(|error| go_on(Box::new(error)))?;
    Ok(DatabaseOutcome {
        stopped: stop.is_cancelled(),
        after: after.map(|key| key.to_string()),
        seconds: started.elapsed().as_secs_f64(),
        ..DatabaseOutcome::of(reader.counts, written.counts)
    })
}
