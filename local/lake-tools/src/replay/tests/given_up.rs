//! What a trigger has given up, brought back from its on-failure destinations.

use std::time::Duration;

use serde_json::json;
use stream::{
    embedded::EmbeddedBroker,
    publish::{KafkaPublisher, Publish},
};
use tokio::time::Instant;

use super::*;

/// A document as a bucket gets it.
fn document(records: &[Record]) -> Bytes {
    let payload = event(records).to_string();
    let document = json!({
        "requestContext": {"condition": "RetryAttemptsExhausted"},
        "KafkaBatchInfo": {"batchSize": records.len(), "payloadSize": payload.len()},
        "payload": payload,
    });
    document.to_string().into()
}

fn name(number: u32) -> ObjectKey {
    ObjectKey::new(format!(
        "aws/lambda/esm/t/2026/11/21/2026-11-21T10.00.0{number}-x.json"
    ))
}

fn records() -> Vec<Record> {
    vec![
        record(0, &quote("A", 1_779_480_005)),
        record(1, &quote("B", 1_779_480_006)),
        record(2, "{"),
        record(3, &quote("A", 1_779_480_007)),
    ]
}

async fn bucket() -> Shared {
    let bucket = Shared::default();
    let records = records();
    let documents = [document(&records[..3]), document(&records[2..])];
    for (number, document) in (0..).zip(documents) {
        bucket.put_if_absent(&name(number), document).await.unwrap();
    }
    let other = ObjectKey::new("notes.txt");
    let body = Bytes::from_static(b"?");
    bucket.put_if_absent(&other, body).await.unwrap();
    bucket
}

/// What one delivery of everything leaves.
async fn clean() -> BTreeMap<ObjectKey, Bytes> {
    let store = Shared::default();
    deliver(&writer(store.clone(), &layout()), &event(&records())).await;
    store.objects()
}

#[test]
fn the_objects_of_a_bucket_land_and_are_deleted_once_every_record_is_durable() {
    run(async {
        let (bucket, store) = (bucket().await, Shared::default());
        let dry = Replay {
            dry_run: true,
            ..replay(store.clone(), &layout())
        };
        let told = dry.payloads(&bucket, false).await.unwrap();
        assert_eq!((told.records, told.brought, told.deleted), (5, 3, 2));
        assert!(store.objects().is_empty() && bucket.objects().len() == 3);

        let replay = replay(store.clone(), &layout());
        let kept = replay.payloads(&bucket, true).await.unwrap();
        assert_eq!((kept.records, kept.brought, kept.deleted), (5, 3, 0));
        assert_eq!(reasons(&kept), [(Reason::BrokenJson, 2)]);
        assert_eq!(store.objects(), clean().await);
        assert_eq!(bucket.objects().len(), 3);

        let again = replay.payloads(&bucket, false).await.unwrap();
        assert_eq!((again.brought, again.in_bronze_already), (0, 3));
        assert_eq!(again.deleted, 2);
        assert_eq!(store.objects(), clean().await);
        let left: Vec<ObjectKey> = bucket.objects().into_keys().collect();
        assert_eq!(left, [ObjectKey::new("notes.txt")]);
    });
}

#[test]
fn a_document_that_is_replaced_meanwhile_stays_for_another_run() {
    run(async {
        let (bucket, store) = (bucket().await, Shared::default());
        let replacement = document(&[record(4, &quote("B", 1_779_480_008))]);
        let (of, body) = (bucket.clone(), replacement.clone());
        // As soon as anything has landed, before the document is deleted.
        let replace = move |_: &MemoryStore| {
            if of.objects()[&name(0)] != body {
                of.store.remove(&name(0));
                futures::executor::block_on(of.store.put_if_absent(&name(0), body.clone()))
                    .unwrap();
            }
        };
        let raced = Shared {
            written: Some(Arc::new(replace)),
            ..store.clone()
        };
        let counts = replay(raced, &layout()).payloads(&bucket, false).await;
        let counts = counts.unwrap();
        assert_eq!((counts.brought, counts.deleted, counts.replaced), (3, 1, 1));
        assert_eq!(bucket.objects()[&name(0)], replacement);

        let again = replay(store.clone(), &layout());
        let counts = again.payloads(&bucket, false).await.unwrap();
        assert_eq!((counts.brought, counts.deleted, counts.replaced), (1, 1, 0));
    });
}

#[test]
fn wherever_it_is_cut_a_record_is_in_the_store_or_still_in_its_document() {
    run(async {
        let expected = clean().await;
        for cut in 0..40 {
            for is_done in [false, true] {
                // One sequence of requests to both.
                let requests = Arc::<AtomicU64>::default();
                let (bucket, store) = (bucket().await, Shared::default());
                let ends = |shared: &Shared| Shared {
                    requests: Arc::clone(&requests),
                    end: Some((cut, is_done)),
                    ..shared.clone()
                };
                let cut_off = replay(ends(&store), &layout());
                let _ = cut_off.payloads(&ends(&bucket), false).await;
                let written = store.objects();
                if !bucket.objects().contains_key(&name(0)) {
                    let line = |key: &ObjectKey| key.as_str().contains("symbol=");
                    assert_eq!(written.keys().filter(|key| line(key)).count(), 2);
                }
                let fresh = Shared {
                    requests: Arc::default(),
                    ..bucket.clone()
                };
                let again = replay(store.clone(), &layout());
                again.payloads(&fresh, false).await.unwrap();
                assert_eq!(store.objects(), expected, "cut at {cut}");
                assert_eq!(bucket.objects().len(), 1, "cut at {cut}");
            }
        }
    });
}

#[test]
fn a_document_stays_while_a_record_of_it_is_not_found_where_the_writer_has_put_it() {
    run(async {
        for (kind, requests) in [("symbol=_A", 12), ("_quarantine", 14)] {
            let (bucket, store) = (bucket().await, Shared::default());
            let vanish = move |store: &MemoryStore| {
                for key in store
                    .objects()
                    .keys()
                    .filter(|key| key.as_str().contains(kind))
                {
                    store.remove(key);
                }
            };
            let forgetful = Shared {
                before: Some((requests - 1, Arc::new(vanish))),
                ..store.clone()
            };
            let once = replay(forgetful, &layout());
            let counts = once.payloads(&bucket, false).await.unwrap();
            assert_eq!(counts.deleted, 1, "{kind}");
            assert!(bucket.objects().contains_key(&name(0)), "{kind}");
            let again = replay(store.clone(), &layout());
            again.payloads(&bucket, false).await.unwrap();
            assert_eq!(store.objects(), clean().await, "{kind}");
        }
    });
}

#[test]
fn what_is_no_document_is_named_and_stays_and_its_neighbours_land() {
    run(async {
        let (bucket, store) = (bucket().await, Shared::default());
        for (number, wrong) in (5..).zip(["{", "{}", r#"{"payload":"{}"}"#, r#"{"payload":null}"#])
        {
            let (key, body) = (name(number), Bytes::from(wrong));
            bucket.put_if_absent(&key, body).await.unwrap();
        }
        let counts = replay(store.clone(), &layout())
            .payloads(&bucket, false)
            .await;
        let counts = counts.unwrap();
        assert_eq!((counts.damaged.count, counts.brought), (4, 3));
        assert_eq!(counts.damaged.named[0].name, name(5).as_str());
        assert_eq!(bucket.objects().len(), 5);
    });
}

#[test]
fn a_topic_chooses_among_the_documents() {
    run(async {
        let (bucket, store) = (bucket().await, Shared::default());
        let other = Replay {
            topic: Some("t-x".to_owned()),
            ..replay(store.clone(), &layout())
        };
        let counts = other.payloads(&bucket, false).await.unwrap();
        assert_eq!(counts, Counts::default());
        assert_eq!(bucket.objects().len(), 3);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn the_messages_of_a_topic_land_and_reading_them_again_changes_nothing() {
    let broker = EmbeddedBroker::start().unwrap();
    broker.create_topic("failures", 3).unwrap();
    let publisher = KafkaPublisher::new(broker.cluster()).unwrap();
    let until = Instant::now() + Duration::from_secs(10);
    for record in records() {
        let message = json!({
            "requestContext": {"condition": "RetriesExhausted"},
            "payload": event([&record]),
        });
        let (key, message) = (record.offset.to_string(), message.to_string());
        let published = publisher.publish("failures", &key, message.as_bytes(), until);
        published.await.unwrap();
    }
    let published = publisher.publish("failures", "x", b"hello", until);
    published.await.unwrap();

    let store = Shared::default();
    let replay = replay(store.clone(), &layout());
    let counts = replay.messages(broker.cluster(), "failures").await.unwrap();
    assert_eq!((counts.records, counts.brought), (4, 3));
    assert_eq!(reasons(&counts), [(Reason::BrokenJson, 1)]);
    assert_eq!(counts.damaged.count, 1);
    assert!(counts.damaged.named[0].name.starts_with("failures-"));
    assert_eq!(store.objects(), clean().await);

    let again = replay.messages(broker.cluster(), "failures").await.unwrap();
    assert_eq!((again.brought, again.in_bronze_already), (0, 3));
    assert_eq!(store.objects(), clean().await);
}
