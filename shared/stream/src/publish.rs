//! Publishing with every acknowledgement counted.

use std::{
    future::Future,
    sync::{PoisonError, RwLock},
    time::Duration,
};

use rdkafka::{
    error::{KafkaError, RDKafkaErrorCode},
    producer::{FutureProducer, FutureRecord, Producer, PurgeConfig},
    util::Timeout,
};
use tokio::time::Instant;

use crate::{Cluster, Position, consume::METADATA_AGE_MS};

/// The capability to publish a record and to know where it landed.
pub trait Publish: Send + Sync {
    /// Sends one record and waits for the broker's acknowledgement, at the latest until `until`.
    ///
    /// # Errors
    /// [`PublishError`] if it was not acknowledged; it may have been written all the same.
    fn publish(
        &self,
        topic: &str,
        key: &str,
        value: &[u8],
        until: Instant,
    ) -> impl Future<Output = Result<Position, PublishError>> + Send;

    /// Gives up what is not acknowledged yet, so that nothing is sent after the invocation has answered.
    fn abandon(&self);
}

/// Why a record counts as not published.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// No acknowledgement in time: the brokers are down, slow or unreachable.
    #[error(
        "no acknowledgement from {brokers} in time: check that the brokers are up and reachable"
    )]
    TimedOut {
        /// The bootstrap servers.
        brokers: String,
    },
    /// The topic does not exist on the cluster.
    #[error("the topic '{topic}' does not exist on {brokers}: create it")]
    UnknownTopic {
        /// The topic.
        topic: String,
        /// The bootstrap servers.
        brokers: String,
    },
    /// The principal may not write to the topic.
    #[error("writing to the topic '{topic}' is denied: grant WriteData on it")]
    Denied {
        /// The topic.
        topic: String,
    },
    /// The record is larger than the cluster takes.
    #[error(
        "a record of {bytes} bytes is larger than the topic '{topic}' takes: raise max.message.bytes"
    )]
    TooLarge {
        /// The topic.
        topic: String,
        /// The value's size.
        bytes: usize,
    },
    /// Anything else that librdkafka reports.
    #[error("publishing to the topic '{topic}' failed: {cause}")]
    Failed {
        /// The topic.
        topic: String,
        /// The library's words.
        cause: String,
    },
}

impl PublishError {
    /// The reason in kebab-case, for counts.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::TimedOut { .. } => "publish-timed-out",
            Self::UnknownTopic { .. } => "unknown-topic",
            Self::Denied { .. } => "publish-denied",
            Self::TooLarge { .. } => "record-too-large",
            Self::Failed { .. } => "publish-failed",
        }
    }
}

/// A producer that can't be made or can't reach its brokers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProducerError {
    /// librdkafka refuses the settings.
    #[error("no producer can be made for {brokers}: {cause}")]
    Unusable {
        /// The bootstrap servers.
        brokers: String,
        /// The library's words.
        cause: String,
    },
    /// No broker answered.
    #[error(
        "no broker answers at {brokers} ({cause}): check KAFKA_BOOTSTRAP_SERVERS, the security group and that the brokers are up"
    )]
    Unreachable {
        /// The bootstrap servers.
        brokers: String,
        /// The library's words.
        cause: String,
    },
}

/// How long librdkafka tries one record; [`Publish::publish`] ends earlier where `until` is earlier.
const MESSAGE_TIMEOUT: Duration = Duration::from_secs(10);

/// An idempotent producer: built once per execution environment, it survives freeze and thaw, and replaces
/// itself after an error that librdkafka calls fatal.
pub struct KafkaPublisher {
    producer: RwLock<FutureProducer>,
    cluster: Cluster,
}

impl KafkaPublisher {
    /// Makes the producer; connections open in the background.
    ///
    /// # Errors
    /// [`ProducerError::Unusable`] if librdkafka refuses the settings.
    pub fn new(cluster: &Cluster) -> Result<Self, ProducerError> {
        let producer = create(cluster).map_err(|error| ProducerError::Unusable {
            brokers: cluster.to_string(),
            cause: error.to_string(),
        })?;
        Ok(Self {
            producer: RwLock::new(producer),
            cluster: cluster.clone(),
        })
    }

    /// Waits until a broker answers.
    ///
    /// # Errors
    /// [`ProducerError::Unreachable`] if none does within `within`.
    pub async fn connect(&self, within: Duration) -> Result<(), ProducerError> {
        let producer = self.producer();
        let fetch = move || producer.client().fetch_metadata(None, within).map(drop);
        let cause = match tokio::task::spawn_blocking(fetch).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => error.to_string(),
            Err(error) => error.to_string(),
        };
        Err(ProducerError::Unreachable {
            brokers: self.cluster.to_string(),
            cause,
        })
    }

    /// Sends one record whose key may be any bytes, or none; else as [`Publish::publish`].
    ///
    /// # Errors
    /// [`PublishError`] if it was not acknowledged; it may have been written all the same.
    pub async fn send(
        &self,
        topic: &str,
        key: Option<&[u8]>,
        value: &[u8],
        until: Instant,
    ) -> Result<Position, PublishError> {
        let mut record: FutureRecord<'_, [u8], [u8]> = FutureRecord::to(topic).payload(value);
        record.key = key;
        let left = until.saturating_duration_since(Instant::now());
        let producer = self.producer();
        let delivery = producer.send(record, Timeout::After(left));
        match tokio::time::timeout_at(until, delivery).await {
            Ok(Ok(delivered)) => Ok(Position {
                partition: delivered.partition,
                offset: delivered.offset,
            }),
            Ok(Err((error, _))) => {
                let broken = self.replace_if_broken(&producer);
                let code = broken.or_else(|| error.rdkafka_error_code());
                Err(self.error(topic, value.len(), code, &error))
            }
            Err(_) => Err(PublishError::TimedOut {
                brokers: self.cluster.to_string(),
            }),
        }
    }

    fn producer(&self) -> FutureProducer {
        let producer = self.producer.read().unwrap_or_else(PoisonError::into_inner);
        producer.clone()
    }

    /// What broke `producer` for good, if anything did; there is a new one in its place then.
    fn replace_if_broken(&self, producer: &FutureProducer) -> Option<RDKafkaErrorCode> {
        let (code, _) = producer.client().fatal_error()?;
        let mut current = self
            .producer
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        // Every record in flight fails at once: the first of them replaces, for all.
        if current.client().fatal_error().is_some()
            && let Ok(new) = create(&self.cluster)
        {
            *current = new;
        }
        Some(code)
    }

    fn error(
        &self,
        topic: &str,
        bytes: usize,
        code: Option<RDKafkaErrorCode>,
        error: &KafkaError,
    ) -> PublishError {
        use RDKafkaErrorCode as Code;
        let topic = topic.to_owned();
        match code {
            Some(
                Code::MessageTimedOut
                | Code::RequestTimedOut
                | Code::OperationTimedOut
                | Code::AllBrokersDown
                | Code::BrokerTransportFailure
                | Code::PurgeQueue
                | Code::PurgeInflight
                | Code::QueueFull,
            ) => PublishError::TimedOut {
                brokers: self.cluster.to_string(),
            },
            Some(Code::UnknownTopic | Code::UnknownTopicOrPartition | Code::UnknownPartition) => {
                PublishError::UnknownTopic {
                    topic,
                    brokers: self.cluster.to_string(),
                }
            }
            Some(Code::TopicAuthorizationFailed | Code::ClusterAuthorizationFailed) => {
                PublishError::Denied { topic }
            }
            Some(Code::MessageSizeTooLarge) => PublishError::TooLarge { topic, bytes },
            _ => PublishError::Failed {
                topic,
                cause: error.to_string(),
            },
        }
    }
}

impl Publish for KafkaPublisher {
    async fn publish(
        &self,
        topic: &str,
        key: &str,
        value: &[u8],
        until: Instant,
    ) -> Result<Position, PublishError> {
        self.send(topic, Some(key.as_bytes()), value, until).await
    }

    fn abandon(&self) {
        let purged = PurgeConfig::default().queue().inflight();
        self.producer().purge(purged);
    }
}

fn create(cluster: &Cluster) -> Result<FutureProducer, KafkaError> {
    cluster
        .client()
        .set("enable.idempotence", "true")
        .set("acks", "all")
        .set("partitioner", "murmur2_random")
        .set("compression.type", "lz4")
        .set("linger.ms", "5")
        // The topic's own limit decides, which may be higher than the library's.
        .set("message.max.bytes", "10000000")
        .set(
            "message.timeout.ms",
            MESSAGE_TIMEOUT.as_millis().to_string(),
        )
        .set("request.timeout.ms", "5000")
        .set("socket.timeout.ms", "6000")
        .set("socket.connection.setup.timeout.ms", "5000")
        .set("socket.keepalive.enable", "true")
        .set("reconnect.backoff.max.ms", "1000")
        // A topic that does not exist is told from brokers that are down within the time of one record.
        .set("topic.metadata.propagation.max.ms", "3000")
        .set("topic.metadata.refresh.interval.ms", METADATA_AGE_MS)
        .set("log.connection.close", "false")
        .create()
}
