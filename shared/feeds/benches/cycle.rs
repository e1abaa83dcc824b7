//! The time of a cycle against the ideal: the provider's latency times the rounds that its concurrency needs, or the
//! symbols over the rate that it allows. The method is in docs/benchmarks.md.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_macros,
    reason = "a benchmark may panic and prints"
)]

use std::{collections::HashMap, time::Duration};

use axum::{Router, routing::get};
use feeds::{Feed, FeedSettings, gathered};
use jiff::Timestamp;
use market::Symbol;
use tokio::{net::TcpListener, time::Instant};

/// A recorded answer of Finnhub.
const QUOTE: &str = include_str!("../src/finnhub/fixtures/quote-AAPL.json");

const LATENCY: Duration = Duration::from_millis(100);

const RUNS: usize = 5;

struct Case {
    name: &'static str,
    symbols: u32,
    concurrency: u32,
    per_second: u32,
    ideal: Duration,
}

#[tokio::main]
async fn main() {
    let url = provider().await;
    let latency_bound = |symbols: u32, concurrency: u32| Case {
        name: "latency",
        symbols,
        concurrency,
        per_second: 10_000,
        ideal: LATENCY * symbols.div_ceil(concurrency),
    };
    let rate_bound = |symbols: u32, per_second: u32| Case {
        name: "rate",
        symbols,
        concurrency: 64,
        per_second,
        ideal: Duration::from_secs(1) * symbols / per_second,
    };
    println!(
        "bound by  symbols  at once  a second    ideal  fastest   median  ratio of the medians"
    );
    for case in [
        latency_bound(100, 32),
        latency_bound(1_000, 32),
        latency_bound(1_000, 64),
        rate_bound(90, 30),
        rate_bound(600, 150),
    ] {
        let mut times = Vec::new();
        for _ in 0..RUNS {
            times.push(cycle(&url, &case).await);
        }
        times.sort();
        let (fastest, median) = (times[0], times[RUNS / 2]);
        println!(
            "{:<8} {:>8} {:>8} {:>9} {:>8.2?} {:>8.2?} {:>8.2?} {:>6.3}",
            case.name,
            case.symbols,
            case.concurrency,
            case.per_second,
            case.ideal,
            fastest,
            median,
            median.as_secs_f64() / case.ideal.as_secs_f64(),
        );
    }
}

/// One cycle of a new environment, connections included.
async fn cycle(url: &str, case: &Case) -> Duration {
    let feed = feed(url, case);
    let quotes = feed.quotes.unwrap();
    let names = (0..case.symbols).map(|n| format!("S{n}"));
    let symbols: Vec<Symbol> = names.map(|name| name.parse().unwrap()).collect();
    let start = Instant::now();
    let until = start + Duration::from_mins(1);
    let poll = gathered(&symbols, async |sink| {
        quotes.quotes(&symbols, until, sink).await;
    });
    let polled = poll.await;
    let took = start.elapsed();
    assert!(polled.iter().all(|polled| polled.result.is_ok()));
    took
}

fn feed(url: &str, case: &Case) -> Feed {
    let values: HashMap<&str, String> = HashMap::from([
        ("FINNHUB_URL", url.to_owned()),
        ("FINNHUB_API_KEY", "key".to_owned()),
        ("FINNHUB_PER_MINUTE", "100000".to_owned()),
        ("FINNHUB_PER_SECOND", case.per_second.to_string()),
        ("FINNHUB_CONCURRENCY", case.concurrency.to_string()),
    ]);
    let lookup = move |name: &str| values.get(name).cloned();
    let settings = FeedSettings::new(lookup, None, || Timestamp::UNIX_EPOCH);
    feeds::open("finnhub", &settings).unwrap()
}

/// A provider that takes so long for every answer.
async fn provider() -> String {
    let answer = async || {
        tokio::time::sleep(LATENCY).await;
        QUOTE
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().route("/quote", get(answer));
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}
