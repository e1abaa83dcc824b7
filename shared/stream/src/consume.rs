//! Consuming in a group, with commits by hand: what the Kafka trigger stands on.

mod member;

use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use bytes::Bytes;
use rdkafka::{
    Message, Offset, TopicPartitionList,
    consumer::{CommitMode, Consumer, StreamConsumer},
    error::{KafkaError, RDKafkaErrorCode},
    message::{BorrowedMessage, Headers},
};

use tokio::{
    sync::{Mutex as AsyncMutex, oneshot},
    time::{Instant, timeout, timeout_at},
};

use member::Member;

use crate::{
    Cluster,
    context::Context,
    topics::{ASK, TopicError, blocking, broker_error, committed_of, failed},
};

/// A record as the broker keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumedRecord {
    /// The partition.
    pub partition: i32,
    /// The offset.
    pub offset: i64,
    /// Milliseconds since the epoch, where the broker has one.
    pub timestamp: Option<i64>,
    /// Whether the broker, not the producer, set the timestamp.
    pub log_append_time: bool,
    /// The key.
    pub key: Option<Bytes>,
    /// The value; `None` is a tombstone.
    pub value: Option<Bytes>,
    /// The headers in order; names may repeat.
    pub headers: Vec<(String, Bytes)>,
}

impl ConsumedRecord {
    pub(crate) fn of(message: &BorrowedMessage<'_>) -> Self {
        let bytes = Bytes::copy_from_slice;
        Self {
            partition: message.partition(),
            offset: message.offset(),
            timestamp: message.timestamp().to_millis(),
            log_append_time: matches!(message.timestamp(), rdkafka::Timestamp::LogAppendTime(_)),
            key: message.key().map(bytes),
            value: message.payload().map(bytes),
            headers: message.headers().map_or_else(Vec::new, |headers| {
                headers
                    .iter()
                    .map(|header| {
                        (
                            header.key.to_owned(),
                            header.value.map(bytes).unwrap_or_default(),
                        )
                    })
                    .collect()
            }),
        }
    }
}

/// How old a client's knowledge of a topic gets, in milliseconds: so long nobody notices new partitions.
pub(crate) const METADATA_AGE_MS: &str = "15000";

/// How long the brokers may take to answer a commit. librdkafka waits without limit: a commit that was out when the last
/// coordinator went is answered when there is another.
const COMMIT: Duration = Duration::from_secs(15);

/// A member of a consumer group on one topic.
pub struct TopicConsumer {
    consumer: Arc<Member>,
    topic: String,
    /// The offset after the last record that came, by partition.
    positions: Mutex<BTreeMap<i32, i64>>,
    /// The commit that the brokers have not answered yet.
    unanswered: AsyncMutex<Option<oneshot::Receiver<Result<(), TopicError>>>>,
}

impl TopicConsumer {
    /// Subscribes `group` to `topic`. A partition that the group has committed nothing of is read from its oldest
    /// record; [`commit_start`](crate::start::commit_start) before makes that another.
    ///
    /// # Errors
    /// [`TopicError::Broker`] if librdkafka refuses the settings.
    pub fn subscribe(cluster: &Cluster, topic: &str, group: &str) -> Result<Self, TopicError> {
        let mut config = cluster.client();
        config
            .set("group.id", group)
            .set("auto.offset.reset", "earliest")
            .set("enable.auto.commit", "false")
            .set("fetch.wait.max.ms", "100")
            // A batch is retried for as long as it takes, and nothing is polled meanwhile.
            .set("max.poll.interval.ms", "86400000")
            // A member that is gone without a word holds its partitions for this long.
            .set("session.timeout.ms", "10000")
            .set("topic.metadata.refresh.interval.ms", METADATA_AGE_MS)
            .set("log.connection.close", "false");
        let context = Context::new(cluster);
        let failed = |error: KafkaError| failed(&context, &format!("the topic '{topic}'"), &error);
        let consumer: StreamConsumer<Context> =
            cluster.create(&config, context.clone()).map_err(failed)?;
        consumer.subscribe(&[topic]).map_err(failed)?;
        Ok(Self {
            consumer: Arc::new(Member::new(consumer)),
            topic: topic.to_owned(),
            positions: Mutex::default(),
            unanswered: AsyncMutex::default(),
        })
    }

    /// Waits until the group has given this member partitions; a record that comes meanwhile is the value.
    ///
    /// # Errors
    /// As of [`next`](Self::next).
    pub async fn join(&self) -> Result<Option<ConsumedRecord>, TopicError> {
        loop {
            if let Ok(received) = timeout(Duration::from_millis(20), self.next()).await {
                return received.map(Some);
            }
            if self
                .consumer
                .assignment()
                .is_ok_and(|partitions| partitions.count() > 0)
            {
                return Ok(None);
            }
        }
    }

    /// The next record; waits for it, and takes a dropped future well.
    ///
    /// # Errors
    /// [`TopicError`]: a report of librdkafka, which goes on reconnecting. It makes a few a second at most, and each waits
    /// in the queue before the records that came later, so ask for the next at once.
    pub async fn next(&self) -> Result<ConsumedRecord, TopicError> {
        let message = self
            .consumer
            .recv()
            .await
            .map_err(|error| self.failed(&error))?;
        self.consumer.context().answered();
        Ok(ConsumedRecord::of(&message))
    }

    /// The offsets right before `record`, which [`next`](Self::next) has given last of its partition, that the group has
    /// neither read nor can read any more, because the topic no longer holds them; empty but for that. Offsets that
    /// compaction or transactions leave out are not among them.
    ///
    /// # Errors
    /// [`TopicError`] if the brokers don't tell; then ask again before anything of the partition is committed, because
    /// a commit hides what came before it.
    pub async fn expired_before(&self, record: &ConsumedRecord) -> Result<Range<i64>, TopicError> {
        let ConsumedRecord {
            partition, offset, ..
        } = *record;
        let read = self.positions().get(&partition).copied();
        let expired = if read >= Some(offset) {
            offset..offset
        } else {
            self.expired_between(partition, read, offset).await?
        };
        self.positions().insert(partition, offset + 1);
        Ok(expired)
    }

    /// The offsets before `offset` that have expired since this member, or another, has read up to `read`.
    async fn expired_between(
        &self,
        partition: i32,
        read: Option<i64>,
        offset: i64,
    ) -> Result<Range<i64>, TopicError> {
        let (consumer, topic, what) = (Arc::clone(&self.consumer), self.topic.clone(), self.what());
        let ask = move || {
            let failed = |error: KafkaError| failed(consumer.context(), &what, &error);
            // Another member may have read on since this one had the partition.
            let mut asked = TopicPartitionList::new();
            asked.add_partition(&topic, partition);
            let answer = consumer.committed_offsets(asked, ASK).map_err(failed)?;
            let committed = committed_of(&answer, &topic, partition).map_err(failed)?;
            let Some(expected) = read.max(committed).filter(|&expected| expected < offset) else {
                return Ok(offset..offset);
            };
            let (low, _) = consumer
                .fetch_watermarks(&topic, partition, ASK)
                .map_err(failed)?;
            Ok(expected..low.clamp(expected, offset))
        };
        blocking(self.consumer.context().cluster(), &self.topic, ask).await
    }

    /// Commits, for each `(partition, offset)`, that everything below `offset` is done, and waits for it, for at most 15 s.
    ///
    /// # Errors
    /// [`TopicError`] if the brokers refuse it or don't answer in time, which does not say that they have not taken it; the
    /// records may come again after a restart.
    pub async fn commit(
        &self,
        done: impl IntoIterator<Item = (i32, i64)>,
    ) -> Result<(), TopicError> {
        let mut offsets = TopicPartitionList::new();
        for (partition, offset) in done {
            offsets
                .add_partition_offset(&self.topic, partition, Offset::Offset(offset))
                .map_err(|error| self.failed(&error))?;
        }
        let until = Instant::now() + COMMIT;
        let timed_out = |_| self.commit_failed(RDKafkaErrorCode::OperationTimedOut);
        let mut unanswered = self.unanswered.lock().await;
        if let Some(earlier) = unanswered.as_mut() {
            // Another behind it would wait too. Whatever its answer is, this one goes further.
            let _ = timeout_at(until, earlier).await.map_err(timed_out)?;
            *unanswered = None;
        }
        let answer = unanswered.insert(self.start_commit(offsets)?);
        let answer = timeout_at(until, answer).await.map_err(timed_out)?;
        *unanswered = None;
        answer.unwrap_or_else(|_| Err(self.commit_failed(RDKafkaErrorCode::Fail)))
    }

    /// Has a thread of its own wait for the answer, so that the process can end without it.
    fn start_commit(
        &self,
        offsets: TopicPartitionList,
    ) -> Result<oneshot::Receiver<Result<(), TopicError>>, TopicError> {
        let (consumer, what) = (Arc::clone(&self.consumer), self.what());
        let (answer, answered) = oneshot::channel();
        let commit = move || {
            let committed = consumer
                .commit(&offsets, CommitMode::Sync)
                .map_err(|error| failed(consumer.context(), &what, &error));
            // Whoever gets the answer may drop the member, and waits until it has left.
            drop(consumer);
            // Nobody may wait any more.
            let _ = answer.send(committed);
        };
        let started = thread::Builder::new()
            .name("commit".to_owned())
            .spawn(commit);
        started.map(|_| answered).map_err(|error| {
            let cluster = self.consumer.context().cluster();
            broker_error(cluster, &self.what(), error.to_string())
        })
    }

    fn commit_failed(&self, code: RDKafkaErrorCode) -> TopicError {
        self.failed(&KafkaError::ConsumerCommit(code))
    }

    /// Whether the group has given `partition` to this member.
    pub fn holds(&self, partition: i32) -> bool {
        self.consumer
            .assignment()
            .is_ok_and(|held| held.find_partition(&self.topic, partition).is_some())
    }

    fn positions(&self) -> MutexGuard<'_, BTreeMap<i32, i64>> {
        self.positions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self, error: &KafkaError) -> TopicError {
        failed(self.consumer.context(), &self.what(), error)
    }

    fn what(&self) -> String {
        format!("the topic '{}'", self.topic)
    }
}

#[cfg(test)]
mod tests;
