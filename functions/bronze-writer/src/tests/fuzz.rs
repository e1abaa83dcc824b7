//! Arbitrary bytes wherever an event has some: no panic, and every record is accounted for.

use lake::{Compression, Granularity, Layout, store::MemoryStore};
use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{durable, invocation};
use crate::{Answer, FailureResponse, Writer};

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let json = (".{0,8}", any::<i64>(), any::<f64>(), ".{0,12}").prop_map(
        |(symbol, time, fraction, text)| {
            let times = [
                json!(time),
                json!(fraction),
                json!(text),
                json!("2026-05-22T20:00:05Z"),
            ];
            let index = usize::from(time.to_le_bytes()[0]) % times.len();
            json!({"symbol": symbol, "fetched_at": times[index], "x": [text]})
                .to_string()
                .into_bytes()
        },
    );
    prop_oneof![
        json,
        prop::collection::vec(any::<u8>(), 0..40),
        "[{}\\[\\]\",:0-9a-z\\\\ ]{0,40}".prop_map(String::into_bytes),
    ]
}

fn base64(bytes: &[u8]) -> Value {
    base64_simd::STANDARD.encode_to_string(bytes).into()
}

fn member() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => bytes().prop_map(|bytes| base64(&bytes)),
        1 => Just(Value::Null),
        1 => ".{0,8}".prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
    ]
}

fn headers() -> impl Strategy<Value = Value> {
    let header = (".{0,5}", prop::collection::vec(-200..300_i64, 0..4));
    prop_oneof![
        4 => prop::collection::vec(header, 0..3).prop_map(|headers| {
            headers.into_iter().map(|(name, bytes)| json!({name: bytes})).collect()
        }),
        1 => Just(Value::Null),
        1 => ".{0,5}".prop_map(Value::from),
    ]
}

fn record() -> impl Strategy<Value = Value> {
    let timestamp = prop_oneof![
        any::<i64>().prop_map(Value::from),
        Just(json!(1_779_480_000_123_i64)),
        ".{0,3}".prop_map(Value::from),
    ];
    (member(), member(), headers(), timestamp).prop_map(|(key, value, headers, timestamp)| {
        json!({"key": key, "value": value, "headers": headers, "timestamp": timestamp})
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_record_of_any_event_is_in_bronze_or_in_quarantine(
        records in prop::collection::vec(record(), 0..6),
        zstd in any::<bool>(),
    ) {
        let compression = if zstd { Compression::Zstd } else { Compression::None };
        let layout = Layout::new("b", None, Granularity::SEGMENT, compression);
        let records: Vec<Value> = (0_i64..)
            .zip(records)
            .map(|(offset, mut record)| {
                record["offset"] = offset.into();
                record
            })
            .collect();
        let event = serde_json::value::to_raw_value(&json!({"records": {"t-0": records}})).unwrap();
        let writer = Writer::new(MemoryStore::default(), layout.clone(), FailureResponse::Batch);
        let executor = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let tally = executor.block_on(async {
            let event = kafka_event::KafkaEvent::decode(event.get()).unwrap();
            let until = Instant::now() + invocation().remaining(std::time::Duration::ZERO);
            let headers = crate::headers(&event);
            let received = crate::received(&event, &headers);
            writer.land(&event, &received, until).await.answer(FailureResponse::Batch).unwrap()
        });
        let Answer::Done { report, .. } = tally else { panic!("{tally:?}") };
        let quarantined: u64 = report.quarantined.values().sum();
        prop_assert_eq!(report.records, records.len() as u64);
        prop_assert_eq!(report.added + quarantined, report.records);
        let durable = durable(&layout, &writer.store().objects());
        for offset in 0..i64::try_from(records.len()).unwrap() {
            prop_assert!(durable.contains(&("t-0".to_owned(), offset)), "{}", offset);
        }
    }

    #[test]
    fn any_payload_is_landed_or_refused(payload in "[{}\\[\\]\",:0-9a-z\\\\ ]{0,60}") {
        let _ = kafka_event::KafkaEvent::decode(&payload);
        let nested = format!(r#"{{"records":{{"t-0":[{payload}]}}}}"#);
        let _ = kafka_event::KafkaEvent::decode(&nested);
    }
}
