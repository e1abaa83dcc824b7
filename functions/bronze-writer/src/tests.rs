use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use bytes::Bytes;
use lake::{
    Compression, Granularity, ObjectKey, Reason, read_quarantined, read_stored,
    store::{ETag, MemoryStore, Object, StoreError},
};
use serde_json::{Value, json};

use super::*;

mod fuzz;
mod histories;
mod interleavings;
mod simulation;
mod store;

fn invocation() -> Invocation {
    Invocation {
        deadline: Instant::now() + Duration::from_secs(10),
        stop: tokio_util::sync::CancellationToken::new(),
    }
}

fn layout() -> Layout {
    Layout::new("bronze", Some("1"), Granularity::SEGMENT, Compression::None)
}

fn writer<S: PutIf + Get>(store: S) -> Writer<S> {
    Writer::new(store, layout(), FailureResponse::Batch)
}

async fn deliver<S: PutIf + Get>(writer: &Writer<S>, event: &Value) -> Result<Answer, Fault> {
    let event = serde_json::value::to_raw_value(event).unwrap();
    writer.handle(&event, &invocation()).await
}

async fn report<S: PutIf + Get>(writer: &Writer<S>, event: &Value) -> Report {
    match deliver(writer, event).await.unwrap() {
        Answer::Done { report, .. } => report,
        items @ Answer::Items { .. } => panic!("{items:?}"),
    }
}

fn is_lines(key: &ObjectKey) -> bool {
    key.as_str().ends_with(".ndjson") || key.as_str().ends_with(".ndjson.zst")
}

/// The lines and quarantined records: what does not depend on how a topic was cut into batches.
fn kept(store: &MemoryStore) -> BTreeMap<ObjectKey, Bytes> {
    let mut objects = store.objects();
    objects.retain(|key, _| !key.as_str().contains("/_partitions/"));
    objects
}

/// The offsets that are in bronze, and those in quarantine with their reasons.
fn offsets(objects: &BTreeMap<ObjectKey, Bytes>) -> (Vec<i64>, Vec<(i64, Reason)>) {
    let (mut bronze, mut aside) = (Vec::new(), Vec::new());
    for (key, body) in objects {
        if key.as_str().starts_with(&layout().quarantine_root()) {
            let read = read_quarantined(body).unwrap();
            aside.push((read.offset.unwrap(), read.reason));
        } else if is_lines(key) {
            let lines = read_stored(&layout(), key, body).unwrap();
            bronze.extend(lines.iter().map(|(offset, _)| offset));
        }
    }
    bronze.sort_unstable();
    aside.sort_unstable();
    (bronze, aside)
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

/// Every record that is in bronze or in quarantine, by partition and offset.
fn durable(layout: &Layout, objects: &BTreeMap<ObjectKey, Bytes>) -> BTreeSet<(String, i64)> {
    let mut durable = BTreeSet::new();
    for (key, body) in objects {
        if key.as_str().starts_with(&layout.quarantine_root()) {
            let read = read_quarantined(body).unwrap();
            durable.insert((
                format!("{}-{}", read.topic, read.partition),
                read.offset.unwrap(),
            ));
        } else if is_lines(key) {
            for line in layout_lines(layout, key, body) {
                durable.insert(line);
            }
        }
    }
    durable
}

fn layout_lines(layout: &Layout, key: &ObjectKey, body: &Bytes) -> Vec<(String, i64)> {
    let lines = read_stored(layout, key, body).unwrap();
    let at = |(_, line)| {
        let line = lake::read_line(layout.version(), line).unwrap();
        (format!("{}-{}", line.topic, line.partition), line.offset)
    };
    lines.iter().map(at).collect()
}

#[tokio::test]
async fn each_bad_record_is_quarantined_with_its_coordinates_and_its_neighbours_land() {
    let bare = |offset: i64, value: &str| {
        json!({"topic": "t", "partition": 0, "offset": offset,
               "value": base64_simd::STANDARD.encode_to_string(value)})
    };
    let writer = writer(MemoryStore::default());
    let batch = event(&[
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
    ]);
    let report = report(&writer, &batch).await;
    assert_eq!(
        (report.records, report.added, report.already_there),
        (10, 3, 0)
    );
    let (bronze, aside) = offsets(&writer.store().objects());
    assert_eq!(bronze, [0, 8, 9]);
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
    let objects = writer.store().objects();
    let mut records = objects
        .values()
        .filter_map(|body| read_quarantined(body).ok());
    let malformed = records.find(|read| read.offset == Some(7)).unwrap();
    assert_eq!(malformed.topic, "t");
    assert_eq!(
        serde_json::from_str::<Value>(&malformed.record.unwrap()).unwrap(),
        json!({"offset": 7, "value": "e30=", "headers": [{"h": "text"}]})
    );
}

#[tokio::test]
async fn a_batch_that_comes_again_in_another_cut_changes_nothing() {
    let writer = writer(MemoryStore::default());
    report(&writer, &event(&(0..6).map(quote).collect::<Vec<_>>())).await;
    let report = report(
        &writer,
        &event(&(3..8).rev().map(quote).collect::<Vec<_>>()),
    )
    .await;
    assert_eq!((report.added, report.already_there), (2, 3));

    let clean = self::writer(MemoryStore::default());
    self::report(&clean, &event(&(0..8).map(quote).collect::<Vec<_>>())).await;
    assert_eq!(kept(writer.store()), kept(clean.store()));
    assert_eq!(kept(clean.store()).len(), 2, "the lines and the layout");
}

#[tokio::test]
async fn growing_a_remembered_object_is_one_request_and_of_a_forgotten_one_three() {
    let warm = writer(MemoryStore::default());
    let requests = async |writer: &Writer<_>, offset| {
        let report = report(writer, &event(&[quote(offset)])).await;
        (report.puts, report.gets)
    };
    assert_eq!(requests(&warm, 0).await, (1, 0));
    assert_eq!(requests(&warm, 1).await, (1, 0));
    assert_eq!(
        requests(&warm, 1).await,
        (0, 1),
        "the store says it is there"
    );
    let cold = writer(warm.store);
    assert_eq!(requests(&cold, 2).await, (2, 1));
    assert_eq!(requests(&cold, 3).await, (1, 0));
}

#[tokio::test]
async fn an_offset_that_is_reused_with_other_bytes_keeps_both() {
    let writer = writer(MemoryStore::default());
    let one = record(0, r#"{"symbol":"A","c":1,"fetched_at":1779480005}"#);
    let two = record(0, r#"{"symbol":"A","c":2,"fetched_at":1779480005}"#);
    report(&writer, &event(std::slice::from_ref(&one))).await;
    for batch in [vec![two.clone()], vec![one, two]] {
        let report = report(&writer, &event(&batch)).await;
        assert_eq!(report.quarantined, [(Reason::OffsetReused, 1)].into());
    }
    let (bronze, aside) = offsets(&writer.store().objects());
    assert_eq!((bronze, aside), (vec![0], vec![(0, Reason::OffsetReused)]));
}

#[tokio::test]
async fn a_history_is_not_gone_on_with_in_another_layout() {
    let writer = writer(MemoryStore::default());
    report(&writer, &event(&[quote(0)])).await;
    let other = Layout::new("bronze", Some("1"), Granularity::RECORD, Compression::None);
    let other = Writer::new(writer.store, other, FailureResponse::Items);
    let fault = deliver(&other, &event(&[quote(0)])).await.unwrap_err();
    assert_eq!(
        fault.to_string(),
        r#"the history at bronze/epoch=1/ has the layout {"layout":2,"bucket_ms":3600000,"segment_offsets":30000,"compression":"none"}, not {"layout":2,"bucket_ms":1,"segment_offsets":1,"compression":"none"}: set a new BRONZE_EPOCH, or BRONZE_GRANULARITY and its like back where the number of the layout is the same"#
    );
}

#[tokio::test]
async fn a_damaged_object_stays_as_it_is_and_its_records_go_to_quarantine() {
    let lines = |records: std::ops::Range<i64>| {
        let batch = records.map(quote).collect::<Vec<_>>();
        async move {
            let writer = writer(MemoryStore::default());
            report(&writer, &event(&batch)).await;
            let objects = writer.store().objects();
            objects.into_iter().find(|(key, _)| is_lines(key)).unwrap()
        }
    };
    let (key, whole) = lines(0..2).await;
    let (_, later) = lines(1..2).await;
    for damaged in [
        Bytes::new(),
        Bytes::from_static(b"garbage"),
        Bytes::from_static(b"{}\n"),
        whole.slice(..whole.len() - 1),
        whole.slice(..whole.len() / 3),
        [later.clone(), whole.clone()].concat().into(),
        Bytes::from(
            String::from_utf8(whole.to_vec())
                .unwrap()
                .replace("\"A\"", "\"B\""),
        ),
    ] {
        let store = MemoryStore::default();
        store.put_if_absent(&key, damaged.clone()).await.unwrap();
        let writer = writer(store);
        let other = record(8, r#"{"symbol":"C","fetched_at":1779480005}"#);
        let report = report(&writer, &event(&[quote(0), quote(5), other])).await;
        assert_eq!(report.quarantined, [(Reason::ObjectDamaged, 2)].into());
        assert_eq!(report.added, 1, "the neighbour lands");
        assert_eq!(writer.store().objects()[&key], damaged);
    }
}

/// A store in memory that is asked what `allow` lets through.
struct Guarded<F>(MemoryStore, F);

/// What a store is asked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    Create,
    Swap,
    Read,
}

impl<F> Guarded<F>
where
    F: Fn(&MemoryStore, Asked, &ObjectKey) -> Result<(), StoreError> + Send + Sync,
{
    fn ask(&self, asked: Asked, key: &ObjectKey) -> Result<&MemoryStore, StoreError> {
        self.1(&self.0, asked, key)?;
        Ok(&self.0)
    }
}

impl<F> PutIf for Guarded<F>
where
    F: Fn(&MemoryStore, Asked, &ObjectKey) -> Result<(), StoreError> + Send + Sync,
{
    async fn put_if_absent(&self, key: &ObjectKey, body: Bytes) -> Result<ETag, StoreError> {
        let store = self.ask(Asked::Create, key)?;
        store.put_if_absent(key, body).await
    }

    async fn put_if_match(
        &self,
        key: &ObjectKey,
        body: Bytes,
        etag: &ETag,
    ) -> Result<ETag, StoreError> {
        let store = self.ask(Asked::Swap, key)?;
        store.put_if_match(key, body, etag).await
    }
}

impl<F> Get for Guarded<F>
where
    F: Fn(&MemoryStore, Asked, &ObjectKey) -> Result<(), StoreError> + Send + Sync,
{
    async fn get_within(&self, key: &ObjectKey, most: usize) -> Result<Object, StoreError> {
        let store = self.ask(Asked::Read, key)?;
        store.get_within(key, most).await
    }

    async fn get_if_changed(
        &self,
        key: &ObjectKey,
        etag: &ETag,
        most: usize,
    ) -> Result<Option<Object>, StoreError> {
        let store = self.ask(Asked::Read, key)?;
        store.get_if_changed(key, etag, most).await
    }
}

/// Takes every other symbol's objects only.
fn half_down(_: &MemoryStore, asked: Asked, key: &ObjectKey) -> Result<(), StoreError> {
    if asked == Asked::Create && key.as_str().contains("DOWN/") {
        return Err(StoreError::Denied {
            store: "s".into(),
            cause: "AccessDenied".into(),
        });
    }
    Ok(())
}

#[tokio::test]
async fn what_the_store_refuses_is_named_and_the_rest_is_durable() {
    let batch = writer(Guarded(MemoryStore::default(), half_down));
    let down = |offset| record(offset, r#"{"symbol":"DOWN","fetched_at":1779480005}"#);
    let records = event(&[quote(0), down(1), down(2), quote(3), down(4)]);
    let fault = deliver(&batch, &records).await.unwrap_err();
    assert_eq!(
        fault.to_string(),
        "3 of 5 records are not durable (t-0: 1-2, 4): access to s is denied (AccessDenied): grant s3:PutObject, s3:GetObject and s3:ListBucket on it"
    );
    assert_eq!(offsets(&batch.store().0.objects()).0, [0, 3]);

    let items = Writer::new(
        Guarded(MemoryStore::default(), half_down),
        layout(),
        FailureResponse::Items,
    );
    let answer = deliver(&items, &records).await.unwrap();
    let item = |offset| json!({"itemIdentifier": {"partition": "t-0", "offset": offset}});
    assert_eq!(
        serde_json::to_value(&answer).unwrap(),
        json!({"batchItemFailures": [item(1), item(2), item(4)]})
    );
    let answer = deliver(&items, &event(&[quote(0)])).await.unwrap();
    assert_eq!(
        serde_json::to_value(&answer).unwrap(),
        json!({"batchItemFailures": []})
    );
    // A mapping that listens already may get the answer of a writer that names none yet.
    let batch = deliver(&batch, &event(&[quote(5)])).await.unwrap();
    let batch = serde_json::to_value(&batch).unwrap();
    assert_eq!(
        (&batch["added"], &batch["batchItemFailures"]),
        (&json!(1), &json!([]))
    );
    let no_offset = json!({"topic": "DOWN", "value": "%"});
    let fault = deliver(&items, &event(&[quote(0), no_offset]))
        .await
        .unwrap_err();
    assert!(
        matches!(fault, Fault::NotDurable { missing: 1, .. }),
        "{fault}"
    );
}

#[tokio::test]
async fn a_payload_that_is_no_event_is_an_error() {
    let writer = writer(MemoryStore::default());
    let fault = deliver(&writer, &json!({"Records": []})).await.unwrap_err();
    assert!(matches!(fault, Fault::NotAnEvent(_)), "{fault}");
}
