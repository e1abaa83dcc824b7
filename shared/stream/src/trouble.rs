//! What librdkafka's reports of errors mean. They are texts: the ones that matter are matched on as librdkafka 2.12
//! and its OpenSSL 3 write them (`rdkafka_broker.c`, `rdkafka_ssl.c`, `rdkafka_request.c`).

use rdkafka::error::RDKafkaErrorCode as Code;

use crate::{Cluster, Security, TokenError, context::Trouble};

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
            Some(likely) => format!("{broker}: {likely}"),
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

/// What a broken connection hints at, in fewer words than librdkafka's.
fn listener(reason: &str) -> Option<&'static str> {
    if reason.contains("connecting to a PLAINTEXT broker listener?")
        || reason.contains("in state SSL_HANDSHAKE")
    {
        Some("it ended the TLS handshake, as a listener without TLS does: see KAFKA_SECURITY")
    } else if reason.contains("security.protocol") {
        Some("it ended the connection, as a listener with TLS or SASL does: see KAFKA_SECURITY")
    } else {
        None
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
mod tests {
    use secrets::Secret;

    use super::*;

    fn meaning(security: Security, code: Code, reason: &str) -> Trouble {
        let cluster = Cluster::new("b:9092", security).unwrap();
        of(&cluster, Some(code), reason).unwrap()
    }

    fn handshake(security: Security, code: Code, reason: &str) -> String {
        match meaning(security, code, reason) {
            Trouble::Handshake(error) => error.to_string(),
            Trouble::Connection(cause) => panic!("{cause}"),
        }
    }

    fn scram() -> Security {
        Security::Scram {
            ca: None,
            user: "ann".to_owned(),
            password: Secret::from("c0ffee".to_owned()),
        }
    }

    #[test]
    fn a_wrong_password_names_the_broker_and_the_setting() {
        let said = handshake(
            scram(),
            Code::Authentication,
            "sasl_ssl://k1:9096/bootstrap: SASL authentication error: Authentication failed during authentication due to \
             invalid credentials with SASL mechanism SCRAM-SHA-512 (after 112ms in state AUTH_REQ, 3 identical error(s) \
             suppressed)",
        );
        assert_eq!(
            said,
            "the broker k1:9096 refuses the credentials (SASL authentication error: Authentication failed during \
             authentication due to invalid credentials with SASL mechanism SCRAM-SHA-512): check the user and the \
             password in KAFKA_CREDENTIALS_SECRET"
        );
    }

    #[test]
    fn a_mechanism_that_the_listener_has_not_is_told_from_a_wrong_password() {
        let said = handshake(
            scram(),
            Code::Authentication,
            "sasl_ssl://k1:9098/1: SASL SCRAM-SHA-512 mechanism handshake failed: Broker: Unsupported SASL mechanism: \
             broker's supported mechanisms: OAUTHBEARER (after 2ms in state AUTH_HANDSHAKE)",
        );
        assert!(
            said.starts_with("the listener k1:9098 does not take 'scram' ("),
            "{said}"
        );
        assert!(said.contains("supported mechanisms: OAUTHBEARER"), "{said}");
    }

    #[test]
    fn a_certificate_of_an_unknown_authority_names_the_setting_of_the_authority() {
        let said = handshake(
            Security::Tls { ca: None },
            Code::SSL,
            "ssl://k1:9094/bootstrap: SSL handshake failed: error:0A000086:SSL routines::certificate verify failed: \
             broker certificate could not be verified, verify that ssl.ca.location is correctly configured or root CA \
             certificates are installed (install ca-certificates package) (after 4ms in state SSL_HANDSHAKE)",
        );
        assert!(
            said.starts_with(
                "the certificate of the broker k1:9094 is not trusted: set KAFKA_CA_SECRET to "
            ),
            "{said}"
        );
    }

    #[test]
    fn a_listener_that_wants_a_certificate_says_so_to_tls_and_refuses_a_wrong_one_of_mtls() {
        let reason = "ssl://k1:9094/1: Receive failed: SSL error:0A00045C:SSL routines::tlsv13 alert certificate required";
        let said = handshake(
            Security::Tls { ca: None },
            Code::BrokerTransportFailure,
            reason,
        );
        assert!(said.contains("set KAFKA_SECURITY to mtls"), "{said}");
        let mutual = Security::MutualTls {
            ca: None,
            certificate: String::new(),
            key: Secret::from(String::new()),
            password: None,
        };
        let reason = "ssl://k1:9094/1: SSL handshake failed: error:0A000418:SSL routines::tlsv1 alert unknown ca";
        let said = handshake(mutual, Code::SSL, reason);
        assert!(
            said.contains("check that the brokers trust who signed"),
            "{said}"
        );
    }

    #[test]
    fn a_listener_without_a_common_version_of_tls_is_not_blamed_on_a_certificate() {
        let said = handshake(
            scram(),
            Code::SSL,
            "sasl_ssl://k1:9096/1: SSL handshake failed: error:0A00042E:SSL routines::tlsv1 alert protocol version",
        );
        assert!(
            said.starts_with("the listener k1:9096 does not take 'scram' ("),
            "{said}"
        );
    }

    #[test]
    fn a_connection_that_a_wrong_protocol_may_have_ended_hints_at_the_setting() {
        for (security, reason) in [
            (
                Security::Plaintext,
                "k1:9094/bootstrap: Disconnected while requesting ApiVersion: might be caused by incorrect \
                 security.protocol configuration (connecting to a SSL listener?) or broker version is < 0.10",
            ),
            (
                scram(),
                "sasl_ssl://k1:9094/bootstrap: SSL handshake failed: Disconnected: connecting to a PLAINTEXT broker listener?",
            ),
            (
                scram(),
                "sasl_ssl://k1:9094/bootstrap: Disconnected: connection reset by peer (after 0ms in state SSL_HANDSHAKE)",
            ),
        ] {
            let Trouble::Connection(cause) =
                meaning(security, Code::BrokerTransportFailure, reason)
            else {
                panic!("a lost connection is no refusal");
            };
            assert!(cause.starts_with("k1:9094: it ended "), "{cause}");
            assert!(cause.contains("KAFKA_SECURITY"), "{cause}");
        }
    }

    #[test]
    fn a_report_without_a_broker_is_about_the_cluster() {
        let trouble = meaning(
            Security::Plaintext,
            Code::AllBrokersDown,
            "3/3 brokers are down",
        );
        assert_eq!(
            trouble,
            Trouble::Connection("b:9092: 3/3 brokers are down".to_owned())
        );
    }

    #[test]
    fn a_report_about_something_else_is_no_trouble() {
        let cluster = Cluster::plaintext("b:9092").unwrap();
        assert_eq!(of(&cluster, Some(Code::PartitionEOF), "end"), None);
    }
}
