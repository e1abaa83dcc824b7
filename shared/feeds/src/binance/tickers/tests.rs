use std::time::Duration;

use jiff::Timestamp;

use super::*;
use crate::{
    Feed,
    test_server::{self, Provider, Reply, early, nobody, outcomes, settings, soon, symbols},
};

const BTCUSDT: &str = include_str!("../fixtures/ticker-24hr-BTCUSDT.json");
const ARRAY: &[u8] = include_bytes!("../fixtures/ticker-24hr-array.json");
const INVALID: &str = r#"{"code":-1121,"msg":"Invalid symbol."}"#;

fn clock() -> Timestamp {
    Timestamp::from_second(1_785_050_000).unwrap()
}

/// Binance at an address, through its registration.
struct Binance(Feed);

impl Binance {
    async fn poll(&self, symbols: &[Symbol], until: Instant) -> Vec<Polled<Quote>> {
        test_server::quotes(&self.0, symbols, until).await
    }

    fn spent(&self) -> u64 {
        self.0.budgets[0].1.usage()[0].spent
    }
}

fn feed(url: &str) -> Binance {
    let settings = settings(&[("BINANCE_URL", url)], clock);
    Binance(crate::open("binance", &settings).unwrap())
}

/// The symbols in the query of a request; `None` without a query.
fn asked_for(target: &str) -> Option<Vec<String>> {
    let (_, list) = target.split_once("?symbols=")?;
    let list = percent_encoding::percent_decode_str(list)
        .decode_utf8()
        .unwrap();
    Some(serde_json::from_str(&list).unwrap())
}

/// `S0USDT`, `S1USDT`, ...
fn pairs(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("S{n}USDT")).collect()
}

/// Binance with 2,000 pairs and every other symbol but those that start with `BAD`: one of them fails the request.
fn exchange(target: &str) -> Reply {
    let names = asked_for(target).unwrap_or_else(|| pairs(2_000));
    if names.iter().any(|name| name.starts_with("BAD")) {
        return Reply::new(400, INVALID);
    }
    let tickers: Vec<_> = names
        .iter()
        .map(|name| BTCUSDT.replace("BTCUSDT", name))
        .collect();
    Reply::new(200, format!("[{}]", tickers.join(",")))
}

#[tokio::test]
async fn all_symbols_come_with_one_request_in_the_order_asked() {
    let provider = Provider::start(|_, _| Some(Reply::new(200, ARRAY))).await;
    let asked = symbols(&["EOSETH", "ETHBTC", "EOSETH", "LTCBTC"]);
    let polled = feed(&provider.url).poll(&asked, soon()).await;
    assert_eq!(
        outcomes(&polled),
        [
            ("EOSETH", "0.00017570"),
            ("ETHBTC", "0.03606000"),
            ("EOSETH", "0.00017570"),
            ("LTCBTC", "0.00098800"),
        ]
    );
    assert_eq!(polled[0].result.as_ref().unwrap().fetched_at, clock());
    let (target, headers) = provider.seen().remove(0);
    assert_eq!(
        target,
        "/api/v3/ticker/24hr?symbols=%5B%22EOSETH%22,%22ETHBTC%22,%22LTCBTC%22%5D"
    );
    assert!(!headers.contains_key("x-mbx-time-unit"));
    assert_eq!(provider.targets().len(), 1);
}

#[tokio::test]
async fn a_single_object_is_an_answer_too() {
    let provider = Provider::start(|_, _| Some(Reply::new(200, BTCUSDT))).await;
    let polled = feed(&provider.url)
        .poll(&symbols(&["BTCUSDT"]), soon())
        .await;
    assert_eq!(outcomes(&polled), [("BTCUSDT", "6705.82000000")]);
}

#[tokio::test]
async fn any_number_of_symbols_is_one_request_of_its_weight() {
    let cases = [
        (1, 2, true),
        (20, 2, true),
        (21, 40, true),
        (100, 40, true),
        (101, 80, true),
        (500, 80, true),
        (2_000, 80, false),
    ];
    for (count, weight, is_listed) in cases {
        let provider = Provider::start(|target, _| Some(exchange(target))).await;
        let feed = feed(&provider.url);
        let polled = feed.poll(&symbols(&pairs(count)), soon()).await;
        assert_eq!(polled.len(), count);
        assert!(polled.iter().all(|polled| polled.result.is_ok()));
        assert_eq!(feed.spent(), weight, "{count}");
        let targets = provider.targets();
        assert_eq!(targets.len(), 1, "{count}");
        assert_eq!(asked_for(&targets[0]).is_some(), is_listed, "{count}");
        assert!(targets[0].len() < MAX_URL);
    }
}

#[tokio::test]
async fn unknown_symbols_cost_no_good_one_and_one_request_more_and_are_not_asked_for_again() {
    let provider = Provider::start(|target, _| Some(exchange(target))).await;
    let feed = feed(&provider.url);
    let mut names = pairs(40);
    for n in [3, 17, 39] {
        names[n] = format!("BAD{n}");
    }
    let asked = symbols(&names);
    let first = feed.poll(&asked, soon()).await;
    for (symbol, outcome) in outcomes(&first) {
        let expected = if symbol.starts_with("BAD") {
            "unknown-symbol"
        } else {
            "6705.82000000"
        };
        assert_eq!(outcome, expected, "{symbol}");
    }
    let second = feed.poll(&asked, soon()).await;
    assert_eq!(outcomes(&second), outcomes(&first));
    let listed: Vec<_> = provider
        .targets()
        .iter()
        .map(|target| asked_for(target).map(|names| names.len()))
        .collect();
    assert_eq!(listed, [Some(40), None, Some(37)]);
    assert_eq!(feed.spent(), 40 + 80 + 40);
}

#[tokio::test]
async fn a_symbol_that_is_known_as_unknown_waits_for_no_answer() {
    let provider = Provider::start(|target, before| (before == 0).then(|| exchange(target))).await;
    let feed = feed(&provider.url);
    feed.poll(&symbols(&["BAD"]), soon()).await;
    let quotes = feed.0.quotes.as_ref().unwrap();
    let asked = symbols(&["BTCUSDT", "BAD"]);
    let poll = async |sink: Sink<'_, _>| quotes.quotes(&asked, soon(), sink).await;
    let polled = early(1, poll).await;
    assert_eq!(outcomes(&polled), [("BAD", "unknown-symbol")]);
}

#[tokio::test]
async fn an_empty_list_of_all_tickers_makes_no_symbol_unknown() {
    let provider = Provider::start(|target, before| {
        Some(match (before, asked_for(target)) {
            (0..2, None) => Reply::new(200, "[]"),
            _ => exchange(target),
        })
    })
    .await;
    let feed = feed(&provider.url);
    let asked = symbols(&["BAD", "S7USDT"]);
    assert_eq!(
        outcomes(&feed.poll(&asked, soon()).await),
        [("BAD", "malformed"), ("S7USDT", "malformed")]
    );
    assert_eq!(
        outcomes(&feed.poll(&asked, soon()).await),
        [("BAD", "unknown-symbol"), ("S7USDT", "6705.82000000")]
    );
}

#[tokio::test]
async fn a_single_symbol_that_is_unknown_is_asked_for_once() {
    let provider = Provider::start(|target, _| Some(exchange(target))).await;
    let feed = feed(&provider.url);
    for _ in 0..2 {
        let polled = feed.poll(&symbols(&["BAD"]), soon()).await;
        assert_eq!(outcomes(&polled), [("BAD", "unknown-symbol")]);
    }
    assert_eq!(provider.targets().len(), 1);
}

#[tokio::test]
async fn a_symbol_with_a_character_that_none_has_is_unknown_and_costs_no_other() {
    let illegal = r#"{"code":-1100,"msg":"Illegal characters found in parameter 'symbols'."}"#;
    let provider = Provider::start(move |target, _| {
        Some(match asked_for(target) {
            Some(names) if names.contains(&"btc\"usdt".to_owned()) => Reply::new(400, illegal),
            _ => exchange(target),
        })
    })
    .await;
    let polled = feed(&provider.url)
        .poll(&symbols(&["btc\"usdt", "S7USDT"]), soon())
        .await;
    assert_eq!(
        outcomes(&polled),
        [("btc\"usdt", "unknown-symbol"), ("S7USDT", "6705.82000000")]
    );
}

#[tokio::test]
async fn a_symbol_that_is_missing_or_unreadable_costs_no_other() {
    let provider = Provider::start(|_, _| {
        let bad = BTCUSDT
            .replace("BTCUSDT", "BADUSDT")
            .replace("6705.82000000", "last");
        Some(Reply::new(200, format!("[{bad},{BTCUSDT}]")))
    })
    .await;
    let asked = symbols(&["NOUSDT", "BADUSDT", "BTCUSDT"]);
    let polled = feed(&provider.url).poll(&asked, soon()).await;
    assert_eq!(
        outcomes(&polled),
        [
            ("NOUSDT", "unknown-symbol"),
            ("BADUSDT", "malformed"),
            ("BTCUSDT", "6705.82000000")
        ]
    );
}

#[tokio::test]
async fn an_item_without_a_symbol_leaves_the_missing_ones_malformed() {
    let provider = Provider::start(|_, _| Some(Reply::new(200, format!("[7,{BTCUSDT}]")))).await;
    let polled = feed(&provider.url)
        .poll(&symbols(&["BTCUSDT", "ETHUSDT"]), soon())
        .await;
    assert_eq!(
        outcomes(&polled),
        [("BTCUSDT", "6705.82000000"), ("ETHUSDT", "malformed")]
    );
}

#[tokio::test]
async fn an_outage_of_a_moment_is_bridged_by_a_retry() {
    let provider = Provider::start(|target, before| {
        Some(if before == 0 {
            Reply::new(502, "<html>")
        } else {
            exchange(target)
        })
    })
    .await;
    let polled = feed(&provider.url)
        .poll(&symbols(&["BTCUSDT"]), soon())
        .await;
    assert_eq!(outcomes(&polled), [("BTCUSDT", "6705.82000000")]);
    assert_eq!(provider.targets().len(), 2);
}

#[tokio::test]
async fn every_symbol_has_its_outcome_when_nobody_answers() {
    let asked = symbols(&["BTCUSDT", "ETHUSDT"]);
    let polled = feed(&nobody().await).poll(&asked, soon()).await;
    assert_eq!(
        outcomes(&polled),
        [("BTCUSDT", "transport"), ("ETHUSDT", "transport")]
    );
    let detail = polled[0].result.as_ref().unwrap_err().to_string();
    assert!(detail.contains("Connection refused"), "{detail}");
}

#[tokio::test]
async fn the_deadline_holds_when_the_provider_hangs_while_an_unknown_symbol_is_searched() {
    let provider = Provider::start(|target, before| (before < 1).then(|| exchange(target))).await;
    let asked = symbols(&["BAD1", "BTCUSDT", "ETHUSDT"]);
    let until = Instant::now() + Duration::from_millis(500);
    let polled = feed(&provider.url).poll(&asked, until).await;
    let late = Instant::now().saturating_duration_since(until);
    assert!(late < Duration::from_secs(3), "{late:?}");
    assert_eq!(
        outcomes(&polled),
        [
            ("BAD1", "past-deadline"),
            ("BTCUSDT", "past-deadline"),
            ("ETHUSDT", "past-deadline"),
        ]
    );
}

#[tokio::test]
async fn no_symbols_are_no_requests() {
    let provider = Provider::start(|_, _| None).await;
    assert_eq!(feed(&provider.url).poll(&[], soon()).await, []);
    assert_eq!(provider.targets().len(), 0);
}
