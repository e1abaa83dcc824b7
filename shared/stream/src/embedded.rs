//! A Kafka-protocol broker inside this process: librdkafka's mock cluster.
//!
//! It is not Kafka. It keeps at most 5 MiB per partition and drops the oldest beyond that, has no admin
//! API and no lookup by time, and forgets everything at its end, so its offsets start again at 0.

use std::{
    sync::mpsc::{self, Receiver, Sender},
    thread::{self, JoinHandle},
};

use rdkafka::mocking::MockCluster;

use crate::Cluster;

/// Why the embedded broker did not start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the embedded broker can't {what} ({cause}): use --brokers with a real one")]
pub struct EmbeddedError {
    what: String,
    cause: String,
}

/// A running broker on loopback; it ends with this value.
pub struct EmbeddedBroker {
    cluster: Cluster,
    topics: Option<Sender<NewTopic>>,
    thread: Option<JoinHandle<()>>,
}

struct NewTopic {
    name: String,
    partitions: i32,
    outcome: Sender<Result<(), EmbeddedError>>,
}

impl EmbeddedBroker {
    /// Starts one broker on a free port.
    ///
    /// # Errors
    /// [`EmbeddedError`] if librdkafka can't start it.
    pub fn start() -> Result<Self, EmbeddedError> {
        let (started, outcome) = mpsc::channel();
        let (topics, requests) = mpsc::channel();
        // The cluster's handle can't leave the thread that made it.
        let thread = thread::Builder::new()
            .name("embedded-broker".to_owned())
            .spawn(move || serve(&started, &requests))
            .map_err(|error| failed("start its thread", error.to_string()))?;
        let brokers = outcome
            .recv()
            .map_err(|error| failed("start", error.to_string()))??;
        Ok(Self {
            cluster: Cluster::plaintext(&brokers)
                .map_err(|error| failed("start", error.to_string()))?,
            topics: Some(topics),
            thread: Some(thread),
        })
    }

    /// The bootstrap servers, for clients in any process of this machine.
    pub fn brokers(&self) -> &str {
        self.cluster.brokers()
    }

    /// The cluster that it is.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// Creates a topic. The broker would make one of four partitions at the first use of a name.
    ///
    /// # Errors
    /// [`EmbeddedError`] if librdkafka refuses it.
    pub fn create_topic(&self, name: &str, partitions: i32) -> Result<(), EmbeddedError> {
        let gone = || failed("create a topic", "its thread has ended".to_owned());
        let (outcome, created) = mpsc::channel();
        let topic = NewTopic {
            name: name.to_owned(),
            partitions,
            outcome,
        };
        let topics = self.topics.as_ref().ok_or_else(gone)?;
        topics.send(topic).map_err(|_| gone())?;
        created.recv().map_err(|_| gone())?
    }
}

impl Drop for EmbeddedBroker {
    fn drop(&mut self) {
        self.topics.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Holds the cluster until the owner drops the other end of `topics`.
fn serve(started: &Sender<Result<String, EmbeddedError>>, topics: &Receiver<NewTopic>) {
    let cluster = match MockCluster::new(1) {
        Ok(cluster) => cluster,
        Err(error) => {
            // The owner waits for this and for nothing else.
            let _ = started.send(Err(failed("start", error.to_string())));
            return;
        }
    };
    let _ = started.send(Ok(cluster.bootstrap_servers()));
    for topic in topics {
        let created = cluster
            .create_topic(&topic.name, topic.partitions, 1)
            .map_err(|error| {
                failed(
                    &format!("create the topic '{}'", topic.name),
                    error.to_string(),
                )
            });
        let _ = topic.outcome.send(created);
    }
}

fn failed(what: &str, cause: String) -> EmbeddedError {
    EmbeddedError {
        what: what.to_owned(),
        cause,
    }
}
