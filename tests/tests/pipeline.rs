use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use lake::{
    Coordinates, Layout, Reason, coordinates, quarantined_coordinates,
    store::{Get, S3Store, list_all},
};
use pipeline_tests::plane::options;
use quotelake::up::{Plane, summary::Summary};
use serde_json::{Value, json};
use stream::publish::{KafkaPublisher, Publish};
use tokio::time::{Instant, sleep};

/// Lets the plane run until it has polled this many quotes.
async fn run_until_polled(plane: &mut Plane, quotes: u64) {
    let end = Instant::now() + Duration::from_secs(90);
    while plane.stats().snapshot().polled < quotes {
        assert!(Instant::now() < end, "{:?}", plane.stats().snapshot());
        run_for(plane, Duration::from_millis(50)).await;
    }
}

async fn run_for(plane: &mut Plane, time: Duration) {
    tokio::select! {
        error = plane.failure() => panic!("{error}"),
        () = sleep(time) => {}
    }
}

fn assert_exact(summary: &Summary) {
    assert!(summary.is_exact(), "{summary}");
    assert!(summary.audit.in_topics > 0, "{summary}");
}

async fn objects(store: &S3Store, layout: &Layout) -> BTreeMap<String, Bytes> {
    let mut objects = BTreeMap::new();
    for key in list_all(store, &layout.root()).await.unwrap() {
        objects.insert(key.to_string(), store.get(&key).await.unwrap().body);
    }
    objects
}

/// The members of a line in their order.
fn members(line: &[u8]) -> Vec<String> {
    serde_json::from_slice::<serde_json::Map<String, Value>>(line)
        .unwrap()
        .keys()
        .cloned()
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn recorded_quotes_become_bronze_objects_each_once_and_restarts_add_to_them() {
    let data = tempfile::tempdir().unwrap();
    let options = options(&data).await;
    let mut plane = Plane::start(&options).await.unwrap();
    // Two cycles of five stocks, six seconds apart, and the coins' cycles meanwhile.
    run_until_polled(&mut plane, 2 * 5 + 6 * 2).await;
    let (store, layout) = (plane.store().s3().clone(), plane.store().layout().clone());
    let summary = plane.stop().await.unwrap();
    assert_exact(&summary);
    assert_eq!(summary.counts.troubles, 0, "{summary}");

    drop(store);
    let mut plane = Plane::start(&options).await.unwrap();
    assert_ne!(
        plane.store().layout(),
        &layout,
        "offsets start again at 0: a new epoch"
    );
    let store = plane.store().s3().clone();
    let before = objects(&store, &layout).await;
    assert_eq!(before.len() as u64, summary.audit.in_topics);
    check_messages(&before);
    run_until_polled(&mut plane, 1).await;
    assert_exact(&plane.stop().await.unwrap());
}

/// Each object holds exactly the documented members of its topic, and its key follows from them.
fn check_messages(objects: &BTreeMap<String, Bytes>) {
    let stock = [
        "c",
        "d",
        "dp",
        "h",
        "l",
        "o",
        "pc",
        "t",
        "symbol",
        "fetched_at",
        "meta",
        "_kafka",
    ];
    let crypto = [
        "symbol",
        "event_time",
        "price",
        "open",
        "high",
        "low",
        "volume",
        "quote_volume",
        "number_trades",
        "price_change",
        "price_change_percent",
        "timestamp",
        "meta",
        "_kafka",
    ];
    let mut symbols = std::collections::BTreeSet::new();
    for (key, line) in objects {
        let message: Value = serde_json::from_slice(line).unwrap();
        let mut expected: Vec<&str> = if key.contains("/stock-quotes/") {
            stock.to_vec()
        } else {
            crypto.to_vec()
        };
        let mut found = members(line);
        expected.sort_unstable();
        found.sort_unstable();
        assert_eq!(found, expected, "{key}");
        let at = &message["_kafka"];
        let symbol = message["symbol"].as_str().unwrap();
        assert_eq!(at["key"], symbol);
        let time = message["fetched_at"]
            .as_i64()
            .map(|seconds| seconds * 1_000)
            .or_else(|| message["event_time"].as_i64())
            .unwrap();
        let time = jiff::Timestamp::from_millisecond(time)
            .unwrap()
            .to_zoned(jiff::tz::TimeZone::UTC);
        let expected = format!(
            "/{}/symbol={symbol}/date={}/{}-p{:03}-o{:019}.ndjson",
            at["topic"].as_str().unwrap(),
            time.strftime("%Y-%m-%d"),
            time.strftime("%Y%m%dT%H%M%S%.3fZ"),
            at["partition"].as_i64().unwrap(),
            at["offset"].as_i64().unwrap(),
        );
        assert!(key.ends_with(&expected), "{key} {expected}");
        symbols.insert(symbol.to_owned());
    }
    let expected = ["AAPL", "BTCUSDT", "ETHUSDT", "FB", "GOOG", "IBM", "MSFT"];
    assert!(symbols.iter().eq(expected), "{symbols:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn killing_the_writer_in_the_middle_of_batches_loses_and_doubles_nothing() {
    let data = tempfile::tempdir().unwrap();
    let mut plane = Plane::start(&options(&data).await).await.unwrap();
    let end = Instant::now() + Duration::from_secs(60);
    let mut kills = 0;
    while Instant::now() < end && kills < 6 {
        run_for(&mut plane, Duration::from_millis(1)).await;
        for pid in plane.host().busy("BronzeWriter") {
            let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
            if rustix::process::kill_process(pid, rustix::process::Signal::KILL).is_ok() {
                kills += 1;
            }
            run_for(&mut plane, Duration::from_millis(700)).await;
        }
    }
    let summary = plane.stop().await.unwrap();
    assert_exact(&summary);
    assert!(kills >= 3, "{kills} kills");
    assert!(summary.counts.retried_batches >= 1, "{summary}");
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_records_in_the_topic_are_put_aside_and_their_neighbours_land() {
    let data = tempfile::tempdir().unwrap();
    let mut plane = Plane::start(&options(&data).await).await.unwrap();
    let publisher = KafkaPublisher::new(plane.brokers()).unwrap();
    let soon = || Instant::now() + Duration::from_secs(10);
    let mut expected = BTreeMap::new();
    for (value, reason) in [
        (r#"{"symbol":"AAPL","c":"#, Reason::BrokenJson),
        (r#"{"c":1,"fetched_at":1779480005}"#, Reason::NoSymbol),
        (
            r#"{"symbol":"../../x","fetched_at":1779480005}"#,
            Reason::UnsafeSymbol,
        ),
        ("[]", Reason::NotAnObject),
    ] {
        // The key of a symbol that is polled, so that quotes come before and after it in its partition.
        let at = publisher
            .publish("stock-quotes", "AAPL", value.as_bytes(), soon())
            .await
            .unwrap();
        expected.insert((at.partition, at.offset), reason);
        run_for(&mut plane, Duration::from_millis(1_600)).await;
    }
    run_for(&mut plane, Duration::from_millis(600)).await;
    let (store, layout) = (plane.store().s3().clone(), plane.store().layout().clone());
    let logs = plane.logs();
    // The store ends with the plane, so look at it first.
    let drained = Instant::now() + Duration::from_secs(20);
    let mut aside = BTreeMap::new();
    while aside.len() < expected.len() && Instant::now() < drained {
        run_for(&mut plane, Duration::from_millis(200)).await;
        aside = objects(&store, &layout)
            .await
            .values()
            .filter_map(|body| quarantined_coordinates(body))
            .map(
                |(
                    Coordinates {
                        partition, offset, ..
                    },
                    reason,
                )| ((partition, offset), reason),
            )
            .collect();
    }
    assert_eq!(aside, expected);
    let summary = plane.stop().await.unwrap();
    assert!(summary.audit.is_exact(), "{summary}");
    assert_eq!(summary.audit.in_quarantine, 4, "{summary}");
    assert_eq!(
        summary.audit.in_topics,
        summary.counts.polled + 4,
        "{summary}"
    );
    assert!(std::fs::read_to_string(logs.join("QuotePoller.log")).is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_writer_as_a_process_quarantines_what_kafka_can_not_carry_either() {
    let data = tempfile::tempdir().unwrap();
    let plane = Plane::start(&options(&data).await).await.unwrap();
    let base64 = |value: &str| base64_simd::STANDARD.encode_to_string(value);
    let event = json!({"eventSource": "aws:kafka", "records": {"other-2": [
        {"topic": "other", "partition": 2, "offset": 0, "timestamp": 1_779_480_000_123_i64, "key": "QQ==",
         "value": base64(r#"{"symbol":"A","fetched_at":1779480005}"#), "headers": [{"h": [-1]}]},
        {"topic": "other", "partition": 2, "offset": 1, "timestamp": 1_779_480_000_123_i64, "value": null, "headers": []},
        {"topic": "other", "partition": 2, "offset": 2, "value": base64(r#"{"symbol":"A"}"#)},
        {"topic": "other", "partition": 2, "offset": 3, "value": base64(r#"{"symbol":"A","fetched_at":1779480005}"#)},
    ]}});
    let payload = Bytes::from(event.to_string());
    let answer = plane
        .host()
        .invoke("BronzeWriter", payload.clone())
        .await
        .unwrap();
    assert_eq!(
        serde_json::from_slice::<Value>(&answer).unwrap(),
        json!({"records": 4, "written": 2, "merged": 0, "quarantined": {"tombstone": 1, "no-time": 1}})
    );
    let (store, layout) = (plane.store().s3(), plane.store().layout());
    let found: BTreeMap<_, _> = objects(store, layout)
        .await
        .into_iter()
        .filter(|(key, _)| key.contains("/other/"))
        .collect();
    let mut lines = Vec::new();
    let mut aside = Vec::new();
    for body in found.values() {
        match quarantined_coordinates(body) {
            Some((at, reason)) => aside.push((at.offset, reason)),
            None => lines.push(coordinates(body).unwrap().offset),
        }
    }
    lines.sort_unstable();
    aside.sort_unstable();
    assert_eq!(lines, [0, 3]);
    assert_eq!(aside, [(1, Reason::Tombstone), (2, Reason::NoTime)]);

    // The same batch again, whole: nothing is written twice.
    let answer = plane.host().invoke("BronzeWriter", payload).await.unwrap();
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    assert_eq!(
        (&answer["written"], &answer["merged"]),
        (&json!(0), &json!(2))
    );
}
