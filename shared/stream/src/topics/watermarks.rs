use std::{
    ops::Range,
    thread::sleep,
    time::{Duration, Instant},
};

use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    error::{KafkaError, KafkaResult, RDKafkaErrorCode},
    metadata::MetadataPartition,
};

use super::{ASK, TopicError, broker_error, denial, error::errors, failed, refused};
use crate::{
    Cluster,
    context::{Context, ask},
};

/// The pause before a group's coordinator is asked again.
const AGAIN: Duration = Duration::from_millis(100);

/// Looks at watermarks and committed offsets without joining a group.
pub struct Watermarks {
    consumer: BaseConsumer<Context>,
    cluster: Cluster,
}

impl Watermarks {
    /// Makes the client; `group` is the one whose committed offsets are looked at.
    ///
    /// # Errors
    /// [`TopicError::Broker`] if librdkafka refuses the address.
    pub fn new(cluster: &Cluster, group: &str) -> Result<Self, TopicError> {
        let mut config = cluster.client();
        config
            .set("group.id", group)
            .set("enable.auto.commit", "false");
        let consumer = cluster
            .create(&config, Context::new(cluster))
            .map_err(|error| broker_error(cluster, "a consumer", error.to_string()))?;
        Ok(Self {
            consumer,
            cluster: cluster.clone(),
        })
    }

    /// The topic's partitions in order. Blocks for up to 5 s. A topic that does not exist is not made by this.
    ///
    /// # Errors
    /// [`TopicError::Unknown`] if there is no such topic, [`TopicError::Refused`] if the client may not look at it,
    /// [`TopicError::Broker`] if the cluster does not answer.
    pub fn partitions(&self, topic: &str) -> Result<Vec<i32>, TopicError> {
        let what = format!("the topic '{topic}'");
        let metadata = self.ask(&what, |consumer| consumer.fetch_metadata(Some(topic), ASK))?;
        let mut partitions: Vec<i32> = metadata
            .topics()
            .iter()
            .flat_map(|topic| topic.partitions().iter().map(MetadataPartition::id))
            .collect();
        if partitions.is_empty() {
            let is_unknown = |code| code == RDKafkaErrorCode::UnknownTopicOrPartition;
            return Err(match denial(&metadata) {
                Some(code) => refused(&self.cluster, &what, code.to_string()),
                None if errors(&metadata).any(is_unknown) => TopicError::Unknown {
                    brokers: self.cluster.to_string(),
                    topic: topic.to_owned(),
                },
                None => broker_error(&self.cluster, &what, "it has no partitions".to_owned()),
            });
        }
        partitions.sort_unstable();
        Ok(partitions)
    }

    /// The offsets that a partition holds: from the low watermark up to, not including, the high one.
    /// Blocks for up to 5 s.
    ///
    /// # Errors
    /// [`TopicError::Broker`].
    pub fn held(&self, topic: &str, partition: i32) -> Result<Range<i64>, TopicError> {
        let what = format!("{topic}-{partition}");
        let (low, high) = self.ask(&what, |consumer| {
            consumer.fetch_watermarks(topic, partition, ASK)
        })?;
        Ok(low..high)
    }

    /// The group's committed offset of each of `partitions`, `None` where it has none. Blocks for up to 5 s.
    ///
    /// # Errors
    /// [`TopicError::Broker`].
    pub fn committed(
        &self,
        topic: &str,
        partitions: &[i32],
    ) -> Result<Vec<Option<i64>>, TopicError> {
        let mut list = TopicPartitionList::new();
        for &partition in partitions {
            list.add_partition(topic, partition);
        }
        let what = format!("the committed offsets of '{topic}'");
        let until = Instant::now() + ASK;
        self.ask(&what, |consumer| {
            loop {
                let answer = consumer.committed_offsets(list.clone(), ASK);
                let committed = answer.and_then(|answer| {
                    let partitions = partitions.iter();
                    partitions
                        .map(|&partition| committed_of(&answer, topic, partition))
                        .collect()
                });
                match committed {
                    Err(error) if is_between_coordinators(&error) && Instant::now() < until => {
                        sleep(AGAIN);
                    }
                    committed => return committed,
                }
            }
        })
    }

    pub(super) fn ask<T>(
        &self,
        what: &str,
        question: impl FnOnce(&BaseConsumer<Context>) -> KafkaResult<T>,
    ) -> Result<T, TopicError> {
        ask(&self.consumer, question).map_err(|error| failed(self.consumer.context(), what, &error))
    }
}

/// Whether the group has no coordinator at the moment, as at a cluster's first group and while brokers change.
fn is_between_coordinators(error: &KafkaError) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(
        error.rdkafka_error_code(),
        Some(
            Code::NotCoordinator | Code::CoordinatorNotAvailable | Code::CoordinatorLoadInProgress
        )
    )
}

/// The committed offset of a partition in the brokers' answer, if there is one.
///
/// # Errors
/// The brokers' own for that partition: each has one beside the answer's.
pub(crate) fn committed_of(
    answer: &TopicPartitionList,
    topic: &str,
    partition: i32,
) -> KafkaResult<Option<i64>> {
    let Some(found) = answer.find_partition(topic, partition) else {
        return Ok(None);
    };
    found.error()?;
    Ok(match found.offset() {
        Offset::Offset(offset) => Some(offset),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use rdkafka::{
        mocking::MockCluster,
        types::{RDKafkaApiKey, RDKafkaRespErr},
    };

    use super::*;
    use crate::start::{StartAt, commit_start};

    #[tokio::test]
    async fn a_commit_that_is_not_for_the_user_is_no_missing_commit() {
        let broker = MockCluster::new(1).unwrap();
        broker.create_topic("t", 1, 1).unwrap();
        let question = RDKafkaApiKey::OffsetFetch;
        // An answer with errors of its partitions alone.
        broker.apiversion(question, Some(0), Some(1)).unwrap();
        let cluster = Cluster::plaintext(&broker.bootstrap_servers()).unwrap();
        let begun = commit_start(&cluster, "t", "group", StartAt::Latest).await;
        begun.unwrap();
        let watermarks = Watermarks::new(&cluster, "group").unwrap();
        assert_eq!(watermarks.committed("t", &[0]), Ok(vec![Some(0)]));
        let refusal = RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
        broker.request_errors(question, &[refusal]);
        let refused = watermarks.committed("t", &[0]);
        assert!(
            matches!(refused, Err(TopicError::Refused { .. })),
            "{refused:?}"
        );
    }

    #[tokio::test]
    async fn a_group_whose_coordinator_moves_is_asked_again() {
        let broker = MockCluster::new(1).unwrap();
        broker.create_topic("t", 1, 1).unwrap();
        let question = RDKafkaApiKey::OffsetFetch;
        broker.apiversion(question, Some(0), Some(1)).unwrap();
        let cluster = Cluster::plaintext(&broker.bootstrap_servers()).unwrap();
        let begun = commit_start(&cluster, "t", "group", StartAt::Latest).await;
        begun.unwrap();
        let watermarks = Watermarks::new(&cluster, "group").unwrap();
        let moved = RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_COORDINATOR;
        broker.request_errors(question, &[moved, moved]);
        assert_eq!(watermarks.committed("t", &[0]), Ok(vec![Some(0)]));
    }
}
