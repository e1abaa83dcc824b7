//! A Kafka cluster as every client here is made for it.

use std::{fmt, str::FromStr, sync::Arc};

use rdkafka::{
    ClientConfig,
    config::FromClientConfigAndContext,
    error::{KafkaError, KafkaResult},
};

use crate::{Security, context::Context};

/// Where a cluster's brokers are, and how they are spoken to. Cheap to clone; printed without secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    brokers: Arc<str>,
    security: Arc<Security>,
}

/// A list of brokers that can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{brokers}' is no list of brokers ({cause}): write host:port, comma-separated")]
pub struct AddressError {
    /// The list as given.
    pub brokers: String,
    /// What is wrong with it.
    pub cause: String,
}

impl Cluster {
    /// The cluster at `brokers`, a comma-separated list of `host:port`, spoken to with `security`.
    ///
    /// # Errors
    /// [`AddressError`] if it is no such list.
    pub fn new(brokers: &str, security: Security) -> Result<Self, AddressError> {
        check(brokers).map_err(|cause| AddressError {
            brokers: brokers.to_owned(),
            cause,
        })?;
        Ok(Self {
            brokers: brokers.into(),
            security: Arc::new(security),
        })
    }

    /// The cluster at `brokers`, a comma-separated list of `host:port`, spoken to without encryption.
    ///
    /// # Errors
    /// [`AddressError`] if it is no such list.
    pub fn plaintext(brokers: &str) -> Result<Self, AddressError> {
        Self::new(brokers, Security::Plaintext)
    }

    /// The bootstrap servers as given.
    pub fn brokers(&self) -> &str {
        &self.brokers
    }

    /// How they are spoken to.
    pub fn security(&self) -> &Security {
        &self.security
    }

    /// Whether what is connected to `before` has to be connected anew to reach this cluster: the security differs, or no
    /// broker is in both lists.
    ///
    /// One broker in common is enough, because a client learns every other from its metadata, as one that took another's
    /// place; and MSK names three brokers of a larger cluster, others each time.
    pub(crate) fn replaces(&self, before: &Self) -> bool {
        let mut brokers = addresses(&self.brokers);
        let is_known = |broker| addresses(&before.brokers).any(|known| known == broker);
        self.security != before.security || !brokers.any(is_known)
    }

    /// What a client of this cluster is configured with, whatever it does.
    pub(crate) fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &*self.brokers);
        self.security.configure(&mut config);
        config
    }

    /// A client with `config`, which began as [`Self::client`], that tells `context` what goes wrong.
    pub(crate) fn create<C: FromClientConfigAndContext<Context>>(
        &self,
        config: &ClientConfig,
        context: Context,
    ) -> KafkaResult<C> {
        config
            .create_with_context(context)
            .map_err(|error| match error {
                KafkaError::ClientCreation(cause) => {
                    KafkaError::ClientCreation(self.security.redact(&cause))
                }
                KafkaError::ClientConfig(result, cause, setting, _) => {
                    // The value may be a key.
                    KafkaError::ClientConfig(
                        result,
                        self.security.redact(&cause),
                        setting,
                        "***".to_owned(),
                    )
                }
                error => error,
            })
    }
}

impl FromStr for Cluster {
    type Err = AddressError;

    fn from_str(brokers: &str) -> Result<Self, Self::Err> {
        Self::plaintext(brokers)
    }
}

impl fmt::Display for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.brokers)
    }
}

/// The brokers of a comma-separated list.
pub(crate) fn addresses(brokers: &str) -> impl Iterator<Item = &str> {
    brokers.split(',').map(str::trim)
}

pub(crate) fn check(brokers: &str) -> Result<(), String> {
    for broker in addresses(brokers) {
        let Some((host, port)) = broker.rsplit_once(':') else {
            return Err(format!("'{broker}' has no port"));
        };
        if host.is_empty() || port.parse::<u16>().is_err() {
            return Err(format!("'{broker}' is not host:port"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rdkafka::consumer::BaseConsumer;
    use secrets::Secret;

    use super::*;

    #[test]
    fn a_broker_list_is_host_and_port() {
        for right in ["localhost:9092", "b-1.x:9098, b-2.x:9098", "[::1]:9092"] {
            assert_eq!(check(right), Ok(()), "{right}");
        }
        for wrong in ["", "localhost", ":9092", "a:b", "a:1,"] {
            assert!(check(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_client_stays_as_long_as_the_security_is_the_same_and_it_knows_one_of_the_brokers() {
        let before = Cluster::plaintext("b-1:9092,b-2:9092,b-3:9092").unwrap();
        let now = |brokers, security| Cluster::new(brokers, security).unwrap();
        for same in [
            "b-3:9092, b-2:9092, b-1:9092",
            "b-1:9092,b-2:9092,b-4:9092",
            "b-3:9092,b-5:9092,b-6:9092",
            "b-2:9092",
        ] {
            assert!(!now(same, Security::Plaintext).replaces(&before), "{same}");
        }
        for other in ["b-4:9092,b-5:9092", "b-1:9094", "b-11:9092"] {
            assert!(now(other, Security::Plaintext).replaces(&before), "{other}");
        }
        let tls = Security::Tls { ca: None };
        assert!(now(before.brokers(), tls).replaces(&before));
    }

    #[test]
    fn a_key_that_is_none_is_refused_without_being_shown() {
        let security = Security::MutualTls {
            ca: None,
            certificate: "no certificate".to_owned(),
            key: Secret::from("c0ffee".to_owned()),
            password: None,
        };
        let cluster = Cluster::new("localhost:1", security).unwrap();
        let made: KafkaResult<BaseConsumer<Context>> =
            cluster.create(&cluster.client(), Context::new(&cluster));
        let error = made.err().unwrap();
        assert!(!format!("{error} {error:?}").contains("c0ffee"), "{error}");
    }
}
