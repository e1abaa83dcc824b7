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
        let Trouble::Connection(cause) = meaning(security, Code::BrokerTransportFailure, reason)
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
