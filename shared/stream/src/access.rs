//! How a cluster is got at, as the settings say: where the brokers are, and by which credentials.

mod credentials;
mod error;
mod settings;

use std::sync::Arc;

use futures::future::join_all;
use jiff::Timestamp;
use secrets::{AwsAccount, Key, Secret};
use tokio::{join, sync::OnceCell, try_join};

pub use error::AccessError;
pub use settings::SETTINGS;

use crate::{Cluster, Security, TokenError, Tokens, iam::IamTokens, msk::Msk};

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
    Msk(Box<Msk>),
}

/// How they are spoken to, with where the credentials are.
#[derive(Debug)]
enum Method {
    Plaintext,
    Tls,
    MutualTls(Key),
    Scram(Key),
    Iam(Iam),
}

/// Tokens of the account's credentials.
#[derive(Debug)]
struct Iam {
    account: Arc<AwsAccount>,
    region: String,
    clock: fn() -> Timestamp,
    /// The same for every cluster that is built, so that an unchanged one is equal to the one before.
    tokens: OnceCell<Tokens>,
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
            Source::Settings(parts) => parts.cluster().await,
        }
    }

    /// The cluster where what is connected to `refused` has to be connected anew: a rotated password, a renewed
    /// certificate, other brokers. `None` if nothing has changed; brokers that are listed in another order, or of which
    /// `refused` names one at least, are no change.
    ///
    /// A secret is fetched again at most once a minute, and MSK asked at most once in 30 s.
    ///
    /// # Errors
    /// [`AccessError`] if something could not be asked for again and nothing else has changed; what was held stays.
    pub async fn renewed(&self, refused: &Cluster) -> Result<Option<Cluster>, AccessError> {
        let is_other = |held: &Cluster| held.replaces(refused);
        // A secret that was stored wrong is fetched again too.
        let held = self.cluster().await.ok().filter(is_other);
        let (None, Source::Settings(parts)) = (&held, &self.0) else {
            return Ok(held);
        };
        let renewed = parts.renew().await;
        let cluster = Some(parts.cluster().await?).filter(is_other);
        if cluster.is_none() {
            renewed?;
        }
        Ok(cluster)
    }
}

impl Parts {
    async fn cluster(&self) -> Result<Cluster, AccessError> {
        // All at the same time: each may take as long as it may.
        let (security, brokers) = try_join!(self.security(), self.addresses(false))?;
        Ok(Cluster::new(&brokers, security)?)
    }

    /// Asks for every secret and for the brokers again, all at the same time; what can't be had stays as it is held.
    ///
    /// # Errors
    /// The first [`AccessError`], once everything was asked for.
    async fn renew(&self) -> Result<(), AccessError> {
        let secrets = self.credentials().into_iter().chain(&self.ca);
        let secrets = join_all(secrets.map(async |key| {
            let held = key.get().await?;
            key.renewed(&held).await
        }));
        let (secrets, brokers) = join!(secrets, self.addresses(true));
        for secret in secrets {
            secret?;
        }
        brokers?;
        Ok(())
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

    async fn addresses(&self, fresh: bool) -> Result<String, AccessError> {
        match &self.brokers {
            Brokers::Listed(brokers) => Ok(brokers.clone()),
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

impl Iam {
    async fn tokens(&self) -> Result<Tokens, TokenError> {
        let tokens = async || {
            let config = self.account.config().await;
            let credentials = config.credentials_provider();
            let credentials = credentials.ok_or_else(|| TokenError::NoCredentials {
                cause: "the SDK has no provider of them".into(),
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
