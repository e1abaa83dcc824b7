use std::collections::BTreeMap;

use pipeline_tests::real_kafka::cut::Cut;
use stream::{Cluster, read::RangeReader};

use super::*;

/// Every third acknowledgement is lost.
const NTH: u64 = 3;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Apache Kafka: .ci/run kafka"]
async fn a_record_whose_acknowledgement_is_lost_is_in_the_log_once() {
    let kafka = shared().await;
    let topic = topic(kafka, "cut", 1).await;
    let (listener, broker) = kafka.proxied();
    let proxy = listener.local_addr().unwrap().to_string();
    let cut = Cut::every(NTH, listener, broker);
    let publisher = KafkaPublisher::new(&Cluster::plaintext(&proxy).unwrap()).unwrap();
    publisher.connect(PATIENCE).await.unwrap();
    let mut positions = BTreeMap::new();
    for index in 0..20 {
        let until = Instant::now() + Duration::from_secs(30);
        let value = index.to_string();
        let published = publisher.publish("cut", "A", value.as_bytes(), until);
        positions.insert(published.await.unwrap().offset, value);
    }
    assert!(cut.answered() >= 20 + 20 / NTH, "{}", cut.answered());

    let mut reader = RangeReader::new(topic.cluster(), "cut", [(0, 0..1_000)]).unwrap();
    let mut found = BTreeMap::new();
    while let Some(record) = reader.next().await.unwrap() {
        let value = String::from_utf8(record.value.unwrap().to_vec()).unwrap();
        found.insert(record.offset, value);
    }
    assert_eq!(found, positions);
}
