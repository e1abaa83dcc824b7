use std::{collections::HashSet, time::Duration};

use jiff::civil::Date;

use super::*;
use crate::{
    Feed, Polled,
    test_server::{self, Provider, Reply, early, outcomes, settings, soon, symbols},
};

const TCB: &str = include_str!("../fixtures/board-TCB.json");
const FPT: &str = include_str!("../fixtures/bars-day-FPT.json");

fn clock() -> Timestamp {
    "2026-04-20T02:41:20Z".parse().unwrap()
}

/// KBS at an address, through its registration.
fn feed(url: &str) -> Feed {
    let settings = settings(&[("KBS_URL", &format!("{url}/investment"))], clock);
    crate::open("kbs", &settings).unwrap()
}

async fn poll(feed: &Feed, names: &[&str]) -> Vec<Polled<Quote>> {
    test_server::quotes(feed, &symbols(names), soon()).await
}

fn february() -> Range<Timestamp> {
    "2026-02-11T17:00:00Z".parse().unwrap().."2026-02-13T10:00:00Z".parse().unwrap()
}

#[tokio::test]
async fn the_board_is_one_post_and_200_and_201_are_success() {
    for status in [200, 201] {
        let provider = Provider::start(move |_, _| Some(Reply::new(status, TCB))).await;
        let polled = poll(&feed(&provider.url), &["TCB", "VCI"]).await;
        assert_eq!(
            outcomes(&polled),
            [("TCB", "32600"), ("VCI", "unknown-symbol")]
        );
        let observation = polled[0].result.as_ref().unwrap();
        assert_eq!(observation.source, "kbs");
        assert_eq!(observation.instrument.mic.unwrap().as_str(), "XSTC");
        assert_eq!(provider.bodies(), [r#"{"code":"TCB,VCI"}"#]);
        let (target, headers) = provider.seen().remove(0);
        assert_eq!(target, "/investment/stock/iss");
        assert_eq!(headers["x-lang"], "vi");
        assert_eq!(headers["accept"], "application/json, text/plain, */*");
    }
}

#[tokio::test]
async fn what_is_no_board_is_malformed_and_what_is_blocked_rejected() {
    for (status, body, reason) in [
        (200, "<html>challenge", "malformed"),
        (200, &TCB[..TCB.len() - 5], "malformed"),
        (200, r#"{"status":500}"#, "malformed"),
        (400, "Request Blocked", "rejected"),
        (403, "<html>", "forbidden"),
    ] {
        let provider = Provider::start(move |_, _| Some(Reply::new(status, body))).await;
        let polled = poll(&feed(&provider.url), &["TCB"]).await;
        assert_eq!(outcomes(&polled), [("TCB", reason)]);
    }
}

#[tokio::test]
async fn days_are_asked_for_by_local_dates_and_come_oldest_first_within_the_range() {
    let provider = Provider::start(|_, _| Some(Reply::new(200, FPT))).await;
    let feed = feed(&provider.url);
    let bars: Option<&Arc<dyn Bars<Date>>> = feed.daily_bars.as_ref();
    let polled = test_server::bars(bars, &symbols(&["FPT"]), february(), soon()).await;
    assert_eq!(
        provider.targets(),
        ["/investment/stocks/FPT/data_day?sdate=12-02-2026&edate=13-02-2026"]
    );
    let observation = polled[0].result.as_ref().unwrap();
    assert_eq!(observation.source, "kbs");
    let days: Vec<_> = observation
        .said
        .iter()
        .map(|day| day.at.to_string())
        .collect();
    assert_eq!(days, ["2026-02-12", "2026-02-13"]);
}

#[tokio::test]
async fn minutes_have_a_list_of_their_own() {
    let body = r#"{"symbol":"TCB","data_1P":[{"t":"2026-02-12 09:16","o":2,"h":2,"l":2,"c":2,"v":2},{"t":"2026-02-12 09:15","o":1,"h":1,"l":1,"c":1,"v":1}]}"#;
    let provider = Provider::start(move |_, _| Some(Reply::new(200, body))).await;
    let feed = feed(&provider.url);
    let bars = feed.minute_bars.as_ref();
    let polled = test_server::bars(bars, &symbols(&["TCB"]), february(), soon()).await;
    let minutes = &polled[0].result.as_ref().unwrap().said;
    assert_eq!(minutes[0].at.to_string(), "2026-02-12T02:15:00Z");
    assert_eq!(minutes[1].at.to_string(), "2026-02-12T02:16:00Z");
    let target = provider.targets().remove(0);
    assert!(
        target.starts_with("/investment/stocks/TCB/data_1P?"),
        "{target}"
    );
}

#[tokio::test]
async fn a_bad_series_costs_no_other_and_an_empty_one_is_no_data() {
    let provider = Provider::start(|target, _| {
        Some(match target.split('/').nth(3).unwrap() {
            "TEXT" => Reply::new(200, "blocked"),
            "HALF" => Reply::new(200, &FPT[..90]),
            "NONE" => Reply::new(200, r#"{"symbol":"NONE","data_day":[]}"#),
            "GONE" => Reply::new(404, "no"),
            _ => Reply::new(200, FPT),
        })
    })
    .await;
    let feed = feed(&provider.url);
    let bars: Option<&Arc<dyn Bars<Date>>> = feed.daily_bars.as_ref();
    let asked = symbols(&["TEXT", "FPT", "HALF", "NONE", "GONE", "SSI"]);
    let polled = test_server::bars(bars, &asked, february(), soon()).await;
    let found: Vec<_> = polled
        .iter()
        .map(|polled| {
            polled
                .result
                .as_ref()
                .map_or_else(FetchError::reason, |_| "bars")
        })
        .collect();
    assert_eq!(
        found,
        [
            "malformed",
            "bars",
            "malformed",
            "no-data",
            "rejected",
            "bars"
        ]
    );
    assert!(polled.iter().map(|polled| &polled.symbol).eq(&asked));
}

#[tokio::test]
async fn a_series_that_hangs_does_not_hold_up_the_others() {
    let provider =
        Provider::start(|target, _| (!target.contains("/HANG/")).then(|| Reply::new(200, FPT)))
            .await;
    let feed = feed(&provider.url);
    let bars: &Arc<dyn Bars<Date>> = feed.daily_bars.as_ref().unwrap();
    let names: Vec<_> = (0..12).map(|n| format!("S{n}")).collect();
    let asked = symbols(&[&["HANG".to_owned()], names.as_slice()].concat());
    let poll = async |sink: Sink<'_, _>| bars.bars(&asked, february(), soon(), sink).await;
    let polled = early(12, poll).await;
    assert!(polled.iter().all(|polled| polled.result.is_ok()));
    let came: HashSet<_> = polled.iter().map(|polled| &polled.symbol).collect();
    assert_eq!(came, asked[1..].iter().collect());
}

#[tokio::test]
async fn at_most_four_series_are_asked_for_at_once() {
    let provider = Provider::start(|_, _| None).await;
    let feed = feed(&provider.url);
    let bars: Option<&Arc<dyn Bars<Date>>> = feed.daily_bars.as_ref();
    let names: Vec<_> = (0..12).map(|n| format!("S{n}")).collect();
    let until = Instant::now() + Duration::from_millis(500);
    let polled = test_server::bars(bars, &symbols(&names), february(), until).await;
    assert_eq!(provider.targets().len(), 4);
    assert_eq!(polled.len(), 12);
    assert!(until.elapsed() < Duration::from_secs(3));
}
