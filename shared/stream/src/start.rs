//! Where a consumer group begins that has committed nothing.
//!
//! The start becomes the group's first commit. So committed offsets win over it, whoever looks at the group
//! sees it, and a rebalance before the first batch neither skips a record nor brings one twice.

use std::{collections::BTreeMap, ops::Range};

use jiff::Timestamp;
use rdkafka::{
    Message, Offset, TopicPartitionList,
    consumer::{BaseConsumer, CommitMode, Consumer},
    error::{KafkaError, RDKafkaErrorCode},
};

use crate::{
    Cluster,
    context::{Context, ask},
    topics::{ASK, TopicError, Watermarks, blocking, broker_error},
};

/// Where a group starts that has committed nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartAt {
    /// The oldest record that the topic holds.
    Earliest,
    /// The next record to come.
    Latest,
    /// In each partition, the first record of this time or later; without one, the next record to come.
    At(Timestamp),
}

/// Commits where `group` begins, for each partition of `topic` that it has committed nothing of. Call it before the
/// first member subscribes: brokers take no commit from outside of a group that has members.
///
/// [`StartAt::At`] reads each partition from its oldest record on. Every broker can do that; the embedded one
/// answers a look-up by time wrongly. On a long topic it takes as long as reading it up to that time.
///
/// # Errors
/// [`TopicError::Broker`] if the brokers do not answer or refuse the commit.
pub async fn commit_start(
    cluster: &Cluster,
    topic: &str,
    group: &str,
    start_at: StartAt,
) -> Result<(), TopicError> {
    let (asked, of) = (cluster.clone(), topic.to_owned());
    let group = group.to_owned();
    let commit = move || commit(&asked, &of, &group, start_at);
    blocking(cluster, topic, commit).await
}

fn commit(
    cluster: &Cluster,
    topic: &str,
    group: &str,
    start_at: StartAt,
) -> Result<(), TopicError> {
    // Every consumer here reads from the oldest record where its group has no commit.
    if start_at == StartAt::Earliest {
        return Ok(());
    }
    let watermarks = Watermarks::new(cluster, group)?;
    let partitions = watermarks.partitions(topic)?;
    let committed = watermarks.committed(topic, &partitions)?;
    let mut held = BTreeMap::new();
    for (partition, committed) in partitions.into_iter().zip(committed) {
        if committed.is_none() {
            held.insert(partition, watermarks.held(topic, partition)?);
        }
    }
    if held.is_empty() {
        return Ok(());
    }
    let failed = |error: KafkaError| {
        let what = format!("the start of the group '{group}' in the topic '{topic}'");
        broker_error(cluster, &what, error.to_string())
    };
    let mut config = cluster.client();
    config
        .set("group.id", group)
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true");
    let consumer: BaseConsumer<Context> = cluster
        .create(&config, Context::new(cluster))
        .map_err(failed)?;
    let first = match start_at {
        StartAt::At(time) => first_since(&consumer, topic, &held, time).map_err(failed)?,
        _ => held
            .iter()
            .map(|(&partition, held)| (partition, held.end))
            .collect(),
    };
    let first = positions(topic, &first).map_err(failed)?;
    ask(&consumer, |consumer| {
        consumer.commit(&first, CommitMode::Sync)
    })
    .map_err(failed)
}

/// The first offset of `time` or later in each of the partitions, which hold these offsets; the end of those that have
/// none.
fn first_since(
    consumer: &BaseConsumer<Context>,
    topic: &str,
    held: &BTreeMap<i32, Range<i64>>,
    time: Timestamp,
) -> Result<BTreeMap<i32, i64>, KafkaError> {
    let (empty, full): (Vec<_>, Vec<_>) = held.iter().partition(|(_, held)| held.is_empty());
    let mut first: BTreeMap<i32, i64> = empty.iter().map(|(p, held)| (**p, held.end)).collect();
    let oldest = full.iter().map(|(p, held)| (**p, held.start)).collect();
    consumer.assign(&positions(topic, &oldest)?)?;
    while first.len() < held.len() {
        let (partition, offset, is_since) = match consumer.poll(ASK) {
            Some(Ok(message)) => {
                let is_since = message.timestamp().to_millis() >= Some(time.as_millisecond());
                (message.partition(), message.offset(), is_since)
            }
            Some(Err(KafkaError::PartitionEOF(partition))) => (partition, i64::MAX, false),
            Some(Err(error)) => return Err(error),
            None => {
                return Err(KafkaError::MessageConsumption(
                    RDKafkaErrorCode::OperationTimedOut,
                ));
            }
        };
        // What came since the look at the watermarks came after the start.
        if let Some(held) = held.get(&partition)
            && (is_since || offset >= held.end)
        {
            first.entry(partition).or_insert(offset.min(held.end));
            consumer.pause(&positions(topic, &[(partition, 0)].into())?)?;
        }
    }
    consumer.unassign()?;
    Ok(first)
}

fn positions(topic: &str, offsets: &BTreeMap<i32, i64>) -> Result<TopicPartitionList, KafkaError> {
    let mut list = TopicPartitionList::new();
    for (&partition, &offset) in offsets {
        list.add_partition_offset(topic, partition, Offset::Offset(offset))?;
    }
    Ok(list)
}
