//! How the brokers are spoken to: encryption, and who the client is.

use std::{fmt, sync::Arc};

use cause::Cause;
use jiff::Timestamp;
use rdkafka::ClientConfig;
use secrets::Secret;

/// Encryption and authentication of every connection to a cluster. Printed without its secrets.
///
/// `ca` is the certificate of the authority that signed the brokers' certificates, in PEM, one or several; `None`
/// takes the system's roots. The host name of a broker is always compared with its certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Security {
    /// Neither.
    #[default]
    Plaintext,
    /// TLS; the client stays anonymous.
    Tls {
        /// The authority.
        ca: Option<String>,
    },
    /// TLS with a client certificate.
    MutualTls {
        /// The authority.
        ca: Option<String>,
        /// The client's certificate in PEM, its chain after it.
        certificate: String,
        /// Its private key in PEM, PKCS#8 or PKCS#1.
        key: Secret,
        /// The password of an encrypted private key.
        password: Option<Secret>,
    },
    /// SASL SCRAM-SHA-512 over TLS.
    Scram {
        /// The authority.
        ca: Option<String>,
        /// The user's name.
        user: String,
        /// The user's password.
        password: Secret,
    },
    /// SASL OAUTHBEARER over TLS, which is how MSK takes IAM credentials.
    Iam {
        /// The authority.
        ca: Option<String>,
        /// Where tokens come from.
        tokens: Tokens,
    },
}

/// A token of SASL OAUTHBEARER. Printed without itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// What is sent to the broker.
    pub token: Secret,
    /// Whom it stands for; brokers of MSK ignore it.
    pub principal: String,
    /// When it ceases to be taken.
    pub expires: Timestamp,
}

/// Why there is no token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// No credentials of AWS are to be found.
    #[error(
        "there are no AWS credentials to sign a token with ({cause}): give the function a role, or set AWS_ACCESS_KEY_ID \
         and AWS_SECRET_ACCESS_KEY"
    )]
    NoCredentials {
        /// What the search said.
        #[source]
        cause: Cause,
    },
    /// The credentials have expired.
    #[error(
        "the AWS credentials expired at {at}: renew the session, and check the machine's clock"
    )]
    Expired {
        /// When.
        at: Timestamp,
    },
    /// The credentials expire so soon that a token would not outlive the handshake.
    #[error("the AWS credentials expire in {seconds} s, too soon for a token: renew the session")]
    TooShort {
        /// How soon.
        seconds: i64,
    },
    /// librdkafka does not take the token.
    #[error("the token can't be used ({cause}): check the machine's clock")]
    Refused {
        /// The library's words.
        cause: String,
    },
    /// The signer refuses its input.
    #[error("no token can be signed ({cause}): check the region and the credentials")]
    Unsigned {
        /// The signer's words.
        #[source]
        cause: Cause,
    },
}

/// A source of tokens.
///
/// It is asked by whichever thread polls a client, a worker of an async runtime among them: it may block for some
/// seconds and must not wait for that runtime.
pub trait ProvideToken: fmt::Debug + Send + Sync {
    /// A token that is good now.
    ///
    /// # Errors
    /// [`TokenError`], never with a secret in it.
    fn token(&self) -> Result<Token, TokenError>;

    /// The time by the same clock that tokens expire by.
    fn now(&self) -> Timestamp;
}

/// A shared source of tokens; equal only to its clones.
#[derive(Clone, Debug)]
pub struct Tokens(Arc<dyn ProvideToken>);

impl Tokens {
    /// Tokens of `source`.
    pub fn new(source: impl ProvideToken + 'static) -> Self {
        Self(Arc::new(source))
    }

    pub(crate) fn source(&self) -> &dyn ProvideToken {
        &*self.0
    }
}

impl PartialEq for Tokens {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Tokens {}

impl Security {
    /// The value of `KAFKA_SECURITY` for it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Plaintext => "plaintext",
            Self::Tls { .. } => "tls",
            Self::MutualTls { .. } => "mtls",
            Self::Scram { .. } => "scram",
            Self::Iam { .. } => "iam",
        }
    }

    /// `text` with `***` wherever a secret stood.
    pub(crate) fn redact(&self, text: &str) -> String {
        match self {
            Self::Scram { password, .. } => password.redact(text),
            Self::MutualTls { key, password, .. } => {
                let text = key.redact(text);
                password
                    .as_ref()
                    .map_or_else(|| text.clone(), |password| password.redact(&text))
            }
            Self::Plaintext | Self::Tls { .. } | Self::Iam { .. } => text.to_owned(),
        }
    }

    pub(crate) fn tokens(&self) -> Option<&Tokens> {
        match self {
            Self::Iam { tokens, .. } => Some(tokens),
            _ => None,
        }
    }

    /// The settings of librdkafka for it, as its `CONFIGURATION.md` names them.
    pub(crate) fn configure(&self, config: &mut ClientConfig) {
        match self {
            Self::Plaintext => {}
            Self::Tls { ca } => encrypt(config, "ssl", ca.as_deref()),
            Self::MutualTls {
                ca,
                certificate,
                key,
                password,
            } => {
                encrypt(config, "ssl", ca.as_deref());
                config.set("ssl.certificate.pem", pem(certificate));
                config.set("ssl.key.pem", pem(key.expose()));
                if let Some(password) = password {
                    config.set("ssl.key.password", password.expose());
                }
            }
            Self::Scram { ca, user, password } => {
                encrypt(config, "sasl_ssl", ca.as_deref());
                config.set("sasl.mechanisms", "SCRAM-SHA-512");
                config.set("sasl.username", user);
                config.set("sasl.password", password.expose());
            }
            Self::Iam { ca, .. } => {
                encrypt(config, "sasl_ssl", ca.as_deref());
                config.set("sasl.mechanisms", "OAUTHBEARER");
            }
        }
    }
}

fn encrypt(config: &mut ClientConfig, protocol: &str, ca: Option<&str>) {
    config.set("security.protocol", protocol);
    config.set("ssl.endpoint.identification.algorithm", "https");
    match ca {
        Some(ca) => config.set("ssl.ca.pem", pem(ca)),
        // An OpenSSL that is built in looks where it was built, not where this system keeps its roots.
        None => config.set("ssl.ca.location", "probe"),
    };
}

/// PEM ends its last line.
fn pem(text: &str) -> String {
    format!("{}\n", text.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configured(security: &Security) -> ClientConfig {
        let mut config = ClientConfig::new();
        security.configure(&mut config);
        config
    }

    fn secret(text: &str) -> Secret {
        Secret::from(text.to_owned())
    }

    fn every_kind() -> Vec<Security> {
        let ca = Some("CA".to_owned());
        vec![
            Security::Plaintext,
            Security::Tls { ca: ca.clone() },
            Security::MutualTls {
                ca: ca.clone(),
                certificate: "CERT".to_owned(),
                key: secret("c0ffee-key"),
                password: Some(secret("c0ffee-password")),
            },
            Security::Scram {
                ca,
                user: "ann".to_owned(),
                password: secret("c0ffee"),
            },
        ]
    }

    #[test]
    fn no_secret_is_printed() {
        for security in every_kind() {
            let printed = format!("{security:?} {security:#?}");
            assert!(!printed.contains("c0ffee"), "{printed}");
        }
    }

    #[test]
    fn a_secret_that_a_broker_repeats_is_redacted() {
        for security in &every_kind()[2..] {
            let told = security.redact("c0ffee-key c0ffee-password c0ffee");
            let hidden = match security {
                Security::Scram { .. } => "***-key ***-password ***",
                _ => "*** *** c0ffee",
            };
            assert_eq!(told, hidden);
        }
    }

    #[test]
    fn what_is_encrypted_compares_host_names_and_has_the_roots_that_are_given() {
        for security in &every_kind()[1..] {
            let config = configured(security);
            let identification = config.get("ssl.endpoint.identification.algorithm");
            assert_eq!(identification, Some("https"), "{}", security.name());
            assert_eq!(config.get("ssl.ca.pem"), Some("CA\n"));
            assert_eq!(config.get("ssl.ca.location"), None);
            assert_eq!(config.get("enable.ssl.certificate.verification"), None);
        }
        let config = configured(&Security::Tls { ca: None });
        assert_eq!(config.get("ssl.ca.location"), Some("probe"));
        assert_eq!(config.get("security.protocol"), Some("ssl"));
    }

    #[test]
    fn a_password_never_travels_without_encryption() {
        let config = configured(&every_kind()[3]);
        assert_eq!(config.get("security.protocol"), Some("sasl_ssl"));
        assert_eq!(config.get("sasl.mechanisms"), Some("SCRAM-SHA-512"));
        assert_eq!(config.get("sasl.username"), Some("ann"));
        assert_eq!(config.get("sasl.password"), Some("c0ffee"));
    }
}
