//! The parts of the plane, each embedded or from elsewhere, and what the template gives them.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use lake::{
    Layout,
    store::{Credentials, S3Settings, S3Store},
};
use runtime::clock;
use stream::{consume::StartAt, embedded::EmbeddedBroker, topics};

use super::{FeedSource, Options, PARTITIONS, UpError};
use crate::{
    data_folder::DataFolder,
    object_store::{ACCESS_KEY, ObjectStore, SECRET_KEY},
    replay::{self, Replay},
    template::{Pipeline, StartingPosition},
    trigger::Mapping,
};

/// The replay's Finnhub token.
const REPLAY_TOKEN: &str = "replay";

/// The brokers.
pub(super) enum Broker {
    Embedded(EmbeddedBroker),
    External(String),
}

impl Broker {
    pub(super) async fn start(options: &Options) -> Result<Self, UpError> {
        match &options.brokers {
            Some(brokers) => {
                topics::reach(brokers).await?;
                Ok(Self::External(brokers.clone()))
            }
            None => Ok(Self::Embedded(EmbeddedBroker::start()?)),
        }
    }

    pub(super) fn address(&self) -> &str {
        match self {
            Self::Embedded(broker) => broker.brokers(),
            Self::External(brokers) => brokers,
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
                Self::External(brokers) => topics::create(brokers, topic, PARTITIONS).await?,
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
                let replay = Replay {
                    port: 0,
                    speed: options.speed,
                    tokens: vec![REPLAY_TOKEN.to_owned()],
                };
                Ok(Self::Replay(replay::start(replay).await?))
            }
            FeedSource::Live => {
                let key = options.finnhub_api_key.clone();
                let finnhub_api_key = key.ok_or(UpError::NoFinnhubKey)?;
                Ok(Self::Live { finnhub_api_key })
            }
        }
    }
}

/// The object store of the lake, as the plane reads it.
pub struct Store {
    s3: S3Store,
    layout: Layout,
    location: String,
    endpoint: String,
    credentials: (String, String),
    _embedded: Option<ObjectStore>,
}

impl Store {
    pub(super) async fn start(
        options: &Options,
        folder: &DataFolder,
        pipeline: &Pipeline,
    ) -> Result<Self, UpError> {
        let embedded = match &options.s3_endpoint {
            Some(_) => None,
            None => Some(ObjectStore::start(&folder.objects(), options.s3_port).await?),
        };
        let credentials = match (&embedded, &options.s3_credentials) {
            (Some(_), _) => (ACCESS_KEY.to_owned(), SECRET_KEY.to_owned()),
            (None, Some(given)) => given.clone(),
            // What the emulators take.
            (None, None) => ("test".to_owned(), "test".to_owned()),
        };
        let endpoint = match (&embedded, &options.s3_endpoint) {
            (Some(store), _) => store.endpoint(),
            (None, endpoint) => endpoint.clone().unwrap_or_default(),
        };
        let (bucket, prefix, epoch) = lake_of(pipeline, options)?;
        for name in pipeline.buckets.iter().chain([&bucket]) {
            connect(name, &endpoint, &credentials)
                .await
                .create_bucket()
                .await?;
        }
        let layout = Layout::record(&prefix, epoch.as_deref());
        let location = match &embedded {
            Some(_) => folder
                .objects()
                .join(&bucket)
                .join(layout.root())
                .display()
                .to_string(),
            None => format!("{endpoint}/{bucket}/{}", layout.root()),
        };
        Ok(Self {
            s3: connect(&bucket, &endpoint, &credentials).await,
            layout,
            location,
            endpoint,
            credentials,
            _embedded: embedded,
        })
    }

    /// The client of the lake's bucket.
    pub fn s3(&self) -> &S3Store {
        &self.s3
    }

    /// Where the lake's objects are in it.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Its endpoint.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Where a person finds them: a folder or a URL.
    pub fn location(&self) -> &str {
        &self.location
    }

    /// What Lambda and the account would set for the functions.
    pub(super) fn service_environment(&self) -> BTreeMap<String, String> {
        let (access_key, secret_key) = &self.credentials;
        [
            ("AWS_REGION", "us-east-1"),
            ("AWS_DEFAULT_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", access_key),
            ("AWS_SECRET_ACCESS_KEY", secret_key),
            ("AWS_ENDPOINT_URL_S3", &self.endpoint),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    }
}

async fn connect(bucket: &str, endpoint: &str, credentials: &(String, String)) -> S3Store {
    let (access_key, secret_key) = credentials;
    S3Store::connect(S3Settings {
        bucket: bucket.to_owned(),
        endpoint: Some(endpoint.to_owned()),
        credentials: Some(Credentials::new(
            access_key,
            secret_key,
            None,
            None,
            "quotelake",
        )),
    })
    .await
}

/// Bucket, prefix and epoch as the triggered function gets them.
fn lake_of(
    pipeline: &Pipeline,
    options: &Options,
) -> Result<(String, String, Option<String>), UpError> {
    let idle = |what| UpError::Idle {
        template: options.template.clone(),
        what,
    };
    let writer = pipeline
        .functions
        .iter()
        .find(|function| !function.kafka.is_empty())
        .ok_or_else(|| idle("a Kafka trigger"))?;
    let setting = |name: &str| {
        writer
            .environment
            .get(name)
            .filter(|value| !value.is_empty())
            .cloned()
    };
    let bucket =
        setting("BRONZE_BUCKET").ok_or_else(|| idle("a Kafka trigger and a BRONZE_BUCKET"))?;
    let prefix =
        setting("BRONZE_PREFIX").ok_or_else(|| idle("a Kafka trigger and a BRONZE_PREFIX"))?;
    Ok((bucket, prefix, setting("BRONZE_EPOCH")))
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
    let mut parameters = BTreeMap::from([
        ("KafkaBootstrapServers".to_owned(), broker.address().to_owned()),
        (
            "MskClusterArn".to_owned(),
            "arn:aws:kafka:us-east-1:000000000000:cluster/local/00000000-0000-0000-0000-000000000000-1"
                .to_owned(),
        ),
    ]);
    if let Broker::Embedded(_) = broker {
        // Its offsets start again at 0. A store from elsewhere has seen other folders' starts.
        let epoch = match &options.s3_endpoint {
            None => folder.epoch(),
            Some(_) => clock::now().strftime("%Y%m%dT%H%M%S%3fZ").to_string(),
        };
        parameters.insert("BronzeEpoch".to_owned(), epoch);
    }
    match market {
        Market::Replay(replay) => {
            parameters.insert("FinnhubUrl".to_owned(), replay.finnhub_url());
            parameters.insert("FinnhubApiKey".to_owned(), REPLAY_TOKEN.to_owned());
            parameters.insert("BinanceUrl".to_owned(), replay.binance_url());
        }
        Market::Live { finnhub_api_key } => {
            parameters.insert("FinnhubApiKey".to_owned(), finnhub_api_key.clone());
        }
    }
    parameters.extend(options.parameters.clone());
    parameters
}

/// Every topic that a schedule's job or a trigger names.
pub(super) fn topics(pipeline: &Pipeline, template: &Path) -> Result<BTreeSet<String>, UpError> {
    let mut topics = BTreeSet::new();
    for function in &pipeline.functions {
        topics.extend(function.kafka.iter().map(|event| event.topic.clone()));
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

/// Every enabled Kafka trigger with its function.
pub(super) fn mappings(
    pipeline: &Pipeline,
    template: &Path,
) -> Result<Vec<(String, Mapping)>, UpError> {
    let mut mappings = Vec::new();
    for function in &pipeline.functions {
        for event in function.kafka.iter().filter(|event| event.enabled) {
            let start_at = match event.starting_position {
                StartingPosition::TrimHorizon => StartAt::Earliest,
                StartingPosition::Latest => StartAt::Latest,
                StartingPosition::AtTimestamp(_) => {
                    return Err(UpError::StartAtTime(event.name.clone()));
                }
            };
            let mapping = Mapping {
                topic: event.topic.clone(),
                group: event.consumer_group.clone(),
                batch_size: event.batch_size,
                window: event.window,
                start_at,
            };
            mappings.push((function.name.clone(), mapping));
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
