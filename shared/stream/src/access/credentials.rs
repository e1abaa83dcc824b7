//! The secrets that brokers' credentials are kept in, as MSK and Lambda's own Kafka trigger have them.
//!
//! Formats: MSK developer guide, "Sign-in credentials authentication with AWS Secrets Manager" (`username`,
//! `password`); Lambda developer guide, "Configuring authentication" of Kafka triggers (`certificate`, `privateKey`,
//! `privateKeyPassword`, and the root's `certificate`).

use secrets::Secret;
use serde::{Deserialize, de::DeserializeOwned};
use settings::Setting;

use super::{
    AccessError,
    settings::{CA, CREDENTIALS},
};
use crate::Security;

/// What the secret of `KAFKA_SECURITY=scram` is.
pub(super) const SCRAM: &str = r#"{"username":"…","password":"…"}"#;

/// What the secret of `KAFKA_SECURITY=mtls` is.
pub(super) const MUTUAL_TLS: &str =
    r#"{"certificate":"PEM","privateKey":"PEM","privateKeyPassword":"…"}, the last if it has one"#;

/// What the secret of `KAFKA_CA_SECRET` is.
const AUTHORITY: &str = r#"a certificate in PEM, plain or as {"certificate":"PEM"}"#;

#[derive(Deserialize)]
struct User {
    username: String,
    password: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClientCertificate {
    certificate: String,
    private_key: String,
    private_key_password: Option<String>,
}

#[derive(Deserialize)]
struct Authority {
    certificate: String,
}

pub(super) fn scram(secret: &Secret, ca: Option<String>) -> Result<Security, AccessError> {
    let user: User = parse(secret, SCRAM)?;
    if user.username.is_empty() || user.password.is_empty() {
        return Err(not(CREDENTIALS, SCRAM));
    }
    Ok(Security::Scram {
        ca,
        user: user.username,
        password: Secret::from(user.password),
    })
}

pub(super) fn mutual_tls(secret: &Secret, ca: Option<String>) -> Result<Security, AccessError> {
    let client: ClientCertificate = parse(secret, MUTUAL_TLS)?;
    if !is_certificate(&client.certificate) || !client.private_key.contains("PRIVATE KEY-----") {
        return Err(not(CREDENTIALS, MUTUAL_TLS));
    }
    Ok(Security::MutualTls {
        ca,
        certificate: client.certificate,
        key: Secret::from(client.private_key),
        password: client.private_key_password.map(Secret::from),
    })
}

pub(super) fn authority(secret: &Secret) -> Result<String, AccessError> {
    let text = secret.expose();
    let pem = match serde_json::from_str::<Authority>(text) {
        Ok(authority) => authority.certificate,
        Err(_) => text.to_owned(),
    };
    if is_certificate(&pem) {
        Ok(pem)
    } else {
        Err(not(CA, AUTHORITY))
    }
}

fn is_certificate(pem: &str) -> bool {
    pem.contains("-----BEGIN CERTIFICATE-----") && pem.contains("-----END CERTIFICATE-----")
}

fn parse<T: DeserializeOwned>(secret: &Secret, expects: &'static str) -> Result<T, AccessError> {
    // The parser's error is dropped: it may quote the secret.
    serde_json::from_str(secret.expose()).map_err(|_| not(CREDENTIALS, expects))
}

fn not(setting: Setting, expects: &'static str) -> AccessError {
    AccessError::NotCredentials {
        setting: setting.name,
        expects,
    }
}
