use std::{
    net::IpAddr,
    sync::atomic::{AtomicU64, Ordering},
};

use reqwest::{Client, redirect::Policy};
use serde_json::Value;

use super::*;

mod binance;
mod faults;
mod finnhub;
mod klines;
mod on_the_clock;
mod trades;
mod vietnam;

/// A market whose clock the test sets, and a client for it.
struct Lab {
    market: Running,
    started: Timestamp,
    /// Since the start.
    millis: Arc<AtomicU64>,
    client: Client,
}

impl Lab {
    /// With recorded times.
    async fn at_speed(speed: f64) -> Self {
        Self::started(settings(speed), Timestamp::UNIX_EPOCH).await
    }

    async fn started(settings: Settings, started: Timestamp) -> Self {
        let millis = Arc::new(AtomicU64::new(0));
        let since = Arc::clone(&millis);
        let clock = move || started + Duration::from_millis(since.load(Ordering::SeqCst));
        let market = start_with_clock(settings, clock).await.unwrap();
        let client = client([127, 0, 0, 1]);
        Self {
            market,
            started,
            millis,
            client,
        }
    }

    fn set(&self, millis: u64) {
        self.millis.store(millis, Ordering::SeqCst);
    }

    async fn quote(&self, symbol: &str) -> Answered {
        let url = format!("{}/quote?symbol={symbol}", self.market.finnhub_url());
        let request = self.client.get(url).header("X-Finnhub-Token", "one");
        Answered::read(request).await
    }

    async fn ticker(&self, query: &str) -> Answered {
        let url = format!("{}/api/v3/ticker/24hr{query}", self.market.binance_url());
        Answered::read(self.client.get(url)).await
    }

    async fn post(&self, url: String, body: Value) -> Answered {
        Answered::read(self.client.post(url).json(&body)).await
    }

    async fn get(&self, path: &str) -> Answered {
        let url = format!("http://{}{path}", self.market.address());
        Answered::read(self.client.get(url)).await
    }
}

fn settings(speed: f64) -> Settings {
    Settings {
        port: 0,
        times: Times::Recorded,
        speed,
        tokens: vec!["one".into(), "two".into()],
    }
}

fn client(address: [u8; 4]) -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .no_proxy()
        .redirect(Policy::none())
        .local_address(IpAddr::from(address))
        .build()
        .unwrap()
}

#[derive(Debug, PartialEq)]
struct Answered {
    status: u16,
    headers: header::HeaderMap,
    body: String,
}

impl Answered {
    async fn read(request: reqwest::RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        Self {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response.text().await.unwrap(),
        }
    }

    fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    fn is(&self, status: u16, body: &str) {
        assert_eq!((self.status, self.body.as_str()), (status, body));
    }
}

#[tokio::test]
async fn speed_moves_the_recording_and_two_servers_at_one_time_send_the_same_bytes() {
    let (fast, slow) = (Lab::at_speed(60.0).await, Lab::at_speed(0.5).await);
    fast.set(100);
    slow.set(12_000);
    let quote = fast.quote("AAPL").await;
    assert!(
        quote.body.ends_with(r#""t":1337716800}"#),
        "the second session"
    );
    assert_eq!(quote.body, slow.quote("AAPL").await.body);
    let ticker = fast.ticker("").await;
    assert!(
        ticker.body.contains(r#""closeTime":1723161261000"#),
        "the seventh second"
    );
    assert_eq!(ticker.body, slow.ticker("").await.body);
}

#[tokio::test]
async fn a_stopped_market_frees_its_port_and_a_held_port_is_one_clear_sentence() {
    let first = start(settings(1.0)).await.unwrap();
    let port = first.address().port();
    let again = || Settings {
        port,
        ..settings(1.0)
    };
    let error = start(again()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "port {port} on 127.0.0.1 is in use: stop the program that holds it or choose another port"
        )
    );
    // A connection kept alive by a client does not hold the stop up.
    let url = format!("{}/quote?symbol=AAPL&token=one", first.finnhub_url());
    let client = client([127, 0, 0, 1]);
    Answered::read(client.get(&url))
        .await
        .is(200, finnhub::AAPL_AT_0);
    let stopping = tokio::time::Instant::now();
    first.stop().await;
    assert!(stopping.elapsed() < GRACE);
    assert!(client.get(&url).send().await.is_err());
    start(again()).await.unwrap().stop().await;
}

#[tokio::test]
async fn a_setting_out_of_range_is_one_clear_sentence() {
    for speed in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let error = start(settings(speed)).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("the recorded market speed is {speed}: give a finite number above zero")
        );
    }
    for tokens in [vec![], vec![String::new()]] {
        let market = Settings {
            tokens,
            ..settings(1.0)
        };
        let error = start(market).await.unwrap_err();
        assert!(matches!(error, MarketError::Tokens));
    }
}
