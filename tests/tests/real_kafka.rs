//! What only Kafka itself does: it loses brokers, moves leaders, drops old records, and has an administrator.

mod administrator;
mod brokers;
mod security;
mod tokens;
mod trigger;
mod up;
mod way;

use std::{sync::Arc, time::Duration};

use lake_tools::verify::{KafkaTopics, Verdict, verify};
use pipeline_tests::{lake::Lake, real_kafka::Kafka, served::Served, topic::Topic};
use plane::host::OnTimeout;
use stream::{
    OffsetRange, Position,
    publish::{KafkaPublisher, Publish},
    topics::Watermarks,
};
use tokio::{
    task::spawn_blocking,
    time::{Instant, sleep},
};

use pipeline_tests::writers::Setup;

/// How long anything may take that Kafka does.
const PATIENCE: Duration = Duration::from_secs(120);

/// A publisher that has found its brokers.
async fn publisher(topic: &Topic) -> KafkaPublisher {
    let publisher = KafkaPublisher::new(topic.cluster()).unwrap();
    publisher.connect(PATIENCE).await.unwrap();
    publisher
}

/// Publishes quotes of as many seconds.
async fn publish(topic: &Topic, seconds: std::ops::Range<u32>) -> Vec<Position> {
    let publisher = publisher(topic).await;
    let mut positions = Vec::new();
    for second in seconds {
        let until = Instant::now() + Duration::from_secs(30);
        let quote = format!(
            r#"{{"symbol":"A","c":{second}.5,"fetched_at":{}}}"#,
            1_779_480_000 + second
        );
        let published = publisher.publish(topic.name(), "A", quote.as_bytes(), until);
        positions.push(published.await.unwrap());
    }
    positions
}

/// Writers that nothing disturbs.
fn setup<'a>(store: &'a str, group: &'a str) -> Setup<'a> {
    Setup {
        group,
        endpoint: store,
        batch_size: 100,
        window: Duration::from_millis(200),
        pollers: 1,
        time_limit: Duration::from_secs(30),
        on_timeout: OnTimeout::Kill,
        names_failures: false,
        loses_answer: Box::new(|| false),
    }
}

/// What the lake holds of these offsets of the topic's first partition, against Kafka.
async fn verdict(topic: &Topic, lake: &Lake, offsets: std::ops::Range<i64>) -> Verdict {
    let topics = KafkaTopics::connect(topic.cluster()).await.unwrap();
    let expected = OffsetRange {
        topic: topic.name().to_owned(),
        partition: 0,
        offsets,
    };
    verify(
        &lake.store,
        &lake.layout,
        Some(&topics),
        &[expected],
        &|_| {},
    )
    .await
    .unwrap()
}

/// Waits, for as long as it may take.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so().await {
        assert!(Instant::now() < end, "not within {PATIENCE:?}: {what}");
        sleep(Duration::from_millis(50)).await;
    }
}

/// Kafka's tools block.
async fn blocking<T: Send + 'static>(act: impl FnOnce() -> T + Send + 'static) -> T {
    spawn_blocking(act).await.unwrap()
}

/// The cluster that the tests share.
async fn shared() -> &'static Kafka {
    blocking(Kafka::shared).await
}

/// A topic of it.
async fn topic(kafka: &'static Kafka, name: &'static str, partitions: i32) -> Topic {
    blocking(move || Topic::on(kafka, name, partitions)).await
}

/// How many records a partition has had.
async fn end(watermarks: &Arc<Watermarks>, topic: &'static str, partition: i32) -> i64 {
    let watermarks = Arc::clone(watermarks);
    blocking(move || watermarks.held(topic, partition).unwrap().end).await
}

/// A store for one test.
async fn store() -> (Served, String) {
    let store = Served::embedded().await;
    let endpoint = store.endpoint();
    (store, endpoint)
}
