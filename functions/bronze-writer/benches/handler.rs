//! One 6 MB batch of 10,000 quotes through the handler, beside the least that any handler has to do: one
//! validating pass over the event, one Base64 decode and one validating pass over the values.
//!
//! `cargo bench -p bronze-writer`; the method and figures are in docs/benchmarks.md.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a benchmark may panic"
)]

use std::{collections::BTreeMap, fmt::Write, time::Duration};

use bronze_writer::handle;
use divan::{
    AllocProfiler, Bencher, black_box,
    counter::{BytesCount, ItemsCount},
};
use lake::{Layout, store::MemoryStore};
use runtime::Invocation;
use serde::{Deserialize, de::IgnoredAny};
use serde_json::value::RawValue;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

const RECORDS: usize = 10_000;
const SYMBOLS: usize = 100;
const PARTITIONS: usize = 10;

fn main() {
    divan::main();
}

/// A message of the topic `stock-quotes`, a little shortened so that 10,000 of them fill a payload.
fn quote(index: usize) -> String {
    format!(
        concat!(
            r#"{{"c":308.{:02},"d":3.83,"dp":1.2558,"h":311.4,"l":305.84,"o":306.12,"pc":304.99,"t":1779480000,"#,
            r#""symbol":"SYM{:03}","fetched_at":1779480005,"meta":{{"source":"finnhub","schema":"stock-quotes/1","#,
            r#""event_id":"0123456789abcdef0123456789abcdef","currency":"USD","#,
            r#""event_time":"2026-05-22T20:00:00.000Z","fetched_at":"2026-05-22T20:00:05.123Z","flags":[]}}}}"#
        ),
        index % 100,
        index % SYMBOLS,
    )
}

fn event() -> Box<RawValue> {
    let mut text = String::from(r#"{"eventSource":"aws:kafka","records":{"#);
    for partition in 0..PARTITIONS {
        let comma = if partition == 0 { "" } else { "," };
        write!(text, r#"{comma}"stock-quotes-{partition}":["#).unwrap();
        for offset in 0..RECORDS / PARTITIONS {
            let comma = if offset == 0 { "" } else { "," };
            let index = offset * PARTITIONS + partition;
            let key = base64_simd::STANDARD.encode_to_string(format!("SYM{:03}", index % SYMBOLS));
            let value = base64_simd::STANDARD.encode_to_string(quote(index));
            write!(
                text,
                r#"{comma}{{"topic":"stock-quotes","partition":{partition},"offset":{offset},"timestamp":1779480005123,"timestampType":"CREATE_TIME","key":"{key}","value":"{value}","headers":[]}}"#
            )
            .unwrap();
        }
        text.push(']');
    }
    text.push_str("}}");
    RawValue::from_string(text).unwrap()
}

#[divan::bench]
fn handler(bencher: Bencher<'_, '_>) {
    let event = event();
    let layout = Layout::record("bronze", Some("1"));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    bencher
        .counter(ItemsCount::new(RECORDS))
        .counter(BytesCount::new(event.get().len()))
        .with_inputs(MemoryStore::default)
        .bench_local_values(|store| {
            let invocation = Invocation {
                deadline: Instant::now() + Duration::from_secs(60),
                stop: CancellationToken::new(),
            };
            let report = runtime
                .block_on(handle(&store, &layout, &event, &invocation))
                .unwrap();
            assert_eq!(usize::try_from(report.written).unwrap(), RECORDS);
            store
        });
}

#[derive(Deserialize)]
struct Values<'a> {
    #[serde(borrow)]
    records: BTreeMap<&'a str, Vec<Value<'a>>>,
}

#[derive(Deserialize)]
struct Value<'a> {
    value: &'a str,
}

fn values(event: &RawValue) -> Vec<&str> {
    let values: Values<'_> = serde_json::from_str(event.get()).unwrap();
    values
        .records
        .into_values()
        .flatten()
        .map(|record| record.value)
        .collect()
}

#[divan::bench]
fn floor(bencher: Bencher<'_, '_>) {
    let event = event();
    let values = values(&event);
    bencher.counter(ItemsCount::new(RECORDS)).bench_local(|| {
        black_box(serde_json::from_str::<IgnoredAny>(event.get()).unwrap());
        for value in &values {
            let value = base64_simd::STANDARD.decode_to_vec(value).unwrap();
            black_box(serde_json::from_slice::<IgnoredAny>(&value).unwrap());
        }
    });
}
