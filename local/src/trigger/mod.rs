//! The Kafka trigger: what a Lambda event source mapping does, on this machine.
//!
//! It consumes a topic in a group, cuts batches as the service does, sends the service's event, and commits
//! what the function has answered for. In on-demand mode, the one here, a failed batch is retried whole until
//! it succeeds. Source: AWS Lambda developer guide, "Using Lambda with Amazon MSK".

mod batch;
mod event;

use std::{future::Future, sync::Arc, time::Duration};

use bytes::Bytes;
use runtime::clock;
use stream::{
    consume::{ConsumedRecord, StartAt, TopicConsumer},
    topics::TopicError,
};
use tokio::{
    sync::oneshot,
    time::{Instant, sleep, timeout_at},
};

use crate::{host::InvokeError, stats::Stats};
pub use batch::{Batch, PAYLOAD_LIMIT};

/// One mapping of a topic to a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// The topic.
    pub topic: String,
    /// The consumer group.
    pub group: String,
    /// The most records of a batch, 1 to 10,000.
    pub batch_size: usize,
    /// How long a batch may wait to be filled.
    pub window: Duration,
    /// Where a group without commits starts.
    pub start_at: StartAt,
}

/// The pause before the first retry; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// The longest pause between two tries of a batch.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Runs a mapping for ever; drop the future to stop it. `joined` is told once there are partitions to consume;
/// `invoke` sends one event to the function.
///
/// # Errors
/// [`TopicError`] if the consumer can't be made.
pub async fn run<Answer>(
    brokers: &str,
    mapping: &Mapping,
    stats: &Stats,
    joined: oneshot::Sender<()>,
    invoke: impl Fn(Bytes) -> Answer,
) -> Result<(), TopicError>
where
    Answer: Future<Output = Result<Bytes, InvokeError>>,
{
    let consumer =
        TopicConsumer::subscribe(brokers, &mapping.topic, &mapping.group, mapping.start_at)?;
    let consumer = Arc::new(consumer);
    let mut carried = consumer.join().await;
    // Whoever waited for it may have given up.
    let _ = joined.send(());
    loop {
        let batch;
        (batch, carried) = collect(&consumer, brokers, mapping, carried, stats).await;
        deliver(&batch, stats, &invoke).await;
        let (committer, done) = (Arc::clone(&consumer), batch.done());
        let committed = tokio::task::spawn_blocking(move || committer.commit(done)).await;
        match committed {
            Ok(Ok(())) => stats.committed(&mapping.topic, &batch.done()),
            // The records are durable and will be found so when they come again.
            Ok(Err(error)) => stats.trouble(&error.to_string()),
            Err(error) => stats.trouble(&error.to_string()),
        }
    }
}

/// Gathers a batch: until it is full or its window, from the first record on, is over. The second value is
/// a record that did not fit any more.
async fn collect(
    consumer: &TopicConsumer,
    brokers: &str,
    mapping: &Mapping,
    carried: Option<ConsumedRecord>,
    stats: &Stats,
) -> (Batch, Option<ConsumedRecord>) {
    let mut batch = Batch::new(brokers, &mapping.topic, mapping.batch_size);
    let first = match carried {
        Some(record) => record,
        None => next(consumer, stats).await,
    };
    let mut left_over = batch.add(first).err();
    let end = Instant::now() + mapping.window;
    while left_over.is_none() && !batch.is_full() {
        match timeout_at(end, next(consumer, stats)).await {
            Ok(record) => left_over = batch.add(record).err(),
            Err(_) => break,
        }
    }
    (batch, left_over)
}

async fn next(consumer: &TopicConsumer, stats: &Stats) -> ConsumedRecord {
    loop {
        match consumer.next().await {
            Ok(record) => return record,
            Err(error) => {
                stats.trouble(&error.to_string());
                sleep(FIRST_PAUSE).await;
            }
        }
    }
}

/// Sends the batch until the function answers for it.
async fn deliver<Answer>(batch: &Batch, stats: &Stats, invoke: &impl Fn(Bytes) -> Answer)
where
    Answer: Future<Output = Result<Bytes, InvokeError>>,
{
    let payload = batch.payload();
    let mut pause = FIRST_PAUSE;
    loop {
        match invoke(payload.clone()).await {
            Ok(_) => {
                stats.delivered(clock::now(), batch.fetch_times());
                return;
            }
            Err(error) => stats.retried(&error.to_string()),
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
