//! The brokers that a promise is tried on.

use std::sync::{
    OnceLock,
    atomic::{AtomicU32, Ordering},
};

use stream::{Cluster, embedded::EmbeddedBroker, topics};

use crate::real_kafka::Kafka;

/// Brokers that the tests of a process share, each with topics of its own.
#[derive(Clone, Copy)]
pub enum Brokers {
    /// The plane's own.
    Embedded(&'static EmbeddedBroker),
    /// Apache Kafka.
    Real(&'static Kafka),
}

impl Brokers {
    /// The plane's own.
    pub fn embedded() -> Self {
        static BROKER: OnceLock<EmbeddedBroker> = OnceLock::new();
        Self::Embedded(BROKER.get_or_init(|| EmbeddedBroker::start().unwrap()))
    }

    /// Apache Kafka.
    pub fn real() -> Self {
        Self::Real(Kafka::shared())
    }

    /// Where they are.
    pub fn cluster(self) -> Cluster {
        match self {
            Self::Embedded(broker) => broker.cluster().clone(),
            Self::Real(kafka) => kafka.cluster(),
        }
    }

    /// Makes a topic.
    pub async fn create_topic(self, topic: &str, partitions: i32) {
        match self {
            Self::Embedded(broker) => broker.create_topic(topic, partitions).unwrap(),
            Self::Real(kafka) => topics::create(&kafka.cluster(), topic, partitions)
                .await
                .unwrap(),
        }
    }

    /// Makes a topic with a name that no other has.
    pub async fn new_topic(self, partitions: i32) -> String {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let topic = format!("topic-{}", NUMBER.fetch_add(1, Ordering::SeqCst));
        self.create_topic(&topic, partitions).await;
        topic
    }
}

/// Makes two tests of each of these functions of [`Brokers`]: one in a module `embedded`, one in
/// a module `real_kafka`.
#[macro_export]
macro_rules! on_both_brokers {
    ($($promise:ident)*) => {
        mod embedded {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $promise() {
                super::$promise($crate::brokers::Brokers::embedded()).await;
            })*
        }

        mod real_kafka {
            $(#[tokio::test(flavor = "multi_thread")]
            #[ignore = "needs Apache Kafka: .ci/run kafka"]
            async fn $promise() {
                super::$promise($crate::brokers::Brokers::real()).await;
            })*
        }
    };
}
