//! A topic on a broker of its own.

use std::{sync::Arc, time::Duration};

use stream::{Cluster, embedded::EmbeddedBroker, topics::Watermarks};
use tokio::time::{Instant, sleep};

use crate::contents::Coordinates;

/// Its name.
pub const TOPIC: &str = "quotes";

/// How long a group may take to come to the end of the topic.
const PATIENCE: Duration = Duration::from_secs(120);

/// A topic on a broker that ends with this value and with everybody who holds it.
pub struct Topic {
    broker: Arc<EmbeddedBroker>,
    partitions: Vec<i32>,
}

impl Topic {
    /// An empty one.
    pub fn new(partitions: i32) -> Self {
        let broker = EmbeddedBroker::start().unwrap();
        broker.create_topic(TOPIC, partitions).unwrap();
        Self {
            broker: Arc::new(broker),
            partitions: (0..partitions).collect(),
        }
    }

    /// Its broker: consumers take long to end without it.
    pub fn broker(&self) -> Arc<EmbeddedBroker> {
        Arc::clone(&self.broker)
    }

    /// Where its broker is.
    pub fn cluster(&self) -> &Cluster {
        self.broker.cluster()
    }

    /// Every record in it.
    pub fn records(&self) -> Vec<Coordinates> {
        let watermarks = Watermarks::new(self.cluster(), "audit").unwrap();
        let mut records = Vec::new();
        for &partition in &self.partitions {
            let held = watermarks.held(TOPIC, partition).unwrap();
            assert_eq!(
                held.start, 0,
                "the broker has dropped records: publish fewer"
            );
            records.extend(held.map(|offset| (TOPIC.to_owned(), partition, offset)));
        }
        records
    }

    /// Waits until `group` has committed everything.
    pub async fn until_committed(&self, group: &str) {
        let watermarks = Watermarks::new(self.cluster(), group).unwrap();
        let ends: Vec<Option<i64>> = self
            .partitions
            .iter()
            .map(|&partition| Some(watermarks.held(TOPIC, partition).unwrap().end))
            .collect();
        let until = Instant::now() + PATIENCE;
        loop {
            let committed = watermarks.committed(TOPIC, &self.partitions).unwrap();
            let mut both = committed.iter().zip(&ends);
            if both.all(|(committed, end)| committed.or(Some(0)) == *end) {
                return;
            }
            assert!(Instant::now() < until, "{committed:?} of {ends:?}");
            sleep(Duration::from_millis(20)).await;
        }
    }
}
