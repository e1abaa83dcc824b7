use bytes::Bytes;
use pipeline_tests::{mapping::mapping, real_kafka::cut::Cut, writers::Writers};
use plane::{stats::Stats, trigger};
use rand::{Rng, SeedableRng, rngs::StdRng};
use stream::{
    Cluster,
    publish::PublishError,
    start::{StartAt, commit_start},
    topics::{self, TopicError},
};
use tokio::{select, sync::mpsc};

use super::*;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Apache Kafka: .ci/run kafka"]
async fn records_that_expire_before_they_are_read_are_reported_and_are_missing() {
    let kafka = shared().await;
    let topic = topic(kafka, "expiring", 1).await;
    let (_served, store) = store().await;
    let lake = Lake::create(&store, &[]).await;
    publish(&topic, 0..10).await;
    let writers = Writers::start(&topic, &lake, setup(&store, "expiring")).await;
    topic.until_committed("expiring").await;
    assert_eq!(writers.end().await.total(|of| of.expired), 0);

    publish(&topic, 10..20).await;
    blocking(|| kafka.configure("expiring", "retention.ms=1")).await;
    until("the end of the records", async || {
        blocking(|| kafka.oldest("expiring", 0)).await == 20
    })
    .await;
    blocking(|| kafka.configure("expiring", "retention.ms=-1")).await;
    publish(&topic, 20..25).await;
    let writers = Writers::start(&topic, &lake, setup(&store, "expiring")).await;
    topic.until_committed("expiring").await;
    let counts = writers.end().await;
    assert_eq!(
        (
            counts.total(|of| of.expired),
            counts.metric("RecordsWritten")
        ),
        (10, 5),
        "{counts:?}"
    );
    let said = counts.last_trouble.unwrap();
    let expected = "expiring-0: offsets 10 to 19 expired before they were read";
    assert!(said.starts_with(expected), "{said}");

    let verdict = verdict(&topic, &lake, 0..25).await;
    assert_eq!(verdict.missing.first, ["expiring-0@10-19"]);
    assert_eq!((verdict.missing.total, verdict.expired), (10, 10));
    assert_eq!(verdict.in_bronze, 15, "{verdict}");
    let said = verdict.to_string();
    assert!(said.contains("10 of the missing have expired"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Apache Kafka: .ci/run kafka"]
async fn records_that_expired_are_counted_although_the_brokers_are_lost_when_first_asked() {
    let kafka = blocking(|| Kafka::start(1)).await;
    let (kafka, topic) = blocking(move || {
        let topic = Topic::on(&kafka, "gap", 1);
        (kafka, topic)
    })
    .await;
    publish(&topic, 0..3).await;
    until("the coordinator of the first group", async || {
        let begun = commit_start(topic.cluster(), "gap", "gap", StartAt::Latest);
        begun.await.is_ok()
    })
    .await;
    publish(&topic, 3..6).await;
    let kafka = blocking(move || {
        kafka.delete_before("gap", 5);
        kafka
    })
    .await;

    let stats = Arc::new(Stats::default());
    let (listener, broker) = kafka.proxied();
    let cluster = Cluster::plaintext(&listener.local_addr().unwrap().to_string()).unwrap();
    let heard = Arc::clone(&stats);
    // The group itself asks for the first watermark, to find the oldest record.
    let is_cut = move |number| number > 1 && heard.snapshot().troubles == 0;
    let cut = Cut::watermarks(is_cut, listener, broker);
    let mapping = mapping("gap", "gap");
    let (joined, _is_joined) = mpsc::channel(1);
    let invoke = async |_| Ok(Bytes::from_static(b"null"));
    let delivered = until("the batch", async || {
        stats.snapshot().total(|of| of.batches) == 1
    });
    select! {
        Err(error) = trigger::run(&cluster, &mapping, &stats, joined, invoke) => panic!("{error}"),
        () = delivered => {}
    }
    let counts = stats.snapshot();
    assert!(cut.answered() > 3, "{}", cut.answered());
    // The question that failed, and what it found out.
    assert!(counts.troubles >= 2, "{counts:?}");
    assert_eq!(counts.total(|of| of.expired), 2, "{counts:?}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Apache Kafka: .ci/run kafka"]
async fn a_group_that_begins_behind_dropped_records_has_missed_none() {
    let kafka = shared().await;
    let topic = topic(kafka, "begun-late", 1).await;
    let (_served, store) = store().await;
    let lake = Lake::create(&store, &[]).await;
    publish(&topic, 0..3).await;
    blocking(|| kafka.delete_before("begun-late", 2)).await;
    let writers = Writers::start(&topic, &lake, setup(&store, "begun-late")).await;
    topic.until_committed("begun-late").await;
    let counts = writers.end().await;
    assert_eq!(
        (
            counts.total(|of| of.expired),
            counts.metric("RecordsWritten")
        ),
        (0, 1),
        "{counts:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Apache Kafka: .ci/run kafka"]
async fn a_topic_that_is_made_again_under_the_writer_needs_a_new_epoch_and_loses_nothing() {
    let kafka = shared().await;
    let first = topic(kafka, "again", 1).await;
    let (_served, store) = store().await;
    let lake = Lake::create(&store, &[]).await;
    publish(&first, 0..5).await;
    let writers = Writers::start(&first, &lake, setup(&store, "again")).await;
    first.until_committed("again").await;

    blocking(|| kafka.delete_topic("again")).await;
    let second = topic(kafka, "again", 1).await;
    // Fewer than the group has read of the first: it finds its place beyond the end, and begins anew.
    publish(&second, 5..8).await;
    until("the second topic's beginning", async || {
        verdict(&second, &lake, 0..3).await.reused.total == 3
    })
    .await;
    publish(&second, 8..15).await;
    until("the second topic", async || {
        let verdict = verdict(&second, &lake, 0..10).await;
        verdict.missing.is_empty() && verdict.reused.total == 5
    })
    .await;
    let counts = writers.end().await;
    assert_eq!(
        (
            counts.total(|of| of.expired),
            counts.metric("RecordsQuarantined")
        ),
        (0, 5),
        "{counts:?}"
    );
    // The records of the first topic are as they were, those of the second with other offsets beside them.
    let kept = verdict(&second, &lake, 0..10).await;
    assert_eq!(kept.reused.first, ["again-0@0-4"], "{kept}");
    assert_eq!((kept.in_bronze, kept.altered.total), (10, 0), "{kept}");

    let fresh = Lake::create(&store, &[("BRONZE_EPOCH", "2")]).await;
    let writers = Writers::start(&second, &fresh, setup(&store, "again-2")).await;
    second.until_committed("again-2").await;
    writers.end().await;
    let exact = verdict(&second, &fresh, 0..10).await;
    assert!(exact.is_exact() && exact.compared == 10, "{exact}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Apache Kafka: .ci/run kafka"]
async fn a_topic_that_does_not_exist_and_a_record_that_is_too_large_are_named() {
    let kafka = shared().await;
    let topic = topic(kafka, "small", 1).await;
    let publisher = publisher(&topic).await;
    let until = || Instant::now() + Duration::from_secs(30);
    let unknown = publisher.publish("nowhere", "A", b"{}", until()).await;
    let expected = PublishError::UnknownTopic {
        topic: "nowhere".to_owned(),
        brokers: topic.cluster().to_string(),
    };
    assert_eq!(unknown, Err(expected));
    // Nothing that compression makes small.
    let mut large = vec![0; 2_000_000];
    StdRng::seed_from_u64(1).fill_bytes(&mut large);
    let too_large = publisher.publish("small", "A", &large, until()).await;
    let expected = PublishError::TooLarge {
        topic: "small".to_owned(),
        bytes: large.len(),
    };
    assert_eq!(too_large, Err(expected));
    publisher
        .publish("small", "A", b"{}", until())
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Apache Kafka: .ci/run kafka"]
async fn a_topic_is_made_once_and_stays_as_it_is() {
    let kafka = shared().await;
    let topic = topic(kafka, "once", 3).await;
    let positions = publish(&topic, 0..1).await;
    topics::create(topic.cluster(), "once", 7).await.unwrap();
    let watermarks = Arc::new(Watermarks::new(topic.cluster(), "audit").unwrap());
    let asked = Arc::clone(&watermarks);
    let partitions = blocking(move || asked.partitions("once").unwrap()).await;
    assert_eq!(partitions, [0, 1, 2]);
    assert_eq!(end(&watermarks, "once", positions[0].partition).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Apache Kafka: .ci/run kafka"]
async fn a_topic_that_does_not_exist_is_told_from_one_that_is_empty() {
    let kafka = shared().await;
    let topic = topic(kafka, "empty", 2).await;
    let topics = KafkaTopics::connect(topic.cluster()).await.unwrap();
    let empty = topics.all_of("empty").await.unwrap();
    let empty: Vec<_> = empty
        .into_iter()
        .map(|of| (of.partition, of.offsets))
        .collect();
    assert_eq!(empty, [(0, 0..0), (1, 0..0)]);
    let absent = topics.all_of("never-made").await.unwrap_err();
    assert!(matches!(absent, TopicError::Unknown { .. }), "{absent}");
}
