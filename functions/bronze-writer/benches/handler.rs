//! One 6 MB batch of 10,000 quotes through the handler, beside the least that any handler has to do: one
//! validating pass over the event, one Base64 decode and one validating pass over the values. The same again with the
//! event read by `aws_lambda_events`. Then what a record costs in batches of other sizes and with other numbers of
//! symbols, and what the thousandth batch costs.
//!
//! `cargo bench -p bronze-writer`; the method and figures are in docs/benchmarks.md.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a benchmark may panic"
)]

use std::{collections::BTreeMap, fmt::Write, time::Duration};

use bronze_writer::{Answer, FailureResponse, Writer};
use divan::{
    AllocProfiler, Bencher, black_box,
    counter::{BytesCount, ItemsCount},
};
use jiff::Timestamp;
use lake::{Compression, Granularity, Layout, store::MemoryStore};
use runtime::Invocation;
use serde::{Deserialize, de::IgnoredAny};
use serde_json::value::RawValue;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

const RECORDS: usize = 10_000;
const SYMBOLS: usize = 100;
const SECONDS_OF_A_BATCH: usize = 300;
const BATCHES_OF_AN_HOUR: usize = 12;
const PARTITIONS: usize = 10;

fn main() {
    divan::main();
}

/// A batch of the topic `stock-quotes`.
#[derive(Clone, Copy)]
struct Batch {
    records: usize,
    symbols: usize,
    /// How many such batches came before.
    number: usize,
}

const FULL: Batch = Batch {
    records: RECORDS,
    symbols: SYMBOLS,
    number: 0,
};

/// A message, a little shortened so that 10,000 of them fill a payload.
fn quote(index: usize, symbol: usize, second: usize) -> String {
    let second = i64::try_from(second).unwrap();
    let fetched_at = Timestamp::from_millisecond(1_779_480_005_123 + second * 1_000).unwrap();
    format!(
        concat!(
            r#"{{"c":308.{:02},"d":3.83,"dp":1.2558,"h":311.4,"l":305.84,"o":306.12,"pc":304.99,"t":1779480000,"#,
            r#""symbol":"SYM{:03}","fetched_at":{},"meta":{{"source":"finnhub","schema":"stock-quotes/1","#,
            r#""event_id":"0123456789abcdef0123456789abcdef","currency":"USD","#,
            r#""event_time":"2026-05-22T20:00:00.000Z","fetched_at":"{:.3}","flags":[]}}}}"#
        ),
        index % 100,
        symbol,
        fetched_at.as_second(),
        fetched_at,
    )
}

fn event(batch: Batch) -> Box<RawValue> {
    let per_partition = batch.records / PARTITIONS;
    let mut text = String::from(r#"{"eventSource":"aws:kafka","records":{"#);
    for partition in 0..PARTITIONS {
        let comma = if partition == 0 { "" } else { "," };
        write!(text, r#"{comma}"stock-quotes-{partition}":["#).unwrap();
        for place in 0..per_partition {
            let comma = if place == 0 { "" } else { "," };
            let index = place * PARTITIONS + partition;
            let symbol = index % batch.symbols;
            let second = batch.number * SECONDS_OF_A_BATCH;
            let key = base64_simd::STANDARD.encode_to_string(format!("SYM{symbol:03}"));
            let value = base64_simd::STANDARD.encode_to_string(quote(index, symbol, second));
            let offset = batch.number * per_partition + place;
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

fn writer(granularity: Granularity, compression: Compression) -> Writer<MemoryStore> {
    let layout = Layout::new("bronze", Some("1"), granularity, compression);
    Writer::new(MemoryStore::default(), layout, FailureResponse::Batch)
}

fn executor() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

fn land(executor: &tokio::runtime::Runtime, writer: &Writer<MemoryStore>, event: &RawValue) -> u64 {
    let invocation = Invocation {
        deadline: Instant::now() + Duration::from_secs(60),
        stop: CancellationToken::new(),
    };
    match executor
        .block_on(writer.handle(event, &invocation))
        .unwrap()
    {
        Answer::Done { report, .. } => report.added,
        Answer::Items { .. } => 0,
    }
}

/// A batch into new objects, by a writer that is warm: it has landed such a batch of another hour.
fn bench_new_objects(
    bencher: Bencher<'_, '_>,
    batch: Batch,
    new: impl Fn() -> Writer<MemoryStore>,
) {
    let executor = executor();
    let (earlier, event) = (
        event(batch),
        event(Batch {
            number: BATCHES_OF_AN_HOUR,
            ..batch
        }),
    );
    bencher
        .counter(ItemsCount::new(batch.records))
        .counter(BytesCount::new(event.get().len()))
        .with_inputs(|| {
            let writer = new();
            land(&executor, &writer, &earlier);
            writer
        })
        .bench_local_values(|writer| {
            assert_eq!(land(&executor, &writer, &event), batch.records as u64);
            writer
        });
}

fn segments() -> Writer<MemoryStore> {
    writer(Granularity::SEGMENT, Compression::None)
}

#[divan::bench]
fn handler(bencher: Bencher<'_, '_>) {
    bench_new_objects(bencher, FULL, segments);
}

#[divan::bench]
fn handler_with_one_object_a_record(bencher: Bencher<'_, '_>) {
    bench_new_objects(bencher, FULL, || {
        writer(Granularity::RECORD, Compression::None)
    });
}

#[divan::bench]
fn handler_with_zstd(bencher: Bencher<'_, '_>) {
    bench_new_objects(bencher, FULL, || {
        writer(Granularity::SEGMENT, Compression::Zstd)
    });
}

#[divan::bench(args = [100, 1_000, 10_000])]
fn records_in_a_batch(bencher: Bencher<'_, '_>, records: usize) {
    // As many records of a symbol as in the full batch, so that objects are of one size.
    let symbols = (records / 100).max(1);
    bench_new_objects(
        bencher,
        Batch {
            records,
            symbols,
            ..FULL
        },
        segments,
    );
}

#[divan::bench(args = [1, 10, 100, 1_000])]
fn symbols_in_a_batch(bencher: Bencher<'_, '_>, symbols: usize) {
    bench_new_objects(bencher, Batch { symbols, ..FULL }, segments);
}

/// The first batch and the thousandth: batches of 300 s, so the thousandth is in the 84th hour.
#[divan::bench(args = [1, 10, 100, 1_000], sample_count = 3, sample_size = 1)]
fn batch_number(bencher: Bencher<'_, '_>, number: usize) {
    let executor = executor();
    bencher
        .counter(ItemsCount::new(RECORDS))
        .with_inputs(|| {
            let writer = segments();
            for number in 0..number - 1 {
                land(&executor, &writer, &event(Batch { number, ..FULL }));
            }
            (
                writer,
                event(Batch {
                    number: number - 1,
                    ..FULL
                }),
            )
        })
        .bench_local_values(|(writer, event)| {
            assert_eq!(land(&executor, &writer, &event), RECORDS as u64);
            writer
        });
}

/// Where the handler's time goes, part by part on the same batch.
mod part {
    use kafka_event::KafkaEvent;
    use lake::{Received, gather};

    use super::{
        Bencher, Compression, FULL, Granularity, ItemsCount, Layout, RECORDS, black_box, event,
    };

    fn layout() -> Layout {
        Layout::new("b", None, Granularity::SEGMENT, Compression::None)
    }

    fn received<'e>(event: &'e KafkaEvent<'_>) -> Vec<Received<'e>> {
        let receive = |record| Received {
            value: event.value(record),
            key: event.key(record),
            topic: &record.topic,
            partition: record.partition,
            offset: record.offset,
            timestamp: record.timestamp,
            headers: &[],
        };
        event.records.iter().map(receive).collect()
    }

    #[divan::bench]
    fn a_decode(bencher: Bencher<'_, '_>) {
        let event = event(FULL);
        let mut memory = Vec::new();
        bencher.counter(ItemsCount::new(RECORDS)).bench_local(|| {
            let memory_now = std::mem::take(&mut memory);
            let event = KafkaEvent::decode_into(memory_now, event.get()).unwrap();
            memory = black_box(event).into_memory();
        });
    }

    #[divan::bench]
    fn b_judge(bencher: Bencher<'_, '_>) {
        let (event, layout) = (event(FULL), layout());
        let event = KafkaEvent::decode(event.get()).unwrap();
        let received = received(&event);
        bencher
            .counter(ItemsCount::new(RECORDS))
            .bench_local(|| black_box(gather(&layout, &received)).unfit().count());
    }

    #[divan::bench]
    fn c_sort(bencher: Bencher<'_, '_>) {
        let (event, layout) = (event(FULL), layout());
        let event = KafkaEvent::decode(event.get()).unwrap();
        let received = received(&event);
        let gathered = gather(&layout, &received);
        bencher
            .counter(ItemsCount::new(RECORDS))
            .bench_local(|| black_box(gathered.shares()).iter().count());
    }

    #[divan::bench]
    fn d_lines(bencher: Bencher<'_, '_>) {
        let (event, layout) = (event(FULL), layout());
        let event = KafkaEvent::decode(event.get()).unwrap();
        let received = received(&event);
        let gathered = gather(&layout, &received);
        let shares = gathered.shares();
        bencher.counter(ItemsCount::new(RECORDS)).bench_local(|| {
            let lines = shares.iter().map(|share| share.lines().0);
            lines.map(|lines| black_box(lines).len()).sum::<usize>()
        });
    }
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
    let event = event(FULL);
    let values = values(&event);
    bencher.counter(ItemsCount::new(RECORDS)).bench_local(|| {
        black_box(serde_json::from_str::<IgnoredAny>(event.get()).unwrap());
        for value in &values {
            let value = base64_simd::STANDARD.decode_to_vec(value).unwrap();
            black_box(serde_json::from_slice::<IgnoredAny>(&value).unwrap());
        }
    });
}

/// The least of a handler that reads the event by AWS's crate, which leaves keys and values in Base64.
#[divan::bench]
fn floor_by_aws_lambda_events(bencher: Bencher<'_, '_>) {
    use aws_lambda_events::kafka::KafkaEvent;
    let event = event(FULL);
    bencher.counter(ItemsCount::new(RECORDS)).bench_local(|| {
        let event: KafkaEvent = serde_json::from_str(event.get()).unwrap();
        for record in event.records.values().flatten() {
            let value = record.value.as_deref().unwrap();
            let value = base64_simd::STANDARD.decode_to_vec(value).unwrap();
            black_box(serde_json::from_slice::<IgnoredAny>(&value).unwrap());
        }
        black_box(event)
    });
}
