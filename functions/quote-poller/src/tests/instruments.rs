//! What the exchange says of a job's instruments, beside their quotes.

use axum::http::{StatusCode, Uri};

use super::*;

/// Binance with one pair; what it says of its pairs comes with this status, or never.
async fn binance(info: Option<u16>) -> Poller {
    let answer = move |uri: Uri| async move {
        if uri.path() == "/api/v3/ticker/24hr" {
            return (StatusCode::OK, TICKERS);
        }
        match info {
            Some(status) => (StatusCode::from_u16(status).unwrap(), PAIRS),
            None => std::future::pending().await,
        }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let routes = Router::new().fallback(answer);
    tokio::spawn(async move { axum::serve(listener, routes).await });
    let lookup = move |name: &str| (name == "BINANCE_URL").then(|| url.clone());
    Poller::new(FeedSettings::new(lookup, None, clock::now))
}

const PAIRS: &str = r#"{"symbols":[{"symbol":"QTCAEUR","baseAsset":"QTC","quoteAsset":"AEUR"}]}"#;

const TICKERS: &str = concat!(
    r#"[{"symbol":"QTCAEUR","priceChange":"0","priceChangePercent":"0","lastPrice":"2","openPrice":"2","#,
    r#""highPrice":"2","lowPrice":"2","bidPrice":"1","askPrice":"2","volume":"7","quoteVolume":"14","#,
    r#""closeTime":1785050000000,"count":3}]"#,
);

async fn poll(poller: &Poller) -> Value {
    let job = json!({"feed": "binance", "symbols": "QTCAEUR", "topic": "crypto-prices",
                     "beat_seconds": 0.2, "budget_seconds": 0.5});
    let taken = Taken::default();
    let job = to_raw_value(&job).unwrap();
    let report = poller.handle(&taken, &job, &invocation(60_000)).await;
    let report = report.unwrap();
    assert_eq!((report.published, report.failed.len()), (report.cycles, 0));
    let records = taken.records.lock().unwrap();
    records.last().unwrap().2["meta"].clone()
}

#[tokio::test]
async fn a_pair_has_the_name_that_its_exchange_tells() {
    let poller = binance(Some(200)).await;
    // It is learned beside the polls, whenever that is.
    for _ in 0..20 {
        let meta = poll(&poller).await;
        if meta["symbol"] == "QTC/AEUR" {
            assert_eq!(meta["currency"], "AEUR");
            return;
        }
        assert_eq!(meta["symbol"], "QTCAEUR");
        assert_eq!(meta["currency"], Value::Null);
    }
    panic!("it was never learned");
}

#[tokio::test]
async fn every_quote_is_published_while_the_exchange_does_not_tell_its_pairs() {
    for info in [None, Some(403), Some(500)] {
        let poller = binance(info).await;
        for _ in 0..2 {
            let meta = poll(&poller).await;
            assert_eq!(meta["symbol"], "QTCAEUR");
            assert_eq!(meta["currency"], Value::Null);
        }
    }
}
