use std::{error::Error, sync::Arc, time::Duration};

use async_trait::async_trait;
pub use aws_sdk_secretsmanager::config::Credentials;
use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};
use tokio::time::timeout;

use crate::{
    AwsAccount, FetchSecret, FileSecrets, Refusal, Secret, SecretError, SecretReference,
    text::secret_of,
};

/// The longest that a fetch takes, with everything that it needs first and every attempt.
const LIMIT: Duration = Duration::from_secs(5);

/// AWS Secrets Manager and SSM Parameter Store, and files as [`FileSecrets`]. Nothing is set up before the first fetch.
///
/// A fetch makes up to three attempts and ends within 5 s.
#[derive(Debug, Default)]
pub struct AwsSecrets(Arc<AwsAccount>);

impl AwsSecrets {
    /// The stores of the account and region that the AWS SDK finds, or those at `AWS_ENDPOINT_URL`.
    pub fn new() -> Self {
        Self::default()
    }

    /// The stores at `endpoint`, as an emulator has them, in `us-east-1`.
    pub fn at(endpoint: impl Into<String>, credentials: Credentials) -> Self {
        Self::of(Arc::new(AwsAccount::at(endpoint, credentials)))
    }

    /// The stores of `account`.
    pub fn of(account: Arc<AwsAccount>) -> Self {
        Self(account)
    }

    async fn text(&self, reference: &SecretReference) -> Result<Option<String>, SecretError> {
        let config = self.0.config().await;
        match reference {
            SecretReference::SecretsManager { name, .. } => {
                aws_sdk_secretsmanager::Client::new(config)
                    .get_secret_value()
                    .secret_id(name)
                    .send()
                    .await
                    .map(|secret| secret.secret_string)
                    .map_err(|error| failure(reference, error))
            }
            SecretReference::Parameter { name } => aws_sdk_ssm::Client::new(config)
                .get_parameter()
                .name(name)
                .with_decryption(true)
                .send()
                .await
                .map(|answer| answer.parameter.and_then(|parameter| parameter.value))
                .map_err(|error| failure(reference, error)),
            SecretReference::File { .. } => Ok(None),
        }
    }
}

#[async_trait]
impl FetchSecret for AwsSecrets {
    async fn fetch(&self, reference: &SecretReference) -> Result<Secret, SecretError> {
        if let SecretReference::File { .. } = reference {
            return FileSecrets.fetch(reference).await;
        }
        let text = timeout(LIMIT, self.text(reference))
            .await
            .map_err(|_| SecretError::Unavailable {
                reference: reference.clone(),
                cause: format!("no answer within {} s", LIMIT.as_secs()).into(),
            })??
            .ok_or_else(|| SecretError::NotText {
                reference: reference.clone(),
                expects: "a text",
            })?;
        secret_of(reference, text)
    }
}

/// What an error means. The codes are those of the API references of `GetSecretValue` and `GetParameter` and of
/// their common errors.
fn failure<E: ProvideErrorMetadata + Error + Send + Sync + 'static>(
    reference: &SecretReference,
    error: SdkError<E>,
) -> SecretError {
    let reference = reference.clone();
    let is_unsent = matches!(error, SdkError::ConstructionFailure(_));
    let Refusal {
        status,
        code,
        cause,
    } = Refusal::of(error);
    if is_unsent {
        return SecretError::Refused { reference, cause };
    }
    match (code.as_str(), status) {
        ("ResourceNotFoundException" | "ParameterNotFound" | "ParameterVersionNotFound", _) => {
            SecretError::NotFound { reference }
        }
        (
            "AccessDeniedException"
            | "DecryptionFailure"
            | "ExpiredTokenException"
            | "IncompleteSignature"
            | "InvalidClientTokenId"
            | "InvalidSignatureException"
            | "MissingAuthenticationToken"
            | "OptInRequired"
            | "UnrecognizedClientException",
            _,
        )
        | (_, Some(401 | 403)) => SecretError::Denied { reference, cause },
        ("ThrottlingException" | "RequestExpired", _) | (_, Some(429)) => {
            SecretError::Unavailable { reference, cause }
        }
        (_, Some(300..500)) => SecretError::Refused { reference, cause },
        _ => SecretError::Unavailable { reference, cause },
    }
}

#[cfg(test)]
mod tests;
