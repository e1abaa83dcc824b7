//! Publishing with every acknowledgement counted.

mod connection;
mod current;
mod error;
mod missing;
mod opening;

use std::{future::Future, time::Duration};

use rdkafka::{
    error::{KafkaError, RDKafkaErrorCode as Code},
    producer::{FutureRecord, Producer},
    util::Timeout,
};
use tokio::time::{Instant, sleep, timeout_at};

use crate::{Access, Cluster, Position, topics};
pub use error::{ProducerError, PublishError};

use connection::Connection;
use current::Shared;
use opening::Opening;

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

/// A producer that outlives freeze and thaw, rotated credentials and replaced brokers: built once per execution
/// environment, idempotent.
///
/// What has to be replaced is: a producer after an error that librdkafka calls fatal, or whose token expired while the
/// process was frozen, before the next record; and, when the brokers refuse it or none can be reached, one whose
/// [`Access`] has other addresses or credentials by now, at most every 30 s. A record that waits in a producer that is
/// replaced goes with the next; one that was sent when its connection broke, and waits to be sent again, may so be
/// written twice, as one may that is published again after a failure.
pub struct KafkaPublisher(Opening);

/// How long a topic that was just created may be unknown to the producer before it looks again.
const SPREAD: Duration = Duration::from_millis(250);

impl KafkaPublisher {
    /// Makes the producer for a cluster that never changes; connections open in the background.
    ///
    /// # Errors
    /// [`ProducerError::Unusable`] if librdkafka refuses the settings.
    pub fn new(cluster: &Cluster) -> Result<Self, ProducerError> {
        let access = Access::from(cluster.clone());
        let shared = Shared::new(cluster, access.clone())?;
        Ok(Self(Opening::opened(shared, access)))
    }

    /// A publisher to the cluster that `access` gives, and to another when that has changed. It is made with the first
    /// record, or by [`Self::connect`]; where there is no cluster to be had, it is tried again every 10 s at the most, and
    /// records fail until then.
    pub fn with_access(access: Access) -> Self {
        Self(Opening::new(access))
    }

    /// Waits until a broker answers.
    ///
    /// # Errors
    /// [`ProducerError::Access`] if there is no cluster to be had, [`ProducerError::Pending`] if it is not known within
    /// `within`, [`ProducerError::Unusable`] if librdkafka refuses the settings, [`ProducerError::Unauthenticated`] as soon
    /// as the brokers and this client refuse each other, [`ProducerError::Unreachable`] if none answers within `within`.
    pub async fn connect(&self, within: Duration) -> Result<(), ProducerError> {
        let until = Instant::now() + within;
        let connection = self.0.open(until).await?.connection();
        let left = until.saturating_duration_since(Instant::now());
        let cause = match connection.reach(left).await {
            Ok(()) => return Ok(()),
            Err(cause) => cause,
        };
        Err(match connection.refused() {
            Some(error) => ProducerError::Unauthenticated(error),
            None => ProducerError::Unreachable {
                brokers: connection.cluster().to_string(),
                cause: connection.broken().unwrap_or(cause),
            },
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
        let shared = match self.0.get() {
            Some(shared) => shared,
            // Boxed, so that the future of every record is no larger for it.
            None => Box::pin(self.0.open(until))
                .await
                .map_err(PublishError::NoProducer)?,
        };
        let mut created = false;
        loop {
            let connection = shared.connection();
            let error = match send_once(&connection, topic, key, value, until).await {
                Ok(position) => {
                    connection.answered();
                    return Ok(position);
                }
                Err(Unsent::Unqueued) if Instant::now() < until => continue,
                Err(Unsent::Unqueued) => timed_out(&connection),
                Err(Unsent::Failed(error)) => error,
            };
            let (true, Some(missing)) = (is_unknown(&error), &shared.missing) else {
                return Err(error);
            };
            if !created {
                let partitions = missing.partitions();
                let create = topics::create(connection.cluster(), topic, partitions);
                created = timeout_at(until, missing.create(topic, create)).await == Ok(true);
            }
            if !created || Instant::now() + SPREAD >= until {
                return Err(error);
            }
            sleep(SPREAD).await;
        }
    }
}

/// Why a record was not sent.
enum Unsent {
    /// It was taken back before it was sent: another connection may send it.
    Unqueued,
    Failed(PublishError),
}

async fn send_once(
    connection: &Connection,
    topic: &str,
    key: Option<&[u8]>,
    value: &[u8],
    until: Instant,
) -> Result<Position, Unsent> {
    let mut record: FutureRecord<'_, [u8], [u8]> = FutureRecord::to(topic).payload(value);
    record.key = key;
    let left = until.saturating_duration_since(Instant::now());
    let delivery = connection.producer().send(record, Timeout::After(left));
    match timeout_at(until, delivery).await {
        Ok(Ok(delivered)) => Ok(Position {
            partition: delivered.partition,
            offset: delivered.offset,
        }),
        Ok(Err((error, _))) => {
            let fatal = connection.producer().client().fatal_error();
            let code = fatal
                .map(|(code, _)| code)
                .or_else(|| error.rdkafka_error_code());
            if code == Some(Code::PurgeQueue) && connection.is_left() {
                return Err(Unsent::Unqueued);
            }
            Err(Unsent::Failed(meaning(
                connection,
                topic,
                value.len(),
                code,
                &error,
            )))
        }
        Err(_) => Err(Unsent::Failed(timed_out(connection))),
    }
}

/// No acknowledgement in time, with the reason if the connection has told one.
fn timed_out(connection: &Connection) -> PublishError {
    match connection.refused() {
        Some(error) => PublishError::Unauthenticated(error),
        None => PublishError::TimedOut {
            brokers: connection.cluster().to_string(),
        },
    }
}

fn is_unknown(error: &PublishError) -> bool {
    matches!(error, PublishError::UnknownTopic { .. })
}

fn meaning(
    connection: &Connection,
    topic: &str,
    bytes: usize,
    code: Option<Code>,
    error: &KafkaError,
) -> PublishError {
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
            | Code::QueueFull
            | Code::Authentication
            | Code::SSL,
        ) => timed_out(connection),
        Some(Code::UnknownTopic | Code::UnknownTopicOrPartition | Code::UnknownPartition) => {
            PublishError::UnknownTopic {
                topic,
                brokers: connection.cluster().to_string(),
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
        if let Some(shared) = self.0.get() {
            shared.connection().abandon();
        }
    }
}

#[cfg(test)]
mod tests;
