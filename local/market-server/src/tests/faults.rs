use std::time::Duration;

use proptest::prelude::*;
use reqwest::{Method, RequestBuilder};
use runtime::clock;
use serde_json::json;
use tokio::time::Instant;

use crate::{Fault, Provider, Running};

use super::{Answered, Lab};

impl Lab {
    /// A request that the provider answers when nothing is wrong.
    fn request(&self, provider: Provider) -> RequestBuilder {
        let Running { address, .. } = &self.market;
        let (method, path) = match provider {
            Provider::Finnhub => (Method::GET, "/api/v1/quote?symbol=AAPL&token=one"),
            Provider::FinnhubTrades => panic!("a websocket"),
            Provider::Binance => (Method::GET, "/api/v3/ticker/24hr?symbol=BTCUSDT"),
            Provider::Vci => (Method::POST, "/vci/api/price/symbols/getList"),
            Provider::Kbs => (Method::POST, "/kbs/iis-server/investment/stock/iss"),
            Provider::Dnse => (
                Method::GET,
                "/dnse/chart-api/v2/ohlcs/stock?symbol=VCB&from=0&to=1749700000&resolution=1D",
            ),
        };
        let request = self
            .client
            .request(method, format!("http://{address}{path}"));
        request.json(&json!({"symbols": ["VCB"], "code": "VCB"}))
    }

    async fn ask(&self, provider: Provider) -> Answered {
        Answered::read(self.request(provider)).await
    }
}

fn over_http() -> impl Iterator<Item = Provider> {
    let websocket = Provider::FinnhubTrades;
    Provider::ALL
        .into_iter()
        .filter(move |provider| *provider != websocket)
}

#[tokio::test]
async fn a_fault_meets_its_provider_alone_and_ends_when_it_is_switched_off() {
    let lab = Lab::at_speed(1.0).await;
    for faulty in over_http() {
        let good = lab.ask(faulty).await.body;
        lab.market.set_fault(faulty, Some(Fault::ServerError));
        for provider in over_http() {
            let failed = lab.ask(provider).await.status == 500;
            assert_eq!(
                failed,
                provider == faulty,
                "{provider} with a fault of {faulty}"
            );
        }
        lab.market.set_fault(faulty, None);
        assert_eq!(lab.ask(faulty).await.body, good);
    }
}

#[tokio::test]
async fn a_limited_provider_answers_429_in_its_own_words() {
    let lab = Lab::at_speed(1.0).await;
    for (provider, words) in [
        (
            Provider::Finnhub,
            r#"{"error":"API limit reached. Please try again later. Remaining Limit: 0"}"#,
        ),
        (
            Provider::Binance,
            r#"{"code":-1003,"msg":"Too much request weight used; "#,
        ),
        (Provider::Vci, ""),
    ] {
        for (fault, header) in [("429", ""), ("429=1500ms", "2")] {
            lab.market.set_fault(provider, Some(fault.parse().unwrap()));
            let answer = lab.ask(provider).await;
            assert_eq!((answer.status, answer.header("retry-after")), (429, header));
            assert!(answer.body.starts_with(words), "{}", answer.body);
        }
    }
}

#[tokio::test]
async fn a_banned_client_is_told_until_when() {
    let lab = Lab::at_speed(1.0).await;
    lab.market
        .set_fault(Provider::Binance, Some("418=2m".parse().unwrap()));
    let before = clock::now().as_millisecond();
    let answer = lab.ask(Provider::Binance).await;
    assert_eq!((answer.status, answer.header("retry-after")), (418, "120"));
    let body = answer.json();
    assert_eq!(body["code"], -1003);
    let (_, until) = body["msg"]
        .as_str()
        .unwrap()
        .split_once("IP banned until ")
        .unwrap();
    let until: i64 = until.split_once('.').unwrap().0.parse().unwrap();
    assert!((before + 120_000..=clock::now().as_millisecond() + 120_000).contains(&until));
}

#[tokio::test]
async fn a_truncated_body_is_half_of_the_good_one_with_its_own_length() {
    let lab = Lab::at_speed(1.0).await;
    for provider in over_http() {
        let good = lab.ask(provider).await;
        lab.market.set_fault(provider, Some(Fault::Truncated));
        let half = lab.ask(provider).await;
        assert_eq!(
            (half.status, &*half.body),
            (good.status, &good.body[..good.body.len() / 2])
        );
        assert_eq!(half.header("content-length"), half.body.len().to_string());
        assert_eq!(half.header("content-type"), good.header("content-type"));
    }
}

#[tokio::test]
async fn an_empty_answer_keeps_its_providers_shape() {
    let lab = Lab::at_speed(1.0).await;
    for provider in over_http() {
        lab.market.set_fault(provider, Some(Fault::EmptyBoard));
    }
    lab.ask(Provider::Finnhub).await.is(200, "{}");
    lab.ask(Provider::Binance).await.is(200, "{}");
    lab.ticker("").await.is(200, "[]");
    lab.ask(Provider::Vci).await.is(200, "[]");
    lab.ask(Provider::Kbs).await.is(201, "[]");
    let history =
        "/kbs/iis-server/investment/stocks/VCB/data_day?sdate=01-01-2025&edate=12-06-2025";
    assert_eq!(
        lab.get(history).await.json(),
        json!({"symbol": "VCB", "data_day": []})
    );
    let columns = json!({"t": [], "o": [], "h": [], "l": [], "c": [], "v": [], "nextTime": 0});
    assert_eq!(lab.ask(Provider::Dnse).await.json(), columns);
    let refused = lab.get("/api/v1/quote?symbol=AAPL&token=three").await;
    refused.is(401, r#"{"error":"Invalid API key."}"#);
}

#[tokio::test]
async fn a_frozen_provider_stands_still_until_it_is_let_go() {
    let lab = Lab::at_speed(1.0).await;
    lab.set(30_000);
    for provider in over_http() {
        lab.set(30_000);
        let before = lab.ask(provider).await.body;
        lab.market.set_fault(provider, Some(Fault::Frozen));
        lab.set(41_000);
        assert_eq!(lab.ask(provider).await.body, before);
        lab.market.set_fault(provider, None);
        assert_ne!(lab.ask(provider).await.body, before);
    }
}

#[tokio::test]
async fn a_challenge_is_a_web_page_with_status_200() {
    let lab = Lab::at_speed(1.0).await;
    lab.market.set_fault(Provider::Kbs, Some(Fault::Html));
    let page = lab.ask(Provider::Kbs).await;
    assert_eq!(page.status, 200);
    assert!(page.header("content-type").starts_with("text/html") && page.body.starts_with('<'));
}

#[tokio::test]
async fn a_reset_cuts_the_connection_before_the_answer_is_complete() {
    let lab = Lab::at_speed(1.0).await;
    for provider in over_http() {
        lab.market.set_fault(provider, Some(Fault::Reset));
        let complete = match lab.request(provider).send().await {
            Ok(answer) => answer.text().await.is_ok(),
            Err(_) => false,
        };
        assert!(!complete, "{provider}");
        lab.market.set_fault(provider, None);
        assert!(lab.ask(provider).await.status < 300);
    }
}

#[tokio::test]
async fn latency_delays_the_answer_and_changes_nothing_else() {
    let lab = Lab::at_speed(1.0).await;
    let good = lab.ask(Provider::Vci).await.body;
    let latency = Duration::from_millis(100);
    lab.market
        .set_fault(Provider::Vci, Some(Fault::Latency(latency)));
    let asked = Instant::now();
    assert_eq!(lab.ask(Provider::Vci).await.body, good);
    assert!(asked.elapsed() >= latency);
}

#[tokio::test]
async fn a_limit_is_kept_under_a_fault_too() {
    let lab = Lab::at_speed(1.0).await;
    lab.market.set_fault(Provider::Finnhub, Some(Fault::Frozen));
    for _ in 0..30 {
        assert_eq!(lab.quote("AAPL").await.status, 200);
    }
    assert_eq!(lab.quote("AAPL").await.status, 429);
    lab.set(1_000);
    assert_eq!(lab.quote("AAPL").await.status, 200);
}

#[tokio::test]
async fn another_process_switches_faults_over_http() {
    let lab = Lab::at_speed(1.0).await;
    let put = async |provider: &str, fault: &'static str| {
        let url = format!("http://{}/faults/{provider}", lab.market.address());
        Answered::read(lab.client.put(url).body(fault)).await
    };
    put("vci", "500\n").await.is(204, "");
    assert_eq!(lab.ask(Provider::Vci).await.status, 500);
    put("vci", "").await.is(204, "");
    assert_eq!(lab.ask(Provider::Vci).await.status, 200);
    put("finnhub-trades", "drop=2s").await.is(204, "");
    put("ssi", "500").await.is(
        400,
        "the recorded market has no provider \"ssi\": give finnhub, finnhub-trades, binance, vci, kbs or dnse",
    );
    put("vci", "boom").await.is(
        400,
        "the recorded market has no fault \"boom\": give latency=TIME, 429, 429=TIME, 418=TIME, 500, html, truncated, empty, \
         frozen, reset or, for finnhub-trades, drop=TIME, with a TIME such as 100ms or 2s",
    );
    put("vci", "drop=2s").await.is(
        400,
        "vci has no websocket to drop: give drop=2s to finnhub-trades",
    );
}

proptest! {
    #[test]
    fn a_faults_text_is_read_back_as_the_fault(millis in 0..1_000_000_000_u64, kind in 0..11) {
        let time = Duration::from_millis(millis);
        let fault = match kind {
            0 => Fault::Latency(time),
            1 => Fault::RateLimited { retry_after: None },
            2 => Fault::RateLimited { retry_after: Some(time) },
            3 => Fault::Banned { retry_after: time },
            4 => Fault::ServerError,
            5 => Fault::Html,
            6 => Fault::Truncated,
            7 => Fault::EmptyBoard,
            8 => Fault::Frozen,
            9 => Fault::Reset,
            _ => Fault::DropWebsocket { after: time },
        };
        prop_assert_eq!(fault.to_string().parse(), Ok(fault));
    }

    #[test]
    fn any_text_is_a_fault_or_refused_by_one_sentence(text in ".*") {
        match text.parse::<Fault>() {
            Ok(fault) => prop_assert_eq!(fault.to_string().parse(), Ok(fault)),
            Err(error) => prop_assert!(error.to_string().starts_with("the recorded market has no fault ")),
        }
    }
}
