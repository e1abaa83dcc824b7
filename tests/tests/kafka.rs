use std::{collections::BTreeMap, time::Duration};

use pipeline_tests::brokers::Brokers;
use rand::{Rng, SeedableRng, rngs::StdRng};
use stream::{
    Cluster, Position,
    consume::{ConsumedRecord, TopicConsumer},
    publish::{KafkaPublisher, Publish, PublishError},
    read::RangeReader,
    topics::Watermarks,
};
use tokio::time::{Instant, timeout};

pipeline_tests::on_both_brokers! {
    every_acknowledged_record_is_where_the_acknowledgement_says
    a_symbol_is_placed_where_the_java_client_places_it
    a_group_goes_on_where_it_committed
    ranges_are_read_whole_and_in_order_and_nothing_else_is
}

fn in_seconds(seconds: u64) -> Instant {
    Instant::now() + Duration::from_secs(seconds)
}

/// Publishes `{"n":index}` for each index under one of seven keys, and says where it is.
async fn publish(
    brokers: Brokers,
    topic: &str,
    count: i64,
) -> BTreeMap<Position, (String, String)> {
    let publisher = KafkaPublisher::new(&brokers.cluster()).unwrap();
    publisher.connect(Duration::from_secs(30)).await.unwrap();
    let mut positions = BTreeMap::new();
    for index in 0..count {
        let (key, value) = (format!("S{}", index % 7), format!("{{\"n\":{index}}}"));
        let published = publisher.publish(topic, &key, value.as_bytes(), in_seconds(30));
        let position = published.await.unwrap();
        assert!(positions.insert(position, (key, value)).is_none());
    }
    positions
}

async fn take(consumer: &TopicConsumer, count: usize) -> Vec<ConsumedRecord> {
    let mut records = Vec::new();
    while records.len() < count {
        let next = timeout(Duration::from_secs(60), consumer.next()).await;
        records.push(next.expect("a record within 60 s").unwrap());
    }
    records
}

async fn every_acknowledged_record_is_where_the_acknowledgement_says(brokers: Brokers) {
    let topic = brokers.new_topic(10).await;
    let consumer = TopicConsumer::subscribe(&brokers.cluster(), &topic, &topic).unwrap();
    let mut positions = publish(brokers, &topic, 50).await;
    for record in take(&consumer, 50).await {
        let position = Position {
            partition: record.partition,
            offset: record.offset,
        };
        let (key, value) = positions.remove(&position).unwrap();
        assert_eq!(
            (record.key.unwrap(), record.value.unwrap()),
            (key.into(), value.into())
        );
    }
    assert!(positions.is_empty());
}

/// Kafka's `Utils.murmur2`, which the Java client places keys with.
fn murmur2(key: &[u8]) -> u32 {
    const M: u32 = 0x5bd1_e995;
    let mut hash = 0x9747_b28c ^ u32::try_from(key.len()).unwrap();
    let mut chunks = key.chunks_exact(4);
    for chunk in &mut chunks {
        let mut k = u32::from_le_bytes(chunk.try_into().unwrap()).wrapping_mul(M);
        k = (k ^ (k >> 24)).wrapping_mul(M);
        hash = hash.wrapping_mul(M) ^ k;
    }
    let rest = chunks.remainder();
    if !rest.is_empty() {
        for (index, &byte) in rest.iter().enumerate() {
            hash ^= u32::from(byte) << (8 * index);
        }
        hash = hash.wrapping_mul(M);
    }
    hash = (hash ^ (hash >> 13)).wrapping_mul(M);
    hash ^ (hash >> 15)
}

async fn a_symbol_is_placed_where_the_java_client_places_it(brokers: Brokers) {
    let topic = brokers.new_topic(10).await;
    let publisher = KafkaPublisher::new(&brokers.cluster()).unwrap();
    for symbol in [
        "AAPL",
        "MSFT",
        "BRK.B",
        "BTCUSDT",
        "VCB",
        "A",
        "OANDA:EUR_USD",
    ] {
        let position = publisher
            .publish(&topic, symbol, b"{}", in_seconds(10))
            .await
            .unwrap();
        let expected = (murmur2(symbol.as_bytes()) & 0x7fff_ffff) % 10;
        assert_eq!(
            position.partition,
            i32::try_from(expected).unwrap(),
            "{symbol}"
        );
    }
}

async fn a_group_goes_on_where_it_committed(brokers: Brokers) {
    let topic = brokers.new_topic(1).await;
    let group = topic.as_str();
    publish(brokers, &topic, 6).await;
    let consumer = TopicConsumer::subscribe(&brokers.cluster(), &topic, group).unwrap();
    take(&consumer, 4).await;
    consumer.commit([(0, 3)]).await.unwrap();
    drop(consumer);

    let watermarks = Watermarks::new(&brokers.cluster(), group).unwrap();
    assert_eq!(watermarks.partitions(&topic).unwrap(), [0]);
    assert_eq!(watermarks.held(&topic, 0).unwrap(), 0..6);
    assert_eq!(watermarks.committed(&topic, &[0]).unwrap(), [Some(3)]);

    let consumer = TopicConsumer::subscribe(&brokers.cluster(), &topic, group).unwrap();
    let offsets: Vec<_> = take(&consumer, 3)
        .await
        .iter()
        .map(|record| record.offset)
        .collect();
    assert_eq!(offsets, [3, 4, 5]);
}

async fn ranges_are_read_whole_and_in_order_and_nothing_else_is(brokers: Brokers) {
    let topic = brokers.new_topic(1).await;
    publish(brokers, &topic, 30).await;
    // The last goes beyond the end of the topic.
    let ranges = [(0, 3..5), (0, 9..10), (0, 12..12), (0, 28..100)];
    let mut reader = RangeReader::new(&brokers.cluster(), &topic, ranges).unwrap();
    let mut offsets = Vec::new();
    while let Some(record) = reader.next().await.unwrap() {
        assert_eq!(
            record.value.unwrap(),
            format!("{{\"n\":{}}}", record.offset)
        );
        offsets.push(record.offset);
    }
    assert_eq!(offsets, [3, 4, 9, 28, 29]);
}

#[tokio::test(flavor = "multi_thread")]
async fn offsets_that_the_topic_dropped_before_they_were_read_are_told() {
    let brokers = Brokers::embedded();
    let topic = brokers.new_topic(1).await;
    publish(brokers, &topic, 3).await;
    let consumer = TopicConsumer::subscribe(&brokers.cluster(), &topic, &topic).unwrap();
    for record in take(&consumer, 3).await {
        let expired = consumer.expired_before(&record).await.unwrap();
        assert!(expired.is_empty(), "{expired:?}");
    }
    consumer.commit([(0, 2)]).await.unwrap();
    drop(consumer);

    // More than the broker keeps, and nothing that compression makes small.
    let publisher = KafkaPublisher::new(&brokers.cluster()).unwrap();
    let mut value = vec![0; 900_000];
    for _ in 0..8 {
        StdRng::seed_from_u64(1).fill_bytes(&mut value);
        let published = publisher.publish(&topic, "k", &value, in_seconds(30));
        published.await.unwrap();
    }
    let consumer = TopicConsumer::subscribe(&brokers.cluster(), &topic, &topic).unwrap();
    let records = take(&consumer, 2).await;
    let first = records[0].offset;
    assert!(first > 3, "{first}");
    for (record, expired) in records.iter().zip([2..first, first + 1..first + 1]) {
        assert_eq!(consumer.expired_before(record).await, Ok(expired));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn brokers_that_are_not_there_are_named_within_the_time_given() {
    // Takes connections and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = silent.local_addr().unwrap().to_string();
    let publisher = KafkaPublisher::new(&nobody.parse().unwrap()).unwrap();
    let error = publisher.connect(Duration::from_secs(1)).await.unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with(&format!("no broker answers at {nobody}")),
        "{error}"
    );

    let until = in_seconds(1);
    let error = publisher.publish("t", "k", b"{}", until).await.unwrap_err();
    assert_eq!(
        error,
        PublishError::TimedOut {
            brokers: nobody.clone()
        }
    );
    assert!(until.elapsed() < Duration::from_secs(3));

    for wrong in ["nowhere", ""] {
        let error = Cluster::plaintext(wrong).unwrap_err().to_string();
        let named = format!("'{wrong}' is no list of brokers");
        assert!(error.starts_with(&named), "{error}");
    }
}
