use std::fmt::Debug;

use async_trait::async_trait;

use crate::{Secret, SecretError, SecretReference};

/// A store of secrets.
#[async_trait]
pub trait FetchSecret: Debug + Send + Sync {
    /// The secret that `reference` names, as it is now. Ends by itself, within seconds.
    ///
    /// # Errors
    /// [`SecretError`], never with the secret in it.
    async fn fetch(&self, reference: &SecretReference) -> Result<Secret, SecretError>;
}
