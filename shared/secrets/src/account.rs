use std::{fmt, time::Duration};

use aws_config::{
    BehaviorVersion, Region, SdkConfig, environment::EnvironmentVariableRegionProvider,
    meta::region::RegionProviderChain, profile::ProfileFileRegionProvider, retry::RetryConfig,
    timeout::TimeoutConfig,
};
use aws_credential_types::provider::{ProvideCredentials, error::CredentialsError};
use aws_sdk_secretsmanager::config::Credentials;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use cause::Cause;
use tokio::{sync::OnceCell, time::timeout};

/// How long the search for credentials may take.
const SEARCH: Duration = Duration::from_secs(4);

/// The set-up of AWS's SDK, which clients of several services share: TLS by ring, up to three attempts of 2 s each.
///
/// Nothing is looked up before the first [`Self::config`].
#[derive(Default)]
pub struct AwsAccount {
    elsewhere: Option<(String, Credentials)>,
    region: Option<String>,
    config: OnceCell<SdkConfig>,
}

impl AwsAccount {
    /// The account and region that the SDK finds, or what is at `AWS_ENDPOINT_URL`.
    pub fn new() -> Self {
        Self::default()
    }

    /// The account that the SDK finds, in `region` if neither the environment nor a profile names one: the machine is
    /// not asked where it is, which takes seconds where nobody answers.
    pub fn in_region(region: Option<String>) -> Self {
        Self {
            region,
            ..Self::default()
        }
    }

    /// What an emulator has at `endpoint`, in `us-east-1`.
    pub fn at(endpoint: impl Into<String>, credentials: Credentials) -> Self {
        Self {
            elsewhere: Some((endpoint.into(), credentials)),
            ..Self::default()
        }
    }

    /// The SDK's settings, looked up once.
    pub async fn config(&self) -> &SdkConfig {
        self.config.get_or_init(|| self.load()).await
    }

    /// The credentials that requests are signed with, as they are now. Ends by itself, within seconds.
    ///
    /// # Errors
    /// Why there are none, in words.
    pub async fn credentials(&self) -> Result<Credentials, Cause> {
        let found = async {
            let provider = self.config().await.credentials_provider();
            let provider = provider.ok_or_else(|| Cause::from("none were found"))?;
            match provider.provide_credentials().await {
                Ok(credentials) => Ok(credentials),
                Err(CredentialsError::CredentialsNotLoaded(_)) => Err("none were found".into()),
                Err(error) => Err(Cause::of(error)),
            }
        };
        let found = timeout(SEARCH, found).await;
        found.unwrap_or_else(|_| Err(format!("no answer within {} s", SEARCH.as_secs()).into()))
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
        if let Some(region) = &self.region {
            let named = RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new())
                .or_else(ProfileFileRegionProvider::new())
                .or_else(Region::new(region.clone()));
            config = config.region(named);
        }
        if let Some((endpoint, credentials)) = &self.elsewhere {
            config = config
                .endpoint_url(endpoint)
                .region("us-east-1")
                .credentials_provider(credentials.clone());
        }
        config.load().await
    }
}

impl fmt::Debug for AwsAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let endpoint = self.elsewhere.as_ref().map(|(endpoint, _)| endpoint);
        f.debug_struct("AwsAccount")
            .field("endpoint", &endpoint)
            .finish_non_exhaustive()
    }
}
