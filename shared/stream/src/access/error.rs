use secrets::SecretError;
use settings::SettingError;

use crate::{AddressError, TokenError, msk::MskError};

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
    #[error(transparent)]
    Setting(#[from] SettingError),
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
    #[error(transparent)]
    Msk(#[from] MskError),
    /// There is nothing to sign tokens with.
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
