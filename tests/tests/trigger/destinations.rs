use futures::join;
use lake::store::{Get, list_all};
use pipeline_tests::store::client;
use plane::{object_store::ObjectStore, trigger::Destination};
use quotelake::pipeline::destination;
use stream::consume::TopicConsumer;

use super::*;

pipeline_tests::on_both_brokers! {
    what_is_given_up_reaches_its_destination_whole_before_it_is_committed
}

async fn gives_up(brokers: Brokers, topic: &str, on_failure: Destination) -> Mapping {
    Mapping {
        batch_size: 3,
        failures: FailurePolicy {
            retries: Some(1),
            ..FailurePolicy::default()
        },
        on_failure: Some(on_failure),
        ..mapping(brokers, topic, 1).await
    }
}

async fn what_is_given_up_reaches_its_destination_whole_before_it_is_committed(brokers: Brokers) {
    join!(a_bucket(brokers), a_topic(brokers));
}

async fn a_bucket(brokers: Brokers) {
    let folder = tempfile::tempdir().unwrap();
    let server = ObjectStore::start(folder.path(), 0).await.unwrap();
    let store = client(&server.endpoint(), "dead").await;
    store.create_bucket().await.unwrap();
    let mapping = gives_up(brokers, "given-up-1", destination("dead", store.clone())).await;
    publish(brokers, &mapping.topic, &["a", "b", "c"]).await;
    let running = Running::start(brokers, &mapping, fail);
    until_committed(brokers, &mapping, &[Some(3)]).await;

    let keys = list_all(&store, "aws/lambda/writer-records/given-up-1/").await;
    let keys = keys.unwrap();
    assert_eq!(keys.len(), 1, "{keys:?}");
    let object = store.get(&keys[0]).await.unwrap().body;
    let object: Value = serde_json::from_slice(&object).unwrap();
    let info = &object["KafkaBatchInfo"]["recordsInfo"]["given-up-1-0"];
    assert_eq!(
        (&info["firstRecordOffset"], &info["lastRecordOffset"]),
        (&"0".into(), &"2".into())
    );
    let payload: Value = serde_json::from_str(object["payload"].as_str().unwrap()).unwrap();
    let events = lock(&running.events).clone();
    assert_eq!(events, [payload.clone(), payload]);
    let counts = running.stats.snapshot();
    assert_eq!(counts.total(|of| of.sent_to_destination), 3);
    assert_eq!(counts.total(|of| of.dropped), 0);
}

async fn a_topic(brokers: Brokers) {
    brokers.create_topic("dead-records", 1).await;
    let publisher = KafkaPublisher::new(&brokers.cluster()).unwrap();
    let mapping = gives_up(
        brokers,
        "given-up-2",
        Destination::topic("dead-records", publisher),
    )
    .await;
    publish(brokers, &mapping.topic, &["a", "b", "c"]).await;
    let running = Running::start(brokers, &mapping, fail);
    let dead = TopicConsumer::subscribe(&brokers.cluster(), "dead-records", "reader").unwrap();
    until_committed(brokers, &mapping, &[Some(3)]).await;

    let event = lock(&running.events)[0].clone();
    for (index, key) in ["a", "b", "c"].into_iter().enumerate() {
        let record = dead.next().await.unwrap();
        assert_eq!(record.key.unwrap(), key);
        let message: Value = serde_json::from_slice(&record.value.unwrap()).unwrap();
        assert_eq!(message["requestContext"]["condition"], "RetriesExhausted");
        assert_eq!(message["requestContext"]["approximateInvokeCount"], 2);
        assert_eq!(
            message["payload"]["records"]["given-up-2-0"],
            Value::from(vec![event["records"]["given-up-2-0"][index].clone()])
        );
    }
    let counts = running.stats.snapshot();
    assert_eq!(counts.total(|of| of.sent_to_destination), 3);
}
