//! How a cluster is got at, as the settings say: where the brokers are, and by which credentials.

mod credentials;
mod settings;

use std::sync::Arc;

use secrets::{Key, Secret, SecretError};

use crate::{AddressError, Cluster, Security};

/// What the settings say of a cluster, before anything is fetched. Clones share what was fetched.
///
/// Nothing is fetched before the first [`Self::cluster`]; credentials and addresses are then kept until
/// [`Self::renewed`] is asked for others.
#[derive(Clone, Debug)]
pub struct Access(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    brokers: Brokers,
    method: Method,
    ca: Option<Key>,
    create_partitions: Option<i32>,
}

/// Where the brokers are.
#[derive(Debug)]
enum Brokers {
    Listed(String),
    /// A cluster that was made elsewhere.
    Fixed(Cluster),
}

/// How they are spoken to, with where the credentials are.
#[derive(Debug)]
enum Method {
    Plaintext,
    Tls,
    MutualTls(Key),
    Scram(Key),
}

/// Why the cluster can't be got at. One sentence with the setting; never a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    /// Nothing says where the brokers are.
    #[error(
        "neither KAFKA_BOOTSTRAP_SERVERS nor MSK_CLUSTER_ARN is set: set the one to host:port, comma-separated, or the \
         other to the cluster's ARN"
    )]
    NoBrokers,
    /// A setting has a value that can't be used.
    #[error("the setting {name} is '{value}' ({problem}): set it to {expects}")]
    Setting {
        /// The variable.
        name: &'static str,
        /// Its value.
        value: String,
        /// Why that can't be used.
        problem: String,
        /// What a right value is, as a noun phrase.
        expects: &'static str,
    },
    /// A setting refers to no secret.
    #[error("the setting {name} can't be used: {problem}")]
    Reference {
        /// The variable.
        name: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// This kind of security needs credentials.
    #[error(
        "KAFKA_SECURITY is {security} and KAFKA_CREDENTIALS_SECRET is missing: set it to the reference of a secret, \
         {expects}"
    )]
    NoCredentials {
        /// The value of `KAFKA_SECURITY`.
        security: &'static str,
        /// What the secret has to be.
        expects: &'static str,
    },
    /// The secret can't be had.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The secret is there, and is something else.
    #[error("the secret that {setting} names is not {expects}: store it as that")]
    NotCredentials {
        /// The variable that names it.
        setting: &'static str,
        /// What it should be, as a noun phrase.
        expects: &'static str,
    },
    /// The brokers' addresses are none.
    #[error(transparent)]
    Address(#[from] AddressError),
}

impl Access {
    /// How many partitions a topic gets that does not exist; `None` leaves it missing.
    pub fn create_partitions(&self) -> Option<i32> {
        self.0.create_partitions
    }

    /// The cluster with the addresses and credentials that are held, fetched where there are none yet. Ends by
    /// itself, within seconds.
    ///
    /// # Errors
    /// [`AccessError`].
    pub async fn cluster(&self) -> Result<Cluster, AccessError> {
        if let Brokers::Fixed(cluster) = &self.0.brokers {
            return Ok(cluster.clone());
        }
        let credentials = match self.0.credentials() {
            Some(key) => Some(key.get().await?),
            None => None,
        };
        let ca = match &self.0.ca {
            Some(key) => Some(key.get().await?),
            None => None,
        };
        self.build(credentials.as_ref(), ca.as_ref()).await
    }

    /// The cluster with other addresses or credentials than `refused` has, if there are any by now: a rotated
    /// password, a renewed certificate, brokers that were replaced. `None` if nothing has changed.
    ///
    /// A secret is fetched again at most once a minute.
    ///
    /// # Errors
    /// [`AccessError`]; what was held stays.
    pub async fn renewed(&self, refused: &Cluster) -> Result<Option<Cluster>, AccessError> {
        let held = self.cluster().await?;
        if held != *refused {
            return Ok(Some(held));
        }
        for key in self.0.credentials().into_iter().chain(&self.0.ca) {
            let held = key.get().await?;
            key.renewed(&held).await?;
        }
        let cluster = self.cluster().await?;
        Ok((cluster != *refused).then_some(cluster))
    }

    async fn build(
        &self,
        credentials: Option<&Secret>,
        ca: Option<&Secret>,
    ) -> Result<Cluster, AccessError> {
        let ca = ca.map(credentials::authority).transpose()?;
        let security = match (&self.0.method, credentials) {
            (Method::Tls, _) => Security::Tls { ca },
            (Method::MutualTls(_), Some(secret)) => credentials::mutual_tls(secret, ca)?,
            (Method::Scram(_), Some(secret)) => credentials::scram(secret, ca)?,
            _ => Security::Plaintext,
        };
        match &self.0.brokers {
            Brokers::Listed(brokers) => Ok(Cluster::new(brokers, security)?),
            Brokers::Fixed(cluster) => Ok(cluster.clone()),
        }
    }
}

impl Parts {
    fn credentials(&self) -> Option<&Key> {
        match &self.method {
            Method::MutualTls(key) | Method::Scram(key) => Some(key),
            Method::Plaintext | Method::Tls => None,
        }
    }
}

/// A cluster that never changes.
impl From<Cluster> for Access {
    fn from(cluster: Cluster) -> Self {
        Self(Arc::new(Parts {
            brokers: Brokers::Fixed(cluster),
            method: Method::Plaintext,
            ca: None,
            create_partitions: None,
        }))
    }
}

#[cfg(test)]
mod tests;
