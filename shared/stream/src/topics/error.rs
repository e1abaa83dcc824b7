use rdkafka::{
    error::{KafkaError, RDKafkaErrorCode},
    metadata::{Metadata, MetadataTopic},
};

use crate::{AuthenticationError, Cluster, context::Context, trouble::Trouble};

/// Why a topic can't be created or looked at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TopicError {
    /// The name is none that Kafka allows.
    #[error(
        "'{0}' is no Kafka topic name: use 1 to 249 letters, digits, '.', '_' or '-', and neither '.' nor '..'"
    )]
    BadName(String),
    /// There is no such topic.
    #[error("the brokers at {brokers} have no topic '{topic}': check its name, or create it")]
    Unknown {
        /// The bootstrap servers.
        brokers: String,
        /// The topic.
        topic: String,
    },
    /// The brokers and this client don't let each other in.
    #[error(transparent)]
    Unauthenticated(AuthenticationError),
    /// The brokers answer, and refuse: mostly the user or role may not.
    #[error(
        "the brokers at {brokers} refuse {what} ({cause}): see what the user or role of this client may do there"
    )]
    Refused {
        /// The bootstrap servers.
        brokers: String,
        /// What was asked for.
        what: String,
        /// Their words.
        cause: String,
    },
    /// The brokers don't answer.
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

/// What `error` means, by what the client has heard of its brokers.
pub(crate) fn failed(context: &Context, what: &str, error: &KafkaError) -> TopicError {
    let trouble = context.trouble().filter(|_| is_about_connections(error));
    match trouble {
        Some(Trouble::Handshake(error)) => TopicError::Unauthenticated(error),
        Some(Trouble::Connection(cause)) => broker_error(context.cluster(), what, cause),
        None if error.rdkafka_error_code().is_some_and(is_denial) => {
            refused(context.cluster(), what, error.to_string())
        }
        None => broker_error(context.cluster(), what, error.to_string()),
    }
}

/// Whether the brokers say that the client may not.
fn is_denial(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(
        code,
        Code::TopicAuthorizationFailed
            | Code::GroupAuthorizationFailed
            | Code::ClusterAuthorizationFailed
    )
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

/// What the brokers say of topics that the client may not look at.
pub(super) fn denial(metadata: &Metadata) -> Option<RDKafkaErrorCode> {
    errors(metadata).find(|&code| is_denial(code))
}

/// What the brokers say of topics that they can't tell of.
pub(super) fn errors(metadata: &Metadata) -> impl Iterator<Item = RDKafkaErrorCode> {
    let errors = metadata.topics().iter().filter_map(MetadataTopic::error);
    errors.map(RDKafkaErrorCode::from)
}

pub(super) fn refused(cluster: &Cluster, what: &str, cause: String) -> TopicError {
    TopicError::Refused {
        brokers: cluster.to_string(),
        what: what.to_owned(),
        cause,
    }
}

pub(crate) fn broker_error(cluster: &Cluster, what: &str, cause: String) -> TopicError {
    TopicError::Broker {
        brokers: cluster.to_string(),
        what: what.to_owned(),
        cause,
    }
}
