//! A gap is named with its reason, filled from its provider's history, and made bars of.

use std::{path::Path, process::Output, time::Duration};

use jiff::{SignedDuration, Timestamp};
use lake::{
    Layout,
    store::{Get, S3Store},
};
use market::{
    CryptoTicker, Instrument, Observation, Quote,
    bars::{Bases, Interval, MINUTE},
    quote_message,
};
use pipeline_tests::{
    contents::{contents, objects},
    plane::{bin_dir, lake, options, workspace},
};
use plane::object_store::{ACCESS_KEY, SECRET_KEY};
use quotelake::up::Running;
use runtime::clock;
use serde_json::{Value, json};
use stream::publish::{KafkaPublisher, Publish};
use tokio::{
    process::Command,
    time::{Instant, sleep, timeout},
};

const TOPIC: &str = "crypto-prices";
const SYMBOLS: [&str; 2] = ["BTCUSDT", "ETHUSDT"];

/// The minutes of the range that nothing was published of.
const MISSING: [i64; 3] = [3, 4, 5];
const MINUTES: i64 = 8;

#[tokio::test(flavor = "multi_thread")]
async fn a_gap_is_named_filled_from_its_providers_history_and_rolled() {
    let data = tempfile::tempdir().unwrap();
    let mut options = options(&data).await;
    // The trigger of the topic is there as long as something is polled: what nobody knows, so that nothing comes of it.
    for (jobs, symbols) in [
        ("StockSymbols", ""),
        ("CryptoSymbols", "NOPEUSDT"),
        ("TradeSymbols", ""),
        ("VietnamSymbols", ""),
    ] {
        let parameters = &mut options.parameters;
        parameters.insert(jobs.to_owned(), symbols.to_owned());
    }
    let mut plane = Running::start(&options).await.unwrap();
    let (store, layout) = lake(&plane).await;
    let from = clock::now() - SignedDuration::from_mins(30);
    let from = minute(from.as_second() / 60);
    publish_all_but_the_missing(&plane, from).await;
    let recorded = SYMBOLS.len() * (MINUTES as usize - MISSING.len());
    until_landed(&mut plane, (&store, &layout), recorded).await;

    let (from_text, to_text) = (from.to_string(), at(from, MINUTES).to_string());
    let epoch = layout
        .root()
        .trim_end_matches('/')
        .rsplit('=')
        .next()
        .unwrap()
        .to_owned();
    let binance = plane.market().unwrap().parameters()["BinanceUrl"].clone();
    let endpoint = plane.store().endpoint().to_owned();
    let brokers = plane.cluster().brokers().to_owned();
    let tool = Tool {
        lake: vec![
            "--bucket",
            "bronze-bucket",
            "--epoch",
            &epoch,
            "--s3-endpoint",
            &endpoint,
        ],
        binance: &binance,
    };
    let range = [
        "--topic", TOPIC, "--from", &from_text, "--to", &to_text, "--json",
    ];
    let (code, found) = tool.run("gaps", &range).await;
    assert_eq!(code, Some(0), "{found}");
    assert_eq!(found["gaps"], gaps(from, "poller-not-running"));

    let fill = [&range[..], &["--brokers", &brokers]].concat();
    let (code, filled) = tool.run("backfill", &fill).await;
    assert_eq!(code, Some(0), "{filled}");
    let bars = filled["symbols"]
        .as_array()
        .unwrap()
        .iter()
        .map(|of| &of["bars"]);
    assert!(bars.eq([&json!(3), &json!(3)]), "{filled}");
    until_landed(&mut plane, (&store, &layout), recorded + SYMBOLS.len()).await;

    let (code, again) = tool.run("backfill", &fill).await;
    assert_eq!(
        (code, &again["symbols"]),
        (Some(0), &json!([])),
        "nothing is missing any more"
    );

    let (code, rolled) = tool.run("roll", &["--topic", TOPIC, "--json"]).await;
    assert_eq!(code, Some(0), "{rolled}");
    assert_bars(&store, &layout, from).await;

    let summary = plane.stop().await.unwrap();
    assert!(
        summary.proofs.iter().all(|proof| proof.judgement.exact),
        "{summary}"
    );
    let folder = data.path().join("data");
    let tool = Tool {
        lake: vec!["--data", folder.to_str().unwrap()],
        binance: &binance,
    };
    let (code, found) = tool.run("gaps", &range).await;
    assert_eq!(code, Some(0), "{found}");
    assert_eq!(found["gaps"], gaps(from, "filled"));
    let logs = Path::new(found["logs"].as_str().unwrap());
    assert_eq!(logs, folder.join("logs"));
}

fn minute(minutes: i64) -> Timestamp {
    Timestamp::from_second(minutes * 60).unwrap()
}

fn at(from: Timestamp, minutes: i64) -> Timestamp {
    from + SignedDuration::from_mins(minutes)
}

/// What `gaps` tells of the missing minutes.
fn gaps(from: Timestamp, reason: &str) -> Value {
    let (begin, end) = (at(from, MISSING[0]), at(from, MISSING[2] + 1));
    let gap = |symbol| {
        json!({
            "topic": TOPIC, "symbol": symbol, "from": begin.to_string(), "to": end.to_string(), "minutes": 3,
            "reason": reason, "cause": null, "holidays_known": true,
        })
    };
    json!(SYMBOLS.map(gap))
}

async fn publish_all_but_the_missing(plane: &Running, from: Timestamp) {
    let publisher = KafkaPublisher::new(plane.cluster()).unwrap();
    let until = Instant::now() + Duration::from_secs(30);
    for minutes in (0..MINUTES).filter(|minutes| !MISSING.contains(minutes)) {
        for symbol in SYMBOLS {
            let message = quote_message(&ticker(symbol, at(from, minutes)), false);
            let published = publisher.publish(TOPIC, &message.key, &message.body, until);
            published.await.unwrap();
        }
    }
}

/// A ticker as the poller has it in the middle of a minute.
fn ticker(symbol: &str, minute: Timestamp) -> Observation {
    let time = minute + SignedDuration::from_secs(30);
    Observation {
        source: "binance",
        instrument: Instrument::crypto_pair(symbol.parse().unwrap(), symbol, None),
        said: Quote::Crypto(CryptoTicker {
            close_time: time,
            last_price: "100.5".parse().unwrap(),
            open_price: None,
            high_price: None,
            low_price: None,
            volume: None,
            quote_volume: None,
            trades: None,
            price_change: None,
            price_change_percent: None,
            bid: None,
            ask: None,
        }),
        fetched_at: time,
    }
}

async fn until_landed(plane: &mut Running, (store, layout): (&S3Store, &Layout), lines: usize) {
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        let landed = contents(layout, &objects(store, layout).await).lines.len();
        assert!(landed <= lines, "{landed} of {lines} landed");
        if landed == lines {
            return;
        }
        assert!(Instant::now() < end, "{landed} of {lines} landed");
        tokio::select! {
            error = plane.failure() => panic!("{error}"),
            () = sleep(Duration::from_millis(100)) => {}
        }
    }
}

/// Each minute has a bar: of the provider where nothing was recorded, else of the quotes.
async fn assert_bars(store: &S3Store, layout: &Layout, from: Timestamp) {
    let epoch = layout
        .root()
        .trim_end_matches('/')
        .rsplit('=')
        .next()
        .unwrap()
        .to_owned();
    let silver = silver::Layout::new("silver", Some(&epoch), layout.clone());
    for symbol in SYMBOLS {
        for minutes in 0..MINUTES {
            let start = at(from, minutes).as_microsecond();
            let period = silver::Period::of_time(Interval::Minute, start);
            let key = silver.file_key(Interval::Minute, TOPIC, symbol, period);
            let file = silver::decode(&store.get(&key).await.unwrap().body).unwrap();
            let bar = file.bars.iter().find(|bar| bar.start == start).unwrap();
            let basis = match MISSING.contains(&minutes) {
                true => Bases::PROVIDER,
                false => Bases::QUOTE,
            };
            assert_eq!((bar.basis, bar.end), (basis, start + MINUTE));
            assert!(bar.prices.is_some());
        }
    }
}

/// The tool on one lake.
struct Tool<'a> {
    lake: Vec<&'a str>,
    binance: &'a str,
}

impl Tool<'_> {
    /// The exit code, and what is on stdout.
    async fn run(&self, command: &str, arguments: &[&str]) -> (Option<i32>, Value) {
        let Output {
            status,
            stdout,
            stderr,
        } = self.output(command, arguments).await;
        let said = String::from_utf8_lossy(&stderr).into_owned();
        let printed = serde_json::from_slice(&stdout).unwrap_or_else(|_| panic!("{said}"));
        (status.code(), printed)
    }

    async fn output(&self, command: &str, arguments: &[&str]) -> Output {
        let mut process = Command::new(bin_dir().await.join("quotelake"));
        process
            .current_dir(workspace())
            .arg(command)
            .args(&self.lake)
            .args(arguments)
            .env("BINANCE_URL", self.binance)
            .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
            .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
            .kill_on_drop(true);
        timeout(Duration::from_secs(90), process.output())
            .await
            .expect("an end within 90 s")
            .unwrap()
    }
}

#[tokio::test]
async fn gaps_and_backfill_refuse_a_wrong_command_line_in_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let absent = folder.path().join("absent");
    let tool = Tool {
        lake: vec!["--data", absent.to_str().unwrap()],
        binance: "http://127.0.0.1:9",
    };
    let cases = [
        ("gaps", &[][..], "run `quotelake up` first"),
        (
            "gaps",
            &["--from", "2026-11-21", "--to", "2026-11-20"],
            "is not before --to",
        ),
        ("gaps", &["--from", "2999-01-01"], "lies in the future"),
        ("backfill", &[], "give their brokers with --brokers"),
        ("backfill", &["--dry-run"], "run `quotelake up` first"),
    ];
    for (command, arguments, expected) in cases {
        let output = tool.output(command, arguments).await;
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(expected), "{said}");
        assert_eq!(said.trim_end().lines().count(), 1, "{said}");
    }
}
