//! The handler on a store in memory.

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use lake::{
    Compression, Granularity, Layout as Bronze, ObjectKey, OpenObjects, Received, Requests,
    describe, gather, merge,
    store::{ETag, Get, List, Listed, MemoryStore, Object, PutIf, StoreError},
};
use market::bars::{Amount, Interval};
use runtime::Invocation;
use serde_json::value::RawValue;
use silver::{File, How, Layout, Period, decode};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{Fault, Named, Place, Report, Roller};

mod store;
mod table;

use store::Faulty;

const NOW: &str = "2026-11-28T14:30:00Z";

fn bronze() -> Bronze {
    Bronze::new("bronze", Some("1"), Granularity::SEGMENT, Compression::None)
}

/// A roller of a lake whose history has begun.
async fn roller() -> Roller<Faulty> {
    let store = Faulty::default();
    let until = Instant::now() + Duration::from_secs(1);
    describe(&store.memory, &bronze(), until).await.unwrap();
    roller_of(store)
}

fn roller_of(store: Faulty) -> Roller<Faulty> {
    let place = Place {
        bronze: "bronze".to_owned(),
        epoch: Some("1".to_owned()),
        silver: "silver".to_owned(),
    };
    Roller::new(store, place, How::default())
}

/// Has the lake take trades, one offset after the other: symbol, price, and the minute of the hour of [`NOW`].
async fn land(store: &MemoryStore, trades: &[(&str, &str, u32)]) -> Vec<ObjectKey> {
    let values: Vec<(i64, String)> = trades
        .iter()
        .map(|(symbol, price, minute)| {
            let hour: jiff::Timestamp = "2026-11-28T14:00:00Z".parse().unwrap();
            let time = hour.as_millisecond() + i64::from(*minute) * 60_000;
            let value =
                format!(r#"{{"symbol":"{symbol}","price":{price},"size":2,"time":{time}}}"#);
            (time, value)
        })
        .collect();
    let received: Vec<_> = values
        .iter()
        .zip(0..)
        .map(|((time, value), offset)| Received {
            topic: "trades_raw",
            partition: 3,
            offset,
            timestamp: Some(time + 500),
            value: Some(value.as_bytes()),
            ..Received::default()
        })
        .collect();
    let bronze = bronze();
    let gathered = gather(&bronze, &received);
    let (open, until) = (
        OpenObjects::default(),
        Instant::now() + Duration::from_secs(1),
    );
    let mut keys = Vec::new();
    for share in gathered.shares().iter() {
        let (key, (lines, _)) = (share.key(), share.lines());
        let requests = &mut Requests::default();
        let merged = merge(store, &bronze, &open, (&key, &lines), until, requests);
        merged.await.unwrap();
        keys.push(key);
    }
    keys
}

fn invocation(seconds: u64) -> Invocation {
    Invocation {
        deadline: Instant::now() + Duration::from_secs(seconds),
        stop: CancellationToken::new(),
    }
}

async fn handle(roller: &Roller<Faulty>, json: &str, seconds: u64) -> Result<Report, Fault> {
    let input = RawValue::from_string(json.to_owned()).unwrap();
    let now = NOW.parse().unwrap();
    roller.handle(&input, &invocation(seconds), now).await
}

const TRADES: &str = r#"{"topic":"trades_raw"}"#;

/// The minutes of November.
async fn minutes(store: &Faulty, symbol: &str) -> Option<File> {
    let layout = Layout::new("silver", Some("1"), bronze());
    let november = Period::Month {
        year: 2026,
        month: 11,
    };
    let key = layout.file_key(Interval::Minute, "trades_raw", symbol, november);
    let object = store.memory.get(&key).await.ok()?;
    Some(decode(&object.body).unwrap())
}

#[tokio::test]
async fn what_the_writer_has_landed_becomes_bars_once() {
    let roller = roller().await;
    land(
        &roller.store().memory,
        &[
            ("AAPL", "101.5", 3),
            ("MSFT", "400", 3),
            ("AAPL", "99.25", 3),
            ("AAPL", "100", 29),
        ],
    )
    .await;
    let report = handle(&roller, TRADES, 600).await.unwrap();
    let expected = Report {
        topic: "trades_raw".to_owned(),
        symbols: 2,
        // The object of an hour may have records of the hour before.
        hours: 4,
        bars: 3,
        files: 6,
        ..Report::default()
    };
    assert_eq!(report, expected);
    let file = minutes(roller.store(), "AAPL").await.unwrap();
    assert_eq!((&*file.symbol, file.bars.len()), ("AAPL", 2));
    let prices = file.bars[0].prices.unwrap();
    assert_eq!(prices.open.to_string(), "101.5");
    assert_eq!(prices.close.to_string(), "99.25");
    assert_eq!(file.bars[0].volume, Some(Amount::from(4)));
    assert!(!file.bars[0].complete, "the hour is open");

    let before = roller.store().memory.objects();
    let again = handle(&roller, TRADES, 600).await.unwrap();
    let expected = Report {
        topic: "trades_raw".to_owned(),
        symbols: 2,
        unchanged: 2,
        ..Report::default()
    };
    assert_eq!(again, expected);
    assert_eq!(roller.store().memory.objects(), before);
}

#[tokio::test]
async fn the_shards_of_a_topic_are_all_its_symbols_and_none_twice() {
    let roller = roller().await;
    let names: Vec<String> = (0..20).map(|number| format!("S{number}")).collect();
    let trades: Vec<_> = names.iter().map(|name| (&**name, "1", 0)).collect();
    land(&roller.store().memory, &trades).await;
    let mut symbols = 0;
    for shard in ["0/3", "1/3", "2/3"] {
        let job = format!(r#"{{"topic":"trades_raw","shard":"{shard}"}}"#);
        let report = handle(&roller, &job, 600).await.unwrap();
        assert_eq!(report.unchanged, 0, "{shard}");
        symbols += report.symbols;
    }
    assert_eq!(symbols, 20);
    assert_eq!(handle(&roller, TRADES, 600).await.unwrap().unchanged, 20);
}

#[tokio::test]
async fn a_lake_without_a_history_has_nothing_yet_and_is_rolled_once_it_has() {
    let roller = roller_of(Faulty::default());
    let report = handle(&roller, TRADES, 600).await.unwrap();
    assert!(report.nothing_yet);
    let answer = serde_json::to_value(&report).unwrap();
    assert_eq!(answer["nothing_yet"], true);
    assert!(roller.store().memory.objects().is_empty());

    let until = Instant::now() + Duration::from_secs(1);
    let memory = &roller.store().memory;
    describe(memory, &bronze(), until).await.unwrap();
    let report = handle(&roller, TRADES, 600).await.unwrap();
    assert_eq!((report.nothing_yet, report.symbols), (false, 0));
    land(memory, &[("AAPL", "1", 0)]).await;
    assert_eq!(handle(&roller, TRADES, 600).await.unwrap().bars, 1);
}

#[tokio::test]
async fn of_layout_1_no_bars_are_made() {
    let roller = roller_of(Faulty::default());
    let description = r#"{"bucket_ms":3600000,"segment_offsets":30000,"compression":"none"}"#;
    let key = bronze().description_key();
    let memory = &roller.store().memory;
    memory
        .put_if_absent(&key, description.into())
        .await
        .unwrap();
    let refused = handle(&roller, TRADES, 600).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the history at bronze/epoch=1/ has layout 1, of which no bars are made: begin a new one with another BRONZE_EPOCH"
    );
}

#[tokio::test]
async fn a_wrong_job_asks_the_store_for_nothing() {
    let roller = roller().await;
    roller.store().refuse("", usize::MAX);
    for (json, expected) in [
        ("[]", "the schedule's input is no job ("),
        (
            r#"{"eventSource":"aws:kafka","records":{}}"#,
            "the schedule's input is no job (",
        ),
        (
            r#"{"topic":"../other"}"#,
            "'../other' is no Kafka topic name",
        ),
        (r#"{"topic":"t","hours":0}"#, "the job's hours is 0"),
        (
            r#"{"topic":"t","shard":"2/2"}"#,
            "the job's shard is \"2/2\"",
        ),
    ] {
        let refused = handle(&roller, json, 600).await.unwrap_err().to_string();
        assert!(refused.starts_with(expected), "{refused}");
        assert_eq!(refused.lines().count(), 1);
    }
    assert_eq!(roller.store().refused(), 0);
}

#[tokio::test]
async fn a_roller_without_time_says_so_and_writes_nothing() {
    let roller = roller().await;
    land(
        &roller.store().memory,
        &[("AAPL", "1", 0), ("MSFT", "2", 0)],
    )
    .await;
    let before = roller.store().memory.objects();
    for seconds in [5, 0] {
        match handle(&roller, TRADES, seconds).await {
            Ok(report) => assert_eq!(report.left.count, 2),
            Err(fault) => assert!(fault.to_string().contains("no time left"), "{fault}"),
        }
        assert_eq!(roller.store().memory.objects(), before);
    }
    let report = handle(&roller, TRADES, 600).await.unwrap();
    assert_eq!((report.bars, report.left), (2, Named::default()));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_asks_for_fewer_requests_is_asked_again() {
    let roller = roller().await;
    land(&roller.store().memory, &[("AAPL", "1", 0)]).await;
    for part in [
        "_layout.json",
        "_watermarks",
        "lake_topic=trades_raw/",
        "lake_interval=",
    ] {
        roller.store().refuse(part, 5);
    }
    let report = handle(&roller, TRADES, 600).await.unwrap();
    assert_eq!((report.bars, report.failed), (1, BTreeMap::new()));
    assert_eq!(roller.store().refused(), 20);
}

#[tokio::test(start_paused = true)]
async fn a_symbol_that_the_store_refuses_costs_no_other() {
    let roller = roller().await;
    land(
        &roller.store().memory,
        &[("AAPL", "1", 0), ("MSFT", "2", 0)],
    )
    .await;
    roller.store().refuse("lake_symbol=_AAPL", usize::MAX);
    let report = handle(&roller, TRADES, 600).await.unwrap();
    assert_eq!((report.symbols, report.bars), (2, 1));
    let failed = report.failed.len() + report.left.count;
    assert_eq!(failed, 1, "{report:?}");
    assert!(minutes(roller.store(), "AAPL").await.is_none());
    assert!(minutes(roller.store(), "MSFT").await.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_store_that_never_answers_is_an_error_before_the_deadline() {
    let roller = roller().await;
    land(&roller.store().memory, &[("AAPL", "1", 0)]).await;
    roller.store().refuse("", usize::MAX);
    let started = Instant::now();
    let refused = handle(&roller, TRADES, 60).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the store at memory asks for fewer requests"
    );
    assert!(started.elapsed() < Duration::from_secs(60));
}

#[tokio::test(start_paused = true)]
async fn a_roller_that_is_asked_to_end_answers_soon() {
    let roller = roller().await;
    land(&roller.store().memory, &[("AAPL", "1", 0)]).await;
    roller.store().refuse("lake_interval=", usize::MAX);
    let invocation = invocation(600);
    let input = RawValue::from_string(TRADES.to_owned()).unwrap();
    let started = Instant::now();
    invocation.stop.cancel();
    let now = NOW.parse().unwrap();
    let report = roller.handle(&input, &invocation, now).await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(10));
    assert!(report.stopped || report.left.count == 1, "{report:?}");
}

#[tokio::test]
async fn a_damaged_object_is_named_and_its_repair_completes_the_bars() {
    let roller = roller().await;
    let memory = &roller.store().memory;
    let keys = land(memory, &[("AAPL", "1", 0), ("MSFT", "2", 0)]).await;
    let damaged = keys.iter().find(|key| key.as_str().contains("_AAPL"));
    let damaged = damaged.unwrap();
    let whole = memory.get(damaged).await.unwrap();
    let garbage = Bytes::from_static(b"garbage");
    let etag = memory.put_if_match(damaged, garbage, &whole.etag).await;
    let etag = etag.unwrap();

    let report = handle(&roller, TRADES, 600).await.unwrap();
    let named = Named {
        count: 1,
        first: vec![damaged.to_string()],
    };
    assert_eq!((report.symbols, report.bars, report.damaged), (2, 1, named));

    let repaired = memory.put_if_match(damaged, whole.body, &etag);
    repaired.await.unwrap();
    let report = handle(&roller, TRADES, 600).await.unwrap();
    assert_eq!((report.unchanged, report.bars), (1, 1));
    assert_eq!(report.damaged, Named::default());
}

#[tokio::test]
async fn an_edited_file_is_a_failed_symbol_with_the_remedy() {
    let roller = roller().await;
    let memory = &roller.store().memory;
    land(memory, &[("AAPL", "1", 0), ("MSFT", "2", 0)]).await;
    handle(&roller, TRADES, 600).await.unwrap();
    let objects = memory.objects();
    let file = objects
        .keys()
        .find(|key| key.as_str().contains("lake_interval=1m/") && key.as_str().contains("_AAPL"));
    let file = file.unwrap();
    let written = memory.get(file).await.unwrap();
    let garbage = Bytes::from_static(b"garbage");
    memory
        .put_if_match(file, garbage, &written.etag)
        .await
        .unwrap();
    let report = handle(&roller, TRADES, 600).await.unwrap();
    let said = &report.failed["AAPL"];
    assert!(
        said.contains(file.as_str()) && said.contains("--rebuild"),
        "{said}"
    );
    assert_eq!((report.failed.len(), report.unchanged), (1, 1));
}
