//! Topics: their names, their creation, their watermarks.

mod create;

use std::{ops::Range, time::Duration};

use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    error::{KafkaError, KafkaResult, RDKafkaErrorCode},
    metadata::MetadataPartition,
};

use crate::{
    AddressError, AuthenticationError, Cluster,
    context::{Context, Trouble, ask},
};
pub use create::create;

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
    /// The brokers and this client don't let each other in.
    #[error(transparent)]
    Unauthenticated(AuthenticationError),
    /// A topic can't be created with tokens: rdkafka's admin client never asks for one.
    #[error(
        "the topic '{topic}' can't be created with KAFKA_SECURITY=iam from here: create it on the cluster first"
    )]
    NoAdmin {
        /// The topic.
        topic: String,
    },
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
/// [`TopicError::Unauthenticated`] if the brokers and this client refuse each other, [`TopicError::Broker`] if none
/// answers.
pub async fn reach(cluster: &Cluster) -> Result<(), TopicError> {
    let what = "the list of topics";
    let consumer: BaseConsumer<Context> = cluster
        .create(&cluster.client(), Context::new(cluster))
        .map_err(|error| broker_error(cluster, what, error.to_string()))?;
    let fetch = move || {
        let fetched = ask(&consumer, |consumer| consumer.fetch_metadata(None, ASK));
        fetched
            .map(drop)
            .map_err(|error| failed(consumer.context(), what, &error))
    };
    match tokio::task::spawn_blocking(fetch).await {
        Ok(answer) => answer,
        Err(error) => Err(broker_error(cluster, what, error.to_string())),
    }
}

/// Looks at watermarks and committed offsets without joining a group.
pub struct Watermarks {
    consumer: BaseConsumer<Context>,
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

    /// The topic's partitions in order. Blocks for up to 5 s.
    ///
    /// # Errors
    /// [`TopicError::Broker`] if the cluster does not answer or has no such topic.
    pub fn partitions(&self, topic: &str) -> Result<Vec<i32>, TopicError> {
        let what = format!("the topic '{topic}'");
        let metadata = self.ask(&what, |consumer| consumer.fetch_metadata(Some(topic), ASK))?;
        let mut partitions: Vec<i32> = metadata
            .topics()
            .iter()
            .flat_map(|topic| topic.partitions().iter().map(MetadataPartition::id))
            .collect();
        if partitions.is_empty() {
            let cause = "it has no partitions".to_owned();
            return Err(broker_error(&self.cluster, &what, cause));
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
        let committed = self.ask(&what, |consumer| consumer.committed_offsets(list, ASK))?;
        let offset_of =
            |&partition: &i32| match committed.find_partition(topic, partition)?.offset() {
                Offset::Offset(offset) => Some(offset),
                _ => None,
            };
        Ok(partitions.iter().map(offset_of).collect())
    }

    fn ask<T>(
        &self,
        what: &str,
        question: impl FnOnce(&BaseConsumer<Context>) -> KafkaResult<T>,
    ) -> Result<T, TopicError> {
        ask(&self.consumer, question).map_err(|error| failed(self.consumer.context(), what, &error))
    }
}

/// What `error` means, by what the client has heard of its brokers.
pub(crate) fn failed(context: &Context, what: &str, error: &KafkaError) -> TopicError {
    let trouble = context.trouble().filter(|_| is_about_connections(error));
    match trouble {
        Some(Trouble::Handshake(error)) => TopicError::Unauthenticated(error),
        Some(Trouble::Connection(cause)) => broker_error(context.cluster(), what, cause),
        None => broker_error(context.cluster(), what, error.to_string()),
    }
}

/// Whether a connection that fails could be behind it: librdkafka says no more than that nobody answered.
fn is_about_connections(error: &KafkaError) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(
        error.rdkafka_error_code(),
        Some(
            Code::OperationTimedOut
                | Code::RequestTimedOut
                | Code::BrokerTransportFailure
                | Code::AllBrokersDown
                | Code::Resolve
                | Code::Authentication
                | Code::SSL
                | Code::WaitingForCoordinator
                | Code::CoordinatorNotAvailable
        )
    )
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
