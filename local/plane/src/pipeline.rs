//! The pipeline of a template, told by the template's own parameters where the brokers are.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use sam_template::{Function, KafkaEvent, OnFailure, Pipeline, TemplateError};
use stream::{
    Cluster,
    publish::{KafkaPublisher, ProducerError},
};

use crate::trigger::{Destination, Mapping};

/// The number of partitions of a topic that the plane makes.
pub const PARTITIONS: i32 = 10;

/// Why a trigger's on-failure destination can't be used.
#[derive(Debug, thiserror::Error)]
pub enum MappingError {
    /// A topic.
    #[error(transparent)]
    Producer(#[from] ProducerError),
    /// A bucket.
    #[error(
        "the trigger {trigger} sends what it gives up to the bucket {bucket}, which nobody has opened"
    )]
    NoBucket {
        /// The trigger.
        trigger: String,
        /// The bucket.
        bucket: String,
    },
}

/// The parameters that say where plaintext brokers are, whatever kind of cluster they are.
pub fn at_brokers(brokers: &str) -> BTreeMap<String, String> {
    [
        ("Kafka", "self-managed"),
        ("KafkaBootstrapServers", brokers),
        ("KafkaSecurity", "plaintext"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

/// The pipeline of `template` at these brokers, as far as its parameters take what [`at_brokers`] gives; `parameters` win
/// over that.
///
/// # Errors
/// [`TemplateError`] with the file and the line.
pub fn read(
    template: &Path,
    brokers: &str,
    parameters: &BTreeMap<String, String>,
) -> Result<Pipeline, TemplateError> {
    sam_template::read_offering(template, &at_brokers(brokers), parameters)
}

/// Every topic that a trigger or its on-failure destination names, or that a schedule's input names as its `topic`.
pub fn topics(pipeline: &Pipeline) -> BTreeSet<String> {
    let mut topics = BTreeSet::new();
    for function in &pipeline.functions {
        for event in &function.kafka {
            topics.insert(event.topic.clone());
            if let Some(OnFailure::Topic(topic)) = &event.on_failure {
                topics.insert(topic.clone());
            }
        }
        topics.extend(published_topics(function));
    }
    topics
}

/// The topics that the inputs of a function's schedules name: those that it publishes to.
pub fn published_topics(function: &Function) -> BTreeSet<String> {
    let schedules = function.schedules.iter();
    let topics = schedules.filter_map(|schedule| schedule.input.get("topic")?.as_str());
    topics.map(str::to_owned).collect()
}

/// The buckets that enabled triggers send to what they give up.
pub fn failure_buckets(pipeline: &Pipeline) -> BTreeSet<String> {
    let destinations = enabled(pipeline).filter_map(|(_, event)| event.on_failure.as_ref());
    let buckets = destinations.filter_map(|destination| match destination {
        OnFailure::Bucket(bucket) => Some(bucket.clone()),
        OnFailure::Topic(_) => None,
    });
    buckets.collect()
}

/// Every enabled Kafka trigger; `buckets` has the destinations of [`failure_buckets`] by name.
///
/// # Errors
/// [`MappingError`].
pub fn mappings(
    pipeline: &Pipeline,
    cluster: &Cluster,
    buckets: &BTreeMap<String, Destination>,
) -> Result<Vec<Mapping>, MappingError> {
    let mapping = |(function, event): (&Function, &KafkaEvent)| {
        let destination = match &event.on_failure {
            None => None,
            Some(OnFailure::Bucket(bucket)) => {
                let no_bucket = || MappingError::NoBucket {
                    trigger: event.name.clone(),
                    bucket: bucket.clone(),
                };
                Some(buckets.get(bucket).ok_or_else(no_bucket)?.clone())
            }
            Some(OnFailure::Topic(topic)) => {
                Some(Destination::topic(topic, KafkaPublisher::new(cluster)?))
            }
        };
        Ok(Mapping::new(&function.name, event, destination))
    };
    enabled(pipeline).map(mapping).collect()
}

fn enabled(pipeline: &Pipeline) -> impl Iterator<Item = (&Function, &KafkaEvent)> {
    pipeline.functions.iter().flat_map(|function| {
        let events = function.kafka.iter().filter(|event| event.enabled);
        events.map(move |event| (function, event))
    })
}
