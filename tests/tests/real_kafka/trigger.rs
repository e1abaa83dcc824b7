use bytes::Bytes;
use pipeline_tests::mapping::mapping;
use plane::{
    stats::Stats,
    trigger::{self, Mapping},
};
use tokio::{select, sync::mpsc};

use super::*;

/// How long a trigger may take for a record once its broker is back, reconnecting and joining included.
const SOON: Duration = Duration::from_secs(30);

/// A cluster of one broker, and a topic on it.
async fn kafka(topic: &'static str) -> (Kafka, Topic) {
    blocking(move || {
        let kafka = Kafka::start(1);
        let topic = Topic::on(&kafka, topic, 1);
        (kafka, topic)
    })
    .await
}

/// Runs the trigger until what happens has happened.
async fn run(
    topic: &Topic,
    mapping: &Mapping,
    stats: &Stats,
    invoked: impl Fn(),
    happens: impl Future<Output = ()>,
) {
    let (joined, _is_joined) = mpsc::channel(1);
    let invoke = async |_| {
        invoked();
        Ok(Bytes::from_static(b"null"))
    };
    select! {
        Err(error) = trigger::run(topic.cluster(), mapping, stats, joined, invoke) => panic!("{error}"),
        () = happens => {}
    }
}

/// Waits until as many batches are done.
async fn batches(stats: &Stats, count: u64) {
    let is_so = async || stats.snapshot().total(|of| of.batches) >= count;
    until(&format!("{count} batches"), is_so).await;
}

/// What the group `group` has committed of the topic's only partition.
async fn committed(topic: &Topic, group: &str) -> Option<i64> {
    let (cluster, name, group) = (
        topic.cluster().clone(),
        topic.name().to_owned(),
        group.to_owned(),
    );
    blocking(move || {
        let watermarks = Watermarks::new(&cluster, &group).unwrap();
        watermarks.committed(&name, &[0]).ok()?[0]
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Apache Kafka: .ci/run kafka"]
async fn records_come_soon_after_a_broker_that_was_away_for_long_is_back() {
    const NAME: &str = "away";
    let (mut kafka, topic) = kafka(NAME).await;
    let stats = Stats::default();
    let happens = async {
        publish(&topic, 0..1).await;
        batches(&stats, 1).await;
        until("the first commit", async || {
            committed(&topic, NAME).await == Some(1)
        })
        .await;
        kafka.kill(0);
        // Each is a report of librdkafka that it could not connect.
        until("20 troubles", async || stats.snapshot().troubles >= 20).await;
        let kafka = blocking(move || {
            kafka.restart(0);
            kafka
        })
        .await;
        publish(&topic, 1..2).await;
        let published = Instant::now();
        batches(&stats, 2).await;
        until("the second commit", async || {
            committed(&topic, NAME).await == Some(2)
        })
        .await;
        let took = published.elapsed();
        assert!(took < SOON, "{took:?}, {:?}", stats.snapshot());
        drop(kafka);
    };
    run(&topic, &mapping(NAME, NAME), &stats, || {}, happens).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Apache Kafka: .ci/run kafka"]
async fn a_commit_that_no_broker_answers_is_a_trouble_and_made_once_one_answers() {
    const NAME: &str = "frozen";
    let (kafka, topic) = kafka(NAME).await;
    let stats = Stats::default();
    publish(&topic, 0..1).await;
    let freeze = || {
        if stats.snapshot().total(|of| of.batches) == 0 {
            kafka.freeze(0);
        }
    };
    let happens = async {
        batches(&stats, 1).await;
        until("the trouble of the commit", async || {
            stats.snapshot().troubles >= 1
        })
        .await;
        kafka.thaw(0);
        // No other record comes.
        until("the commit", async || {
            committed(&topic, NAME).await == Some(1)
        })
        .await;
        publish(&topic, 1..2).await;
        batches(&stats, 2).await;
        until("the second commit", async || {
            committed(&topic, NAME).await == Some(2)
        })
        .await;
    };
    run(&topic, &mapping(NAME, NAME), &stats, freeze, happens).await;
}
