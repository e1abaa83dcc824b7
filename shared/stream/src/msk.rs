//! The brokers of an MSK cluster, by its ARN.
//!
//! Source of the lists: `GetBootstrapBrokers` of the Amazon MSK API, one list for each kind of listener, absent where
//! the cluster has none.

use std::{error::Error, sync::Arc, time::Duration};

use aws_sdk_kafka::{
    Client,
    config::{Builder, Region},
    error::{ProvideErrorMetadata, SdkError},
    operation::get_bootstrap_brokers::GetBootstrapBrokersOutput,
};
use cause::Cause;
use secrets::{AwsAccount, Refusal};
use tokio::{
    sync::Mutex,
    time::{Instant, timeout},
};

use crate::cluster::addresses;

/// The longest that one question takes, with everything that it needs first and every attempt.
const LIMIT: Duration = Duration::from_secs(5);

/// The least time between two questions.
const RENEWAL: Duration = Duration::from_secs(30);

/// Why the brokers of an MSK cluster are not known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MskError {
    /// There is no such cluster.
    #[error(
        "there is no MSK cluster {arn}: check the account, the region and the name in MSK_CLUSTER_ARN"
    )]
    NotFound {
        /// What was asked for.
        arn: String,
    },
    /// The function may not ask.
    #[error(
        "the brokers of {arn} may not be asked for ({cause}): allow kafka:GetBootstrapBrokers on it in the function's role"
    )]
    Denied {
        /// What was asked for.
        arn: String,
        /// The service's words.
        #[source]
        cause: Cause,
    },
    /// The service refuses the question.
    #[error("MSK refuses to tell the brokers of {arn} ({cause}): check MSK_CLUSTER_ARN")]
    Refused {
        /// What was asked for.
        arn: String,
        /// The service's words.
        #[source]
        cause: Cause,
    },
    /// The service did not answer in time, throttles, or is out of order: later it may answer.
    #[error(
        "MSK did not tell the brokers of {arn} ({cause}): try again, or set KAFKA_BOOTSTRAP_SERVERS"
    )]
    Unavailable {
        /// What was asked for.
        arn: String,
        /// What went wrong.
        #[source]
        cause: Cause,
    },
    /// The cluster has no listener of that kind.
    #[error("the cluster {arn} has no listener for {security}: {remedy}")]
    NoListener {
        /// The cluster.
        arn: String,
        /// The value of `KAFKA_SECURITY`.
        security: &'static str,
        /// What to do.
        remedy: String,
    },
}

/// An MSK cluster and its brokers, asked for once and again when they may have changed.
#[derive(Debug)]
pub(crate) struct Msk {
    arn: String,
    account: Arc<AwsAccount>,
    known: Mutex<Option<(Instant, GetBootstrapBrokersOutput)>>,
}

impl Msk {
    pub(crate) fn new(arn: String, account: Arc<AwsAccount>) -> Self {
        Self {
            arn,
            account,
            known: Mutex::default(),
        }
    }

    /// The bootstrap servers for `security`, sorted; those that are known where `fresh` is false, or where they were asked
    /// for within the last 30 s. A question that fails, or finds no such listener, leaves what is known.
    ///
    /// # Errors
    /// [`MskError`].
    pub(crate) async fn brokers(
        &self,
        security: &'static str,
        fresh: bool,
    ) -> Result<String, MskError> {
        // Held over the question, so that nobody asks beside.
        let mut known = self.known.lock().await;
        if let Some((asked, lists)) = &*known
            && (!fresh || asked.elapsed() < RENEWAL)
        {
            return self.listener(lists, security);
        }
        let lists = self.ask().await?;
        let brokers = self.listener(&lists, security)?;
        *known = Some((Instant::now(), lists));
        Ok(brokers)
    }

    async fn ask(&self) -> Result<GetBootstrapBrokersOutput, MskError> {
        let question = async {
            let config = self.account.config().await;
            let mut config = Builder::from(config);
            if let Some(region) = region(&self.arn) {
                config = config.region(Region::new(region.to_owned()));
            }
            Client::from_conf(config.build())
                .get_bootstrap_brokers()
                .cluster_arn(&self.arn)
                .send()
                .await
        };
        match timeout(LIMIT, question).await {
            Ok(answer) => answer.map_err(|error| self.failure(error)),
            Err(_) => Err(MskError::Unavailable {
                arn: self.arn.clone(),
                cause: format!("no answer within {} s", LIMIT.as_secs()).into(),
            }),
        }
    }

    fn listener(
        &self,
        lists: &GetBootstrapBrokersOutput,
        security: &'static str,
    ) -> Result<String, MskError> {
        let tls = lists.bootstrap_broker_string_tls();
        let every = [
            ("plaintext", lists.bootstrap_broker_string()),
            ("tls", tls),
            ("mtls", tls),
            ("scram", lists.bootstrap_broker_string_sasl_scram()),
            ("iam", lists.bootstrap_broker_string_sasl_iam()),
        ];
        let there = every.map(|(name, list)| (name, list.filter(|list| !list.is_empty())));
        if let Some((_, Some(list))) = there.iter().find(|(name, _)| *name == security) {
            // The service has no order of its own.
            let mut brokers: Vec<_> = addresses(list).collect();
            brokers.sort_unstable();
            return Ok(brokers.join(","));
        }
        let others: Vec<_> = there
            .iter()
            .filter(|(_, list)| list.is_some())
            .map(|(name, _)| *name)
            .collect();
        let remedy = if others.is_empty() {
            "it has no brokers within the VPC, so wait until it is active, or set KAFKA_BOOTSTRAP_SERVERS".to_owned()
        } else {
            format!(
                "enable it on the cluster, or set KAFKA_SECURITY to one of {}",
                others.join(", ")
            )
        };
        Err(MskError::NoListener {
            arn: self.arn.clone(),
            security,
            remedy,
        })
    }

    /// What an error means, by the statuses of the API reference.
    fn failure<E: ProvideErrorMetadata + Error + Send + Sync + 'static>(
        &self,
        error: SdkError<E>,
    ) -> MskError {
        let arn = self.arn.clone();
        let Refusal {
            status,
            code,
            cause,
        } = Refusal::of(error);
        match (code.as_str(), status) {
            ("NotFoundException", _) | (_, Some(404)) => MskError::NotFound { arn },
            (
                "ForbiddenException"
                | "UnauthorizedException"
                | "AccessDeniedException"
                | "UnrecognizedClientException"
                | "ExpiredTokenException",
                _,
            )
            | (_, Some(401 | 403)) => MskError::Denied { arn, cause },
            ("TooManyRequestsException", _) | (_, Some(429)) => {
                MskError::Unavailable { arn, cause }
            }
            (_, Some(400..500)) => MskError::Refused { arn, cause },
            _ => MskError::Unavailable { arn, cause },
        }
    }
}

/// The region in the ARN of an MSK cluster, `arn:PARTITION:kafka:REGION:ACCOUNT:cluster/NAME/ID`; `None` if it is none.
pub(crate) fn region(arn: &str) -> Option<&str> {
    let mut parts = arn.splitn(6, ':');
    let is_arn = parts.next() == Some("arn");
    let partition = parts.next()?;
    let (service, region, account) = (parts.next()?, parts.next()?, parts.next()?);
    let resource = parts.next()?;
    let names = resource.strip_prefix("cluster/")?;
    let is_right = is_arn
        && partition.starts_with("aws")
        && service == "kafka"
        && !region.is_empty()
        && account.len() == 12
        && names.split('/').count() == 2
        && names.split('/').all(|name| !name.is_empty());
    is_right.then_some(region)
}

#[cfg(test)]
pub(crate) mod tests;
