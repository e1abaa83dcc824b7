//! What librdkafka's reports of errors mean. They are texts: the ones that matter are matched on as librdkafka 2.12
//! and its OpenSSL 3 write them (`rdkafka_broker.c`, `rdkafka_ssl.c`, `rdkafka_request.c`).

use rdkafka::error::RDKafkaErrorCode as Code;

use crate::{Cluster, Security, TokenError};

/// What is wrong with the connections, by the latest report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The handshake fails.
    Handshake(AuthenticationError),
    /// There is no connection at all; the cause in words.
    Connection(String),
}

/// Why the brokers and this client don't let each other in. Names the broker, never a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthenticationError {
    /// The broker's certificate can't be verified.
    #[error(
        "the certificate of the broker {broker} is not trusted: set KAFKA_CA_SECRET to the authority that signed it, and \
         see that it is valid and for that host name"
    )]
    Untrusted {
        /// The broker, as `host:port`.
        broker: String,
    },
    /// The broker takes no client without a certificate, or not this certificate.
    #[error("the broker {broker} refuses the client's certificate ({cause}): {remedy}")]
    Certificate {
        /// The broker, as `host:port`.
        broker: String,
        /// The TLS library's words.
        cause: String,
        /// What to do.
        remedy: &'static str,
    },
    /// The broker refuses the user, the password or the token.
    #[error("the broker {broker} refuses the credentials ({cause}): {remedy}")]
    Credentials {
        /// The broker, as `host:port`.
        broker: String,
        /// The broker's words.
        cause: String,
        /// What to do.
        remedy: &'static str,
    },
    /// That listener of the broker speaks another protocol, or has another mechanism.
    #[error(
        "the listener {broker} does not take '{security}' ({cause}): set KAFKA_SECURITY to what it has, or name the port \
         of another listener"
    )]
    Listener {
        /// The broker, as `host:port`.
        broker: String,
        /// The value of `KAFKA_SECURITY` in force.
        security: &'static str,
        /// The library's words.
        cause: String,
    },
    /// No token can be had to show to the brokers.
    #[error(transparent)]
    NoToken(TokenError),
}

/// What a report of librdkafka means for a client of `cluster`; nothing if it is about something else.
pub(crate) fn of(cluster: &Cluster, code: Option<Code>, reason: &str) -> Option<Trouble> {
    let (broker, cause) = split(reason);
    let broker = broker.unwrap_or_else(|| cluster.to_string());
    let trouble = match code? {
        Code::Authentication | Code::SaslAuthenticationFailed | Code::UnsupportedSASLMechanism => {
            Trouble::Handshake(refused(cluster.security(), broker, cause))
        }
        Code::SSL => Trouble::Handshake(tls(cluster.security(), broker, cause)),
        Code::BrokerTransportFailure if is_about_client(&cause) => {
            Trouble::Handshake(tls(cluster.security(), broker, cause))
        }
        Code::BrokerTransportFailure
        | Code::Resolve
        | Code::AllBrokersDown
        | Code::OperationTimedOut => Trouble::Connection(match listener(reason) {
            Some(did) => format!("{broker}: it {did}: see KAFKA_SECURITY"),
            None => format!("{broker}: {cause}"),
        }),
        _ => return None,
    };
    Some(trouble)
}

fn refused(security: &Security, broker: String, cause: String) -> AuthenticationError {
    if cause.contains("mechanism handshake failed") {
        let security = security.name();
        return AuthenticationError::Listener {
            broker,
            security,
            cause,
        };
    }
    let remedy = match security {
        Security::Iam { .. } => {
            "allow kafka-cluster:Connect on the cluster in the function's role, and check the machine's clock"
        }
        _ => "check the user and the password in KAFKA_CREDENTIALS_SECRET",
    };
    AuthenticationError::Credentials {
        broker,
        cause,
        remedy,
    }
}

fn tls(security: &Security, broker: String, cause: String) -> AuthenticationError {
    if is_about_client(&cause) {
        let remedy = match security {
            Security::MutualTls { .. } => {
                "check that the brokers trust who signed the certificate in KAFKA_CREDENTIALS_SECRET, and that it is valid"
            }
            _ => {
                "set KAFKA_SECURITY to mtls and KAFKA_CREDENTIALS_SECRET to a certificate with its key"
            }
        };
        return AuthenticationError::Certificate {
            broker,
            cause,
            remedy,
        };
    }
    if cause.contains("certificate") && cause.contains("verif") {
        return AuthenticationError::Untrusted { broker };
    }
    AuthenticationError::Listener {
        broker,
        security: security.name(),
        cause,
    }
}

/// Whether the broker refuses the client's certificate, or misses one: an alert is what the broker says of this client,
/// else it is this client that does not trust the broker.
fn is_about_client(cause: &str) -> bool {
    let named = ["certificate", "unknown ca", "handshake failure"];
    cause.contains("alert") && named.iter().any(|named| cause.contains(named))
}

/// What a broken connection hints at, in fewer words than librdkafka's: what the broker did.
fn listener(reason: &str) -> Option<&'static str> {
    if reason.contains("connecting to a PLAINTEXT broker listener?")
        || reason.contains("in state SSL_HANDSHAKE")
    {
        Some("ended the TLS handshake, as a listener without TLS does")
    } else if reason.contains("security.protocol") {
        Some("ended the connection, as a listener with TLS or SASL does")
    } else {
        None
    }
}

/// A report as the log has it: the same words for the same fault, however often and by whichever way it is told.
pub(crate) fn sentence(cluster: &Cluster, code: Option<Code>, reason: &str) -> String {
    // A line of the log begins with the thread that wrote it.
    let reason = match reason.split_once("]: ") {
        Some((thread, reason)) if thread.starts_with("[thrd:") => reason,
        _ => reason,
    };
    let (broker, cause) = split(reason);
    match (
        of(cluster, code.or_else(|| guessed(&cause)), reason),
        listener(reason),
    ) {
        (Some(Trouble::Handshake(error)), _) => error.to_string(),
        (Some(Trouble::Connection(_)), Some(did)) => format!(
            "the broker {} {did}: set KAFKA_SECURITY, which is '{}', to what that listener takes, or name the port of \
             another listener",
            broker.unwrap_or_else(|| cluster.to_string()),
            cluster.security().name()
        ),
        _ => match broker {
            Some(broker) => format!("librdkafka: {broker}: {cause}"),
            None => format!("librdkafka: {cause}"),
        },
    }
}

/// The code of a report that has come by a line of the log.
fn guessed(cause: &str) -> Option<Code> {
    if cause.starts_with("SASL ") {
        Some(Code::Authentication)
    } else if cause.starts_with("SSL handshake failed: error:") {
        Some(Code::SSL)
    } else {
        Some(Code::BrokerTransportFailure)
    }
}

/// The broker that a report is about, as `host:port`, and what it says of it, without how long that took.
///
/// Reports begin with the name of a broker, `sasl_ssl://host:port/bootstrap: ` or `host:port/1: `.
fn split(reason: &str) -> (Option<String>, String) {
    let (broker, cause) = match reason.split_once(": ") {
        Some((name, cause)) if name.contains('/') && !name.contains(' ') => {
            let address = name.split_once("://").map_or(name, |(_, address)| address);
            let address = address
                .rsplit_once('/')
                .map_or(address, |(address, _)| address);
            (Some(address.to_owned()), cause)
        }
        _ => (None, reason),
    };
    let cause = match cause.rsplit_once(" (after ") {
        Some((cause, after)) if after.contains("ms in state") => cause,
        _ => cause,
    };
    (broker, cause.trim().to_owned())
}

#[cfg(test)]
mod tests;
