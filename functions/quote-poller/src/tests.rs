use std::{
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use axum::{Router, extract::RawQuery, routing::get};
use serde_json::{Value, json, value::to_raw_value};
use stream::{Position, publish::PublishError};
use tokio::{net::TcpListener, time::Instant};
use tokio_util::sync::CancellationToken;

use super::*;

mod instruments;
mod outcomes;
mod period;
mod schedule;

/// Takes every record but those of the key `STUCK`.
#[derive(Default)]
struct Taken {
    records: Mutex<Vec<(String, String, Value)>>,
    abandoned: AtomicU32,
}

impl Publish for Taken {
    async fn publish(
        &self,
        topic: &str,
        key: &str,
        value: &[u8],
        until: Instant,
    ) -> Result<Position, PublishError> {
        if key == "STUCK" {
            tokio::time::sleep_until(until).await;
            return Err(PublishError::TimedOut {
                brokers: "b:1".to_owned(),
            });
        }
        let mut records = self.records.lock().unwrap();
        records.push((
            topic.to_owned(),
            key.to_owned(),
            serde_json::from_slice(value).unwrap(),
        ));
        Ok(Position {
            partition: 0,
            offset: i64::try_from(records.len()).unwrap() - 1,
        })
    }

    fn abandon(&self) {
        self.abandoned.fetch_add(1, Ordering::SeqCst);
    }
}

/// Finnhub's recorded answers, after a latency: a quote for every symbol but `NONE`, none at all for `HANG`.
async fn finnhub(latency: Duration) -> String {
    let quote = move |RawQuery(query): RawQuery| async move {
        tokio::time::sleep(latency).await;
        if query.as_deref().unwrap_or_default().contains("HANG") {
            std::future::pending::<()>().await;
        }
        if query.unwrap_or_default().contains("NONE") {
            return r#"{"c":0,"d":null,"dp":null,"h":0,"l":0,"o":0,"pc":0,"t":0}"#;
        }
        r#"{"c":308.82,"d":3.83,"dp":1.2558,"h":311.4,"l":305.84,"o":306.12,"pc":304.99,"t":1779480000}"#
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let routes = Router::new().route("/quote", get(quote));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    url
}

async fn poller() -> Poller {
    poller_of(finnhub(Duration::ZERO).await)
}

/// A poller of a plan that allows whatever is asked for here.
fn poller_of(url: String) -> Poller {
    let lookup = move |name: &str| match name {
        "FINNHUB_URL" => Some(url.clone()),
        "FINNHUB_API_KEY" => Some("key".to_owned()),
        "FINNHUB_PER_MINUTE" => Some("100000".to_owned()),
        "FINNHUB_PER_SECOND" => Some("10000".to_owned()),
        _ => None,
    };
    Poller::new(FeedSettings::new(lookup, None, clock::now))
}

fn invocation(limit_ms: u64) -> Invocation {
    Invocation {
        deadline: Instant::now() + Duration::from_millis(limit_ms),
        stop: CancellationToken::new(),
    }
}

fn job(symbols: &str, beat: f64, budget: f64) -> Box<RawValue> {
    to_raw_value(
        &json!({"feed": "finnhub", "symbols": symbols, "topic": "stock-quotes",
                         "beat_seconds": beat, "budget_seconds": budget}),
    )
    .unwrap()
}

#[tokio::test]
async fn every_quote_of_every_cycle_is_published_under_its_symbol() {
    let taken = Taken::default();
    let report = poller()
        .await
        .handle(&taken, &job("AAPL,MSFT", 2.0, 3.0), &invocation(60_000))
        .await
        .unwrap();
    assert_eq!(
        serde_json::to_value(&report).unwrap(),
        json!({"cycles": 2, "skipped_cycles": 0, "polled": 4, "published": 4, "failed": []})
    );
    let records = taken.records.lock().unwrap();
    assert_eq!(records.len(), 4);
    for (topic, key, message) in records.iter() {
        assert_eq!(topic, "stock-quotes");
        assert_eq!(message["symbol"], **key);
        assert_eq!(message["c"].to_string(), "308.82");
    }
    assert_eq!(taken.abandoned.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_failed_symbol_is_reported_with_its_reason_and_costs_no_other() {
    let taken = Taken::default();
    let report = poller()
        .await
        .handle(
            &taken,
            &job("AAPL,,NONE,STUCK,AA PL,MSFT@XNAS,MSFT", 30.0, 0.0),
            &invocation(5_000),
        )
        .await
        .unwrap();
    assert_eq!(
        serde_json::to_value(&report).unwrap(),
        json!({"cycles": 1, "skipped_cycles": 0, "polled": 3, "published": 2, "failed": [
            {"symbol": "", "reason": "blank-symbol", "count": 1},
            {"symbol": "AA PL", "reason": "invalid-symbol", "count": 1},
            {"symbol": "MSFT", "reason": "duplicate-symbol", "count": 1},
            {"symbol": "NONE", "reason": "unknown-symbol", "count": 1},
            {"symbol": "STUCK", "reason": "publish-timed-out", "count": 1},
        ]})
    );
}

#[tokio::test]
async fn a_job_answers_before_its_deadline_however_long_its_budget() {
    let invocation = invocation(5_000);
    let report = poller()
        .await
        .handle(&Taken::default(), &job("AAPL", 0.5, 600.0), &invocation)
        .await
        .unwrap();
    assert!(Instant::now() < invocation.deadline);
    let failed: u64 = report.failed.iter().map(|failed| failed.count).sum();
    assert!(report.cycles >= 2, "{report:?}");
    assert_eq!(report.published + failed, report.cycles, "{report:?}");
}

#[tokio::test]
async fn asked_to_stop_it_ends_after_the_cycle_in_hand() {
    let invocation = invocation(60_000);
    invocation.stop.cancel();
    let report = poller()
        .await
        .handle(&Taken::default(), &job("AAPL", 30.0, 30.0), &invocation)
        .await
        .unwrap();
    assert_eq!((report.cycles, report.published), (1, 1));
}

#[tokio::test]
async fn asked_to_stop_before_its_first_beat_it_ends_at_once() {
    let invocation = invocation(600_000);
    invocation.stop.cancel();
    let report = poller()
        .await
        .handle(&Taken::default(), &job("AAPL", 200.0, 600.0), &invocation)
        .await
        .unwrap();
    assert_eq!(report, Report::default());
}

#[tokio::test]
async fn an_exchange_that_the_job_names_is_published_and_a_repetition_is_flagged() {
    let taken = Taken::default();
    poller()
        .await
        .handle(&taken, &job("AAPL@XNAS", 0.5, 0.9), &invocation(60_000))
        .await
        .unwrap();
    let records = taken.records.lock().unwrap();
    let [first, second] = &records[..] else {
        panic!("{records:?}")
    };
    assert_eq!(first.1, "AAPL");
    assert_eq!(first.2["meta"]["mic"], "XNAS");
    let is_flagged = |message: &Value| {
        let flags = message["meta"]["flags"].as_array().unwrap();
        flags.contains(&json!("repeated"))
    };
    assert!(!is_flagged(&first.2) && is_flagged(&second.2));
}

#[tokio::test]
async fn a_feed_without_what_the_job_asks_for_is_one_sentence() {
    let ask = async |dataset: &str, symbols: &str| {
        let job = json!({"feed": "finnhub", "dataset": dataset, "symbols": symbols, "topic": "t"});
        let fault = poller()
            .await
            .handle(
                &Taken::default(),
                &to_raw_value(&job).unwrap(),
                &invocation(5_000),
            )
            .await
            .unwrap_err();
        fault.to_string()
    };
    assert_eq!(
        ask("daily-bars", "AAPL").await,
        "the feed finnhub has no daily bars: ask another feed, or for another dataset"
    );
    assert_eq!(
        ask("quotes", "*").await,
        "the feed finnhub has no list of its symbols: ask another feed, or for another dataset"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_symbols_at_100_ms_each_keep_a_beat_of_6_s() {
    let poller = poller_of(finnhub(Duration::from_millis(100)).await);
    let symbols: Vec<_> = (0..1_000).map(|n| format!("S{n}")).collect();
    let taken = Taken::default();
    let job = job(&symbols.join(","), 6.0, 12.0);
    let report = poller
        .handle(&taken, &job, &invocation(60_000))
        .await
        .unwrap();
    assert_eq!(
        serde_json::to_value(&report).unwrap(),
        json!({"cycles": 2, "skipped_cycles": 0, "polled": 2000, "published": 2000, "failed": []})
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_symbol_that_hangs_does_not_hold_up_its_neighbours() {
    let poller = poller().await;
    let taken = Arc::new(Taken::default());
    let publisher = Arc::clone(&taken);
    let job = job("HANG,AAPL,MSFT", 30.0, 0.0);
    let running = tokio::spawn(async move {
        let report = poller.handle(&*publisher, &job, &invocation(20_000)).await;
        report.unwrap()
    });
    // They are published while the other is still waited for.
    while taken.records.lock().unwrap().len() < 2 {
        assert!(!running.is_finished());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(!running.is_finished());
    let report = running.await.unwrap();
    assert_eq!(
        (report.published, report.failed.len()),
        (2, 1),
        "{report:?}"
    );
}
