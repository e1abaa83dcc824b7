use crate::{AccessError, AuthenticationError};

/// Why a record counts as not published.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// There is no producer to send it: no addresses, no credentials, or none that librdkafka takes.
    #[error(transparent)]
    NoProducer(ProducerError),
    /// No acknowledgement in time: the brokers are down, slow or unreachable.
    #[error(
        "no acknowledgement from {brokers} in time: check that the brokers are up and reachable"
    )]
    TimedOut {
        /// The bootstrap servers.
        brokers: String,
    },
    /// The brokers and this client don't let each other in.
    #[error(transparent)]
    Unauthenticated(AuthenticationError),
    /// The topic does not exist on the cluster.
    #[error(
        "the topic '{topic}' does not exist on {brokers}: create it, or set KAFKA_CREATE_PARTITIONS"
    )]
    UnknownTopic {
        /// The topic.
        topic: String,
        /// The bootstrap servers.
        brokers: String,
    },
    /// The principal may not write to the topic.
    #[error(
        "writing to the topic '{topic}' is denied: grant WriteData on it, and WriteDataIdempotently on the cluster"
    )]
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
            Self::NoProducer(_) => "no-producer",
            Self::TimedOut { .. } => "publish-timed-out",
            Self::Unauthenticated(_) => "unauthenticated",
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
    /// There are no addresses or no credentials.
    #[error(transparent)]
    Access(AccessError),
    /// The addresses and credentials are still being fetched.
    #[error("the brokers' addresses or credentials were not there in time: try again")]
    Pending,
    /// librdkafka refuses the settings.
    #[error("no producer can be made for {brokers}: {cause}")]
    Unusable {
        /// The bootstrap servers.
        brokers: String,
        /// The library's words.
        cause: String,
    },
    /// The brokers and this client don't let each other in.
    #[error(transparent)]
    Unauthenticated(AuthenticationError),
    /// No broker answered.
    #[error(
        "no broker answers at {brokers} ({cause}): check KAFKA_BOOTSTRAP_SERVERS, KAFKA_SECURITY, the security group and that the brokers are up"
    )]
    Unreachable {
        /// The bootstrap servers.
        brokers: String,
        /// The library's words.
        cause: String,
    },
}

impl From<AccessError> for ProducerError {
    fn from(error: AccessError) -> Self {
        Self::Access(error)
    }
}
