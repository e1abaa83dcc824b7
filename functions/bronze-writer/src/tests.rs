use std::time::Duration;

use lake::{coordinates, quarantined_coordinates, store::MemoryStore};
use serde_json::{Value, json};

use super::*;

fn invocation() -> Invocation {
    Invocation {
        deadline: Instant::now() + Duration::from_secs(10),
        stop: tokio_util::sync::CancellationToken::new(),
    }
}

fn layout() -> Layout {
    Layout::record("bronze", Some("1"))
}

async fn deliver(store: &(impl PutIf + Get), event: &Value) -> Result<Report, Fault> {
    let event = serde_json::value::to_raw_value(event).unwrap();
    handle(store, &layout(), &event, &invocation()).await
}

fn record(offset: i64, value: &str) -> Value {
    json!({
        "topic": "t", "partition": 0, "offset": offset, "timestamp": 1_779_480_000_123_i64,
        "timestampType": "CREATE_TIME", "key": "QQ==",
        "value": base64_simd::STANDARD.encode_to_string(value), "headers": [],
    })
}

fn quote(offset: i64) -> Value {
    record(
        offset,
        &format!(r#"{{"symbol":"A","c":{offset}.10,"fetched_at":1779480005}}"#),
    )
}

fn event(records: &[Value]) -> Value {
    json!({"eventSource": "aws:kafka", "records": {"t-0": records}})
}

#[tokio::test]
async fn each_bad_record_is_quarantined_with_its_coordinates_and_its_neighbours_land() {
    let bare = |offset: i64, value: &str| {
        json!({"topic": "t", "partition": 0, "offset": offset,
               "value": base64_simd::STANDARD.encode_to_string(value)})
    };
    let store = MemoryStore::default();
    let report = deliver(
        &store,
        &event(&[
            quote(0),
            record(1, "{\"symbol\":"),
            record(2, r#"{"c":1,"fetched_at":1779480005}"#),
            record(3, r#"{"symbol":"../../x","fetched_at":1779480005}"#),
            json!({"topic": "t", "partition": 0, "offset": 4, "timestamp": 1, "value": null, "headers": []}),
            bare(5, r#"{"symbol":"A"}"#),
            json!({"topic": "t", "partition": 0, "offset": 6, "value": "%%%"}),
            json!({"offset": 7, "value": "e30=", "headers": [{"h": "text"}]}),
            bare(8, r#"{"symbol":"A","fetched_at":1779480005}"#),
            quote(9),
        ]),
    )
    .await
    .unwrap();

    assert_eq!((report.records, report.written, report.merged), (10, 3, 0));
    let mut lines = Vec::new();
    let mut aside = Vec::new();
    for body in store.objects().values() {
        match quarantined_coordinates(body) {
            Some((at, reason)) => aside.push((at.offset, reason)),
            None => lines.push(coordinates(body).unwrap().offset),
        }
    }
    lines.sort_unstable();
    aside.sort_unstable();
    assert_eq!(lines, [0, 8, 9]);
    assert_eq!(
        aside,
        [
            (1, Reason::BrokenJson),
            (2, Reason::NoSymbol),
            (3, Reason::UnsafeSymbol),
            (4, Reason::Tombstone),
            (5, Reason::NoTime),
            (6, Reason::MalformedRecord),
            (7, Reason::MalformedRecord),
        ]
    );
    let malformed = store
        .objects()
        .into_values()
        .find(|body| quarantined_coordinates(body).is_some_and(|(at, _)| at.offset == 7))
        .unwrap();
    let malformed: Value = serde_json::from_slice(&malformed).unwrap();
    assert_eq!(malformed["topic"], "t");
    assert_eq!(
        serde_json::from_str::<Value>(malformed["record"].as_str().unwrap()).unwrap(),
        json!({"offset": 7, "value": "e30=", "headers": [{"h": "text"}]})
    );
}

#[tokio::test]
async fn a_batch_that_comes_again_in_another_cut_changes_nothing() {
    let store = MemoryStore::default();
    deliver(&store, &event(&(0..6).map(quote).collect::<Vec<_>>()))
        .await
        .unwrap();
    let first = store.objects();
    let report = deliver(&store, &event(&(3..8).rev().map(quote).collect::<Vec<_>>()))
        .await
        .unwrap();
    assert_eq!((report.written, report.merged), (2, 3));
    let again = store.objects();
    assert_eq!(again.len(), 8);
    assert!(first.iter().all(|(key, body)| again[key] == *body));
}

#[tokio::test]
async fn an_offset_that_is_reused_with_other_bytes_keeps_both() {
    let store = MemoryStore::default();
    let one = record(0, r#"{"symbol":"A","c":1,"fetched_at":1779480005}"#);
    let two = record(0, r#"{"symbol":"A","c":2,"fetched_at":1779480005}"#);
    deliver(&store, &event(&[one])).await.unwrap();
    for _ in 0..2 {
        let report = deliver(&store, &event(std::slice::from_ref(&two)))
            .await
            .unwrap();
        assert_eq!(report.quarantined, [(Reason::OffsetReused, 1)].into());
    }
    assert_eq!(store.objects().len(), 2);
}

/// A store that takes every other symbol's objects only.
struct HalfDown(MemoryStore);

impl PutIf for HalfDown {
    async fn put_if_absent(
        &self,
        key: &lake::ObjectKey,
        body: bytes::Bytes,
    ) -> Result<lake::store::ETag, StoreError> {
        if key.as_str().contains("symbol=DOWN") {
            return Err(StoreError::Denied {
                store: "s".into(),
                cause: "AccessDenied".into(),
            });
        }
        self.0.put_if_absent(key, body).await
    }

    async fn put_if_match(
        &self,
        key: &lake::ObjectKey,
        body: bytes::Bytes,
        etag: &lake::store::ETag,
    ) -> Result<lake::store::ETag, StoreError> {
        self.0.put_if_match(key, body, etag).await
    }
}

impl Get for HalfDown {
    async fn get(&self, key: &lake::ObjectKey) -> Result<lake::store::Object, StoreError> {
        self.0.get(key).await
    }
}

#[tokio::test]
async fn what_the_store_refuses_is_named_and_the_rest_is_durable() {
    let store = HalfDown(MemoryStore::default());
    let down = |offset| record(offset, r#"{"symbol":"DOWN","fetched_at":1779480005}"#);
    let fault = deliver(
        &store,
        &event(&[quote(0), down(1), down(2), quote(3), down(4)]),
    )
    .await
    .unwrap_err();
    assert_eq!(
        fault.to_string(),
        "3 of 5 records are not durable (t-0: 1-2, 4): access to s is denied (AccessDenied): grant s3:PutObject, s3:GetObject and s3:ListBucket on it"
    );
    assert_eq!(store.0.objects().len(), 2);
}

#[tokio::test]
async fn a_payload_that_is_no_event_is_an_error() {
    let fault = deliver(&MemoryStore::default(), &json!({"Records": []}))
        .await
        .unwrap_err();
    assert!(matches!(fault, Fault::NotAnEvent(_)), "{fault}");
}
