use plane::brokers::Brokers;
use runtime::Environment;
use stream::{OffsetRange, topics::TopicError};

use super::{
    DatabaseError, DatabaseOptions, DatabaseVerdict, Kafka, Lake, Scope, options::aside,
    verify_tables,
};
use crate::{
    database_location::connect,
    verify::{KafkaTopics, Progress},
};

/// Runs `quotelake verify database`.
///
/// # Errors
/// [`DatabaseError`] if there is no such lake or database, or they or the brokers do not answer.
pub async fn verify_database(
    options: &DatabaseOptions,
    environment: &Environment,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<DatabaseVerdict, DatabaseError> {
    let lake = options.lake.open(environment).await?;
    let access = options.database.location.access(environment)?;
    let tables = connect(&access).await?;
    let topics = match &options.brokers {
        Some(brokers) => {
            let brokers = Brokers::new(brokers, environment);
            Some(KafkaTopics::connect(&brokers.cluster().await?).await?)
        }
        None => None,
    };
    let held = match &topics {
        Some(topics) => held(topics, &options.topics).await?,
        None => Vec::new(),
    };
    let kafka = topics.as_ref().map(|topics| Kafka {
        topics,
        ranges: &held,
    });
    let prefix = &options.database.database_quarantine_prefix;
    let records = Lake {
        store: lake.s3(),
        layout: Some(lake.layout()),
        aside: &aside(prefix, lake.epoch(), lake.layout()),
    };
    let scope = Scope {
        topics: &options.topics,
        epoch: lake.epoch().unwrap_or_default(),
        only: (!options.ranges.is_empty()).then_some(&*options.ranges),
        since: options.database.since,
        history: !options.database.no_history,
        has_had_all: false,
    };
    let verdict = verify_tables(&tables, &records, kafka.as_ref(), &scope, progress).await?;
    match verdict.absent.first() {
        // An object that can't be read is one of a topic that is there.
        Some(topic) if options.are_named && verdict.damaged.count == 0 => {
            Err(DatabaseError::NoTopic(topic.clone()))
        }
        _ => Ok(verdict),
    }
}

/// What the brokers hold of the topics that they have.
async fn held(topics: &KafkaTopics, names: &[String]) -> Result<Vec<OffsetRange>, TopicError> {
    let mut held = Vec::new();
    for topic in names {
        match topics.all_of(topic).await {
            Ok(of_topic) => held.extend(of_topic),
            Err(TopicError::Unknown { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(held)
}
