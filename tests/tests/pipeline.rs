use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use bytes::Bytes;
use jiff::Timestamp;
use lake::{Layout, ObjectKey, Reason, read_stored};
use pipeline_tests::{
    contents::{Contents, contents, objects},
    plane::{audit, lake, options, records},
};
use quotelake::up::{Running, summary::Summary};
use serde_json::{Value, json};
use stream::publish::{KafkaPublisher, Publish};
use tokio::time::{Instant, sleep};

/// Lets the plane run until it has polled this many quotes.
async fn run_until_polled(plane: &mut Running, quotes: u64) {
    let end = Instant::now() + Duration::from_secs(90);
    while plane.stats().snapshot().metric("QuotesPolled") < quotes {
        assert!(Instant::now() < end, "{:?}", plane.stats().snapshot());
        run_for(plane, Duration::from_millis(50)).await;
    }
}

async fn run_for(plane: &mut Running, time: Duration) {
    tokio::select! {
        error = plane.failure() => panic!("{error}"),
        () = sleep(time) => {}
    }
}

fn assert_exact(summary: &Summary) {
    assert!(summary.is_exact(), "{summary}");
    assert!(records(summary) > 0, "{summary}");
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
    let mut plane = Running::start(&options).await.unwrap();
    // What comes at once of ten tickers, two cycles of the stocks and tickers, and the coins and their trades meanwhile.
    run_until_polled(&mut plane, 3 * 10 + 2 * (5 + 10) + 2 * 18 * 2).await;
    let (store, layout) = lake(&plane).await;
    let summary = plane.stop().await.unwrap();
    assert_exact(&summary);
    assert_eq!(summary.counts.troubles, 0, "{summary}");

    drop(store);
    let mut plane = Running::start(&options).await.unwrap();
    let (store, new_layout) = lake(&plane).await;
    assert_ne!(new_layout, layout, "offsets start again at 0: a new epoch");
    let before = objects(&store, &layout).await;
    check_messages(&layout, &before);
    let Contents { lines, aside } = contents(&layout, &before);
    assert_eq!(lines.len() as u64, records(&summary));
    assert!(aside.is_empty(), "{aside:?}");
    let quotes_an_object = lines.len() / (before.len() - 1);
    assert!(quotes_an_object >= 2, "{:?}", before.keys());
    run_until_polled(&mut plane, 1).await;
    assert_exact(&plane.stop().await.unwrap());
}

/// Every topic, and the members of its messages that the README documents, beside `meta`.
const TOPICS: [(&str, &str); 7] = [
    ("stock-quotes", "c d dp h l o pc t symbol fetched_at"),
    (
        "crypto-prices",
        "symbol event_time price open high low volume quote_volume number_trades price_change price_change_percent \
         timestamp",
    ),
    ("trades_raw", "symbol price size time conditions"),
    (
        "stock-prices",
        "symbol price volume change percent_change high low avg timestamp",
    ),
    ("stock-intraday", "symbol type data timestamp"),
    ("stock-historical", "symbol period_days data timestamp"),
    (
        "stock-board",
        "symbol ticker time price volume total_volume change change_percent ceiling_price floor_price reference_price \
         highest_price lowest_price bid_price ask_price",
    ),
];

/// Each line holds exactly the documented members of its topic, and its object's key follows from them.
fn check_messages(layout: &Layout, objects: &BTreeMap<ObjectKey, Bytes>) {
    let mut symbols: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (key, body) in objects {
        if *key == layout.description_key() {
            let layout: Value = serde_json::from_slice(body).unwrap();
            let hour = json!({"layout": 2, "bucket_ms": 3_600_000, "segment_offsets": 30_000, "compression": "none"});
            assert_eq!(layout, hour);
            continue;
        }
        let lines = read_stored(layout, key, body).unwrap();
        for (_, line) in lines.iter() {
            let message: Value = serde_json::from_slice(line).unwrap();
            let topic = message["_kafka"]["topic"].as_str().unwrap();
            let (_, documented) = TOPICS.iter().find(|(name, _)| *name == topic).unwrap();
            let mut expected: Vec<&str> = documented
                .split_whitespace()
                .chain(["meta", "_kafka"])
                .collect();
            expected.sort_unstable();
            let mut found = members(line);
            found.sort_unstable();
            assert_eq!(found, expected, "{key}");
            let symbol = symbol(&message);
            assert_eq!(message["_kafka"]["key"], symbol);
            let end = end_of_key(&message);
            assert!(key.as_str().ends_with(&end), "{key} {end}");
            symbols
                .entry(topic.to_owned())
                .or_default()
                .insert(symbol.to_owned());
        }
    }
    let stocks = ["AAPL", "FB", "GOOG", "IBM", "MSFT"].as_slice();
    let tickers = [
        "ACB", "BID", "FPT", "GAS", "HPG", "MWG", "SSI", "STB", "VCB", "VNM",
    ]
    .as_slice();
    let expected = TOPICS.map(|(topic, _)| {
        let symbols = match topic {
            "stock-quotes" => stocks,
            "crypto-prices" => &["BTCUSDT", "ETHUSDT"],
            "trades_raw" => &["BINANCE:BTCUSDT", "BINANCE:ETHUSDT"],
            _ => tickers,
        };
        let symbols = symbols.iter().map(|symbol| (*symbol).to_owned()).collect();
        (topic.to_owned(), symbols)
    });
    assert_eq!(symbols, BTreeMap::from(expected));
}

fn symbol(message: &Value) -> &str {
    message["symbol"].as_str().unwrap()
}

/// The documented key: the hour in which the message was fetched and the segment of 30,000 offsets that it is in.
fn end_of_key(message: &Value) -> String {
    let time = message["meta"]["fetched_at"].as_str().unwrap();
    let time: Timestamp = time.parse().unwrap();
    let hour = Timestamp::from_second(time.as_second() / 3_600 * 3_600).unwrap();
    let at = &message["_kafka"];
    format!(
        "/lake_topic={}/lake_symbol=_{}/{}-p{:03}-o{:019}.ndjson",
        at["topic"].as_str().unwrap(),
        symbol(message).replace(':', "~3A"),
        hour.strftime("lake_date=%Y-%m-%d/%Y%m%dT%H0000.000Z"),
        at["partition"].as_i64().unwrap(),
        at["offset"].as_i64().unwrap() / 30_000 * 30_000,
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn killing_the_writer_in_the_middle_of_batches_loses_and_doubles_nothing() {
    let data = tempfile::tempdir().unwrap();
    let mut plane = Running::start(&options(&data).await).await.unwrap();
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
    let mut plane = Running::start(&options(&data).await).await.unwrap();
    let publisher = KafkaPublisher::new(plane.cluster()).unwrap();
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
        expected.insert(("stock-quotes".to_owned(), at.partition, at.offset), reason);
        run_for(&mut plane, Duration::from_millis(1_600)).await;
    }
    run_for(&mut plane, Duration::from_millis(600)).await;
    let (store, layout) = lake(&plane).await;
    let logs = plane.logs();
    // The store ends with the plane, so look at it first.
    let drained = Instant::now() + Duration::from_secs(20);
    let mut aside = BTreeMap::new();
    while aside.len() < expected.len() && Instant::now() < drained {
        run_for(&mut plane, Duration::from_millis(200)).await;
        aside = contents(&layout, &objects(&store, &layout).await).aside;
    }
    assert_eq!(aside, expected);
    let summary = plane.stop().await.unwrap();
    assert!(summary.proofs[0].judgement.exact, "{summary}");
    assert_eq!(audit(&summary)["in_quarantine"], 4, "{summary}");
    assert_eq!(records(&summary), summary.counts.polled + 4, "{summary}");
    assert!(std::fs::read_to_string(logs.join("StockQuotesPoller.log")).is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_writer_as_a_process_quarantines_what_kafka_can_not_carry_either() {
    let data = tempfile::tempdir().unwrap();
    let plane = Running::start(&options(&data).await).await.unwrap();
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
        json!({"records": 4, "added": 2, "already_there": 0, "quarantined": {"tombstone": 1, "no-time": 1}, "puts": 3, "gets": 0,
            "batchItemFailures": []})
    );
    let (store, layout) = lake(&plane).await;
    let Contents { lines, aside } = contents(&layout, &objects(&store, &layout).await);
    let lines: Vec<_> = lines.into_keys().filter(|(of, ..)| of == "other").collect();
    let at = |offset: i64| ("other".to_owned(), 2, offset);
    assert_eq!(lines, [at(0), at(3)]);
    let expected = [(at(1), Reason::Tombstone), (at(2), Reason::NoTime)];
    assert_eq!(aside, expected.into());

    // The same batch again, whole: nothing is written twice.
    let answer = plane.host().invoke("BronzeWriter", payload).await.unwrap();
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    assert_eq!(
        (&answer["added"], &answer["already_there"]),
        (&json!(0), &json!(2))
    );
}
