//! A topic, on a broker of its own or on Kafka.

use std::{sync::Arc, time::Duration};

use stream::{Cluster, embedded::EmbeddedBroker, topics::Watermarks};
use tokio::time::{Instant, sleep};

use crate::{contents::Coordinates, real_kafka::Kafka};

/// The name of a topic on a broker of its own.
pub const TOPIC: &str = "quotes";

/// How long a group may take to come to the end of the topic.
const PATIENCE: Duration = Duration::from_secs(120);

/// A topic; a broker of its own ends with this value and with everybody who has a clone.
#[derive(Clone)]
pub struct Topic {
    name: String,
    cluster: Cluster,
    /// Consumers take long to end without it.
    _broker: Option<Arc<EmbeddedBroker>>,
}

impl Topic {
    /// An empty one on a broker of its own.
    pub fn new(partitions: i32) -> Self {
        Self::named(TOPIC, partitions)
    }

    /// An empty one of another name, on a broker of its own.
    pub fn named(name: &str, partitions: i32) -> Self {
        let broker = EmbeddedBroker::start().unwrap();
        broker.create_topic(name, partitions).unwrap();
        Self {
            name: name.to_owned(),
            cluster: broker.cluster().clone(),
            _broker: Some(Arc::new(broker)),
        }
    }

    /// An empty one on Kafka.
    pub fn on(kafka: &Kafka, name: &str, partitions: i32) -> Self {
        kafka.create_topic(name, partitions, &[]);
        Self {
            name: name.to_owned(),
            cluster: kafka.cluster(),
            _broker: None,
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where its broker is.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// Every record in it.
    pub fn records(&self) -> Vec<Coordinates> {
        let watermarks = Watermarks::new(self.cluster(), "audit").unwrap();
        let mut records = Vec::new();
        for partition in watermarks.partitions(&self.name).unwrap() {
            let held = watermarks.held(&self.name, partition).unwrap();
            assert_eq!(
                held.start, 0,
                "the broker has dropped records: publish fewer"
            );
            records.extend(held.map(|offset| (self.name.clone(), partition, offset)));
        }
        records
    }

    /// Waits until `group` has committed everything.
    pub async fn until_committed(&self, group: &str) {
        let watermarks = Watermarks::new(self.cluster(), group).unwrap();
        let partitions = watermarks.partitions(&self.name).unwrap();
        let ends: Vec<Option<i64>> = partitions
            .iter()
            .map(|&partition| Some(watermarks.held(&self.name, partition).unwrap().end))
            .collect();
        let until = Instant::now() + PATIENCE;
        loop {
            let committed = watermarks.committed(&self.name, &partitions).unwrap();
            let mut both = committed.iter().zip(&ends);
            if both.all(|(committed, end)| committed.or(Some(0)) == *end) {
                return;
            }
            assert!(Instant::now() < until, "{committed:?} of {ends:?}");
            sleep(Duration::from_millis(20)).await;
        }
    }
}
