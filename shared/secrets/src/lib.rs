//! API keys and passwords by name from AWS Secrets Manager, SSM Parameter Store or files: fetched once per
//! environment, renewed when refused, never logged.
//!
//! A client holds a [`Key`]. It asks for the secret before each use and reports one that was refused:
//!
//! ```
//! use secrets::{Key, Secret, SecretError};
//!
//! # async fn send(secret: &Secret) -> bool { true }
//! # async fn ask(key: &Key) -> Result<(), SecretError> {
//! let secret = key.get().await?;
//! let accepted = send(&secret).await;
//! if !accepted && let Some(renewed) = key.renewed(&secret).await? {
//!     send(&renewed).await;
//! }
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

mod account;
mod aws;
mod error;
mod fetch;
mod file;
mod key;
mod presign;
mod reference;
mod refusal;
mod secret;
mod text;

pub use account::AwsAccount;
pub use aws::{AwsSecrets, Credentials};
pub use error::SecretError;
pub use fetch::FetchSecret;
pub use file::FileSecrets;
pub use key::Key;
pub use presign::Presign;
pub use reference::{NotAReference, SecretReference};
pub use refusal::Refusal;
pub use secret::Secret;
