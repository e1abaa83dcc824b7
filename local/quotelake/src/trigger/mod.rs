//! The template's Kafka triggers, for functions that run in another Lambda: an emulator, or `cargo lambda watch`.
//!
//! No emulator has a Kafka trigger. This one reads the mappings from the template as the plane does, and invokes the
//! functions by Lambda's API.

mod api;
mod options;
mod view;

use std::{path::PathBuf, sync::Arc, time::Duration};

use bytes::Bytes;
use lake_tools::lake_location::{Endpoint, connect};
use plane::{
    brokers::Brokers,
    host::InvokeError,
    pipeline::{MappingError, PARTITIONS},
    stats::Stats,
    trigger::{Triggers, TriggersError},
};
use runtime::Environment;
use sam_template::{Pipeline, TemplateError};
use serde::Serialize;
use stream::{
    AccessError, OffsetRange,
    topics::{self, TopicError},
};
use tokio::time::Instant;

pub use api::EndpointError;
use api::{LambdaApi, RemoteFunction, RemoteFunctions};
pub use options::Options;
pub use view::View;

use crate::{
    counts::Counts,
    pipeline::{ItemsIgnored, check_responses, destinations},
};

/// The triggers at work. Dropping them stops them at once.
pub struct RemoteTriggers {
    triggers: Triggers,
    stats: Arc<Stats>,
    started: Instant,
}

/// What the triggers have done.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// How long they ran, in seconds.
    pub seconds: f64,
    /// The records that they had to bring to the functions.
    pub records: u64,
    /// Those that no function has answered for yet.
    pub left: u64,
    /// Everything else that they count.
    pub counts: Counts,
}

/// Why triggers did not start or can't go on.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// The endpoint.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// The template.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// How the brokers are spoken to.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The brokers or a topic.
    #[error(transparent)]
    Topic(#[from] TopicError),
    /// A trigger would take a list of failures for success.
    #[error(transparent)]
    ItemsIgnored(#[from] ItemsIgnored),
    /// A trigger's on-failure destination.
    #[error(transparent)]
    Mapping(#[from] MappingError),
    /// No trigger is enabled.
    #[error("{} has no function with an enabled Kafka trigger: nothing would happen", .0.display())]
    Idle(PathBuf),
    /// The triggers.
    #[error(transparent)]
    Triggers(#[from] TriggersError),
    /// A function of the command line that the template does not trigger.
    #[error("--function {0}=…: the template has no function {0} with an enabled Kafka trigger")]
    NotTriggered(String),
}

impl RemoteTriggers {
    /// Starts every enabled Kafka trigger of the template, once the brokers answer.
    ///
    /// # Errors
    /// [`RemoteError`].
    pub async fn start(options: &Options, environment: &Environment) -> Result<Self, RemoteError> {
        let access_key = environment.secret("AWS_ACCESS_KEY_ID");
        let secret_key = environment.secret("AWS_SECRET_ACCESS_KEY");
        let credentials = access_key.zip(secret_key);
        let lambda = Endpoint::emulator(options.lambda_endpoint.clone(), credentials.clone());
        let s3 = options.s3_endpoint.as_ref();
        let s3 = s3.map_or_else(
            || lambda.clone(),
            |url| Endpoint::emulator(url.clone(), credentials),
        );
        let api = LambdaApi::new(&lambda)?;
        let brokers = Brokers::new(&options.brokers, environment);
        let cluster = brokers.cluster().await?;
        topics::reach(&cluster).await?;
        let parameters = options.parameters.iter().cloned().collect();
        let pipeline = plane::pipeline::read(&options.template, cluster.brokers(), &parameters)?;
        check_responses(&pipeline)?;
        let functions = functions(&pipeline, &options.functions)?;
        if functions.is_empty() {
            return Err(RemoteError::Idle(options.template.clone()));
        }
        for topic in plane::pipeline::topics(&pipeline) {
            topics::create_absent(&cluster, &topic, PARTITIONS).await?;
        }
        let bucket = async |name: &str| Ok::<_, RemoteError>(connect(Some(&s3), name).await);
        let buckets = destinations(&pipeline, bucket).await?;
        let mappings = plane::pipeline::mappings(&pipeline, &cluster, &buckets)?;

        let stats = Arc::new(Stats::default());
        let (api, functions) = (Arc::new(api), Arc::new(functions));
        let invoke = move |function: &str, payload: Bytes| {
            let (api, function) = (Arc::clone(&api), functions.get(function).cloned());
            async move {
                match function {
                    Some(function) => api.invoke(&function, payload).await,
                    None => Err(InvokeError::NoSuchFunction(String::new())),
                }
            }
        };
        let triggers = Triggers::start(&cluster, mappings, &stats, invoke).await?;
        Ok(Self {
            triggers,
            stats,
            started: Instant::now(),
        })
    }

    /// The counts so far.
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// How long they have been running.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Waits until one of them fails, which normally never happens.
    pub async fn failure(&mut self) -> RemoteError {
        self.triggers.failure().await.into()
    }

    /// Lets them deliver what is published, for at most a minute, and leave their groups.
    ///
    /// # Errors
    /// [`RemoteError`] if the brokers can't be asked any more.
    pub async fn stop(self) -> Result<Summary, RemoteError> {
        let seconds = self.elapsed().as_secs_f64();
        let ends = self.triggers.drain().await?;
        self.triggers.stop().await;
        let counts = Counts::from(self.stats.snapshot());
        let expected = ends.iter().flat_map(|ends| &ends.expected);
        let records = |OffsetRange { offsets, .. }: &OffsetRange| offsets.end - offsets.start;
        Ok(Summary {
            seconds,
            records: expected
                .map(records)
                .filter_map(|records| u64::try_from(records).ok())
                .sum(),
            left: counts.left(),
            counts,
        })
    }
}

impl Summary {
    /// Whether every record is done, and none was dropped or expired before it was read.
    pub fn is_complete(&self) -> bool {
        self.left == 0 && self.counts.dropped == 0 && self.counts.expired == 0
    }
}

/// Every function with an enabled trigger, by its name there: the one given, else its logical id.
fn functions(
    pipeline: &Pipeline,
    given: &[(String, String)],
) -> Result<RemoteFunctions, RemoteError> {
    let triggered = pipeline
        .functions
        .iter()
        .filter(|function| function.kafka.iter().any(|event| event.enabled));
    let mut functions: RemoteFunctions = triggered
        .map(|function| {
            let remote = RemoteFunction {
                name: function.name.clone(),
                timeout: function.timeout,
            };
            (function.name.clone(), remote)
        })
        .collect();
    for (id, name) in given {
        match functions.get_mut(id) {
            Some(function) => function.name.clone_from(name),
            None => return Err(RemoteError::NotTriggered(id.clone())),
        }
    }
    Ok(functions)
}

#[cfg(test)]
mod tests;
