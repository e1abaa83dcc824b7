//! A silver file to Parquet and back: an hour of minute bars, and a month of them.
//!
//! `cargo bench -p silver`. The rate is that of the file's bytes.

#![allow(clippy::unwrap_used, reason = "a benchmark may panic")]

use std::collections::BTreeMap;

use bytes::Bytes;
use divan::{AllocProfiler, Bencher, counter::BytesCount};
use market::bars::{Amount, Bar, Bases, HOUR, Interval, MINUTE, Prices, Rules, Subject, Zone};
use silver::{File, Unit, decode, encode};

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

/// An hour and a month, in minutes.
const BARS: [usize; 2] = [60, 44_640];

fn main() {
    divan::main();
}

#[divan::bench(args = BARS)]
fn write(bencher: Bencher<'_, '_>, bars: usize) {
    let file = file(bars);
    let bytes = encode(&file).len();
    bencher
        .counter(BytesCount::new(bytes))
        .bench(|| encode(&file));
}

#[divan::bench(args = BARS)]
fn read(bencher: Bencher<'_, '_>, bars: usize) {
    let bytes: Bytes = encode(&file(bars));
    let size = BytesCount::new(bytes.len());
    bencher.counter(size).bench(|| decode(&bytes).unwrap());
}

/// Trades of a share, with prices that wander by cents.
fn file(bars: usize) -> File {
    let start = 1_793_491_200_000_000;
    let mut random = fastrand::Rng::with_seed(13);
    let mut cents: i64 = 30_000;
    let bars: Vec<Bar> = (0..bars)
        .map(|index| {
            minute(
                start + i64::try_from(index).unwrap() * MINUTE,
                &mut cents,
                &mut random,
            )
        })
        .collect();
    let mut units = BTreeMap::new();
    for bar in &bars {
        let digest = format!("{:032x}", bar.close_event_id.unwrap());
        units.entry(bar.start / HOUR * HOUR).or_insert(Unit {
            digest,
            late: Vec::new(),
            partitions: vec![3],
            objects: 2,
        });
    }
    File {
        place: "lake_interval=1m/lake_topic=stock-quotes/lake_symbol=_AAPL/2026-11.parquet"
            .to_owned(),
        symbol: "AAPL".to_owned(),
        interval: Interval::Minute,
        rules: Rules::default(),
        bars,
        units,
    }
}

fn minute(start: i64, cents: &mut i64, random: &mut fastrand::Rng) -> Bar {
    let mut next = || {
        *cents = (*cents + random.i64(-9..=9)).max(100);
        hundredths(*cents)
    };
    let (open, a, b, close) = (next(), next(), next(), next());
    let (high, low) = (open.max(a).max(b).max(close), open.min(a).min(b).min(close));
    let ticks = random.i64(1..200);
    let volume = hundredths(random.i64(100..1_000_000));
    Bar {
        start,
        end: start + MINUTE,
        trading_date: Zone::NewYork.date(start),
        prices: Some(Prices {
            open,
            high,
            low,
            close,
        }),
        volume: Some(volume),
        quote_volume: volume.checked_mul(close),
        trades: Some(ticks),
        ticks,
        price_sum: hundredths(ticks * 100).checked_mul(close),
        late: i64::from(random.u8(..) == 0),
        basis: Bases::TRADE,
        subject: Subject {
            canonical_symbol: Some("AAPL".to_owned()),
            currency: Some("USD".to_owned()),
            mic: Some("XNAS".to_owned()),
            source: Some("finnhub".to_owned()),
            zone: Zone::NewYork,
        },
        first_event_time: Some(start + random.i64(0..2_000) * 1_000),
        last_event_time: Some(start + MINUTE - random.i64(1..2_000) * 1_000),
        session_volume: None,
        close_event_id: Some(random.u128(..)),
        complete: true,
    }
}

fn hundredths(cents: i64) -> Amount {
    Amount::from_unscaled(i128::from(cents) * 10_i128.pow(16)).unwrap()
}
