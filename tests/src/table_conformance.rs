//! What an adapter of the tables promises, as functions over the port.

use std::{future::Future, slice::from_ref, time::Duration};

use futures::future::join;
use jiff::{SignedDuration, Timestamp};
use rand::{RngExt as _, rngs::StdRng, seq::SliceRandom as _};
use tables::{MemoryTables, Number, Row, Upsert, UpsertError, Upserted, latest, order, read};
use tokio::time::Instant;

use crate::dice::Dice;

/// Tables that can be read back.
pub trait Tables: Upsert {
    /// Every row of the history that has this epoch, in any order.
    fn history(&self, epoch: &str) -> impl Future<Output = Vec<Row>> + Send;

    /// Every row of the latest quotes, in any order.
    fn latest(&self) -> impl Future<Output = Vec<Row>> + Send;
}

impl Tables for MemoryTables {
    async fn history(&self, epoch: &str) -> Vec<Row> {
        let mut rows = Self::history(self);
        rows.retain(|row| row.epoch == epoch);
        rows
    }

    async fn latest(&self) -> Vec<Row> {
        Self::latest(self)
    }
}

/// The epochs that rows have here.
const EPOCHS: [&str; 5] = ["", "10", "7", "9", "z"];

/// Tries every promise on empty tables, each with topics and tickers of its own.
pub async fn keeps_every_promise(tables: &impl Tables) {
    every_column_comes_back_as_it_went(tables).await;
    what_is_there_already_changes_nothing(tables).await;
    an_offset_keeps_its_first_record(tables).await;
    a_record_of_another_time_at_an_offset_is_another_row(tables).await;
    of_two_rows_of_a_key_the_newer_stays(tables).await;
    each_source_of_a_ticker_has_its_latest(tables).await;
    a_time_ahead_of_its_fetch_is_history_and_never_the_latest(tables).await;
    no_rows_are_no_work(tables).await;
    what_ran_out_of_time_may_come_again(tables).await;
    ten_thousand_rows_go_in_together(tables).await;
    order_repetition_and_cuts_end_in_the_same_tables(tables).await;
}

/// Tries that two writers, each with its own connection, neither lose nor hold up each other's rows.
pub async fn writers_at_once_end_in_the_same_tables(one: &impl Tables, other: &impl Tables) {
    let dice = Dice::take();
    for round in 0..10 {
        let name = format!("at-once-{round}");
        let mut chance = dice.generator(round);
        let rows = some_rows(&name, &mut chance);
        let [first, second] = [(); 2].map(|()| {
            let mut rows = rows.clone();
            rows.shuffle(&mut chance);
            rows
        });
        let (first, second) =
            join(in_batches(one, &first, 40), in_batches(other, &second, 40)).await;
        assert_eq!(first.history + second.history, rows.len() as u64);
        is_all_there(one, &name, &rows).await;
    }
}

/// A row of the topic and the ticker `name`.
fn plain(name: &str, offset: i64) -> Row {
    let value = format!(r#"{{"symbol":"{name}","c":1,"t":1779480000,"fetched_at":1779480001}}"#);
    let received = lake::Received {
        topic: "stock-quotes",
        partition: 3,
        offset,
        value: Some(value.as_bytes()),
        ..lake::Received::default()
    };
    let row = read(&received, "7").unwrap().unwrap();
    Row {
        topic: name.to_owned(),
        ..row
    }
}

fn number(text: &str) -> Number {
    text.parse().unwrap()
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

async fn bring(tables: &impl Tables, rows: &[Row]) -> Upserted {
    let until = Instant::now() + Duration::from_secs(60);
    tables.upsert(rows, until).await.unwrap()
}

async fn in_batches(tables: &impl Tables, rows: &[Row], most: usize) -> Upserted {
    let mut total = Upserted::default();
    for batch in rows.chunks(most) {
        let upserted = bring(tables, batch).await;
        total.history += upserted.history;
        total.latest += upserted.latest;
    }
    total
}

/// The history of the topics whose names begin so, by coordinates.
async fn history(tables: &impl Tables, name: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    for epoch in EPOCHS {
        rows.extend(tables.history(epoch).await);
    }
    rows.retain(|row| row.topic.starts_with(name));
    sorted(rows)
}

/// The latest quotes of the tickers whose names begin so, by key.
async fn latest_of(tables: &impl Tables, name: &str) -> Vec<Row> {
    let mut rows = tables.latest().await;
    rows.retain(|row| row.ticker.starts_with(name));
    rows.sort_by(|one, other| tables::key(one).cmp(&tables::key(other)));
    rows
}

fn sorted(mut rows: Vec<Row>) -> Vec<Row> {
    rows.sort_by(|one, other| coordinates(one).cmp(&coordinates(other)));
    rows
}

fn coordinates(row: &Row) -> (&str, &str, i32, i64, Timestamp) {
    let Row {
        topic,
        epoch,
        partition,
        offset,
        created_at,
        ..
    } = row;
    (topic, epoch, *partition, *offset, *created_at)
}

/// Whether the tables have what `rows` make of them, column by column.
async fn is_all_there(tables: &impl Tables, name: &str, rows: &[Row]) {
    let found = history(tables, name).await;
    assert_eq!(found, sorted(rows.to_vec()));
    let newest: Vec<_> = latest(rows.iter()).into_iter().cloned().collect();
    assert_eq!(latest_of(tables, name).await, newest);
}

async fn every_column_comes_back_as_it_went(tables: &impl Tables) {
    let name = "columns";
    let awkward = "a'b\"c\\d {e},f \u{1} \r\n\té 😀 \u{fffd} $1 %s NULL";
    let full = Row {
        ticker: "columns-BTC/USDT".to_owned(),
        price: number("9217126554917738496"),
        volume: Some(number("0.1234567890123456789012345678901234567890")),
        total_volume: Some(number("1e308")),
        change: Some(number("-0.0")),
        change_percent: Some(number("-1e-400")),
        ceiling_price: Some(number("1.10")),
        floor_price: Some(number("1.1")),
        reference_price: Some(number("1.10e2")),
        highest_price: Some(number("-12345678901234567890123456789.5")),
        lowest_price: Some(number("0")),
        bid_price: Some(number("0.00")),
        ask_price: Some(number("1e-8")),
        time: Some(time("2026-05-22T20:00:00.123456Z")),
        event_id: Some(awkward.repeat(1_000)),
        source: Some(awkward.to_owned()),
        currency: Some("USDT".to_owned()),
        mic: Some("XSTC".to_owned()),
        session: Some("NULL".to_owned()),
        trading_date: Some("2026-05-22".parse().unwrap()),
        flags: Some(
            [awkward, "", "NULL", "null", "{}", "\"", "\\", ",", " "]
                .map(str::to_owned)
                .into(),
        ),
        ..plain(name, 0)
    };
    let of_year_1 = Row {
        ticker: "columns-1".to_owned(),
        epoch: String::new(),
        time: Some(time("0001-01-01T00:00:00.000001Z")),
        created_at: time("1970-01-01T00:00:00.001Z"),
        trading_date: Some("0001-01-01".parse().unwrap()),
        flags: Some(Vec::new()),
        ..plain(name, 0)
    };
    let of_year_9999 = Row {
        ticker: "columns-9999".to_owned(),
        partition: i32::MAX,
        time: Some(time("9999-12-30T21:59:59.999999Z")),
        created_at: time("9999-12-30T21:59:59.999Z"),
        trading_date: Some("9999-12-31".parse().unwrap()),
        ..plain(name, i64::MAX)
    };
    let before_1970 = Row {
        ticker: "columns-1969".to_owned(),
        topic: format!("{name}{}", "x".repeat(242)),
        time: Some(time("1969-12-31T23:59:59.999999Z")),
        ..plain(name, 0)
    };
    let least = Row {
        ticker: "columns-é".to_owned(),
        time: None,
        ..plain(name, 5)
    };
    let rows = [full, of_year_1, of_year_9999, before_1970, least];
    let upserted = bring(tables, &rows).await;
    assert_eq!((upserted.history, upserted.latest), (5, 5));
    is_all_there(tables, name, &rows).await;
    let digests: Vec<_> = history(tables, name)
        .await
        .iter()
        .map(Row::digest)
        .collect();
    let brought = sorted(rows.to_vec());
    assert_eq!(digests, brought.iter().map(Row::digest).collect::<Vec<_>>());
}

async fn what_is_there_already_changes_nothing(tables: &impl Tables) {
    let name = "again";
    let rows = [plain(name, 1), plain(name, 2)];
    let twice = [rows.clone(), rows.clone()].concat();
    let upserted = bring(tables, &twice).await;
    assert_eq!((upserted.history, upserted.latest), (2, 1));
    assert_eq!(bring(tables, &rows).await, Upserted::default());
    assert_eq!(bring(tables, &twice).await, Upserted::default());
    is_all_there(tables, name, &rows).await;
}

async fn an_offset_keeps_its_first_record(tables: &impl Tables) {
    let name = "first";
    let first = plain(name, 1);
    bring(tables, from_ref(&first)).await;
    let other = Row {
        price: number("2"),
        ..first.clone()
    };
    assert_eq!(bring(tables, &[other]).await, Upserted::default());
    is_all_there(tables, name, &[first]).await;
}

async fn a_record_of_another_time_at_an_offset_is_another_row(tables: &impl Tables) {
    let name = "made-again";
    let old = plain(name, 1);
    let new = Row {
        created_at: old.created_at + SignedDuration::from_hours(30),
        ..old.clone()
    };
    for row in [&old, &new] {
        let upserted = bring(tables, from_ref(row)).await;
        assert_eq!((upserted.history, upserted.latest), (1, 1));
    }
    is_all_there(tables, name, &[old, new]).await;
}

async fn of_two_rows_of_a_key_the_newer_stays(tables: &impl Tables) {
    let base = |name: &str| Row {
        time: Some(time("2026-05-22T20:00:00Z")),
        created_at: time("2026-05-22T20:00:09Z"),
        ..plain(name, 7)
    };
    // Each is newer than the one before, by one part of the order that outweighs all after it.
    let rising: [fn(&mut Row); 10] = [
        |row| (row.time, row.created_at) = (None, time("2026-05-23T00:00:00Z")),
        |row| {
            row.time = Some(time("2026-05-22T19:59:59.999999Z"));
            row.created_at = time("2026-05-23T00:00:00Z");
        },
        |row| (row.created_at, row.offset) = (time("2026-05-22T20:00:08.999Z"), 99),
        |row| (row.offset, row.epoch) = (6, "z".to_owned()),
        |row| (row.topic, row.epoch) = (format!("{}-Z", row.topic), "z".to_owned()),
        |row| (row.topic, row.epoch) = (format!("{}-a", row.topic), "10".to_owned()),
        |row| (row.topic, row.epoch) = (format!("{}-a", row.topic), "9".to_owned()),
        |row| {
            row.topic = format!("{}-a", row.topic);
            (row.epoch, row.partition) = ("9".to_owned(), 4);
        },
        |row| row.topic = format!("{}-é", row.topic),
        |row| row.offset = 8,
    ];
    for (place, pair) in rising.windows(2).enumerate() {
        let of_ticker = |ticker: String| {
            let [mut older, mut newer] = [base(&ticker), base(&ticker)];
            pair[0](&mut older);
            pair[1](&mut newer);
            assert!(order(&older) < order(&newer), "pair {place}");
            (older, newer)
        };
        let (older, newer) = of_ticker(format!("newer-up-{place}"));
        assert_eq!(bring(tables, &[older]).await.latest, 1, "pair {place}");
        assert_eq!(
            bring(tables, from_ref(&newer)).await.latest,
            1,
            "pair {place}"
        );
        assert_eq!(
            latest_of(tables, &newer.ticker).await,
            [newer],
            "pair {place}"
        );
        let (older, newer) = of_ticker(format!("newer-down-{place}"));
        assert_eq!(
            bring(tables, from_ref(&newer)).await.latest,
            1,
            "pair {place}"
        );
        assert_eq!(bring(tables, &[older]).await.latest, 0, "pair {place}");
        assert_eq!(
            latest_of(tables, &newer.ticker).await,
            [newer],
            "pair {place}"
        );
        let (older, newer) = of_ticker(format!("newer-both-{place}"));
        assert_eq!(
            bring(tables, &[newer.clone(), older]).await.latest,
            1,
            "pair {place}"
        );
        assert_eq!(
            latest_of(tables, &newer.ticker).await,
            [newer],
            "pair {place}"
        );
    }
}

async fn each_source_of_a_ticker_has_its_latest(tables: &impl Tables) {
    let name = "source";
    let of = |offset, source: Option<&str>| Row {
        source: source.map(str::to_owned),
        ..plain(name, offset)
    };
    let rows = [
        of(1, Some("kbs")),
        of(2, None),
        of(3, Some("vci")),
        of(4, Some("kbs")),
        of(5, None),
        of(6, Some("KBS")),
    ];
    let upserted = bring(tables, &rows).await;
    assert_eq!((upserted.history, upserted.latest), (6, 4));
    is_all_there(tables, name, &rows).await;
}

async fn a_time_ahead_of_its_fetch_is_history_and_never_the_latest(tables: &impl Tables) {
    let name = "ahead";
    let at = |offset, ahead_micros| {
        let row = plain(name, offset);
        Row {
            time: Some(row.created_at + SignedDuration::from_micros(ahead_micros)),
            ..row
        }
    };
    let rows = [at(1, 60_000_000), at(2, 60_000_001)];
    let upserted = bring(tables, &rows[1..]).await;
    assert_eq!((upserted.history, upserted.latest), (1, 0));
    let upserted = bring(tables, &rows).await;
    assert_eq!((upserted.history, upserted.latest), (1, 1));
    is_all_there(tables, name, &rows).await;
}

async fn no_rows_are_no_work(tables: &impl Tables) {
    assert_eq!(bring(tables, &[]).await, Upserted::default());
}

async fn what_ran_out_of_time_may_come_again(tables: &impl Tables) {
    let name = "time-is-up";
    let rows = [plain(name, 1), plain(name, 2)];
    let refused = tables.upsert(&rows, Instant::now()).await;
    let refused = refused.unwrap_err();
    assert!(
        matches!(refused, UpsertError::OutOfTime { .. }),
        "{refused}"
    );
    // Nobody knows whether they are in.
    bring(tables, &rows).await;
    is_all_there(tables, name, &rows).await;
}

async fn ten_thousand_rows_go_in_together(tables: &impl Tables) {
    let name = "many";
    let rows = (0..10_000).map(|offset| Row {
        ticker: format!("many-{}", offset * 7_919 % 1_000),
        ..plain(name, offset)
    });
    let rows: Vec<_> = rows.collect();
    let upserted = bring(tables, &rows).await;
    assert_eq!((upserted.history, upserted.latest), (10_000, 1_000));
    is_all_there(tables, name, &rows).await;
}

async fn order_repetition_and_cuts_end_in_the_same_tables(tables: &impl Tables) {
    let dice = Dice::take();
    for round in 0..10 {
        let name = format!("any-order-{round}");
        let mut chance = dice.generator(round);
        let rows = some_rows(&name, &mut chance);
        let mut brought = [rows.clone(), rows.clone()].concat();
        brought.shuffle(&mut chance);
        let most = chance.random_range(1..40);
        let upserted = in_batches(tables, &brought, most).await;
        assert_eq!(upserted.history, rows.len() as u64);
        is_all_there(tables, &name, &rows).await;
    }
}

/// Rows of few keys and times, so that many are alike; no two have the same coordinates.
fn some_rows(name: &str, chance: &mut StdRng) -> Vec<Row> {
    let second = SignedDuration::from_secs;
    let rows = (0..120).map(|number: i64| {
        let row = plain(name, number / 4);
        let created_at = row.created_at + second(chance.random_range(0..3));
        let age = second(chance.random_range(-70..3));
        let sources = [None, Some("kbs".to_owned()), Some("vci".to_owned())];
        Row {
            topic: format!("{name}-{}", number % 2),
            partition: i32::from(number % 4 > 1),
            ticker: format!("{name}-{}", chance.random_range(0..3)),
            source: sources[chance.random_range(0..3)].clone(),
            time: chance.random_bool(0.8).then(|| created_at - age),
            created_at,
            price: Number::from_numeric(number.to_string()).unwrap(),
            ..row
        }
    });
    rows.collect()
}
