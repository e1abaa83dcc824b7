use std::time::Instant as Clock;

use jiff::{Timestamp, civil::Date};
use market::{Bar, Digits, Quote};
use tokio::time::Instant;

use super::*;
use crate::{
    FetchError, Polled, Sink,
    test_server::{self, Provider, Reply, early, nobody, settings, soon, symbols},
};

const VCI_BOARD: &str = include_str!("../vci/fixtures/board-TCB.json");
const VCI_DAYS: &str = include_str!("../vci/fixtures/bars-day.json");
const KBS_BOARD: &str = include_str!("../kbs/fixtures/board-TCB.json");
const KBS_DAYS: &str = include_str!("../kbs/fixtures/bars-day-FPT.json");
const DNSE_DAYS: &str = include_str!("../dnse/fixtures/bars-day-FPT.json");

fn clock() -> Timestamp {
    "2026-02-13T10:00:00Z".parse().unwrap()
}

fn feed(vci: &str, kbs: &str, dnse: &str) -> Feed {
    let settings = settings(
        &[("VCI_URL", vci), ("KBS_URL", kbs), ("DNSE_URL", dnse)],
        clock,
    );
    crate::open("vietnam", &settings).unwrap()
}

/// A broker that always answers so.
async fn broker(status: u16, body: &'static str) -> Provider {
    Provider::start(move |_, _| Some(Reply::new(status, body))).await
}

/// KBS with a row for every symbol asked for.
async fn kbs() -> Provider {
    Provider::start_with_bodies(|_, body, _| {
        let asked: serde_json::Value = serde_json::from_str(body).unwrap();
        let names: Vec<_> = asked["code"].as_str().unwrap().split(',').collect();
        Some(Reply::new(201, board(KBS_BOARD, &names)))
    })
    .await
}

/// The board of TCB with a row for each of these symbols instead.
fn board<T: AsRef<str>>(of_tcb: &str, names: &[T]) -> String {
    let row = &of_tcb[1..of_tcb.len() - 1];
    let rows: Vec<_> = names
        .iter()
        .map(|name| row.replace("TCB", name.as_ref()))
        .collect();
    format!("[{}]", rows.join(","))
}

/// Each symbol with the broker that answered, or the reason why there is no answer.
fn sources<T>(polled: &[Polled<T>]) -> Vec<(&str, &str)> {
    polled
        .iter()
        .map(|polled| {
            let said = polled.result.as_ref();
            (
                polled.symbol.as_str(),
                said.map_or_else(FetchError::reason, |said| said.source),
            )
        })
        .collect()
}

async fn poll(feed: &Feed, names: &[&str], until: Instant) -> Vec<Polled<Quote>> {
    test_server::quotes(feed, &symbols(names), until).await
}

#[tokio::test]
async fn whatever_is_wrong_with_vci_kbs_answers() {
    let good = kbs().await;
    let nobody = nobody().await;
    let faults = [
        broker(403, "<html>").await,
        broker(429, "slower").await,
        broker(500, "oops").await,
        broker(302, "<a href=/>").await,
        broker(200, "<!DOCTYPE html><title>Just a moment").await,
        broker(200, "[]").await,
        broker(200, r#"[{"listingInfo":{"symbol":"TCB"}}]"#).await,
        broker(200, "[{").await,
        broker(200, r#"{"status":"ok"}"#).await,
    ];
    let urls = faults.iter().map(|fault| fault.url.as_str());
    for url in urls.chain([nobody.as_str()]) {
        let feed = feed(url, &good.url, &nobody);
        let polled = poll(&feed, &["TCB", "VCB"], soon()).await;
        assert_eq!(sources(&polled), [("TCB", "kbs"), ("VCB", "kbs")], "{url}");
    }
}

#[tokio::test]
async fn a_vci_that_hangs_leaves_kbs_the_time_to_answer() {
    let vci = Provider::start(|_, _| None).await;
    let feed = feed(&vci.url, &kbs().await.url, &nobody().await);
    let start = Clock::now();
    let until = Instant::now() + Duration::from_secs(2);
    let polled = poll(&feed, &["TCB"], until).await;
    assert_eq!(sources(&polled), [("TCB", "kbs")]);
    assert!(start.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn a_batch_that_hangs_at_vci_does_not_hold_up_the_batch_before_it() {
    // VCI is asked for 200 at once.
    let names: Vec<_> = (0..201).map(|n| format!("S{n}")).collect();
    let board = board(VCI_BOARD, &names);
    let vci = Provider::start(move |_, before| (before == 0).then(|| Reply::new(200, &board)));
    let feed = feed(&vci.await.url, &kbs().await.url, &nobody().await);
    let quotes = feed.quotes.as_ref().unwrap();
    let asked = symbols(&names);
    let poll = async |sink: Sink<'_, _>| quotes.quotes(&asked, soon(), sink).await;
    let polled = early(200, poll).await;
    let expected: Vec<_> = names[..200]
        .iter()
        .map(|name| (name.as_str(), "vci"))
        .collect();
    assert_eq!(sources(&polled), expected);
}

#[tokio::test]
async fn one_symbol_that_vci_leaves_out_is_that_of_kbs_and_the_rest_stays_with_vci() {
    let vci = broker(200, VCI_BOARD).await;
    let kbs = kbs().await;
    let polled = poll(
        &feed(&vci.url, &kbs.url, &nobody().await),
        &["VCB", "TCB"],
        soon(),
    )
    .await;
    assert_eq!(sources(&polled), [("VCB", "kbs"), ("TCB", "vci")]);
    assert_eq!(kbs.bodies(), [r#"{"code":"VCB"}"#]);
}

#[tokio::test]
async fn when_nobody_answers_each_symbol_has_the_error_of_vci() {
    let vci = broker(403, "<html>").await;
    let kbs = broker(200, "[]").await;
    let feed = feed(&vci.url, &kbs.url, &nobody().await);
    let polled = poll(&feed, &["TCB", "VCB"], soon()).await;
    assert_eq!(
        sources(&polled),
        [("TCB", "forbidden"), ("VCB", "forbidden")]
    );
}

#[tokio::test]
async fn the_board_is_the_same_from_vci_and_from_kbs() {
    let vci = broker(200, VCI_BOARD).await;
    let kbs = broker(200, KBS_BOARD).await;
    let nobody = nobody().await;
    let quote = async |vci: &str, kbs: &str| {
        let polled = poll(&feed(vci, kbs, &nobody), &["TCB"], soon()).await;
        let observation = polled.into_iter().next().unwrap().result.unwrap();
        let Quote::Board(quote) = observation.said else {
            panic!("no board")
        };
        let price = quote.price.value();
        let others = [
            &quote.total_volume,
            &quote.reference,
            &quote.ceiling,
            &quote.floor,
            &quote.volume,
            &quote.high,
            &quote.low,
            &quote.bid,
            &quote.ask,
        ]
        .map(|digits| digits.as_ref().map(Digits::value));
        (observation.source, price, others, observation.instrument)
    };
    let from_vci = quote(&vci.url, &kbs.url).await;
    let from_kbs = quote(&nobody, &kbs.url).await;
    assert_eq!((from_vci.0, from_kbs.0), ("vci", "kbs"));
    assert_eq!(
        (from_vci.1, from_vci.2, from_vci.3),
        (from_kbs.1, from_kbs.2, from_kbs.3)
    );
}

#[tokio::test]
async fn a_day_is_the_same_in_vnd_from_vci_from_kbs_and_from_the_thousands_of_dnse() {
    let vci = broker(200, VCI_DAYS).await;
    let kbs = broker(200, KBS_DAYS).await;
    let dnse = broker(200, DNSE_DAYS).await;
    let nobody = nobody().await;
    let days = async |vci: &str, kbs: &str| -> (&str, Vec<Bar<Date>>) {
        let feed = feed(vci, kbs, &dnse.url);
        let bars = feed.daily_bars.as_ref();
        let range = "2026-02-11T00:00:00Z".parse().unwrap()..clock();
        let polled = test_server::bars(bars, &symbols(&["FPT"]), range, soon()).await;
        let observation = polled.into_iter().next().unwrap().result.unwrap();
        (observation.source, observation.said)
    };
    let (first, from_vci) = days(&vci.url, &kbs.url).await;
    let (second, from_kbs) = days(&nobody, &kbs.url).await;
    let (third, from_dnse) = days(&nobody, &nobody).await;
    assert_eq!([first, second, third], ["vci", "kbs", "dnse"]);
    assert_eq!(from_vci.len(), 3);
    assert_eq!(from_vci[2].close.as_str(), "96300");
    assert_eq!(from_vci, from_kbs);
    assert_eq!(from_vci, from_dnse);
}

#[test]
fn the_capabilities_and_budgets_are_those_of_the_brokers_named() {
    let open = |sources| {
        crate::open(
            "vietnam",
            &settings(&[(SOURCES_SETTING.name, sources)], clock),
        )
        .unwrap()
    };
    let has = |sources| {
        let feed = open(sources);
        let budgets: Vec<_> = feed.budgets.iter().map(|(name, _)| *name).collect();
        (
            budgets,
            feed.quotes.is_some(),
            feed.minute_bars.is_some(),
            feed.daily_bars.is_some(),
            feed.listing.is_some(),
        )
    };
    assert_eq!(
        has(""),
        (vec!["vci", "kbs", "dnse"], true, true, true, true)
    );
    assert_eq!(
        has("dnse, kbs"),
        (vec!["dnse", "kbs"], true, true, true, false)
    );
    assert_eq!(has("dnse"), (vec!["dnse"], false, false, true, false));
}

#[test]
fn a_broker_that_there_is_not_is_named_with_those_that_there_are() {
    for (wrong, problem) in [
        ("ssi", "'ssi' is no source"),
        ("vci,,kbs", "'' is no source"),
        ("vci,vci", "'vci' is there twice"),
        ("VCI", "'VCI' is no source"),
    ] {
        let error = crate::open(
            "vietnam",
            &settings(&[(SOURCES_SETTING.name, wrong)], clock),
        );
        assert_eq!(
            error.unwrap_err().to_string(),
            format!(
                "the setting VIETNAM_SOURCES is '{wrong}' ({problem}): set it to some of vci,kbs,dnse, each once, \
                 separated by commas"
            )
        );
    }
    let error = crate::open("vietnam", &settings(&[("KBS_PER_MINUTE", "0")], clock));
    let error = error.unwrap_err().to_string();
    assert!(
        error.starts_with("the setting KBS_PER_MINUTE is '0'"),
        "{error}"
    );
}
