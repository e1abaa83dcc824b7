use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use bytes::Bytes;
use lake::{
    Compression, Granularity, ObjectKey, Reason, read_quarantined,
    store::{ETag, MemoryStore, Object, StoreError},
};
use serde_json::{Value, json};
use tables::{MemoryTables, UpsertError, Upserted};

use super::*;

mod histories;
mod simulation;

fn invocation() -> Invocation {
    Invocation {
        deadline: Instant::now() + Duration::from_secs(10),
        stop: tokio_util::sync::CancellationToken::new(),
    }
}

fn how(failure_response: FailureResponse) -> How {
    How {
        epoch: "1".to_owned(),
        quarantine: Layout::new(
            "postgres",
            Some("1"),
            Granularity::SEGMENT,
            Compression::None,
        ),
        history: true,
        failure_response,
    }
}

fn upserter<T: Upsert>(tables: T) -> Upserter<T, MemoryStore> {
    Upserter::new(tables, MemoryStore::default(), how(FailureResponse::Batch))
}

async fn deliver<T: Upsert, S: PutIf + Get>(
    upserter: &Upserter<T, S>,
    event: &Value,
) -> Result<Answer, Fault> {
    let event = serde_json::value::to_raw_value(event).unwrap();
    upserter.handle(&event, &invocation()).await
}

async fn report<T: Upsert, S: PutIf + Get>(upserter: &Upserter<T, S>, event: &Value) -> Report {
    match deliver(upserter, event).await.unwrap() {
        Answer::Done { report, .. } => report,
        items @ Answer::Items { .. } => panic!("{items:?}"),
    }
}

fn record(offset: i64, value: &str) -> Value {
    json!({
        "topic": "stock-quotes", "partition": 0, "offset": offset, "timestamp": 1_779_480_000_123_i64,
        "timestampType": "CREATE_TIME", "key": "QQ==",
        "value": base64_simd::STANDARD.encode_to_string(value), "headers": [],
    })
}

fn quote(offset: i64) -> Value {
    let time = 1_779_480_000 + offset;
    record(
        offset,
        &format!(r#"{{"symbol":"A","c":{offset}.10,"t":{time},"fetched_at":1779490005}}"#),
    )
}

fn quotes(offsets: impl IntoIterator<Item = i64>) -> Value {
    event(&offsets.into_iter().map(quote).collect::<Vec<_>>())
}

fn event(records: &[Value]) -> Value {
    json!({"eventSource": "aws:kafka", "records": {"stock-quotes-0": records}})
}

fn offsets(tables: &MemoryTables) -> Vec<i64> {
    tables.history().iter().map(|row| row.offset).collect()
}

/// The offsets in quarantine, with their reasons.
fn quarantined(objects: &BTreeMap<ObjectKey, Bytes>) -> Vec<(i64, Reason)> {
    let read = |body: &Bytes| {
        let read = read_quarantined(body).unwrap();
        (read.offset.unwrap(), read.reason)
    };
    let mut quarantined: Vec<_> = objects.values().map(read).collect();
    quarantined.sort_unstable();
    quarantined
}

/// Tables in memory that are asked what `allow` lets through.
struct Guarded<F>(MemoryTables, F);

impl<F: Fn(&[Row]) -> Result<(), UpsertError> + Send + Sync> Upsert for Guarded<F> {
    async fn upsert(&self, rows: &[Row], until: Instant) -> Result<Upserted, UpsertError> {
        self.1(rows)?;
        self.0.upsert(rows, until).await
    }
}

fn refused() -> UpsertError {
    UpsertError::Refused {
        sqlstate: "22003".to_owned(),
        cause: "value overflows numeric format".into(),
    }
}

fn unavailable() -> UpsertError {
    UpsertError::Unavailable {
        database: "db:5432/quotelake".to_owned(),
        cause: "connection refused".into(),
    }
}

/// Refuses the row of offset 500.
fn no_500(rows: &[Row]) -> Result<(), UpsertError> {
    match rows.iter().any(|row| row.offset == 500) {
        true => Err(refused()),
        false => Ok(()),
    }
}

#[tokio::test]
async fn each_bad_record_is_quarantined_with_its_coordinates_and_its_neighbours_are_rows() {
    let upserter = upserter(MemoryTables::default());
    let batch = event(&[
        quote(0),
        record(1, "{\"symbol\":"),
        record(2, r#"{"c":1,"fetched_at":1779480005}"#),
        record(3, r#"{"symbol":"A","fetched_at":1779480005}"#),
        record(4, r#"{"symbol":"A","c":"NaN","fetched_at":1779480005}"#),
        json!({"topic": "stock-quotes", "partition": 0, "offset": 5, "timestamp": 1, "value": null, "headers": []}),
        json!({"topic": "stock-quotes", "partition": 0, "offset": 6, "value": "%%%"}),
        quote(9),
    ]);
    let report = report(&upserter, &batch).await;
    assert_eq!(
        (report.records, report.rows_written, report.already_there),
        (8, 2, 0)
    );
    assert_eq!(report.latest_changed, 1);
    assert_eq!(offsets(upserter.tables()), [0, 9]);
    let objects = upserter.store().objects();
    assert_eq!(
        quarantined(&objects),
        [
            (1, Reason::BrokenJson),
            (2, Reason::NoSymbol),
            (3, Reason::NoRow),
            (4, Reason::NoRow),
            (5, Reason::Tombstone),
            (6, Reason::MalformedRecord),
        ]
    );
    for key in objects.keys() {
        let in_its_place = "postgres/epoch=1/_quarantine/stock-quotes/p000-o";
        assert!(key.as_str().starts_with(in_its_place), "{key}");
    }
}

#[tokio::test]
async fn a_value_that_the_tables_refuse_in_the_middle_of_1000_costs_no_neighbour() {
    let transactions = AtomicUsize::new(0);
    let tables = Guarded(MemoryTables::default(), |rows: &[Row]| {
        transactions.fetch_add(1, Ordering::Relaxed);
        no_500(rows)
    });
    let upserter = upserter(tables);
    let report = report(&upserter, &quotes(0..1_000)).await;
    assert_eq!((report.rows_written, report.already_there), (999, 0));
    let neighbours: Vec<i64> = (0..1_000).filter(|&offset| offset != 500).collect();
    assert_eq!(offsets(&upserter.tables().0), neighbours);

    let objects = upserter.store().objects();
    assert_eq!(quarantined(&objects), [(500, Reason::NoRow)]);
    let read = read_quarantined(objects.values().next().unwrap()).unwrap();
    assert_eq!(
        read.detail,
        "the database refuses a value of the row (SQLSTATE 22003): the function's log has its words"
    );
    let asked = transactions.load(Ordering::Relaxed);
    assert!(asked <= 21, "halving asks twice a level: {asked}");
}

#[tokio::test]
async fn a_batch_that_comes_again_in_another_cut_changes_nothing() {
    let upserter = upserter(MemoryTables::default());
    report(&upserter, &quotes(0..6)).await;
    let again = report(&upserter, &quotes((3..8).rev())).await;
    assert_eq!((again.rows_written, again.already_there), (2, 3));

    let clean = self::upserter(MemoryTables::default());
    report(&clean, &quotes(0..8)).await;
    assert_eq!(upserter.tables().history(), clean.tables().history());
    assert_eq!(upserter.tables().latest(), clean.tables().latest());
}

#[tokio::test]
async fn a_message_that_is_no_quote_is_done_with_and_has_no_row() {
    let upserter = upserter(MemoryTables::default());
    let bars = r#"{"symbol":"A","type":"intraday","data":[],"fetched_at":1779480005,"meta":{"schema":"stock-intraday/1"}}"#;
    let report = report(&upserter, &event(&[quote(0), record(1, bars)])).await;
    assert_eq!((report.rows_written, report.without_row), (1, 1));
    assert!(upserter.store().objects().is_empty());
}

#[tokio::test]
async fn without_a_history_only_the_latest_quotes_are_counted() {
    let how = How {
        history: false,
        ..how(FailureResponse::Batch)
    };
    let upserter = Upserter::new(MemoryTables::default(), MemoryStore::default(), how);
    let report = report(&upserter, &quotes(0..3)).await;
    assert_eq!((report.rows_written, report.already_there), (0, 0));
    assert_eq!(report.latest_changed, 1);
}

#[tokio::test]
async fn a_database_that_is_down_brings_every_row_again_and_no_bad_record() {
    let down = |_: &[Row]| Err(unavailable());
    let batch = upserter(Guarded(MemoryTables::default(), down));
    let records = event(&[quote(0), record(1, "{"), quote(2), quote(3)]);
    let fault = deliver(&batch, &records).await.unwrap_err();
    assert_eq!(
        fault.to_string(),
        format!(
            "3 of 4 records are not durable (stock-quotes-0: 0, 2-3): {}",
            unavailable()
        )
    );
    let objects = batch.store().objects();
    assert_eq!(quarantined(&objects), [(1, Reason::BrokenJson)]);

    let items = Upserter::new(
        Guarded(MemoryTables::default(), down),
        MemoryStore::default(),
        how(FailureResponse::Items),
    );
    let answer = deliver(&items, &records).await.unwrap();
    let item =
        |offset| json!({"itemIdentifier": {"partition": "stock-quotes-0", "offset": offset}});
    assert_eq!(
        serde_json::to_value(&answer).unwrap(),
        json!({"batchItemFailures": [item(0), item(2), item(3)]})
    );
}

#[tokio::test]
async fn what_was_committed_before_the_database_went_down_is_not_named() {
    let until_a_refusal = AtomicUsize::new(0);
    let tables = Guarded(MemoryTables::default(), |rows: &[Row]| {
        // The batch and its first quarter; then nothing.
        match until_a_refusal.fetch_add(1, Ordering::Relaxed) {
            0 | 1 => Err(refused()),
            2 => no_500(rows),
            _ => Err(unavailable()),
        }
    });
    let items = Upserter::new(tables, MemoryStore::default(), how(FailureResponse::Items));
    let answer = deliver(&items, &quotes(0..8)).await.unwrap();
    assert_eq!(offsets(&items.tables().0), [0, 1]);
    let Answer::Items {
        batch_item_failures,
    } = answer
    else {
        panic!("{answer:?}");
    };
    let named = batch_item_failures
        .iter()
        .map(|failure| failure.item_identifier.offset);
    assert_eq!(named.collect::<Vec<_>>(), [2, 3, 4, 5, 6, 7]);
}

/// A store that is down.
struct Down;

impl Down {
    fn error() -> StoreError {
        StoreError::Denied {
            store: "s".into(),
            cause: "AccessDenied".into(),
        }
    }
}

impl PutIf for Down {
    async fn put_if_absent(&self, _: &ObjectKey, _: Bytes) -> Result<ETag, StoreError> {
        Err(Self::error())
    }

    async fn put_if_match(&self, _: &ObjectKey, _: Bytes, _: &ETag) -> Result<ETag, StoreError> {
        Err(Self::error())
    }
}

impl Get for Down {
    async fn get_within(&self, _: &ObjectKey, _: usize) -> Result<Object, StoreError> {
        Err(Self::error())
    }

    async fn get_if_changed(
        &self,
        _: &ObjectKey,
        _: &ETag,
        _: usize,
    ) -> Result<Option<Object>, StoreError> {
        Err(Self::error())
    }
}

#[tokio::test]
async fn a_store_that_is_down_brings_bad_records_again_and_costs_no_row() {
    let items = Upserter::new(MemoryTables::default(), Down, how(FailureResponse::Items));
    let answer = deliver(&items, &event(&[quote(0), record(1, "{"), quote(2)])).await;
    let item = json!({"itemIdentifier": {"partition": "stock-quotes-0", "offset": 1}});
    assert_eq!(
        serde_json::to_value(answer.unwrap()).unwrap(),
        json!({"batchItemFailures": [item]})
    );
    assert_eq!(offsets(items.tables()), [0, 2]);

    let no_offset = json!({"topic": "stock-quotes", "value": "%"});
    let fault = deliver(&items, &event(&[quote(0), no_offset])).await;
    let fault = fault.unwrap_err();
    assert!(
        matches!(fault, Fault::NotDurable { missing: 1, .. }),
        "{fault}"
    );
}

/// Tables that answer at the end of the time that they are given.
struct Slow;

impl Upsert for Slow {
    async fn upsert(&self, _: &[Row], until: Instant) -> Result<Upserted, UpsertError> {
        tokio::time::sleep_until(until).await;
        Err(UpsertError::OutOfTime {
            database: "db:5432/quotelake".to_owned(),
        })
    }
}

#[tokio::test(start_paused = true)]
async fn a_database_that_does_not_answer_leaves_a_second_for_the_answer() {
    let began = Instant::now();
    let fault = deliver(&upserter(Slow), &quotes(0..3)).await.unwrap_err();
    assert_eq!(began.elapsed().as_secs(), 9, "{fault}");
}

#[tokio::test]
async fn a_batch_of_two_topics_is_a_transaction_for_each() {
    let transactions = AtomicUsize::new(0);
    let upserter = upserter(Guarded(MemoryTables::default(), |rows: &[Row]| {
        transactions.fetch_add(1, Ordering::Relaxed);
        assert!(rows.iter().all(|row| row.topic == rows[0].topic));
        Ok(())
    }));
    let mut other = record(
        0,
        r#"{"symbol":"B","price":1.5,"timestamp":"2026-05-22T20:00:00Z"}"#,
    );
    other["topic"] = "stock-prices".into();
    let batch =
        json!({"records": {"stock-quotes-0": [quote(0), quote(1)], "stock-prices-0": [other]}});
    assert_eq!(report(&upserter, &batch).await.rows_written, 3);
    assert_eq!(transactions.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn the_example_events_do_what_their_table_says() {
    let upserter = upserter(MemoryTables::default());
    let batch = serde_json::from_str(include_str!("../events/batch.json")).unwrap();
    let first = report(&upserter, &batch).await;
    assert_eq!(
        (first.records, first.rows_written, first.latest_changed),
        (4, 3, 2)
    );
    assert_eq!(first.quarantined, [(Reason::Tombstone, 1)].into());
    let again = report(&upserter, &batch).await;
    assert_eq!((again.rows_written, again.already_there), (0, 3));

    let no_quotes = serde_json::from_str(include_str!("../events/no-quotes.json")).unwrap();
    let answer = serde_json::to_value(report(&upserter, &no_quotes).await).unwrap();
    let expected = include_str!("../events/no-quotes.answer.json");
    assert_eq!(answer, serde_json::from_str::<Value>(expected).unwrap());
}

#[test]
fn a_batch_that_changes_nothing_has_an_age_with_and_without_history() {
    let batch = quotes(0..2).to_string();
    let event = KafkaEvent::decode(&batch).unwrap();
    let now = jiff::Timestamp::from_millisecond(1_779_480_000_123 + 700).unwrap();
    for history in [true, false] {
        let mut tally = Tally::of(&event, history);
        tally.add_committed(
            &[0, 1],
            commit::Committed {
                done: vec![(0..2, Upserted::default())],
                ..commit::Committed::default()
            },
        );
        let values = tally.values(now);
        let [(topic, values)] = &values[..] else {
            panic!("{values:?}");
        };
        assert_eq!(*topic, "stock-quotes");
        assert!(
            values.contains(&(metrics::ROW_AGE_MILLISECONDS, 700)),
            "{values:?}"
        );
    }
}

#[tokio::test]
async fn a_payload_that_is_no_event_is_an_error() {
    let upserter = upserter(MemoryTables::default());
    let fault = deliver(&upserter, &json!({"Records": []})).await;
    let fault = fault.unwrap_err();
    assert!(matches!(fault, Fault::NotAnEvent(_)), "{fault}");
}
