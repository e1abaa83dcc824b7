use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;

/// A store that does not answer for its first writes, and does the last of those all the same.
#[derive(Clone, Default)]
struct Unreliable {
    objects: Arc<Mutex<BTreeMap<String, Bytes>>>,
    refusals: Arc<Mutex<u32>>,
}

impl Unreliable {
    fn put(&self, key: String, body: Bytes) -> Result<(), DestinationError> {
        let mut refusals = self.refusals.lock().unwrap();
        let left = *refusals;
        *refusals = left.saturating_sub(1);
        if left <= 1 {
            self.objects.lock().unwrap().entry(key).or_insert(body);
        }
        match left {
            0 => Ok(()),
            _ => Err(DestinationError::Objects("s3://dead is down".into())),
        }
    }

    fn destination(&self) -> Destination {
        let store = self.clone();
        Destination::bucket("dead", move |key, body| ready(store.put(key, body)))
    }

    fn objects(&self) -> Vec<(String, Value)> {
        let objects = self.objects.lock().unwrap();
        let parsed = objects
            .iter()
            .map(|(key, body)| (key.clone(), serde_json::from_slice(body).unwrap()));
        parsed.collect()
    }
}

#[tokio::test(start_paused = true)]
async fn a_bucket_gets_one_object_with_the_metadata_and_the_whole_event() {
    let store = Unreliable::default();
    let destination = store.destination();
    assert_eq!(destination.name(), "s3://dead");
    let mapping = mapping(retries(1), Some(destination));
    let function = Function::answering(vec![Answer::Fails; 2]);
    let of = records(&[(2, 5), (0, 3), (2, 1)]);
    let event = event::payload("b:1", "t", &of);
    deliver(&mapping, &function, of).await;

    let objects = store.objects();
    let [(key, object)] = objects.as_slice() else {
        panic!("{objects:?}");
    };
    let id = object["requestContext"]["requestId"].as_str().unwrap();
    let lengths: Vec<_> = id.split('-').map(str::len).collect();
    assert_eq!(lengths, [8, 4, 4, 4, 12]);
    assert_eq!(
        *key,
        format!("aws/lambda/writer-quotes/t/2026/05/22/2026-05-22T12.00.00-{id}.json")
    );
    // At noon, after the one pause before the retry.
    let at = object["timestamp"].as_str().unwrap();
    let at_noon = "2026-05-22T12:00:00.100Z"..="2026-05-22T12:00:00.201Z";
    assert!(at_noon.contains(&at), "{at}");
    let expected = json!({
        "requestContext": {
            "requestId": id,
            "functionArn": "arn:aws:lambda:us-east-1:000000000000:function:writer",
            "condition": "RetryAttemptsExhausted",
            "approximateInvokeCount": 2,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "version": "1.0",
        "timestamp": at,
        "KafkaBatchInfo": {
            "batchSize": 3,
            "bootstrapServers": "b:1",
            "payloadSize": event.len(),
            "recordsInfo": {
                "t-0": {
                    "firstRecordOffset": "1",
                    "lastRecordOffset": "1",
                    "firstRecordTimestamp": "2026-05-22T11:59:57.000Z",
                    "lastRecordTimestamp": "2026-05-22T11:59:57.000Z",
                },
                "t-2": {
                    "firstRecordOffset": "0",
                    "lastRecordOffset": "2",
                    "firstRecordTimestamp": "2026-05-22T11:59:55.000Z",
                    "lastRecordTimestamp": "2026-05-22T11:59:59.000Z",
                },
            },
        },
        "payload": std::str::from_utf8(&event).unwrap(),
    });
    assert_eq!(*object, expected);
}

#[tokio::test(start_paused = true)]
async fn a_topic_gets_one_message_for_each_record_with_its_key() {
    let taken = Arc::new(Mutex::new(Vec::new()));
    let into = Arc::clone(&taken);
    let destination = Destination::messages("kafka://dead", move |key, value| {
        into.lock().unwrap().push((key, value));
        ready(Ok::<(), DestinationError>(()))
    });
    let mapping = mapping(retries(0), Some(destination));
    let function = Function::answering([Answer::Fails]);
    let of = records(&[(2, 5), (0, 3)]);
    deliver(&mapping, &function, of.clone()).await;
    let taken = taken.lock().unwrap();
    assert_eq!(taken.len(), 2);
    for (((key, value), record), time) in taken.iter().zip(of).zip(["11:59:55", "11:59:57"]) {
        assert_eq!(*key, record.key);
        let message: Value = serde_json::from_slice(value).unwrap();
        let event = event::payload("b:1", "t", std::slice::from_ref(&record));
        assert_eq!(message["requestContext"]["condition"], "RetriesExhausted");
        assert_eq!(
            message["KafkaBatchInfo"],
            json!({
                "batchSize": 1,
                "bootstrapServers": "b:1",
                "payloadSize": event.len(),
                "recordInfo": {
                    "offset": record.at.offset.to_string(),
                    "timestamp": format!("2026-05-22T{time}.000Z"),
                },
            })
        );
        let payload: Value = serde_json::from_slice(&event).unwrap();
        assert_eq!(message["payload"], payload);
    }
}

#[tokio::test(start_paused = true)]
async fn a_destination_that_is_down_is_tried_until_it_has_the_records_once() {
    let store = Unreliable::default();
    *store.refusals.lock().unwrap() = 5;
    let destination = store.destination();
    let mapping = mapping(retries(0), Some(destination));
    let function = Function::answering([Answer::Fails]);
    let counts = deliver(&mapping, &function, four()).await;
    assert_eq!(store.objects().len(), 1);
    // The function's failure, five of the store, and the giving up itself.
    assert_eq!(
        (counts.total(|of| of.sent_to_destination), counts.troubles),
        (4, 7)
    );
}

#[tokio::test(start_paused = true)]
async fn a_record_beyond_the_payload_limit_is_not_sent_where_there_is_a_destination() {
    let large = || {
        let mut batch = Batch::new("b:1", "t", 2);
        let record = ConsumedRecord {
            partition: 0,
            offset: 7,
            timestamp: None,
            log_append_time: false,
            key: None,
            value: Some(vec![b'x'; PAYLOAD_LIMIT].into()),
            headers: Vec::new(),
        };
        batch.add(record.clone()).unwrap();
        assert!(batch.add(record).is_err(), "it is alone");
        batch.into_records()
    };
    let store = Unreliable::default();
    let destination = store.destination();
    let function = Function::answering([]);
    deliver(&mapping(retries(3), Some(destination)), &function, large()).await;
    assert!(function.offsets().is_empty());
    let (_, object) = store.objects().remove(0);
    let context = &object["requestContext"];
    assert_eq!(context["condition"], "MaximumPayloadSizeExceeded");
    assert_eq!(context["approximateInvokeCount"], 0);
    assert_eq!(object["responseContext"], Value::Null);
    let payload = object["payload"].as_str().unwrap();
    assert_eq!(positions(payload.as_bytes())[0].offset, 7);

    let function = Function::answering([]);
    deliver(&mapping(retries(3), None), &function, large()).await;
    assert_eq!(function.offsets(), [[7]], "without one it is sent as it is");
}
