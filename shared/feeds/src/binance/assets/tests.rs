use std::time::Duration;

use jiff::Timestamp;
use market::Quote;

use super::*;
use crate::{
    Feed, Polled,
    test_server::{self, Provider, Reply, settings, soon, symbols},
};

const BTCUSDT: &str = include_str!("../fixtures/ticker-24hr-BTCUSDT.json");
const INFO: &str = include_str!("../fixtures/exchange-info.json");
const INVALID: &str = r#"{"code":-1121,"msg":"Invalid symbol."}"#;

fn feed(url: &str) -> Feed {
    let clock = || Timestamp::from_second(1_785_050_000).unwrap();
    crate::open("binance", &settings(&[("BINANCE_URL", url)], clock)).unwrap()
}

async fn learn(feed: &Feed, names: &[&str]) {
    let instruments = feed.instruments.as_ref().unwrap();
    instruments.learn(&symbols(names), soon()).await;
}

/// Each symbol's canonical name and currency.
async fn names(feed: &Feed, asked: &[&str]) -> Vec<(String, Option<String>)> {
    let polled = test_server::quotes(feed, &symbols(asked), soon()).await;
    let name = |polled: Polled<Quote>| {
        let pair = polled.result.unwrap().instrument;
        (pair.canonical, pair.currency.map(Into::into))
    };
    polled.into_iter().map(name).collect()
}

/// A ticker for every symbol in the list.
fn tickers(target: &str) -> Reply {
    let tickers: Vec<_> = asked_for(target)
        .iter()
        .map(|name| BTCUSDT.replace("BTCUSDT", name))
        .collect();
    Reply::new(200, format!("[{}]", tickers.join(",")))
}

fn asked_for(target: &str) -> Vec<String> {
    let (_, list) = target.split_once("?symbols=").unwrap();
    let list = percent_encoding::percent_decode_str(list).decode_utf8();
    serde_json::from_str(&list.unwrap()).unwrap()
}

/// What the exchange says of the pairs in the list, whose assets are the first three characters and the rest.
fn info(target: &str) -> Reply {
    let pairs: Vec<_> = asked_for(target)
        .iter()
        .map(|name| {
            let (base, quote) = name.split_at(3);
            format!(r#"{{"symbol":"{name}","baseAsset":"{base}","quoteAsset":"{quote}"}}"#)
        })
        .collect();
    Reply::new(200, format!(r#"{{"symbols":[{}]}}"#, pairs.join(",")))
}

#[tokio::test]
async fn a_pair_is_split_as_the_exchange_says_once_it_has_said_it() {
    let provider = Provider::start(|target, _| {
        Some(match target.starts_with("/api/v3/exchangeInfo") {
            true => Reply::new(200, INFO),
            false => tickers(target),
        })
    })
    .await;
    let feed = feed(&provider.url);
    let asked = ["QTCAEUR", "QOTUSD", "币安人生USDT", "NEWUSDT"];
    let unsplit = asked.map(|name| (name.to_owned(), None));
    assert_eq!(names(&feed, &asked).await, unsplit);
    learn(&feed, &asked).await;
    let split = [
        ("QTC/AEUR", Some("AEUR")),
        ("QOT/USD", Some("USD")),
        ("币安人生/USDT", Some("USDT")),
        ("NEWUSDT", None),
    ];
    let split = split.map(|(name, quote)| (name.to_owned(), quote.map(str::to_owned)));
    assert_eq!(names(&feed, &asked).await, split);
    // Only what is not known is asked for again.
    learn(&feed, &asked).await;
    let targets = provider.targets();
    assert_eq!(asked_for(&targets[1]), asked);
    assert_eq!(asked_for(targets.last().unwrap()), ["NEWUSDT"]);
}

#[tokio::test]
async fn any_number_of_pairs_is_learned_within_the_weight() {
    let provider = Provider::start(|target, _| Some(info(target))).await;
    let feed = feed(&provider.url);
    let all: Vec<_> = (0..250).map(|n| format!("{n:03}USDT")).collect();
    let all: Vec<_> = all.iter().map(String::as_str).collect();
    learn(&feed, &all).await;
    assert_eq!(provider.targets().len(), 3);
    assert_eq!(feed.budgets[0].1.usage()[0].spent, 60);
    learn(&feed, &all).await;
    assert_eq!(provider.targets().len(), 3, "once an environment");
    feed.budgets[0].1.charge(3_001);
    learn(&feed, &["NEWUSDT"]).await;
    assert_eq!(provider.targets().len(), 3, "the rest is for quotes");
}

#[tokio::test]
async fn a_pair_that_the_exchange_does_not_know_costs_no_other_its_name() {
    let provider = Provider::start(|target, _| {
        let is_unknown = asked_for(target).iter().any(|name| name == "BAD");
        Some(
            match (is_unknown, target.starts_with("/api/v3/exchangeInfo")) {
                (true, _) => Reply::new(400, INVALID),
                (false, true) => info(target),
                (false, false) => tickers(target),
            },
        )
    })
    .await;
    let feed = feed(&provider.url);
    learn(&feed, &["BTCUSDT", "ETHBTC", "BAD", "LTCBTC"]).await;
    let found = names(&feed, &["BTCUSDT", "ETHBTC", "LTCBTC"]).await;
    let found: Vec<_> = found.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(found, ["BTC/USDT", "ETH/BTC", "LTC/BTC"]);
}

#[tokio::test]
async fn an_exchange_that_says_nothing_of_its_pairs_costs_no_quote() {
    let hangs = "hangs";
    let retry = |reply: Reply| reply.header("retry-after", "60");
    for (status, body) in [
        (0, hangs),
        (403, "<html>"),
        (404, "no"),
        (451, "no"),
        (503, "down"),
        (200, "<html>"),
        (200, "[]"),
        (200, r#"{"symbols":[{"symbol":"BTCUSDT"},7]}"#),
    ] {
        let provider = Provider::start(move |target, _| {
            if !target.starts_with("/api/v3/exchangeInfo") {
                return Some(tickers(target));
            }
            (body != hangs).then(|| retry(Reply::new(status, body)))
        })
        .await;
        let feed = feed(&provider.url);
        let instruments = feed.instruments.clone().unwrap();
        let asked = symbols(&["BTCUSDT"]);
        let until = Instant::now() + Duration::from_millis(300);
        let learning = tokio::spawn(async move { instruments.learn(&asked, until).await });
        let early = names(&feed, &["BTCUSDT"]).await;
        learning.await.unwrap();
        let unsplit = [("BTCUSDT".to_owned(), None)];
        assert_eq!(early, unsplit, "{status} {body}");
        assert_eq!(names(&feed, &["BTCUSDT"]).await, unsplit, "{status} {body}");
    }
}

#[tokio::test]
async fn a_rate_limit_that_learning_meets_is_kept_by_every_poll() {
    let provider = Provider::start(|target, _| {
        let is_info = target.starts_with("/api/v3/exchangeInfo");
        Some(if is_info {
            Reply::new(429, "")
        } else {
            tickers(target)
        })
    })
    .await;
    let feed = feed(&provider.url);
    learn(&feed, &["BTCUSDT"]).await;
    let polled = test_server::quotes(&feed, &symbols(&["BTCUSDT"]), soon()).await;
    assert_eq!(
        test_server::outcomes(&polled),
        [("BTCUSDT", "rate-limited")]
    );
}
