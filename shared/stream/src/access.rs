//! How a cluster is got at, as the settings say: where the brokers are, and by which credentials.

mod credentials;
mod settings;

use std::sync::Arc;

#[cfg(feature = "aws")]
use jiff::Timestamp;
#[cfg(feature = "aws")]
use secrets::AwsAccount;
use secrets::{Key, Secret, SecretError};
#[cfg(feature = "aws")]
use tokio::sync::OnceCell;
use tokio::try_join;

use crate::{AddressError, Cluster, Security};
#[cfg(feature = "aws")]
use crate::{
    TokenError, Tokens,
    iam::IamTokens,
    msk::{Msk, MskError},
};

/// What the settings say of a cluster, before anything is fetched. Clones share what was fetched.
///
/// Nothing is fetched before the first [`Self::cluster`]; credentials and addresses are then kept until
/// [`Self::renewed`] is asked for others.
#[derive(Clone, Debug)]
pub struct Access(Source);

#[derive(Clone, Debug)]
enum Source {
    /// A cluster that was made elsewhere.
    Fixed(Cluster),
    Settings(Arc<Parts>),
}

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
    /// By the ARN of an MSK cluster.
    #[cfg(feature = "aws")]
    Msk(Box<Msk>),
}

/// How they are spoken to, with where the credentials are.
#[derive(Debug)]
enum Method {
    Plaintext,
    Tls,
    MutualTls(Key),
    Scram(Key),
    #[cfg(feature = "aws")]
    Iam(Iam),
}

/// Tokens of the account's credentials.
#[cfg(feature = "aws")]
#[derive(Debug)]
struct Iam {
    account: Arc<AwsAccount>,
    region: String,
    clock: fn() -> Timestamp,
    /// The same for every cluster that is built, so that an unchanged one is equal to the one before.
    tokens: OnceCell<Tokens>,
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
    /// The brokers of the MSK cluster are not known.
    #[cfg(feature = "aws")]
    #[error(transparent)]
    Msk(#[from] MskError),
    /// There is nothing to sign tokens with.
    #[cfg(feature = "aws")]
    #[error(transparent)]
    Token(#[from] TokenError),
    /// Tokens are for a region, and nothing says which.
    #[error(
        "KAFKA_SECURITY is iam and nothing names the cluster's region: set AWS_REGION or MSK_CLUSTER_ARN"
    )]
    NoRegion,
    /// The brokers' addresses are none.
    #[error(transparent)]
    Address(#[from] AddressError),
}

impl Access {
    /// How many partitions a topic gets that does not exist; `None` leaves it missing.
    pub fn create_partitions(&self) -> Option<i32> {
        match &self.0 {
            Source::Fixed(_) => None,
            Source::Settings(parts) => parts.create_partitions,
        }
    }

    /// The cluster with the addresses and credentials that are held, fetched where there are none yet, all at the
    /// same time. Ends by itself, within 5 s.
    ///
    /// # Errors
    /// [`AccessError`].
    pub async fn cluster(&self) -> Result<Cluster, AccessError> {
        match &self.0 {
            Source::Fixed(cluster) => Ok(cluster.clone()),
            Source::Settings(parts) => parts.cluster(false).await,
        }
    }

    /// The cluster with other addresses or credentials than `refused` has, if there are any by now: a rotated
    /// password, a renewed certificate, brokers that were replaced. `None` if nothing has changed.
    ///
    /// A secret is fetched again at most once a minute, and MSK asked at most once in 30 s.
    ///
    /// # Errors
    /// [`AccessError`]; what was held stays.
    pub async fn renewed(&self, refused: &Cluster) -> Result<Option<Cluster>, AccessError> {
        let held = self.cluster().await?;
        if held != *refused {
            return Ok(Some(held));
        }
        let Source::Settings(parts) = &self.0 else {
            return Ok(None);
        };
        for key in parts.credentials().into_iter().chain(&parts.ca) {
            let held = key.get().await?;
            key.renewed(&held).await?;
        }
        let cluster = parts.cluster(true).await?;
        Ok((cluster != *refused).then_some(cluster))
    }
}

impl Parts {
    /// The cluster; its brokers asked for again if `fresh`.
    async fn cluster(&self, fresh: bool) -> Result<Cluster, AccessError> {
        // All at the same time: each may take as long as it may.
        let (security, brokers) = try_join!(self.security(), self.addresses(fresh))?;
        Ok(Cluster::new(&brokers, security)?)
    }

    async fn security(&self) -> Result<Security, AccessError> {
        Ok(match &self.method {
            Method::Plaintext => Security::Plaintext,
            Method::Tls => Security::Tls {
                ca: self.authority().await?,
            },
            Method::MutualTls(key) => {
                let (client, ca) = self.with_authority(key).await?;
                credentials::mutual_tls(&client, ca)?
            }
            Method::Scram(key) => {
                let (user, ca) = self.with_authority(key).await?;
                credentials::scram(&user, ca)?
            }
            #[cfg(feature = "aws")]
            Method::Iam(iam) => Security::Iam {
                ca: self.authority().await?,
                tokens: iam.tokens().await?,
            },
        })
    }

    async fn with_authority(&self, key: &Key) -> Result<(Secret, Option<String>), AccessError> {
        try_join!(async { Ok(key.get().await?) }, self.authority())
    }

    async fn authority(&self) -> Result<Option<String>, AccessError> {
        match &self.ca {
            Some(key) => Ok(Some(credentials::authority(&key.get().await?)?)),
            None => Ok(None),
        }
    }

    #[cfg_attr(
        not(feature = "aws"),
        expect(unused_variables, reason = "only MSK is asked for brokers")
    )]
    async fn addresses(&self, fresh: bool) -> Result<String, AccessError> {
        match &self.brokers {
            Brokers::Listed(brokers) => Ok(brokers.clone()),
            #[cfg(feature = "aws")]
            Brokers::Msk(msk) => Ok(msk.brokers(self.method.name(), fresh).await?),
        }
    }

    fn credentials(&self) -> Option<&Key> {
        match &self.method {
            Method::MutualTls(key) | Method::Scram(key) => Some(key),
            _ => None,
        }
    }
}

#[cfg(feature = "aws")]
impl Method {
    /// The value of `KAFKA_SECURITY` for it.
    fn name(&self) -> &'static str {
        match self {
            Self::Plaintext => "plaintext",
            Self::Tls => "tls",
            Self::MutualTls(_) => "mtls",
            Self::Scram(_) => "scram",
            Self::Iam(_) => "iam",
        }
    }
}

#[cfg(feature = "aws")]
impl Iam {
    async fn tokens(&self) -> Result<Tokens, TokenError> {
        let tokens = async || {
            let config = self.account.config().await;
            let credentials = config.credentials_provider();
            let credentials = credentials.ok_or_else(|| TokenError::NoCredentials {
                cause: "the SDK has no provider of them".to_owned(),
            })?;
            let tokens = IamTokens::new(self.region.clone(), credentials, self.clock);
            Ok(Tokens::new(tokens))
        };
        self.tokens.get_or_try_init(tokens).await.cloned()
    }
}

/// A cluster that never changes.
impl From<Cluster> for Access {
    fn from(cluster: Cluster) -> Self {
        Self(Source::Fixed(cluster))
    }
}

#[cfg(test)]
mod tests;
