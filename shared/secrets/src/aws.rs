use std::{error::Error, fmt, time::Duration};

use async_trait::async_trait;
use aws_config::{BehaviorVersion, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
pub use aws_sdk_secretsmanager::config::Credentials;
use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use tokio::{sync::OnceCell, time::timeout};

use crate::{FetchSecret, FileSecrets, Secret, SecretError, SecretReference, text::secret_of};

/// The longest that a fetch takes, with everything that it needs first and every attempt.
const LIMIT: Duration = Duration::from_secs(5);

/// AWS Secrets Manager and SSM Parameter Store, and files as [`FileSecrets`]. Nothing is set up before the first fetch.
///
/// A fetch makes up to three attempts and ends within 5 s.
#[derive(Default)]
pub struct AwsSecrets {
    elsewhere: Option<(String, Credentials)>,
    config: OnceCell<SdkConfig>,
}

impl AwsSecrets {
    /// The stores of the account and region that the AWS SDK finds, or those at `AWS_ENDPOINT_URL`.
    pub fn new() -> Self {
        Self::default()
    }

    /// The stores at `endpoint`, as an emulator has them, in `us-east-1`.
    pub fn at(endpoint: impl Into<String>, credentials: Credentials) -> Self {
        Self {
            elsewhere: Some((endpoint.into(), credentials)),
            config: OnceCell::new(),
        }
    }

    async fn load(&self) -> SdkConfig {
        let http = aws_smithy_http_client::Builder::new()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .build_https();
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(1))
            .operation_attempt_timeout(Duration::from_secs(2))
            .build();
        let retries = RetryConfig::standard()
            .with_max_attempts(3)
            .with_initial_backoff(Duration::from_millis(100));
        let mut config = aws_config::defaults(BehaviorVersion::latest())
            .http_client(http)
            .retry_config(retries)
            .timeout_config(timeouts);
        if let Some((endpoint, credentials)) = &self.elsewhere {
            config = config
                .endpoint_url(endpoint)
                .region("us-east-1")
                .credentials_provider(credentials.clone());
        }
        config.load().await
    }

    async fn text(&self, reference: &SecretReference) -> Result<Option<String>, SecretError> {
        let config = self.config.get_or_init(|| self.load()).await;
        match reference {
            SecretReference::SecretsManager { name, .. } => {
                aws_sdk_secretsmanager::Client::new(config)
                    .get_secret_value()
                    .secret_id(name)
                    .send()
                    .await
                    .map(|secret| secret.secret_string)
                    .map_err(|error| failure(reference, &error))
            }
            SecretReference::Parameter { name } => aws_sdk_ssm::Client::new(config)
                .get_parameter()
                .name(name)
                .with_decryption(true)
                .send()
                .await
                .map(|answer| answer.parameter.and_then(|parameter| parameter.value))
                .map_err(|error| failure(reference, &error)),
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
                cause: format!("no answer within {} s", LIMIT.as_secs()),
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
fn failure<E: ProvideErrorMetadata + Error + 'static>(
    reference: &SecretReference,
    error: &SdkError<E>,
) -> SecretError {
    let reference = reference.clone();
    let status = error
        .raw_response()
        .map(|response| response.status().as_u16());
    let code = error.code().unwrap_or_default();
    let cause = match (code, error.message().unwrap_or_default()) {
        ("", "") => innermost(error),
        (code, "") => code.to_owned(),
        (code, message) => format!("{code}: {message}"),
    };
    if matches!(error, SdkError::ConstructionFailure(_)) {
        return SecretError::Refused { reference, cause };
    }
    match (code, status) {
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

/// The innermost cause, which says more than "dispatch failure", in one line.
fn innermost(error: &dyn Error) -> String {
    let mut innermost = error;
    while let Some(cause) = innermost.source() {
        innermost = cause;
    }
    let text = innermost.to_string();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl fmt::Debug for AwsSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let endpoint = self.elsewhere.as_ref().map(|(endpoint, _)| endpoint);
        f.debug_struct("AwsSecrets")
            .field("endpoint", &endpoint)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
