//! The broker and the market, each embedded or from elsewhere, and what the template says of both.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use plane::{
    data_folder::DataFolder,
    pipeline::{PARTITIONS, at_brokers},
};
use runtime::clock;
use sam_template::Pipeline;
use stream::{Cluster, embedded::EmbeddedBroker, topics};

use super::{DatabaseSource, FeedSource, Options, UpError};

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
    Recorded(market_server::Running),
    Live { finnhub_api_key: String },
}

impl Market {
    pub(super) async fn start(options: &Options) -> Result<Self, UpError> {
        match options.feed {
            FeedSource::Recorded => {
                let settings = market_server::Settings {
                    times: options.times,
                    ..market_server::Settings::at(0, options.speed)
                };
                let market = market_server::start_with(settings, &options.faults).await?;
                Ok(Self::Recorded(market))
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

/// Names the run's history by the time of its start, where the store or the database is from elsewhere: that has seen other
/// folders' starts, whose numbers are this one's too.
pub(super) fn name_epoch(options: &Options, folder: &mut DataFolder) -> Result<(), UpError> {
    let database = options.database.as_ref().map(|database| &database.source);
    if options.s3_endpoint.is_some() || matches!(database, Some(DatabaseSource::Url(_))) {
        let started = clock::now().as_millisecond().unsigned_abs();
        folder.name_epoch(in_base_36(started))?;
    }
    Ok(())
}

/// Short, because it is in every key, and the embedded store keeps a key in one file name.
fn in_base_36(mut number: u64) -> String {
    let mut digits = Vec::new();
    while number > 0 {
        digits.extend(char::from_digit((number % 36) as u32, 36));
        number /= 36;
    }
    digits.iter().rev().collect()
}

/// What the parameters of the template are offered, so that its functions find the parts here.
pub(super) fn offered(
    folder: &DataFolder,
    broker: &Broker,
    market: &Market,
) -> BTreeMap<String, String> {
    let mut parameters = at_brokers(broker.cluster().brokers());
    // An hour is longer than most runs.
    parameters.insert("RollEvery".to_owned(), "1 minute".to_owned());
    if let Broker::Embedded(_) = broker {
        // Its offsets start again at 0.
        parameters.insert("BronzeEpoch".to_owned(), folder.epoch());
    }
    match market {
        Market::Recorded(market) => parameters.extend(market.parameters()),
        Market::Live { finnhub_api_key } => {
            parameters.insert("FinnhubApiKey".to_owned(), finnhub_api_key.clone());
        }
    }
    parameters
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
