use pipeline_tests::writers::Writers;
use rand::{Rng, SeedableRng, rngs::StdRng};
use stream::{
    publish::PublishError,
    topics::{self, TopicError},
};

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
    assert_eq!(writers.end().await.expired, 0);

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
        (counts.expired, counts.lines_written),
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
    assert_eq!((counts.expired, counts.lines_written), (0, 1), "{counts:?}");
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
    assert_eq!((counts.expired, counts.quarantined), (0, 5), "{counts:?}");
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
