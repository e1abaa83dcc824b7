//! The broker and the market, each embedded or from elsewhere, and what the template says of both.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use lake::store::S3Store;
use runtime::clock;
use stream::{Cluster, embedded::EmbeddedBroker, publish::KafkaPublisher, start::StartAt, topics};

use super::{FeedSource, Options, PARTITIONS, UpError};
use crate::{
    data_folder::DataFolder,
    replay::{self, Replay},
    template::{self, OnFailure, Pipeline, StartingPosition, TemplateError},
    trigger::{Destination, Mapping},
};

/// The brokers.
pub(super) enum Broker {
    Embedded(EmbeddedBroker),
    External(Cluster),
}

impl Broker {
    pub(super) async fn start(options: &Options) -> Result<Self, UpError> {
        match &options.brokers {
            Some(brokers) => {
                let cluster = brokers.cluster().await?;
                topics::reach(&cluster).await?;
                Ok(Self::External(cluster))
            }
            None => Ok(Self::Embedded(EmbeddedBroker::start()?)),
        }
    }

    pub(super) fn cluster(&self) -> &Cluster {
        match self {
            Self::Embedded(broker) => broker.cluster(),
            Self::External(cluster) => cluster,
        }
    }

    /// Whether others may publish to its topics too.
    pub(super) fn is_shared(&self) -> bool {
        matches!(self, Self::External(_))
    }

    pub(super) async fn create_topics(&self, topics: &BTreeSet<String>) -> Result<(), UpError> {
        for topic in topics {
            match self {
                Self::Embedded(broker) => broker.create_topic(topic, PARTITIONS)?,
                Self::External(cluster) => {
                    topics::create_absent(cluster, topic, PARTITIONS).await?;
                }
            }
        }
        Ok(())
    }
}

/// Where the pollers find the providers.
pub(super) enum Market {
    Replay(replay::Running),
    Live { finnhub_api_key: String },
}

impl Market {
    pub(super) async fn start(options: &Options) -> Result<Self, UpError> {
        match options.feed {
            FeedSource::Replay => {
                let replay = Replay::at(0, options.speed);
                Ok(Self::Replay(
                    replay::start_with(replay, &options.faults).await?,
                ))
            }
            FeedSource::Live if !options.faults.is_empty() => Err(UpError::LiveFaults),
            FeedSource::Live => {
                let key = options.finnhub_api_key.clone();
                let finnhub_api_key = key.ok_or(UpError::NoFinnhubKey)?;
                Ok(Self::Live { finnhub_api_key })
            }
        }
    }
}

/// The folder that the functions are built in: the template's.
pub(super) fn workspace(template: &Path) -> PathBuf {
    match template.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// The template's parameters: the plane's own, then the user's over them.
pub(super) fn parameters(
    options: &Options,
    folder: &DataFolder,
    broker: &Broker,
    market: &Market,
) -> BTreeMap<String, String> {
    let mut parameters = at_brokers(broker.cluster().brokers());
    if let Broker::Embedded(_) = broker {
        // Its offsets start again at 0. A store from elsewhere has seen other folders' starts.
        let epoch = match &options.s3_endpoint {
            None => folder.epoch(),
            Some(_) => clock::now().strftime("%Y%m%dT%H%M%S%3fZ").to_string(),
        };
        parameters.insert("BronzeEpoch".to_owned(), epoch);
    }
    match market {
        Market::Replay(replay) => parameters.extend(replay.parameters()),
        Market::Live { finnhub_api_key } => {
            parameters.insert("FinnhubApiKey".to_owned(), finnhub_api_key.clone());
        }
    }
    parameters.extend(options.parameters.clone());
    parameters
}

/// The template's parameters for plaintext brokers of any kind.
pub(crate) fn at_brokers(brokers: &str) -> BTreeMap<String, String> {
    [
        ("Kafka", "self-managed"),
        ("KafkaBootstrapServers", brokers),
        ("KafkaSecurity", "plaintext"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

/// The template with plaintext brokers of any kind, under the user's parameters.
pub(crate) fn pipeline_at(
    brokers: &str,
    template: &Path,
    parameters: &[(String, String)],
) -> Result<Pipeline, TemplateError> {
    let mut all = at_brokers(brokers);
    all.extend(parameters.iter().cloned());
    template::read(template, &all)
}

/// Has every function that speaks to the brokers do so with the security that they want.
pub(super) fn secure(pipeline: &mut Pipeline, options: &Options) {
    let Some(brokers) = &options.brokers else {
        return;
    };
    for function in &mut pipeline.functions {
        if function.environment.contains_key("KAFKA_BOOTSTRAP_SERVERS") {
            function.environment.extend(brokers.security());
        }
    }
}

/// Every topic that a schedule's job, a trigger or its on-failure destination names.
pub(crate) fn topics(pipeline: &Pipeline, template: &Path) -> Result<BTreeSet<String>, UpError> {
    let mut topics = BTreeSet::new();
    for function in &pipeline.functions {
        for event in &function.kafka {
            topics.insert(event.topic.clone());
            if let Some(OnFailure::Topic(topic)) = &event.on_failure {
                topics.insert(topic.clone());
            }
        }
        for schedule in &function.schedules {
            let topic = schedule.input.get("topic").and_then(|topic| topic.as_str());
            let topic = topic.ok_or_else(|| UpError::NoTopic {
                template: template.to_owned(),
                schedule: schedule.name.clone(),
            })?;
            topics.insert(topic.to_owned());
        }
    }
    Ok(topics)
}

/// Refuses a function that names failed items where its trigger takes any answer for success.
pub(crate) fn check_responses(pipeline: &Pipeline) -> Result<(), UpError> {
    for function in &pipeline.functions {
        let response = function.environment.get("FAILURE_RESPONSE");
        let deaf = function
            .kafka
            .iter()
            .find(|event| !event.failures.partial_responses);
        if let (Some("items"), Some(event)) = (response.map(String::as_str), deaf) {
            return Err(UpError::ItemsIgnored {
                function: function.name.clone(),
                trigger: event.name.clone(),
            });
        }
    }
    Ok(())
}

/// Every enabled Kafka trigger; `bucket` opens the bucket of an on-failure destination.
pub(crate) async fn mappings(
    pipeline: &Pipeline,
    template: &Path,
    cluster: &Cluster,
    bucket: impl AsyncFn(&str) -> Result<S3Store, UpError>,
) -> Result<Vec<Mapping>, UpError> {
    let mut mappings = Vec::new();
    for function in &pipeline.functions {
        for event in function.kafka.iter().filter(|event| event.enabled) {
            let on_failure = match &event.on_failure {
                None => None,
                Some(OnFailure::Bucket(name)) => {
                    Some(Destination::bucket(name, bucket(name).await?))
                }
                Some(OnFailure::Topic(topic)) => {
                    Some(Destination::topic(topic, KafkaPublisher::new(cluster)?))
                }
            };
            mappings.push(Mapping {
                name: format!("{}-{}", function.name, event.name),
                function: function.name.clone(),
                topic: event.topic.clone(),
                group: event.consumer_group.clone(),
                batch_size: event.batch_size,
                window: event.window,
                start_at: match event.starting_position {
                    StartingPosition::TrimHorizon => StartAt::Earliest,
                    StartingPosition::Latest => StartAt::Latest,
                    StartingPosition::AtTimestamp(time) => StartAt::At(time),
                },
                pollers: event.pollers,
                failures: event.failures.clone(),
                on_failure,
            });
        }
    }
    if mappings.is_empty() {
        return Err(UpError::Idle {
            template: template.to_owned(),
            what: "an enabled Kafka trigger",
        });
    }
    Ok(mappings)
}
