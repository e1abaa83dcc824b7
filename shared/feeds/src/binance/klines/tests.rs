use std::{collections::HashMap, time::Duration};

use crate::{
    Feed, Polled,
    test_server::{self, Provider, Reply, settings, soon, symbols},
};

use market::MinuteBars;

use super::*;

const MINUTE: &str = include_str!("../fixtures/klines-1m-BTCUSDT.json");
const DAYS: &str = include_str!("../fixtures/klines-1d-BTCUSDT.json");

/// 5 May 2020, 00:00 UTC, in epoch milliseconds.
const START: i64 = 1_588_636_800_000;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap()
}

/// So many minutes from the start on.
fn minutes(count: i64) -> Range<Timestamp> {
    at(START)..at(START + count * 60_000)
}

fn feed(url: &str) -> Feed {
    let clock = || at(START);
    crate::open("binance", &settings(&[("BINANCE_URL", url)], clock)).unwrap()
}

async fn poll(feed: &Feed, asked: &[Symbol], range: Range<Timestamp>) -> Vec<Polled<MinuteBars>> {
    test_server::bars(feed.minute_bars.as_ref(), asked, range, soon()).await
}

/// Each symbol with the number of its bars or the reason why there is none.
fn outcomes(polled: &[Polled<MinuteBars>]) -> Vec<(&str, String)> {
    let outcome = |polled: &Polled<MinuteBars>| match &polled.result {
        Ok(observation) => observation.said.len().to_string(),
        Err(error) => error.reason().to_owned(),
    };
    polled
        .iter()
        .map(|polled| (polled.symbol.as_str(), outcome(polled)))
        .collect()
}

fn query(target: &str) -> HashMap<String, String> {
    let url = format!("http://binance{target}").parse::<Url>().unwrap();
    url.query_pairs().into_owned().collect()
}

/// Binance with a kline of every minute, the last one at `last`.
fn every_minute(target: &str, last: i64) -> Reply {
    let query = query(target);
    let number = |name: &str| query[name].parse::<i64>().unwrap();
    let first = (number("startTime") + 59_999) / 60_000;
    let rows: Vec<_> = (first..=number("endTime").min(last) / 60_000)
        .take(usize::try_from(number("limit")).unwrap())
        .map(|minute| kline(&(minute * 60_000).to_string()))
        .collect();
    Reply::new(200, format!("[{}]", rows.join(",")))
}

fn kline(open_time: &str) -> String {
    format!(r#"[{open_time},"1.00","3.00","0.50","2.00","7.0",0,"0",0,"0","0","0"]"#)
}

#[tokio::test]
async fn a_minute_is_asked_for_and_keeps_its_digits() {
    let provider = Provider::start(|_, _| Some(Reply::new(200, MINUTE))).await;
    let polled = poll(&feed(&provider.url), &symbols(&["BTCUSDT"]), minutes(1)).await;
    let observation = polled[0].result.as_ref().unwrap();
    let bar = Bar {
        at: at(START),
        open: "8871.92000000".parse().unwrap(),
        high: "8888.00000000".parse().unwrap(),
        low: "8871.92000000".parse().unwrap(),
        close: "8887.62000000".parse().unwrap(),
        volume: "47.66737000".parse().unwrap(),
    };
    assert_eq!(observation.said, [bar]);
    assert_eq!(observation.instrument.canonical, "BTCUSDT");
    assert_eq!(
        provider.targets(),
        [
            "/api/v3/klines?symbol=BTCUSDT&interval=1m&startTime=1588636800000&endTime=1588636860000&limit=1000"
        ]
    );
}

#[tokio::test]
async fn a_day_bears_its_date_in_utc() {
    let provider = Provider::start(|_, _| Some(Reply::new(200, DAYS))).await;
    let january = "2019-01-02T00:00:00Z".parse().unwrap()..at(START);
    let feed = feed(&provider.url);
    let bars = feed.daily_bars.as_ref();
    let polled = test_server::bars(bars, &symbols(&["BTCUSDT"]), january, soon()).await;
    let said = &polled[0].result.as_ref().unwrap().said;
    let dates: Vec<_> = said.iter().map(|bar| bar.at.to_string()).collect();
    assert_eq!(
        dates,
        ["2019-01-02", "2019-01-03", "2019-01-04", "2019-01-05"],
        "the first recorded day is before the range"
    );
    assert!(provider.targets()[0].contains("&interval=1d&"));
}

#[tokio::test]
async fn a_range_of_any_length_comes_page_by_page_without_a_gap_or_a_request_too_many() {
    let years = START + 365 * 24 * 3_600_000;
    let cases = [
        (1, years, 1, 1),
        (999, years, 999, 1),
        (1_000, years, 1_000, 1),
        (1_001, years, 1_001, 2),
        (2_500, years, 2_500, 3),
        (5_000, START + 999 * 60_000, 1_000, 2),
    ];
    for (range, last, bars, requests) in cases {
        let provider = Provider::start(move |target, _| Some(every_minute(target, last))).await;
        let feed = feed(&provider.url);
        let polled = poll(&feed, &symbols(&["BTCUSDT"]), minutes(range)).await;
        let said = &polled[0].result.as_ref().unwrap().said;
        let times = said.iter().map(|bar| bar.at.as_millisecond());
        assert!(times.eq((0..bars).map(|n| START + n * 60_000)), "{range}");
        assert_eq!(provider.targets().len(), requests, "{range}");
        let spent = feed.budgets[0].1.usage()[0].spent;
        assert_eq!(spent, requests as u64 * 2);
    }
}

#[tokio::test]
async fn a_full_page_that_comes_again_is_no_gap_that_nobody_sees() {
    let provider = Provider::start(|target, _| {
        let again = target.replace(&query(target)["startTime"], &START.to_string());
        Some(every_minute(&again, i64::MAX))
    })
    .await;
    let polled = poll(&feed(&provider.url), &symbols(&["BTCUSDT"]), minutes(9_000)).await;
    assert_eq!(outcomes(&polled), [("BTCUSDT", "malformed".to_owned())]);
    assert_eq!(provider.targets().len(), 2);
}

#[tokio::test]
async fn one_bad_symbol_never_costs_another_and_an_unknown_one_is_asked_for_once() {
    let provider = Provider::start(|target, _| {
        let start = START.to_string();
        Some(match query(target)["symbol"].as_str() {
            "UNKNOWN" => Reply::new(400, r#"{"code":-1121,"msg":"Invalid symbol."}"#),
            "b\"d" => Reply::new(400, r#"{"code":-1100,"msg":"Illegal characters."}"#),
            "EMPTY" => Reply::new(200, "[]"),
            "SHORT" => Reply::new(200, format!("[{},[1]]", kline(&start))),
            "TWICE" => Reply::new(200, format!("[{0},{0}]", kline(&start))),
            "TWO" => {
                let other = kline(&start).replace("7.0", "8.0");
                Reply::new(200, format!("[{},{other}]", kline(&start)))
            }
            "OLD" => Reply::new(200, format!("[{}]", kline("0"))),
            "DOWN" => Reply::new(500, "oops"),
            "PAGE" => Reply::new(200, "<!DOCTYPE html>"),
            _ => every_minute(target, i64::MAX),
        })
    })
    .await;
    let feed = feed(&provider.url);
    let asked = symbols(&[
        "UNKNOWN", "BTCUSDT", "b\"d", "EMPTY", "SHORT", "TWICE", "TWO", "OLD", "DOWN", "PAGE",
        "BTCUSDT",
    ]);
    let expected = [
        ("UNKNOWN", "unknown-symbol"),
        ("BTCUSDT", "2"),
        ("b\"d", "unknown-symbol"),
        ("EMPTY", "no-data"),
        ("SHORT", "malformed"),
        ("TWICE", "1"),
        ("TWO", "malformed"),
        ("OLD", "no-data"),
        ("DOWN", "unavailable"),
        ("PAGE", "malformed"),
        ("BTCUSDT", "2"),
    ]
    .map(|(symbol, outcome)| (symbol, outcome.to_owned()));
    assert_eq!(outcomes(&poll(&feed, &asked, minutes(2)).await), expected);
    let requests = provider.targets().len();
    assert_eq!(requests, 13, "the one that is down is tried three times");
    assert_eq!(outcomes(&poll(&feed, &asked, minutes(2)).await), expected);
    assert_eq!(provider.targets().len(), requests + 11);
}

#[tokio::test]
async fn a_symbol_that_hangs_costs_neither_the_deadline_nor_its_neighbours() {
    let provider = Provider::start(|target, _| {
        (query(target)["symbol"] != "HANG").then(|| every_minute(target, i64::MAX))
    })
    .await;
    let mut names = vec!["HANG"];
    names.extend(["BTCUSDT"; 40]);
    let until = Instant::now() + Duration::from_secs(2);
    let feed = feed(&provider.url);
    let bars = feed.minute_bars.as_ref();
    let polled = test_server::bars(bars, &symbols(&names), minutes(3), until).await;
    let late = Instant::now().saturating_duration_since(until);
    assert!(late < Duration::from_secs(3), "{late:?}");
    let mut expected = vec![("HANG", "past-deadline".to_owned())];
    expected.extend(vec![("BTCUSDT", "3".to_owned()); 40]);
    assert_eq!(outcomes(&polled), expected);
}

#[tokio::test]
async fn an_empty_range_and_no_symbols_are_no_requests() {
    let provider = Provider::start(|_, _| None).await;
    let feed = feed(&provider.url);
    let polled = poll(&feed, &symbols(&["BTCUSDT"]), minutes(0)).await;
    assert_eq!(outcomes(&polled), [("BTCUSDT", "no-data".to_owned())]);
    assert_eq!(poll(&feed, &[], minutes(1)).await, []);
    assert_eq!(provider.targets().len(), 0);
}
