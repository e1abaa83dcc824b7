use jiff::Timestamp;

use super::*;
use crate::{
    Feed, Polled,
    test_server::{self, Provider, Reply, early, outcomes, settings, soon, symbols},
};

mod budget;
mod key;

const AAPL: &[u8] = include_bytes!("../fixtures/quote-AAPL.json");
const UNKNOWN: &[u8] = include_bytes!("../fixtures/quote-unknown.json");
const FORBIDDEN: &[u8] = include_bytes!("../fixtures/forbidden.json");
const API_KEY: &str = "FINNHUB_API_KEY";
const KEY: &str = "c0ffee-k3y";

fn clock() -> Timestamp {
    Timestamp::from_second(1_779_480_001).unwrap()
}

/// Finnhub at `url`, through its registration.
struct Finnhub(Feed);

impl Finnhub {
    async fn poll(&self, symbols: &[Symbol], until: Instant) -> Vec<Polled<Quote>> {
        test_server::quotes(&self.0, symbols, until).await
    }
}

fn feed(url: &str) -> Finnhub {
    feed_with(url, &[])
}

fn feed_with(url: &str, others: &[(&str, &str)]) -> Finnhub {
    let url = format!("{url}/api/v1");
    let values = [&[("FINNHUB_URL", url.as_str()), (API_KEY, KEY)], others].concat();
    Finnhub(crate::open("finnhub", &settings(&values, clock)).unwrap())
}

#[tokio::test]
async fn one_bad_symbol_never_costs_another() {
    let provider = Provider::start(|target, _| {
        Some(match target.split_once("symbol=").unwrap().1 {
            "NONE" => Reply::new(200, UNKNOWN),
            "PAID" => Reply::new(403, FORBIDDEN),
            "DOWN" => Reply::new(500, "oops"),
            "PAGE" => Reply::new(200, "<!DOCTYPE html><title>Just a moment"),
            "MOVED" => Reply::new(302, "<a href=/>").header("location", "/elsewhere"),
            _ => Reply::new(200, AAPL),
        })
    })
    .await;
    let asked = symbols(&[
        "NONE", "AAPL", "PAID", "DOWN", "PAGE", "MOVED", "A:B", "AAPL",
    ]);
    let polled = feed(&provider.url).poll(&asked, soon()).await;
    assert_eq!(
        outcomes(&polled),
        [
            ("NONE", "unknown-symbol"),
            ("AAPL", "308.82"),
            ("PAID", "forbidden"),
            ("DOWN", "unavailable"),
            ("PAGE", "malformed"),
            ("MOVED", "redirected"),
            ("A:B", "308.82"),
            ("AAPL", "308.82"),
        ]
    );
    let targets = provider.targets();
    assert_eq!(
        targets
            .iter()
            .filter(|target| target.ends_with("DOWN"))
            .count(),
        3
    );
    assert!(
        targets.contains(&"/api/v1/quote?symbol=A%3AB".to_owned()),
        "{targets:?}"
    );
    assert_eq!(targets.len(), 10, "{targets:?}");
}

#[tokio::test]
async fn a_quote_bears_the_time_it_was_fetched() {
    let provider = Provider::start(|_, _| Some(Reply::new(200, AAPL))).await;
    let polled = feed(&provider.url).poll(&symbols(&["AAPL"]), soon()).await;
    assert_eq!(polled[0].result.as_ref().unwrap().fetched_at, clock());
}

#[tokio::test]
async fn no_symbols_are_no_requests() {
    let provider = Provider::start(|_, _| None).await;
    assert_eq!(feed(&provider.url).poll(&[], soon()).await, []);
    assert_eq!(provider.targets().len(), 0);
}

#[tokio::test]
async fn an_outage_of_a_moment_is_bridged_by_a_retry() {
    let provider = Provider::start(|_, before| {
        Some(if before < 2 {
            Reply::new(503, "busy")
        } else {
            Reply::new(200, AAPL)
        })
    })
    .await;
    let polled = feed(&provider.url).poll(&symbols(&["AAPL"]), soon()).await;
    assert_eq!(outcomes(&polled), [("AAPL", "308.82")]);
    assert_eq!(provider.targets().len(), 3);
}

#[tokio::test]
async fn a_symbol_that_hangs_costs_neither_the_deadline_nor_its_neighbours() {
    let provider =
        Provider::start(|target, _| (!target.ends_with("HANG")).then(|| Reply::new(200, AAPL)))
            .await;
    let mut asked = vec!["HANG"];
    asked.extend(["AAPL"; 24]);
    let until = Instant::now() + Duration::from_secs(4);
    let polled = feed(&provider.url).poll(&symbols(&asked), until).await;
    let late = Instant::now().saturating_duration_since(until);
    assert!(late < Duration::from_secs(3), "{late:?}");
    let mut expected = vec![("HANG", "past-deadline")];
    expected.extend([("AAPL", "308.82"); 24]);
    assert_eq!(outcomes(&polled), expected);
}

#[tokio::test]
async fn a_symbol_that_hangs_does_not_hold_up_its_neighbours_quotes() {
    let provider =
        Provider::start(|target, _| (!target.ends_with("HANG")).then(|| Reply::new(200, AAPL)))
            .await;
    let feed = feed(&provider.url).0;
    let quotes = feed.quotes.as_ref().unwrap();
    let asked = symbols(&["HANG", "A", "B", "C"]);
    let poll = async |sink: Sink<'_, _>| quotes.quotes(&asked, soon(), sink).await;
    let mut polled = early(3, poll).await;
    polled.sort_by(|one, other| one.symbol.cmp(&other.symbol));
    let expected = [("A", "308.82"), ("B", "308.82"), ("C", "308.82")];
    assert_eq!(outcomes(&polled), expected);
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_hangs_gets_three_tries_of_five_seconds() {
    let provider = Provider::start(|_, _| None).await;
    let start = Instant::now();
    let polled = feed(&provider.url).poll(&symbols(&["AAPL"]), soon()).await;
    assert_eq!(outcomes(&polled), [("AAPL", "timeout")]);
    let took = start.elapsed();
    assert!(
        (Duration::from_secs(15)..Duration::from_secs(16)).contains(&took),
        "{took:?}"
    );
}

#[tokio::test]
async fn a_deadline_that_is_past_sends_nothing() {
    let provider = Provider::start(|_, _| Some(Reply::new(200, AAPL))).await;
    let polled = feed(&provider.url)
        .poll(&symbols(&["AAPL", "MSFT"]), Instant::now())
        .await;
    assert_eq!(
        outcomes(&polled),
        [("AAPL", "no-turn"), ("MSFT", "no-turn")]
    );
    assert_eq!(provider.targets().len(), 0);
}
