//! A Kafka cluster as every client here is made for it.

use std::{fmt, str::FromStr, sync::Arc};

use rdkafka::ClientConfig;

/// Where a cluster's brokers are, and how they are spoken to. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Cluster {
    brokers: Arc<str>,
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
    /// The cluster at `brokers`, a comma-separated list of `host:port`, spoken to without encryption.
    ///
    /// # Errors
    /// [`AddressError`] if it is no such list.
    pub fn plaintext(brokers: &str) -> Result<Self, AddressError> {
        check(brokers).map_err(|cause| AddressError {
            brokers: brokers.to_owned(),
            cause,
        })?;
        Ok(Self {
            brokers: brokers.into(),
        })
    }

    /// The bootstrap servers as given.
    pub fn brokers(&self) -> &str {
        &self.brokers
    }

    /// What a client of this cluster is configured with, whatever it does.
    pub(crate) fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &*self.brokers);
        config
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

fn check(brokers: &str) -> Result<(), String> {
    for broker in brokers.split(',') {
        let Some((host, port)) = broker.trim().rsplit_once(':') else {
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
}
