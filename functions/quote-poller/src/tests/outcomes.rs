//! What becomes of symbols when something other than their own answer goes wrong.

use axum::http::StatusCode;

use super::*;

/// Refuses the first record and takes the others.
#[derive(Default)]
struct RefusesFirst {
    asked: AtomicU32,
    taken: Taken,
}

impl Publish for RefusesFirst {
    async fn publish(
        &self,
        topic: &str,
        key: &str,
        value: &[u8],
        until: Instant,
    ) -> Result<Position, PublishError> {
        if self.asked.fetch_add(1, Ordering::SeqCst) == 0 {
            return Err(PublishError::TimedOut {
                brokers: "b:1".to_owned(),
            });
        }
        self.taken.publish(topic, key, value, until).await
    }

    fn abandon(&self) {}
}

#[tokio::test]
async fn an_observation_that_was_not_published_is_no_repetition_when_it_comes_again() {
    let publisher = RefusesFirst::default();
    let report = poller()
        .await
        .handle(&publisher, &job("AAPL", 0.5, 1.0), &invocation(60_000))
        .await
        .unwrap();
    assert_eq!((report.cycles, report.published), (2, 1), "{report:?}");
    let records = publisher.taken.records.lock().unwrap();
    let flags = records[0].2["meta"]["flags"].as_array().unwrap();
    assert!(!flags.contains(&json!("repeated")), "{flags:?}");
}

#[tokio::test]
async fn a_job_finds_its_provider_opened_and_reads_no_setting() {
    let url = finnhub(Duration::ZERO).await;
    let looked_up = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&looked_up);
    let lookup = move |name: &str| {
        count.fetch_add(1, Ordering::SeqCst);
        match name {
            "FINNHUB_URL" => Some(url.clone()),
            "FINNHUB_API_KEY" => Some("key".to_owned()),
            _ => None,
        }
    };
    let poller = Poller::new(FeedSettings::new(lookup, None, clock::now));
    poller.open(&["finnhub"]).await.unwrap();
    let read = looked_up.load(Ordering::SeqCst);
    assert!(read > 0);
    let (taken, job) = (Taken::default(), job("AAPL", 1.0, 0.0));
    let report = poller.handle(&taken, &job, &invocation(20_000)).await;
    assert_eq!(report.unwrap().published, 1);
    assert_eq!(looked_up.load(Ordering::SeqCst), read);
}

/// A broker that is down.
async fn vci_down() -> Poller {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let routes = Router::new().fallback(|| async { StatusCode::FORBIDDEN });
    tokio::spawn(async move { axum::serve(listener, routes).await });
    let lookup = move |name: &str| (name == "VCI_URL").then(|| url.clone());
    Poller::new(FeedSettings::new(lookup, None, clock::now))
}

async fn failed(poller: &Poller, symbols: &str) -> Vec<String> {
    let job =
        json!({"feed": "vci", "symbols": symbols, "topic": "stock-board", "budget_seconds": 0});
    let job = to_raw_value(&job).unwrap();
    let (taken, invocation) = (Taken::default(), invocation(20_000));
    let report = poller.handle(&taken, &job, &invocation).await.unwrap();
    report
        .failed
        .into_iter()
        .map(|failed| failed.symbol)
        .collect()
}

#[tokio::test]
async fn a_list_that_can_not_be_had_costs_no_symbol_that_the_job_names() {
    assert_eq!(failed(&vci_down().await, "FPT,*").await, ["*", "FPT"]);
}

#[tokio::test]
async fn a_list_that_can_not_be_renewed_is_polled_as_it_was() {
    let poller = vci_down().await;
    poller
        .memory
        .remember_list("vci", vec!["HPG".parse().unwrap()]);
    tokio::time::pause();
    tokio::time::advance(Duration::from_hours(24)).await;
    tokio::time::resume();
    assert_eq!(failed(&poller, "*").await, ["*", "HPG"]);
}
