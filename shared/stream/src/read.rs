//! Reading ranges of offsets again, outside of any group: nothing is joined and nothing committed.

use std::{
    collections::{BTreeMap, VecDeque},
    ops::Range,
    time::Duration,
};

use rdkafka::{
    Message, Offset, TopicPartitionList,
    consumer::{Consumer, StreamConsumer},
    error::KafkaError,
};
use tokio::time::{Instant, timeout};

use crate::{
    Cluster,
    consume::ConsumedRecord,
    context::Context,
    topics::{TopicError, failed},
};

/// Reads ranges of offsets of one topic, each partition's ranges one after the other.
pub struct RangeReader {
    consumer: StreamConsumer<Context>,
    topic: String,
    /// The ranges that have not begun, by partition.
    waiting: BTreeMap<i32, VecDeque<Range<i64>>>,
    /// The ranges that are being read, by partition.
    reading: BTreeMap<i32, Range<i64>>,
}

/// The group that librdkafka wants a name of; it gets no member.
const GROUP: &str = "quotelake-reader";

/// How long the brokers may give no record before the reader gives up on them.
const PATIENCE: Duration = Duration::from_secs(15);

impl RangeReader {
    /// A reader of `ranges` of partitions of `topic`. Several of one partition are read in their order.
    ///
    /// # Errors
    /// [`TopicError::Broker`] if librdkafka refuses the settings.
    pub fn new(
        cluster: &Cluster,
        topic: &str,
        ranges: impl IntoIterator<Item = (i32, Range<i64>)>,
    ) -> Result<Self, TopicError> {
        let mut config = cluster.client();
        config
            .set("group.id", GROUP)
            .set("enable.auto.commit", "false")
            .set("enable.partition.eof", "true")
            // Where the oldest records have been dropped meanwhile, the rest is still to be read.
            .set("auto.offset.reset", "earliest")
            .set("fetch.wait.max.ms", "100")
            .set("queued.max.messages.kbytes", "16384")
            .set("log.connection.close", "false");
        let context = Context::new(cluster);
        let consumer: StreamConsumer<Context> = cluster
            .create(&config, context.clone())
            .map_err(|error| broken(&context, topic, &error))?;
        let mut waiting: BTreeMap<i32, VecDeque<_>> = BTreeMap::new();
        for (partition, range) in ranges {
            if !range.is_empty() {
                waiting.entry(partition).or_default().push_back(range);
            }
        }
        Ok(Self {
            consumer,
            topic: topic.to_owned(),
            waiting,
            reading: BTreeMap::new(),
        })
    }

    /// The next record of the ranges, those of a partition in their order; `None` once they are read as far as the
    /// brokers have them.
    ///
    /// # Errors
    /// [`TopicError::Broker`] if the brokers give nothing for 15 s.
    pub async fn next(&mut self) -> Result<Option<ConsumedRecord>, TopicError> {
        let until = Instant::now() + PATIENCE;
        let mut cause = None;
        loop {
            if self.reading.is_empty() && !self.begin().map_err(|error| self.failed(&error))? {
                return Ok(None);
            }
            let left = until.saturating_duration_since(Instant::now());
            let Ok(received) = timeout(left, self.consumer.recv()).await else {
                let cause = cause.unwrap_or(KafkaError::MessageConsumption(
                    rdkafka::types::RDKafkaErrorCode::OperationTimedOut,
                ));
                return Err(self.failed(&cause));
            };
            let (partition, offset, record) = match received {
                Ok(message) => (
                    message.partition(),
                    message.offset(),
                    Some(ConsumedRecord::of(&message)),
                ),
                Err(KafkaError::PartitionEOF(partition)) => (partition, i64::MAX, None),
                // librdkafka goes on reconnecting.
                Err(error) => {
                    cause = Some(error);
                    continue;
                }
            };
            // What still comes of a range that has ended is nobody's.
            let Some(range) = self.reading.get(&partition).cloned() else {
                continue;
            };
            if offset >= range.end - 1 {
                self.finish(partition)
                    .map_err(|error| self.failed(&error))?;
            }
            if range.contains(&offset)
                && let Some(record) = record
            {
                return Ok(Some(record));
            }
        }
    }

    /// Begins the next range of every partition; false if there is none.
    fn begin(&mut self) -> Result<bool, KafkaError> {
        let mut positions = TopicPartitionList::new();
        for (&partition, ranges) in &mut self.waiting {
            if let Some(range) = ranges.pop_front() {
                let start = Offset::Offset(range.start);
                positions.add_partition_offset(&self.topic, partition, start)?;
                self.reading.insert(partition, range);
            }
        }
        self.consumer.assign(&positions)?;
        // An assignment leaves what was paused as it was.
        self.consumer.resume(&positions)?;
        Ok(!self.reading.is_empty())
    }

    fn finish(&mut self, partition: i32) -> Result<(), KafkaError> {
        self.reading.remove(&partition);
        let mut finished = TopicPartitionList::new();
        finished.add_partition(&self.topic, partition);
        self.consumer.pause(&finished)
    }

    fn failed(&self, error: &KafkaError) -> TopicError {
        broken(self.consumer.context(), &self.topic, error)
    }
}

fn broken(context: &Context, topic: &str, error: &KafkaError) -> TopicError {
    failed(context, &format!("the topic '{topic}'"), error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        embedded::EmbeddedBroker,
        publish::{KafkaPublisher, Publish},
    };

    /// A topic of two partitions, and how many records each holds.
    async fn topic(records: i64) -> (EmbeddedBroker, BTreeMap<i32, i64>) {
        let broker = EmbeddedBroker::start().unwrap();
        broker.create_topic("t", 2).unwrap();
        let publisher = KafkaPublisher::new(broker.cluster()).unwrap();
        let mut held: BTreeMap<i32, i64> = BTreeMap::new();
        for index in 0..records {
            let (key, until) = (index.to_string(), Instant::now() + Duration::from_secs(10));
            let published = publisher.publish("t", &key, key.as_bytes(), until);
            *held.entry(published.await.unwrap().partition).or_default() += 1;
        }
        (broker, held)
    }

    async fn offsets(mut reader: RangeReader) -> BTreeMap<i32, Vec<i64>> {
        let mut offsets: BTreeMap<i32, Vec<i64>> = BTreeMap::new();
        while let Some(record) = reader.next().await.unwrap() {
            offsets
                .entry(record.partition)
                .or_default()
                .push(record.offset);
        }
        offsets
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn ranges_are_read_whole_and_in_order_and_nothing_else_is() {
        let (broker, held) = topic(60).await;
        let ends = held.iter().map(|(&partition, &end)| (partition, 0..end));
        let all = RangeReader::new(broker.cluster(), "t", ends).unwrap();
        let expected: BTreeMap<_, Vec<_>> = held
            .iter()
            .map(|(&p, &end)| (p, (0..end).collect()))
            .collect();
        assert_eq!(offsets(all).await, expected);

        let some = [(0, 3..5), (1, 2..2), (0, 9..10), (1, 7..8), (0, 11..13)];
        let some = RangeReader::new(broker.cluster(), "t", some).unwrap();
        let expected = BTreeMap::from([(0, vec![3, 4, 9, 11, 12]), (1, vec![7])]);
        assert_eq!(offsets(some).await, expected);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_range_that_goes_beyond_the_last_record_ends_there() {
        let (broker, held) = topic(12).await;
        let (&partition, &end) = held.iter().next().unwrap();
        let beyond = [
            (partition, end - 1..end + 100),
            (partition, end + 200..end + 300),
        ];
        let reader = RangeReader::new(broker.cluster(), "t", beyond).unwrap();
        assert_eq!(
            offsets(reader).await,
            BTreeMap::from([(partition, vec![end - 1])])
        );
    }
}
