//! What a record costs on its way into a row: a batch of Lambda's Kafka trigger has 10,000 at most.
//!
//! `cargo bench -p tables`

#![allow(clippy::unwrap_used, reason = "a benchmark may panic")]

use divan::{Bencher, black_box, counter::ItemsCount};
use lake::Received;
use tables::{latest, read};

const RECORDS: i64 = 10_000;

fn main() {
    divan::main();
}

/// The values of a board's topic, of about 700 bytes each.
fn values() -> Vec<String> {
    let value = |n: i64| {
        format!(
            r#"{{"symbol":"T{symbol:03}","ticker":"T{symbol:03}","time":"2026-04-20T02:41:17.876Z","price":32600,"volume":100,"total_volume":2447800,"change":350,"change_percent":1.09,"ceiling_price":34500,"floor_price":30000,"reference_price":32250,"highest_price":32800,"lowest_price":32350,"bid_price":32600.0,"ask_price":32650.0,"meta":{{"source":"kbs","schema":"stock-board/1","event_id":"26d9c7129132c75d90713b{n:010}","symbol":"TCB","asset_class":"equity","mic":"XSTC","currency":"VND","session":"regular","trading_date":"2026-04-20","event_time":"2026-04-20T02:41:17.876Z","fetched_at":"2026-04-20T02:41:20.250Z","age_ms":2374,"flags":[]}}}}"#,
            symbol = n % 1_000,
        )
    };
    (0..RECORDS).map(value).collect()
}

fn records(values: &[String]) -> Vec<Received<'_>> {
    values
        .iter()
        .zip(0..)
        .map(|(value, offset)| Received {
            topic: "stock-board",
            offset,
            value: Some(value.as_bytes()),
            ..Received::default()
        })
        .collect()
}

#[divan::bench]
fn a_batch_into_rows(bencher: Bencher<'_, '_>) {
    let values = values();
    let records = records(&values);
    bencher
        .counter(ItemsCount::new(records.len()))
        .bench_local(|| {
            let rows = records.iter().map(|record| read(record, "1").unwrap());
            black_box(rows.collect::<Vec<_>>())
        });
}

#[divan::bench]
fn the_latest_of_a_batch(bencher: Bencher<'_, '_>) {
    let values = values();
    let rows = records(&values).into_iter();
    let rows: Vec<_> = rows
        .filter_map(|record| read(&record, "1").unwrap())
        .collect();
    bencher
        .counter(ItemsCount::new(rows.len()))
        .bench_local(|| black_box(latest(rows.iter()).len()));
}

#[divan::bench]
fn the_digests_of_a_batch(bencher: Bencher<'_, '_>) {
    let values = values();
    let rows = records(&values).into_iter();
    let rows: Vec<_> = rows
        .filter_map(|record| read(&record, "1").unwrap())
        .collect();
    bencher
        .counter(ItemsCount::new(rows.len()))
        .bench_local(|| rows.iter().fold(0, |sum, row| sum ^ row.digest()[0]));
}
