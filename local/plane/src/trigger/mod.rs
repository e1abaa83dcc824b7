//! The Kafka trigger: what a Lambda event source mapping does, on this machine.
//!
//! It consumes a topic in a group, cuts batches as the service does, sends the service's event, and commits
//! what is done. In on-demand mode a failed batch is retried whole until it succeeds; in provisioned mode its
//! mapping may limit that, split it, or let the function name the records that failed. Source: AWS Lambda
//! developer guide, "Using Lambda with Amazon MSK".

mod backoff;
mod batch;
mod commit;
mod delivery;
mod destination;
mod event;
mod given_up;
mod mapping;
mod monitor;
mod record;
mod response;
mod running;

use std::{collections::BTreeMap, convert::Infallible, future::Future};

use bytes::Bytes;
use futures::future::{join, try_join_all};
use runtime::clock;
use stream::{
    Cluster,
    consume::{ConsumedRecord, TopicConsumer},
    start::commit_start,
    topics::TopicError,
};
use tokio::{
    sync::mpsc,
    time::{Instant, timeout_at},
};

use crate::{host::InvokeError, stats::Stats};
use backoff::Backoff;
use batch::{Batch, ends};
use commit::commit_all;
use delivery::Delivery;
pub use destination::{Destination, DestinationError};
pub use given_up::Condition;
pub use mapping::Mapping;
pub use monitor::Ends;
pub use running::{Triggers, TriggersError};

/// Commits where the mapping's group begins, unless it has begun. [`run`] does that too; before it, this lets others
/// see the start in the group's commits.
///
/// # Errors
/// [`TopicError`] if the brokers do not answer.
pub async fn begin(cluster: &Cluster, mapping: &Mapping) -> Result<(), TopicError> {
    commit_start(cluster, &mapping.topic, &mapping.group, mapping.start_at).await
}

/// Runs a mapping for ever; drop the future to stop it. `joined` is told once there are partitions to consume;
/// `invoke` sends one event to the function.
///
/// # Errors
/// [`TopicError`] if the group's start can't be committed or a consumer can't be made.
pub async fn run<Answer>(
    cluster: &Cluster,
    mapping: &Mapping,
    stats: &Stats,
    joined: mpsc::Sender<()>,
    invoke: impl Fn(Bytes) -> Answer,
) -> Result<Infallible, TopicError>
where
    Answer: Future<Output = Result<Bytes, InvokeError>>,
{
    begin(cluster, mapping).await?;
    let delivery = Delivery {
        mapping,
        cluster,
        stats,
        now: &clock::now,
        invoke: &invoke,
    };
    let pollers = (0..mapping.pollers.max(1)).map(|_| poll(&delivery, &joined));
    let ended: Vec<Infallible> = try_join_all(pollers).await?;
    match ended[0] {}
}

/// One member of the group: batches of its partitions, one after the other.
async fn poll<Invoke, Answer>(
    delivery: &Delivery<'_, Invoke>,
    joined: &mpsc::Sender<()>,
) -> Result<Infallible, TopicError>
where
    Invoke: Fn(Bytes) -> Answer,
    Answer: Future<Output = Result<Bytes, InvokeError>>,
{
    let Delivery { mapping, stats, .. } = delivery;
    let consumer = TopicConsumer::subscribe(delivery.cluster, &mapping.topic, &mapping.group)?;
    let mut carried = receive(stats, || consumer.join()).await;
    // Whoever waited for it may have given up, or another poller was first.
    let _ = joined.try_send(());
    let (done, is_done) = mpsc::unbounded_channel();
    let deliver = async {
        loop {
            let batch;
            (batch, carried) =
                collect(&consumer, delivery.cluster, mapping, carried.take(), stats).await;
            let records = batch.into_records();
            let ends = ends(&records);
            delivery.deliver(records).await;
            // It is received for as long as this runs.
            let _ = done.send(ends);
        }
    };
    let commit = |ends: BTreeMap<i32, i64>| async {
        consumer.commit(ends.clone()).await?;
        for (partition, offset) in ends {
            stats.committed(&mapping.function, mapping.partition(partition), offset);
        }
        Ok(())
    };
    let commit = commit_all(
        is_done,
        commit,
        |partition| consumer.holds(partition),
        stats,
    );
    let (never, ()) = join(deliver, commit).await;
    Ok(never)
}

/// Gathers a batch: until it is full or its window, from the first record on, is over. The second value is
/// a record that did not fit any more.
async fn collect(
    consumer: &TopicConsumer,
    cluster: &Cluster,
    mapping: &Mapping,
    carried: Option<ConsumedRecord>,
    stats: &Stats,
) -> (Batch, Option<ConsumedRecord>) {
    let mut batch = Batch::new(cluster.brokers(), &mapping.topic, mapping.batch_size);
    let first = match carried {
        Some(record) => record,
        None => receive(stats, || consumer.next()).await,
    };
    report_expired(consumer, mapping, &first, stats).await;
    let mut left_over = batch.add(first).err();
    let end = Instant::now() + mapping.window;
    while left_over.is_none() && !batch.is_full() {
        match timeout_at(end, receive(stats, || consumer.next())).await {
            Ok(record) => {
                report_expired(consumer, mapping, &record, stats).await;
                left_over = batch.add(record).err();
            }
            Err(_) => break,
        }
    }
    (batch, left_over)
}

/// Nobody else tells that the records before this one are gone: the group goes on at the oldest that is there. Once
/// this one is committed nobody can tell any more, so the brokers are asked until they answer.
async fn report_expired(
    consumer: &TopicConsumer,
    mapping: &Mapping,
    record: &ConsumedRecord,
    stats: &Stats,
) {
    let expired = insist(stats, || consumer.expired_before(record)).await;
    if !expired.is_empty() {
        stats.expired(
            &mapping.function,
            &mapping.topic,
            record.partition,
            &expired,
        );
    }
}

/// What a consumer receives; each report of librdkafka before it is a trouble. No pause follows one: they queue up before
/// the records while a broker is away, and a pause for each would hold up the records long after it is back.
async fn receive<T, Received>(stats: &Stats, next: impl Fn() -> Received) -> T
where
    Received: Future<Output = Result<T, TopicError>>,
{
    loop {
        match next().await {
            Ok(received) => return received,
            Err(report) => stats.trouble(&report.to_string()),
        }
    }
}

/// What the brokers answer, asked again for as long as that fails; each failure is a trouble.
async fn insist<T, Answer>(stats: &Stats, ask: impl Fn() -> Answer) -> T
where
    Answer: Future<Output = Result<T, TopicError>>,
{
    let mut backoff = Backoff::default();
    loop {
        match ask().await {
            Ok(answer) => return answer,
            Err(error) => {
                stats.trouble(&error.to_string());
                backoff.pause().await;
            }
        }
    }
}

#[cfg(test)]
mod tests;
