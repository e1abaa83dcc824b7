use std::time::Duration;

use stream::start::StartAt;

use super::Destination;
use crate::stats::GroupPartition;
use sam_template::{FailurePolicy, KafkaEvent, StartingPosition};

/// One mapping of a topic to a function.
#[derive(Clone)]
pub struct Mapping {
    /// Its name, which S3 destinations put into their keys.
    pub name: String,
    /// The function's name.
    pub function: String,
    /// The topic.
    pub topic: String,
    /// The consumer group.
    pub group: String,
    /// The most records of a batch, 1 to 10,000.
    pub batch_size: usize,
    /// How long a batch may wait to be filled.
    pub window: Duration,
    /// Where a group without commits starts.
    pub start_at: StartAt,
    /// How many consumers share the partitions; those beyond the number of partitions stay idle.
    pub pollers: u32,
    /// When records are given up.
    pub failures: FailurePolicy,
    /// Where they go then; without one they are dropped.
    pub on_failure: Option<Destination>,
}

/// The attempts that the service makes where there is a destination and no limit of retries is set, whatever the
/// outage.
/// Source: AWS Lambda developer guide, "Configuring error handling controls for Kafka event sources".
const ATTEMPTS_BEFORE_A_DESTINATION: u32 = 10;

impl Mapping {
    /// The mapping of `function` that its template's `event` describes.
    pub fn new(function: &str, event: &KafkaEvent, on_failure: Option<Destination>) -> Self {
        Self {
            name: format!("{function}-{}", event.name),
            function: function.to_owned(),
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
        }
    }

    /// A partition of its topic, as its group reads it.
    pub(super) fn partition(&self, partition: i32) -> GroupPartition {
        GroupPartition {
            group: self.group.clone(),
            topic: self.topic.clone(),
            partition,
        }
    }

    /// How often records are sent before they are given up; `None` is for ever.
    pub(super) fn attempts(&self) -> Option<u32> {
        let unlimited = || {
            self.on_failure
                .as_ref()
                .map(|_| ATTEMPTS_BEFORE_A_DESTINATION)
        };
        self.failures
            .retries
            .map(|retries| retries + 1)
            .or_else(unlimited)
    }
}
