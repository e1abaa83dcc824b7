//! What the functions print for CloudWatch when they are at work, in calm and in trouble.

use std::{collections::BTreeSet, fs, path::Path, time::Duration};

use bar_roller::metrics::SYMBOLS_LEFT;
use bytes::Bytes;
use lake::store::{Get, PutIf, list_all};
use market_server::Settings;
use pipeline_tests::{lake::Lake, plane::bin_dir, served::Served};
use plane::{
    host::{Function, Host, HostSettings, InvokeError, OnTimeout},
    object_store::{ACCESS_KEY, SECRET_KEY},
};
use quote_upserter::metrics as upserter;
use runtime::{clock, metrics::NAMESPACE};
use serde_json::{Value, json};
use stream::embedded::EmbeddedBroker;

use super::{Template, alarms::emitted, metrics::used};

const STACK: &str = "prod";

#[tokio::test(flavor = "multi_thread")]
async fn a_metric_that_an_alarm_or_graph_names_is_printed_by_a_function_at_work() {
    let logs = tempfile::tempdir().unwrap();
    work(logs.path()).await;
    let printed = printed(logs.path());
    let of_a_stack = format!("{NAMESPACE}/${{AWS::StackName}}");
    let used = used(&Template::read());
    let ours: Vec<_> = used
        .iter()
        .filter(|used| used.namespace == of_a_stack)
        .filter(|used| emitted().any(|metric| metric.name == used.name))
        // Needs a database to be at work.
        .filter(|used| upserter::ALL.iter().all(|metric| metric.name != used.name))
        // Takes more symbols than can be rolled in a test.
        .filter(|used| used.name != SYMBOLS_LEFT.name)
        .collect();
    assert!(!ours.is_empty());
    for used in ours {
        let metric = (
            used.namespace.replace("${AWS::StackName}", STACK),
            used.dimensions.clone(),
            used.name.clone(),
        );
        assert!(printed.contains(&metric), "{used:?} is not of {printed:?}");
    }
}

/// Namespace, dimensions and name of each metric that has a value above 0 in a line, or values one by one.
fn printed(logs: &Path) -> BTreeSet<(String, Vec<String>, String)> {
    let logs = fs::read_dir(logs).unwrap().map(|log| log.unwrap().path());
    let text: String = logs.map(|log| fs::read_to_string(log).unwrap()).collect();
    let mut printed = BTreeSet::new();
    for line in text.lines().filter(|line| line.contains("\"_aws\"")) {
        let line: Value = serde_json::from_str(line).unwrap();
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let dimensions = directive["Dimensions"][0].as_array().unwrap();
        let dimensions: Vec<_> = dimensions.iter().map(text).collect();
        for metric in directive["Metrics"].as_array().unwrap() {
            let name = text(&metric["Name"]);
            let value = &line[&name];
            let has_values = value.as_array().is_some_and(|values| !values.is_empty());
            if has_values || value.as_u64() > Some(0) {
                printed.insert((text(&directive["Namespace"]), dimensions.clone(), name));
            }
        }
    }
    printed
}

/// Has the poller poll, and miss cycles; has the writer land records, and find a reused offset, a damaged object and no
/// store; has the roller make bars of late records and a damaged object, and fail.
async fn work(logs: &Path) {
    let broker = EmbeddedBroker::start().unwrap();
    broker.create_topic("crypto-prices", 1).unwrap();
    let market = market_server::start(Settings::at(0, 1.0)).await.unwrap();
    let served = Served::embedded().await;
    let lake = Lake::create(&served.endpoint(), &[]).await;
    let poller = [
        ("KAFKA_BOOTSTRAP_SERVERS", broker.brokers().to_owned()),
        ("BINANCE_URL", market.parameters()["BinanceUrl"].clone()),
    ];
    let writer = lake.settings().into_iter();
    let environment = writer.chain(poller.map(|(name, value)| (name.to_owned(), value)));
    let environment: Vec<_> = environment.collect();
    let bin_dir = bin_dir().await;
    let function = |name: &str| Function {
        name: name.to_owned(),
        binary: bin_dir.join(name),
        timeout: Duration::from_secs(20),
        memory_mb: 512,
        reserved_concurrency: None,
        environment: environment.iter().cloned().collect(),
    };
    let settings = [
        ("STACK_NAME", STACK),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", ACCESS_KEY),
        ("AWS_SECRET_ACCESS_KEY", SECRET_KEY),
        ("AWS_ENDPOINT_URL_S3", &served.endpoint()),
    ];
    let settings = HostSettings {
        service_environment: settings
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        logs: logs.to_owned(),
        metrics: std::sync::Arc::new(|_, _| {}),
        on_timeout: OnTimeout::Kill,
    };
    let functions = ["quote-poller", "bronze-writer", "bar-roller"].map(function);
    let host = Host::new(functions.to_vec(), settings);

    let due = clock::now();
    let mut job = json!({"feed": "binance", "symbols": ["BTCUSDT", "BTCUSDT"], "topic": "crypto-prices",
        "beat_seconds": 0.5, "budget_seconds": 1});
    invoke(&host, "quote-poller", &job).await.unwrap();

    let land = async |records: &Value| invoke(&host, "bronze-writer", records).await;
    land(&records(&[(0, Some(1)), (1, None)])).await.unwrap();
    land(&records(&[(0, Some(2))])).await.unwrap();
    damage(&lake, "/lake_topic=stock-quotes/").await;
    land(&records(&[(2, Some(3))])).await.unwrap();
    land(&trades(&[Duration::from_mins(10), Duration::from_hours(2)]))
        .await
        .unwrap();
    let roll = async || {
        let job = json!({"topic": "trades_raw"});
        invoke(&host, "bar-roller", &job).await.unwrap();
    };
    roll().await;
    damage(&lake, "/lake_topic=trades_raw/").await;
    roll().await;
    damage(&lake, "/lake_interval=1m/").await;
    roll().await;
    drop(served);
    let lost = land(&records(&[(3, Some(4))])).await.unwrap_err();
    assert!(matches!(lost, InvokeError::FunctionError { .. }), "{lost}");

    // Due with the first, so that the cycles between the two are skipped.
    job["scheduled_time"] = due.to_string().into();
    invoke(&host, "quote-poller", &job).await.unwrap();
    host.end().await;
}

async fn invoke(host: &Host, function: &str, payload: &Value) -> Result<Bytes, InvokeError> {
    host.invoke(function, payload.to_string().into()).await
}

/// Overwrites the first object whose key has this part.
async fn damage(lake: &Lake, part: &str) {
    let keys = list_all(&lake.store, "").await.unwrap();
    let key = keys.iter().find(|key| key.as_str().contains(part));
    let object = lake.store.get(key.unwrap()).await.unwrap();
    let garbage = Bytes::from_static(b"garbage");
    let damaged = lake.store.put_if_match(key.unwrap(), garbage, &object.etag);
    damaged.await.unwrap();
}

/// An event with trades that are so old when they are published.
fn trades(ages: &[Duration]) -> Value {
    let now = clock::now();
    let trades = ages.iter().zip(0..).map(|(&age, offset)| {
        let time = (now - age).as_millisecond();
        let trade = json!({"symbol": "A", "price": 1, "size": 1, "time": time});
        let value = base64_simd::STANDARD.encode_to_string(trade.to_string());
        json!({"topic": "trades_raw", "partition": 0, "offset": offset, "timestamp": now.as_millisecond(),
            "value": value, "headers": []})
    });
    let trades: Vec<_> = trades.collect();
    json!({"eventSource": "aws:kafka", "records": {"trades_raw-0": trades}})
}

/// An event with records of one object, by their offsets, each with a price or without a value.
fn records(records: &[(i64, Option<u32>)]) -> Value {
    let record = |&(offset, price): &(i64, Option<u32>)| {
        let value = price.map(|price| {
            let quote = json!({"symbol": "A", "c": price, "fetched_at": 1_779_480_005});
            base64_simd::STANDARD.encode_to_string(quote.to_string())
        });
        json!({"topic": "stock-quotes", "partition": 0, "offset": offset, "timestamp": 1_779_480_005_123_i64,
            "value": value, "headers": []})
    };
    let records: Vec<_> = records.iter().map(record).collect();
    json!({"eventSource": "aws:kafka", "records": {"stock-quotes-0": records}})
}
