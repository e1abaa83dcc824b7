use std::collections::HashSet;

use super::*;
use crate::{
    Feed,
    replay::{Provider, Reply, nobody, outcomes, settings, soon, symbols},
};

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
        let quotes = self.0.quotes.as_ref().unwrap();
        quotes.quotes(symbols, until).await
    }
}

fn feed(url: &str) -> Finnhub {
    let url = format!("{url}/api/v1");
    let settings = settings(&[("FINNHUB_URL", &url), (API_KEY, KEY)], clock);
    Finnhub(crate::open("finnhub", &settings).unwrap())
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
async fn the_key_travels_in_its_header_and_nowhere_else() {
    let provider = Provider::start(|_, _| Some(Reply::new(200, AAPL))).await;
    feed(&provider.url).poll(&symbols(&["AAPL"]), soon()).await;
    let (target, headers) = provider.seen().remove(0);
    assert_eq!(target, "/api/v1/quote?symbol=AAPL");
    assert_eq!(headers["x-finnhub-token"], KEY);
    assert_eq!(
        headers["user-agent"],
        format!("quotelake/{}", env!("CARGO_PKG_VERSION"))
    );
}

#[tokio::test]
async fn the_key_shows_in_no_debug_output_and_no_error() {
    let echo = Provider::start(|target, _| {
        let body = format!(r#"{{"error":"{KEY} is no key"}}"#);
        Some(match target.split_once("symbol=").unwrap().1 {
            "OK200" => Reply::new(200, body),
            "TYPE" => Reply::new(200, format!(r#"{{"c":"{KEY}"}}"#)),
            "DOWN" => Reply::new(500, body),
            _ => Reply::new(401, body),
        })
    })
    .await;
    let feed = feed(&echo.url);
    let mut shown = vec![format!("{:?}", feed.0)];
    let mut polled = feed
        .poll(&symbols(&["AAPL", "OK200", "TYPE", "DOWN"]), soon())
        .await;
    let refused = self::feed(&nobody().await);
    polled.extend(refused.poll(&symbols(&["AAPL"]), soon()).await);
    for polled in &polled {
        let error = polled.result.as_ref().unwrap_err();
        shown.push(format!("{error} {error:?}"));
    }
    assert_eq!(
        polled[0].result.as_ref().unwrap_err().to_string(),
        "the provider refuses the key (*** is no key): check the token"
    );
    assert_eq!(
        outcomes(&polled)
            .iter()
            .map(|(_, reason)| *reason)
            .collect::<Vec<_>>(),
        [
            "unauthorized",
            "malformed",
            "malformed",
            "unavailable",
            "transport"
        ]
    );
    for text in shown {
        assert!(!text.contains(KEY), "{text}");
    }
}

#[test]
fn a_missing_key_stops_the_start_with_one_sentence() {
    let start = |values: &[(&str, &str)]| {
        let error = crate::open("finnhub", &settings(values, clock)).err();
        error.map(|error| error.to_string())
    };
    let missing = "FINNHUB_API_KEY is missing: get a key at https://finnhub.io and set it, or \
                   FINNHUB_API_KEY_SECRET to the name of its secret";
    assert_eq!(start(&[]).as_deref(), Some(missing));
    assert_eq!(start(&[(API_KEY, " \n")]).as_deref(), Some(missing));
    assert_eq!(start(&[(API_KEY, "abc\n")]), None);
}

#[tokio::test]
async fn a_key_that_can_not_travel_in_a_header_is_named_as_such() {
    let settings = settings(
        &[("FINNHUB_URL", &nobody().await), (API_KEY, "a\nb")],
        clock,
    );
    let feed = Finnhub(crate::open("finnhub", &settings).unwrap());
    let polled = feed.poll(&symbols(&["AAPL"]), soon()).await;
    assert_eq!(outcomes(&polled), [("AAPL", "no-key")]);
}

#[tokio::test]
async fn after_429_finnhub_is_left_alone_by_later_polls_too() {
    for (retry_after, longest) in [(None, 60), (Some(7), 7)] {
        let provider = Provider::start(move |_, _| {
            let reply = Reply::new(429, r#"{"error":"API limit reached."}"#);
            Some(match retry_after {
                Some(seconds) => reply.header("retry-after", &seconds.to_string()),
                None => reply,
            })
        })
        .await;
        let feed = feed(&provider.url);
        assert_eq!(
            outcomes(&feed.poll(&symbols(&["AAPL"]), soon()).await),
            [("AAPL", "rate-limited")]
        );
        let polled = feed.poll(&symbols(&["AAPL", "MSFT"]), soon()).await;
        for polled in &polled {
            let left = polled.result.as_ref().unwrap_err().retry_after().unwrap();
            assert!(left <= Duration::from_secs(longest), "{left:?}");
            assert!(left > Duration::from_secs(longest - 5), "{left:?}");
        }
        assert_eq!(provider.targets().len(), 1);
    }
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
    assert!(late < Duration::from_millis(500), "{late:?}");
    let mut expected = vec![("HANG", "past-deadline")];
    expected.extend([("AAPL", "308.82"); 24]);
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
async fn a_failing_symbol_does_not_spend_its_neighbours_budget_on_retries() {
    let provider = Provider::start(|target, _| {
        Some(if target.ends_with("DOWN") {
            Reply::new(500, "down")
        } else {
            Reply::new(200, AAPL)
        })
    })
    .await;
    let feed = feed(&provider.url);
    // Ten cycles of five symbols are 50 of the minute's 60 requests.
    for _ in 0..10 {
        let asked = ["DOWN", "S1", "S2", "S3", "S4"];
        let polled = feed.poll(&symbols(&asked), soon()).await;
        for (symbol, outcome) in outcomes(&polled).into_iter().skip(1) {
            assert_eq!(outcome, "308.82", "{symbol}");
        }
    }
    assert!(
        provider.targets().len() > 50,
        "there was room for some retries"
    );
}

#[tokio::test]
async fn a_key_across_the_cut_of_a_long_answer_is_not_shown_by_half() {
    let provider =
        Provider::start(|_, _| Some(Reply::new(401, format!("{}{KEY}", "x".repeat(195))))).await;
    let polled = feed(&provider.url).poll(&symbols(&["AAPL"]), soon()).await;
    let said = polled[0].result.clone().unwrap_err().to_string();
    assert!(said.contains("xxx") && !said.contains(&KEY[..3]), "{said}");
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

#[tokio::test]
async fn polls_of_more_symbols_than_budget_go_round() {
    let provider = Provider::start(|_, _| Some(Reply::new(200, AAPL))).await;
    let feed = feed(&provider.url);
    let names: Vec<_> = (0..50).map(|n| format!("S{n}")).collect();
    let asked = symbols(&names);
    let mut served = HashSet::new();
    for time in [Duration::from_millis(900), Duration::from_millis(1500)] {
        let polled = feed.poll(&asked, Instant::now() + time).await;
        assert!(polled.iter().map(|polled| &polled.symbol).eq(&asked));
        assert!(
            outcomes(&polled)
                .iter()
                .all(|(_, outcome)| ["308.82", "over-budget"].contains(outcome))
        );
        served.extend(
            polled
                .into_iter()
                .filter(|polled| polled.result.is_ok())
                .map(|polled| polled.symbol),
        );
    }
    assert_eq!(served.len(), 50);
    assert!(provider.targets().len() <= 60);
}
