//! A gap is named with its reason, filled from its provider's history, and made bars of.

use std::{path::Path, process::Output, time::Duration};

use jiff::{SignedDuration, Timestamp};
use lake::{
    Layout,
    store::{Get, S3Store},
};
use market::{
    BoardQuote, Calendar, CryptoTicker, Instrument, Observation, Quote,
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

/// The minutes of a range, and those of them that nothing is published of.
const MINUTES: i64 = 8;
const MISSING: [i64; 3] = [3, 4, 5];

/// A topic with the same gap in each of its symbols.
struct Case {
    topic: &'static str,
    symbols: &'static [&'static str],
    from: Timestamp,
    /// What its poller has of a symbol at a time.
    quote: fn(&str, Timestamp) -> Observation,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gap_is_named_filled_from_its_providers_history_and_rolled() {
    let data = tempfile::tempdir().unwrap();
    let mut options = options(&data).await;
    // The triggers of the topics are there as long as something is polled: what nobody knows, so that nothing comes of it.
    for (parameter, value) in [
        ("StockSymbols", ""),
        ("CryptoSymbols", "NOPEUSDT"),
        ("TradeSymbols", ""),
        ("VietnamSymbols", "NOPE"),
        ("VietnamBoardSymbols", ""),
        ("PollStockIntraday", "false"),
        ("PollStockHistorical", "false"),
    ] {
        let parameters = &mut options.parameters;
        parameters.insert(parameter.to_owned(), value.to_owned());
    }
    let mut plane = Running::start(&options).await.unwrap();
    let (store, layout) = lake(&plane).await;
    let now = clock::now();
    let cases = [
        Case {
            topic: "crypto-prices",
            symbols: &["BTCUSDT", "ETHUSDT"],
            from: at(now, -30),
            quote: ticker,
        },
        Case {
            topic: "stock-prices",
            symbols: &["FPT"],
            from: last_morning_in_vietnam(now),
            quote: board,
        },
    ];
    let mut recorded = 0;
    for case in &cases {
        recorded += publish_all_but_the_missing(&plane, case).await;
    }
    until_landed(&mut plane, (&store, &layout), recorded).await;

    let epoch = epoch(&layout);
    let endpoint = plane.store().endpoint().to_owned();
    let brokers = plane.cluster().brokers().to_owned();
    let parameters = plane.market().unwrap().parameters();
    let providers = ["Binance", "Vci", "Kbs", "Dnse"].map(|name| {
        let url = parameters[&format!("{name}Url")].clone();
        (format!("{}_URL", name.to_uppercase()), url)
    });
    let tool = Tool {
        lake: ["--bucket", "bronze-bucket", "--epoch", &epoch]
            .map(str::to_owned)
            .to_vec(),
        providers: providers.to_vec(),
    };
    let tool = tool.and(&["--s3-endpoint", &endpoint]);
    for case in &cases {
        let range = case.range();
        let (code, found) = tool.run("gaps", &range).await;
        assert_eq!(
            (code, case.gaps(&found)),
            (Some(0), case.expected("poller-not-running"))
        );

        let fill = [&range[..], &["--brokers".to_owned(), brokers.clone()]].concat();
        let (code, filled) = tool.run("backfill", &fill).await;
        assert_eq!(code, Some(0), "{filled}");
        let of_symbols = filled["symbols"].as_array().unwrap().iter();
        let bars: Vec<&Value> = of_symbols.map(|of| &of["bars"]).collect();
        assert_eq!(bars, vec![MISSING.len(); case.symbols.len()], "{filled}");
        recorded += case.symbols.len();
        until_landed(&mut plane, (&store, &layout), recorded).await;

        let (code, again) = tool.run("backfill", &fill).await;
        assert_eq!(
            (code, &again["symbols"]),
            (Some(0), &json!([])),
            "nothing is missing any more"
        );
        let topic = ["--topic", case.topic, "--json"].map(str::to_owned);
        let (code, rolled) = tool.run("roll", &topic).await;
        assert_eq!(code, Some(0), "{rolled}");
        assert_bars(&store, &layout, case).await;
    }

    let summary = plane.stop().await.unwrap();
    let is_exact = summary.proofs.iter().all(|proof| proof.judgement.exact);
    assert!(is_exact, "{summary}");
    let folder = data.path().join("data");
    let tool = Tool {
        lake: Vec::new(),
        ..tool
    };
    let tool = tool.and(&["--data", folder.to_str().unwrap()]);
    for case in &cases {
        let (code, found) = tool.run("gaps", &case.range()).await;
        assert_eq!(
            (code, case.gaps(&found)),
            (Some(0), case.expected("filled"))
        );
        let logs = &found["logs"];
        assert_eq!(
            Path::new(logs["folder"].as_str().unwrap()),
            folder.join("logs")
        );
        if case.topic == "crypto-prices" {
            // What nobody knows failed at every beat, in the very lines that are read here.
            let counts = ["failures", "metrics"].map(|name| logs[name].as_u64());
            assert!(counts.iter().all(|count| *count > Some(0)), "{logs}");
        }
    }
}

fn at(from: Timestamp, minutes: i64) -> Timestamp {
    let minute = from.as_second().div_euclid(60) + minutes;
    Timestamp::from_second(minute * 60).unwrap()
}

/// 09:40 of the last trading day in Vietnam before today.
fn last_morning_in_vietnam(now: Timestamp) -> Timestamp {
    let mut midnight = Timestamp::from_second(now.as_second().div_euclid(86_400) * 86_400).unwrap();
    loop {
        midnight -= SignedDuration::from_hours(24);
        let morning = midnight + SignedDuration::from_mins(160);
        if Calendar::Hose.at(morning).session == market::Session::Regular {
            return morning;
        }
    }
}

fn epoch(layout: &Layout) -> String {
    let root = layout.root();
    let epoch = root.trim_end_matches('/').rsplit('=').next();
    epoch.unwrap().to_owned()
}

impl Case {
    fn range(&self) -> Vec<String> {
        let (from, to) = (self.from.to_string(), at(self.from, MINUTES).to_string());
        [
            "--topic", self.topic, "--from", &from, "--to", &to, "--json",
        ]
        .map(str::to_owned)
        .to_vec()
    }

    /// What `gaps` has found: symbol, start, end, reason.
    fn gaps(&self, found: &Value) -> Vec<[String; 4]> {
        let gaps = found["gaps"].as_array().unwrap().iter();
        gaps.map(|gap| {
            assert_eq!(gap["topic"], self.topic, "{found}");
            ["symbol", "from", "to", "reason"].map(|name| gap[name].as_str().unwrap().to_owned())
        })
        .collect()
    }

    fn expected(&self, reason: &str) -> Vec<[String; 4]> {
        let (from, to) = (at(self.from, MISSING[0]), at(self.from, MISSING[2] + 1));
        let gap = |symbol: &&str| {
            let symbol = (*symbol).to_owned();
            [symbol, from.to_string(), to.to_string(), reason.to_owned()]
        };
        self.symbols.iter().map(gap).collect()
    }
}

async fn publish_all_but_the_missing(plane: &Running, case: &Case) -> usize {
    let publisher = KafkaPublisher::new(plane.cluster()).unwrap();
    let until = Instant::now() + Duration::from_secs(30);
    let mut count = 0;
    for minutes in (0..MINUTES).filter(|minutes| !MISSING.contains(minutes)) {
        for symbol in case.symbols {
            let time = at(case.from, minutes) + SignedDuration::from_secs(30);
            let message = quote_message(&(case.quote)(symbol, time), false);
            let published = publisher.publish(case.topic, &message.key, &message.body, until);
            published.await.unwrap();
            count += 1;
        }
    }
    count
}

fn ticker(symbol: &str, time: Timestamp) -> Observation {
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

fn board(symbol: &str, time: Timestamp) -> Observation {
    let symbol = symbol.parse().unwrap();
    Observation {
        source: "vci",
        instrument: Instrument::vietnamese_share(symbol, Some(Calendar::Hose)),
        said: Quote::Board(BoardQuote {
            price: "100500".parse().unwrap(),
            traded: true,
            volume: None,
            total_volume: None,
            reference: None,
            ceiling: None,
            floor: None,
            high: None,
            low: None,
            average: None,
            bid: None,
            ask: None,
            time: Some(time),
            incomplete: false,
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
async fn assert_bars(store: &S3Store, layout: &Layout, case: &Case) {
    let silver = silver::Layout::new("silver", Some(&epoch(layout)), layout.clone());
    for symbol in case.symbols {
        for minutes in 0..MINUTES {
            let start = at(case.from, minutes).as_microsecond();
            let period = silver::Period::of_time(Interval::Minute, start);
            let key = silver.file_key(Interval::Minute, case.topic, symbol, period);
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
struct Tool {
    lake: Vec<String>,
    /// Where the providers are.
    providers: Vec<(String, String)>,
}

impl Tool {
    /// The same with more options of the lake.
    fn and(mut self, options: &[&str]) -> Self {
        self.lake.extend(options.iter().map(ToString::to_string));
        self
    }

    /// The exit code, and what is on stdout.
    async fn run(&self, command: &str, arguments: &[String]) -> (Option<i32>, Value) {
        let Output {
            status,
            stdout,
            stderr,
        } = self.output(command, arguments).await;
        let said = String::from_utf8_lossy(&stderr).into_owned();
        let printed = serde_json::from_slice(&stdout).unwrap_or_else(|_| panic!("{said}"));
        (status.code(), printed)
    }

    async fn output(&self, command: &str, arguments: &[String]) -> Output {
        let mut process = Command::new(bin_dir().await.join("quotelake"));
        process
            .current_dir(workspace())
            .arg(command)
            .args(&self.lake)
            .args(arguments)
            .envs(self.providers.clone())
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
        lake: Vec::new(),
        providers: Vec::new(),
    };
    let tool = tool.and(&["--data", absent.to_str().unwrap()]);
    let cases = [
        ("gaps", "", "run `quotelake up` first"),
        (
            "gaps",
            "--from 2026-11-21 --to 2026-11-20",
            "is not before --to",
        ),
        ("gaps", "--from 2999-01-01", "lies in the future"),
        ("backfill", "", "give their brokers with --brokers"),
        ("backfill", "--dry-run", "run `quotelake up` first"),
    ];
    for (command, arguments, expected) in cases {
        let arguments: Vec<String> = arguments.split_whitespace().map(str::to_owned).collect();
        let output = tool.output(command, &arguments).await;
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(expected), "{said}");
        assert_eq!(said.trim_end().lines().count(), 1, "{said}");
    }
}
