use super::*;
use crate::{
    Feed,
    replay::{Provider, Reply, nobody, outcomes, settings, soon, symbols},
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
        let quotes = self.0.quotes.as_ref().unwrap();
        quotes.quotes(symbols, until).await
    }
}

fn feed(url: &str) -> Binance {
    let settings = settings(&[("BINANCE_URL", url)], clock);
    Binance(crate::open("binance", &settings).unwrap())
}

/// The symbols in the query of a request.
fn asked_for(target: &str) -> Vec<String> {
    let (_, list) = target.split_once("?symbols=").unwrap();
    let list = percent_encoding::percent_decode_str(list)
        .decode_utf8()
        .unwrap();
    serde_json::from_str(&list).unwrap()
}

/// Binance with every symbol but those that start with `BAD`: one of them fails the request.
fn exchange(target: &str) -> Reply {
    let names = asked_for(target);
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
async fn more_than_a_hundred_symbols_are_asked_for_in_hundreds() {
    let provider = Provider::start(|target, _| Some(exchange(target))).await;
    let names: Vec<_> = (0..250).map(|n| format!("S{n}USDT")).collect();
    let polled = feed(&provider.url).poll(&symbols(&names), soon()).await;
    assert!(polled.iter().all(|polled| polled.result.is_ok()));
    let sizes: Vec<_> = provider
        .targets()
        .iter()
        .map(|target| asked_for(target).len())
        .collect();
    assert_eq!(sizes, [100, 100, 50]);
}

#[tokio::test]
async fn unknown_symbols_are_found_and_cost_no_good_one_and_are_not_searched_again() {
    let provider = Provider::start(|target, _| Some(exchange(target))).await;
    let feed = feed(&provider.url);
    let names: Vec<_> = (0..40)
        .map(|n| {
            if [3, 17, 39].contains(&n) {
                format!("BAD{n}")
            } else {
                format!("S{n}USDT")
            }
        })
        .collect();
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
    let searched = provider.targets().len();
    assert!(searched <= 1 + 2 * 3 * 6, "{searched}");
    let second = feed.poll(&asked, soon()).await;
    assert_eq!(outcomes(&second), outcomes(&first));
    let targets = provider.targets();
    assert_eq!(targets.len(), searched + 1);
    assert_eq!(asked_for(&targets[searched]).len(), 37);
}

#[tokio::test]
async fn a_symbol_with_a_character_that_none_has_is_unknown_and_costs_no_other() {
    let provider = Provider::start(|target, _| {
        Some(if asked_for(target).contains(&"btc\"usdt".to_owned()) {
            Reply::new(
                400,
                r#"{"code":-1100,"msg":"Illegal characters found in parameter 'symbols'."}"#,
            )
        } else {
            exchange(target)
        })
    })
    .await;
    let polled = feed(&provider.url)
        .poll(&symbols(&["btc\"usdt", "BTCUSDT"]), soon())
        .await;
    assert_eq!(
        outcomes(&polled),
        [
            ("btc\"usdt", "unknown-symbol"),
            ("BTCUSDT", "6705.82000000")
        ]
    );
}

#[tokio::test]
async fn a_symbol_that_is_missing_or_unreadable_costs_no_other() {
    let provider = Provider::start(|_, _| {
        let bad = BTCUSDT
            .replace("BTCUSDT", "BADUSDT")
            .replace("6933.00000000", "high");
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
async fn binance_is_left_alone_by_later_polls_after_429_418_and_403() {
    let ban = r#"{"code":-1003,"msg":"Way too much request weight used; IP banned until 1785050300000. "}"#;
    let cases = [
        (429, Some("9"), "{}", "rate-limited", 9),
        (418, Some("300"), "{}", "banned", 300),
        (418, None, ban, "banned", 300),
        (403, None, "<html>403 Forbidden", "forbidden", 0),
    ];
    for (status, retry_after, body, reason, longest) in cases {
        let provider = Provider::start(move |_, _| {
            let reply = Reply::new(status, body);
            Some(match retry_after {
                Some(seconds) => reply.header("retry-after", seconds),
                None => reply,
            })
        })
        .await;
        let feed = feed(&provider.url);
        let asked = symbols(&["BTCUSDT", "ETHUSDT"]);
        for _ in 0..2 {
            let polled = feed.poll(&asked, soon()).await;
            assert_eq!(
                outcomes(&polled),
                [("BTCUSDT", reason), ("ETHUSDT", reason)]
            );
            let error = polled[1].result.as_ref().unwrap_err();
            let left = error.retry_after().unwrap_or_default().as_secs();
            assert!(left <= longest && left + 5 > longest, "{error}");
        }
        assert_eq!(provider.targets().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn weight_that_others_spent_counts() {
    let provider =
        Provider::start(|target, _| Some(exchange(target).header("X-MBX-USED-WEIGHT-1M", "5999")))
            .await;
    let feed = feed(&provider.url);
    let asked = symbols(&["BTCUSDT"]);
    assert_eq!(
        outcomes(&feed.poll(&asked, soon()).await),
        [("BTCUSDT", "6705.82000000")]
    );
    assert_eq!(
        outcomes(&feed.poll(&asked, soon()).await),
        [("BTCUSDT", "over-budget")]
    );
    assert_eq!(provider.targets().len(), 1);
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
async fn the_deadline_holds_while_symbols_are_searched_and_when_the_provider_hangs() {
    let provider = Provider::start(|target, before| (before < 2).then(|| exchange(target))).await;
    let asked = symbols(&["BAD1", "BTCUSDT", "ETHUSDT", "BAD2"]);
    let until = Instant::now() + Duration::from_millis(500);
    let polled = feed(&provider.url).poll(&asked, until).await;
    let late = Instant::now().saturating_duration_since(until);
    assert!(late < Duration::from_millis(500), "{late:?}");
    assert_eq!(
        outcomes(&polled),
        [
            ("BAD1", "past-deadline"),
            ("BTCUSDT", "past-deadline"),
            ("ETHUSDT", "past-deadline"),
            ("BAD2", "past-deadline"),
        ]
    );
}

#[tokio::test]
async fn no_symbols_are_no_requests() {
    let provider = Provider::start(|_, _| None).await;
    assert_eq!(feed(&provider.url).poll(&[], soon()).await, []);
    assert_eq!(provider.targets().len(), 0);
}
