//! Lakes for tests, written by the writer itself.

use std::{collections::BTreeMap, time::Duration};

use bronze_writer::{FailureResponse, Writer};
use lake::{
    Compression, Granularity, Layout,
    store::{Get, PutIf},
};
use proptest::{prelude::*, sample::select};
use runtime::Invocation;
use serde_json::{Value, json, value::RawValue};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// A record of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) topic: &'static str,
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) value: Option<String>,
}

pub(crate) fn record(offset: i64, value: &str) -> Record {
    Record {
        topic: "t",
        partition: 0,
        offset,
        value: Some(value.to_owned()),
    }
}

/// A sound value.
pub(crate) fn quote(symbol: &str, second: i64) -> String {
    format!(r#"{{"symbol":"{symbol}","c":{second}.10,"fetched_at":{second}}}"#)
}

pub(crate) fn event_record(record: &Record) -> Value {
    let value = record.value.as_ref();
    json!({
        "topic": record.topic, "partition": record.partition, "offset": record.offset,
        "timestamp": 1_779_480_000_123_i64, "timestampType": "CREATE_TIME", "key": "QQ==",
        "value": value.map(|value| base64_simd::STANDARD.encode_to_string(value)),
        "headers": [{"h": [-1, 65]}],
    })
}

/// The trigger's event.
pub(crate) fn event<'a>(records: impl IntoIterator<Item = &'a Record>) -> Value {
    let mut sources: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for record in records {
        let source = format!("{}-{}", record.topic, record.partition);
        sources
            .entry(source)
            .or_default()
            .push(event_record(record));
    }
    json!({"eventSource": "SelfManagedKafka", "bootstrapServers": "b:1", "records": sources})
}

pub(crate) fn raw(value: &Value) -> Box<RawValue> {
    serde_json::value::to_raw_value(value).unwrap()
}

pub(crate) fn invocation() -> Invocation {
    Invocation {
        deadline: Instant::now() + Duration::from_secs(60),
        stop: CancellationToken::new(),
    }
}

pub(crate) fn writer<S: PutIf + Get>(store: S, layout: &Layout) -> Writer<S> {
    Writer::new(store, layout.clone(), FailureResponse::Batch)
}

/// Delivers one event.
pub(crate) async fn deliver<S: PutIf + Get>(writer: &Writer<S>, event: &Value) {
    writer.handle(&raw(event), &invocation()).await.unwrap();
}

pub(crate) fn layouts() -> impl Strategy<Value = Layout> {
    let granularity = select(vec![
        Granularity::RECORD,
        Granularity::new(3_600_000, 3).unwrap(),
        Granularity::SEGMENT,
    ]);
    let compression = select(vec![Compression::None, Compression::Zstd]);
    (granularity, compression, any::<bool>()).prop_map(|(granularity, compression, epoch)| {
        Layout::new("bronze", epoch.then_some("1"), granularity, compression)
    })
}

/// A log of two topics with two partitions each; about every fourth record can be no line.
pub(crate) fn logs() -> impl Strategy<Value = Vec<Record>> {
    let value = prop_oneof![
        9 => (select(vec!["A", "BTC/USDT", "\u{1f980}"]), 0..3_i64)
            .prop_map(|(symbol, hour)| Some(quote(symbol, 1_779_480_005 + hour * 3_600))),
        1 => Just(Some("{".to_owned())),
        1 => Just(Some("{}".to_owned())),
        1 => Just(None),
    ];
    let record = (select(vec!["t", "t-x"]), 0..2_i32, value);
    prop::collection::vec(record, 0..25).prop_map(|records| {
        let mut ends: BTreeMap<(&str, i32), i64> = BTreeMap::new();
        let with_offset = |(topic, partition, value)| {
            let end = ends.entry((topic, partition)).or_default();
            *end += 1;
            Record {
                topic,
                partition,
                offset: *end - 1,
                value,
            }
        };
        records.into_iter().map(with_offset).collect()
    })
}

/// Runs a future on paused time.
pub(crate) fn run<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
        .block_on(test)
}
