mod bars;

use std::time::Duration;

use market::{Calendar, Quote};

use super::*;
use crate::{
    Feed, Polled,
    test_server::{self, Provider, Reply, outcomes, settings, soon, symbols},
};

const TCB: &str = include_str!("../fixtures/board-TCB.json");

fn clock() -> Timestamp {
    "2026-04-20T02:40:36Z".parse().unwrap()
}

/// VCI at an address, through its registration.
fn feed(url: &str) -> Feed {
    let settings = settings(&[("VCI_URL", url)], clock);
    crate::open("vci", &settings).unwrap()
}

async fn poll(feed: &Feed, names: &[&str]) -> Vec<Polled<Quote>> {
    test_server::quotes(feed, &symbols(names), soon()).await
}

/// The board with a row for each of these symbols.
fn board<T: AsRef<str>>(names: &[T]) -> String {
    let row = &TCB[1..TCB.len() - 1];
    let rows: Vec<_> = names
        .iter()
        .map(|name| row.replace("TCB", name.as_ref()))
        .collect();
    format!("[{}]", rows.join(","))
}

#[tokio::test]
async fn the_board_is_asked_once_for_all_with_plain_headers() {
    let provider = Provider::start(|_, _| Some(Reply::new(200, board(&["VCI", "TCB"])))).await;
    let polled = poll(&feed(&provider.url), &["TCB", "NONE", "VCI", "TCB"]).await;
    assert_eq!(
        outcomes(&polled),
        [
            ("TCB", "32600"),
            ("NONE", "unknown-symbol"),
            ("VCI", "32600"),
            ("TCB", "32600")
        ]
    );
    assert_eq!(provider.bodies(), [r#"{"symbols":["TCB","NONE","VCI"]}"#]);
    let (target, headers) = provider.seen().remove(0);
    assert_eq!(target, "/api/price/symbols/getList");
    for (name, value) in [
        ("content-type", "application/json"),
        ("accept", "application/json, text/plain, */*"),
        ("referer", "https://trading.vietcap.com.vn/"),
        ("origin", "https://trading.vietcap.com.vn"),
    ] {
        assert_eq!(headers[name], value);
    }
}

#[tokio::test]
async fn headers_are_a_setting() {
    let provider = Provider::start(|_, _| Some(Reply::new(200, TCB))).await;
    let values = [
        ("VCI_URL", provider.url.as_str()),
        (
            "VCI_HEADERS",
            r#"{"User-Agent":"mine/1","Referer":"https://a.example/"}"#,
        ),
    ];
    let feed = crate::open("vci", &settings(&values, clock)).unwrap();
    poll(&feed, &["TCB"]).await;
    let (_, headers) = provider.seen().remove(0);
    assert_eq!(headers["user-agent"], "mine/1");
    assert_eq!(headers["referer"], "https://a.example/");
    assert_eq!(headers["origin"], "https://trading.vietcap.com.vn");
    let wrong = settings(&[("VCI_HEADERS", "Referer: x")], clock);
    let error = crate::open("vci", &wrong).unwrap_err().to_string();
    assert!(
        error.starts_with("the setting VCI_HEADERS can't be used (it is no JSON object"),
        "{error}"
    );
}

#[tokio::test]
async fn a_row_becomes_a_quote_of_its_exchange() {
    let provider = Provider::start(|_, _| Some(Reply::new(200, TCB))).await;
    let polled = poll(&feed(&provider.url), &["TCB"]).await;
    let observation = polled[0].result.as_ref().unwrap();
    assert_eq!(observation.source, "vci");
    assert_eq!(observation.fetched_at, clock());
    let instrument = &observation.instrument;
    assert_eq!(instrument.mic.unwrap().as_str(), "XSTC");
    assert_eq!(instrument.calendar, Some(Calendar::Hose));
    assert_eq!(instrument.currency.as_deref(), Some("VND"));
    let Quote::Board(quote) = &observation.said else {
        panic!("{observation:?}")
    };
    assert!(quote.traded);
    assert_eq!(quote.time.unwrap().to_string(), "2026-04-20T02:40:34Z");
}

#[tokio::test]
async fn before_the_first_match_the_price_is_the_reference_price_and_never_0() {
    let board = include_str!("../fixtures/board.json");
    let suspended = TCB.replace("32600", "0").replace("32250", "0");
    let provider = Provider::start_with_bodies(move |_, body, _| {
        let body = if body.contains("YTC") {
            board
        } else {
            &suspended
        };
        Some(Reply::new(200, body))
    })
    .await;
    let feed = feed(&provider.url);
    let suspended = poll(&feed, &["TCB"]).await;
    assert_eq!(outcomes(&suspended), [("TCB", "unknown-symbol")]);
    let polled = poll(&feed, &["YTC"]).await;
    assert_eq!(outcomes(&polled), [("YTC", "28000")]);
    let Quote::Board(quote) = &polled[0].result.as_ref().unwrap().said else {
        panic!("{polled:?}")
    };
    assert!(!quote.traded);
    assert_eq!(quote.time, None, "VCI names no time of it");
}

#[tokio::test]
async fn many_symbols_are_asked_for_in_two_hundreds() {
    let provider = Provider::start_with_bodies(|_, body, _| {
        let asked: serde_json::Value = serde_json::from_str(body).unwrap();
        let names: Vec<String> = serde_json::from_value(asked["symbols"].clone()).unwrap();
        Some(Reply::new(200, board(&names)))
    })
    .await;
    let names: Vec<_> = (0..450).map(|n| format!("S{n}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let polled = poll(&feed(&provider.url), &names).await;
    assert!(polled.iter().all(|polled| polled.result.is_ok()));
    assert_eq!(provider.targets().len(), 3);
}

#[tokio::test]
async fn what_is_no_board_is_malformed_for_every_symbol_asked() {
    let truncated = &TCB[..TCB.len() - 9];
    for body in ["<!DOCTYPE html><title>Just a moment", truncated, "{}", ""] {
        let body = body.to_owned();
        let provider = Provider::start(move |_, _| Some(Reply::new(200, &body))).await;
        let polled = poll(&feed(&provider.url), &["TCB", "VCI"]).await;
        assert_eq!(
            outcomes(&polled),
            [("TCB", "malformed"), ("VCI", "malformed")]
        );
    }
}

#[tokio::test]
async fn a_bad_row_costs_no_neighbour_and_one_without_a_name_is_that_of_the_missing() {
    let bad = board(&["BAD"]).replace(r#""matchPrice":32600"#, r#""matchPrice":[]"#);
    let body = format!(
        "[{},{{}},{}]",
        &bad[1..bad.len() - 1],
        &TCB[1..TCB.len() - 1]
    );
    let provider = Provider::start(move |_, _| Some(Reply::new(200, &body))).await;
    let polled = poll(&feed(&provider.url), &["GONE", "BAD", "TCB"]).await;
    assert_eq!(
        outcomes(&polled),
        [
            ("GONE", "malformed"),
            ("BAD", "malformed"),
            ("TCB", "32600")
        ]
    );
}

#[tokio::test]
async fn vci_is_left_alone_after_it_denied_access_or_asked_for_a_rest() {
    for (status, header, reason, longest) in [
        (403, None, "forbidden", 0),
        (429, None, "rate-limited", 60),
        (429, Some("7"), "rate-limited", 7),
    ] {
        let provider = Provider::start(move |_, _| {
            let reply = Reply::new(status, "<html>");
            Some(match header {
                Some(seconds) => reply.header("retry-after", seconds),
                None => reply,
            })
        })
        .await;
        let feed = feed(&provider.url);
        for _ in 0..2 {
            let polled = poll(&feed, &["TCB"]).await;
            assert_eq!(outcomes(&polled), [("TCB", reason)]);
            let error = polled[0].result.as_ref().unwrap_err();
            let left = error.retry_after().unwrap_or_default().as_secs();
            assert!(left <= longest && left + 5 > longest, "{error}");
        }
        assert_eq!(provider.targets().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn after_a_quarter_of_an_hour_a_denied_access_is_tried_again() {
    let provider = Provider::start(|_, _| Some(Reply::new(403, "no"))).await;
    let feed = feed(&provider.url);
    for (minutes, requests) in [(0, 1), (14, 1), (1, 2)] {
        // Paused only here: a paused clock leaps while a request is under way.
        tokio::time::pause();
        tokio::time::advance(Duration::from_mins(minutes)).await;
        tokio::time::resume();
        poll(&feed, &["TCB"]).await;
        assert_eq!(provider.targets().len(), requests, "{minutes}");
    }
}

#[tokio::test]
async fn a_vci_that_hangs_costs_no_deadline() {
    let provider = Provider::start(|_, _| None).await;
    let feed = feed(&provider.url);
    let until = Instant::now() + Duration::from_millis(300);
    let names: Vec<_> = (0..300).map(|n| format!("S{n}")).collect();
    let polled = test_server::quotes(&feed, &symbols(&names), until).await;
    assert!(until.elapsed() < Duration::from_secs(3));
    let found = outcomes(&polled);
    assert_eq!((found[0].1, found[299].1), ("past-deadline", "no-turn"));
    assert_eq!(found.len(), 300);
}

#[tokio::test]
async fn the_listing_is_one_get() {
    let body = include_str!("../fixtures/securities.json");
    let provider = Provider::start(move |_, _| Some(Reply::new(200, body))).await;
    let listing = feed(&provider.url).listing.unwrap();
    assert_eq!(
        listing.listed(soon()).await,
        Ok(symbols(&["CAP", "TCB", "YTC"]))
    );
    assert_eq!(provider.targets(), ["/api/price/symbols/getAll"]);
}
