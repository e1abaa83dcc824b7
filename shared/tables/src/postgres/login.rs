//! Who connects, and the secrets that this is kept in.
//!
//! Formats: RDS user guide, "Password management with Secrets Manager" (`username`, `password`, more members); an
//! authority as Lambda's Kafka trigger has it (`certificate`), or plain PEM, as RDS publishes its bundles.

use secrets::Secret;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    access::{AccessError, FORM},
    settings::{CA, SECRET},
};

/// What an authority's secret is.
const AUTHORITY: &str = r#"certificates in PEM, plain or as {"certificate":"PEM"}"#;

/// Who connects, and how the server is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Login {
    pub(super) user: String,
    pub(super) password: Option<Secret>,
    /// Certificates in PEM in place of the system's roots.
    pub(super) authority: Option<String>,
}

#[derive(Deserialize)]
struct Authority {
    certificate: String,
}

/// User and password of `secret`; the user is `named`, if that says one. Then a plain password will do too.
pub(super) fn user(secret: &Secret, named: Option<&str>) -> Result<(String, Secret), AccessError> {
    let not = || AccessError::NotCredentials {
        setting: SECRET.name,
        expects: FORM,
    };
    // The parser's error is dropped: it may quote the secret.
    let Ok(mut members) = serde_json::from_str::<Map<String, Value>>(secret.expose()) else {
        let named = named.ok_or_else(not)?;
        return Ok((named.to_owned(), secret.clone()));
    };
    let mut member = |name| match members.remove(name) {
        Some(Value::String(text)) if !text.is_empty() => Some(text),
        _ => None,
    };
    let password = member("password").ok_or_else(not)?;
    let user = named.map(str::to_owned).or_else(|| member("username"));
    Ok((user.ok_or_else(not)?, Secret::from(password)))
}

pub(super) fn authority(secret: &Secret) -> Result<String, AccessError> {
    let text = secret.expose();
    let pem = match serde_json::from_str::<Authority>(text) {
        Ok(authority) => authority.certificate,
        Err(_) => text.to_owned(),
    };
    if pem.contains("-----BEGIN CERTIFICATE-----") && pem.contains("-----END CERTIFICATE-----") {
        return Ok(pem);
    }
    Err(AccessError::NotCredentials {
        setting: CA.name,
        expects: AUTHORITY,
    })
}
