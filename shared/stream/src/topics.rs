//! Topics: their names, their creation, their watermarks.

use std::{ops::Range, time::Duration};

use rdkafka::{
    Offset, TopicPartitionList,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
    consumer::{BaseConsumer, Consumer},
    error::{KafkaError, RDKafkaErrorCode},
    metadata::MetadataPartition,
};

use crate::{AddressError, Cluster};

/// Why a topic can't be created or looked at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TopicError {
    /// The name is none that Kafka allows.
    #[error(
        "'{0}' is no Kafka topic name: use 1 to 249 letters, digits, '.', '_' or '-', and neither '.' nor '..'"
    )]
    BadName(String),
    /// The address list is not usable.
    #[error(transparent)]
    BadAddress(#[from] AddressError),
    /// The broker does not answer or refuses.
    #[error(
        "the brokers at {brokers} don't answer for {what} ({cause}): check the address and that they are up"
    )]
    Broker {
        /// The bootstrap servers.
        brokers: String,
        /// What was asked for.
        what: String,
        /// The library's words.
        cause: String,
    },
}

/// Checks a topic's name against Kafka's rule.
///
/// # Errors
/// [`TopicError::BadName`].
pub fn check_name(topic: &str) -> Result<(), TopicError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let right = (1..=249).contains(&topic.len())
        && topic.chars().all(allowed)
        && topic != "."
        && topic != "..";
    right
        .then_some(())
        .ok_or_else(|| TopicError::BadName(topic.to_owned()))
}

/// Waits until a broker answers, for at most 5 s.
///
/// # Errors
/// [`TopicError::Broker`] if none answers.
pub async fn reach(cluster: &Cluster) -> Result<(), TopicError> {
    let failed = |cause: String| broker_error(cluster, "the list of topics", cause);
    let client: BaseConsumer = cluster
        .client()
        .create()
        .map_err(|error: KafkaError| failed(error.to_string()))?;
    let asked = tokio::task::spawn_blocking(move || client.fetch_metadata(None, ASK).map(drop));
    match asked.await {
        Ok(answer) => answer.map_err(|error| failed(error.to_string())),
        Err(error) => Err(failed(error.to_string())),
    }
}

/// Creates `topic` unless it exists.
///
/// # Errors
/// [`TopicError::Broker`] if the cluster can't be asked or refuses.
pub async fn create(cluster: &Cluster, topic: &str, partitions: i32) -> Result<(), TopicError> {
    check_name(topic)?;
    let failed =
        |cause: String| broker_error(cluster, &format!("creating the topic '{topic}'"), cause);
    let admin: AdminClient<DefaultClientContext> = cluster
        .client()
        .create()
        .map_err(|error| failed(error.to_string()))?;
    let new = NewTopic::new(topic, partitions, TopicReplication::Fixed(-1));
    let options = AdminOptions::new().request_timeout(Some(Duration::from_secs(10)));
    let results = admin
        .create_topics([&new], &options)
        .await
        .map_err(|error| failed(error.to_string()))?;
    match results.into_iter().next() {
        Some(Err((_, code))) if code != RDKafkaErrorCode::TopicAlreadyExists => {
            Err(failed(code.to_string()))
        }
        _ => Ok(()),
    }
}

/// Creates `topic` if the cluster does not list it: for brokers that can't be asked to create what exists.
///
/// # Errors
/// [`TopicError::Broker`] if the cluster can't be asked or refuses.
pub async fn create_absent(
    cluster: &Cluster,
    topic: &str,
    partitions: i32,
) -> Result<(), TopicError> {
    let failed = |cause: String| broker_error(cluster, "the list of topics", cause);
    let client: BaseConsumer = cluster
        .client()
        .create()
        .map_err(|error: KafkaError| failed(error.to_string()))?;
    // All of them, because to ask for one may create it.
    let asked = tokio::task::spawn_blocking(move || client.fetch_metadata(None, ASK)).await;
    let metadata = asked
        .map_err(|error| failed(error.to_string()))?
        .map_err(|error| failed(error.to_string()))?;
    if metadata
        .topics()
        .iter()
        .any(|listed| listed.name() == topic)
    {
        return Ok(());
    }
    create(cluster, topic, partitions).await
}

/// Looks at watermarks and committed offsets without joining a group.
pub struct Watermarks {
    consumer: BaseConsumer,
    cluster: Cluster,
}

/// How long one question to the broker may take.
pub(crate) const ASK: Duration = Duration::from_secs(5);

impl Watermarks {
    /// Makes the client; `group` is the one whose committed offsets are looked at.
    ///
    /// # Errors
    /// [`TopicError::Broker`] if librdkafka refuses the address.
    pub fn new(cluster: &Cluster, group: &str) -> Result<Self, TopicError> {
        let consumer = cluster
            .client()
            .set("group.id", group)
            .set("enable.auto.commit", "false")
            .create()
            .map_err(|error: KafkaError| broker_error(cluster, "a consumer", error.to_string()))?;
        Ok(Self {
            consumer,
            cluster: cluster.clone(),
        })
    }

    /// The topic's partitions in order. Blocks for up to 5 s.
    ///
    /// # Errors
    /// [`TopicError::Broker`] if the cluster does not answer or has no such topic.
    pub fn partitions(&self, topic: &str) -> Result<Vec<i32>, TopicError> {
        let failed =
            |cause: String| broker_error(&self.cluster, &format!("the topic '{topic}'"), cause);
        let metadata = self
            .consumer
            .fetch_metadata(Some(topic), ASK)
            .map_err(|error| failed(error.to_string()))?;
        let mut partitions: Vec<i32> = metadata
            .topics()
            .iter()
            .flat_map(|topic| topic.partitions().iter().map(MetadataPartition::id))
            .collect();
        if partitions.is_empty() {
            return Err(failed("it has no partitions".to_owned()));
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
        let (low, high) = self
            .consumer
            .fetch_watermarks(topic, partition, ASK)
            .map_err(|error| {
                broker_error(
                    &self.cluster,
                    &format!("{topic}-{partition}"),
                    error.to_string(),
                )
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
        let committed = self
            .consumer
            .committed_offsets(list, ASK)
            .map_err(|error| {
                broker_error(
                    &self.cluster,
                    &format!("the committed offsets of '{topic}'"),
                    error.to_string(),
                )
            })?;
        let offset_of =
            |&partition: &i32| match committed.find_partition(topic, partition)?.offset() {
                Offset::Offset(offset) => Some(offset),
                _ => None,
            };
        Ok(partitions.iter().map(offset_of).collect())
    }
}

pub(crate) fn broker_error(cluster: &Cluster, what: &str, cause: String) -> TopicError {
    TopicError::Broker {
        brokers: cluster.to_string(),
        what: what.to_owned(),
        cause,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_name_is_checked_as_kafka_does() {
        for right in ["stock-quotes", "trades_raw", "a.b", "...", &"x".repeat(249)] {
            assert_eq!(check_name(right), Ok(()), "{right}");
        }
        for wrong in ["", ".", "..", "a/b", "a b", "é", &"x".repeat(250)] {
            assert_eq!(
                check_name(wrong),
                Err(TopicError::BadName(wrong.to_owned()))
            );
        }
    }
}
