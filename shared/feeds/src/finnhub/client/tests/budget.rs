use std::collections::HashSet;

use super::*;

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
async fn those_who_wait_for_budget_hear_of_a_429_at_once_and_spend_nothing() {
    let provider =
        Provider::start(|_, _| Some(Reply::new(429, "").header("retry-after", "7"))).await;
    let feed = feed_with(&provider.url, &[("FINNHUB_PER_SECOND", "1")]);
    let began = Instant::now();
    let polled = feed.poll(&symbols(&["A", "B", "C", "D"]), soon()).await;
    let limited = |(_, reason): &(&str, &str)| *reason == "rate-limited";
    assert!(outcomes(&polled).iter().all(limited));
    assert!(
        began.elapsed() < Duration::from_millis(900),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(feed.0.budgets[0].1.usage()[1].spent, 1);
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

/// How many of 30 symbols have a quote before the second is over, and how many no budget.
async fn quotes_and_over_budget(feed: &Finnhub) -> (usize, usize) {
    let names: Vec<_> = (0..30).map(|n| format!("S{n}")).collect();
    let until = Instant::now() + Duration::from_millis(900);
    let polled = feed.poll(&symbols(&names), until).await;
    let outcomes = outcomes(&polled);
    let count = |asked| {
        outcomes
            .iter()
            .filter(|(_, outcome)| *outcome == asked)
            .count()
    };
    (count("308.82"), count("over-budget"))
}

#[tokio::test]
async fn what_the_headers_say_is_spent_is_not_spent_again() {
    for (limit, remaining, room) in [
        ("60", "10", 10),
        ("60", "0", 0),
        ("60", "59", 30),
        ("10", "60", 30),
        ("60", "few", 30),
    ] {
        let provider = Provider::start(move |_, before| {
            let reply = Reply::new(200, AAPL);
            Some(if before == 0 {
                let reply = reply.header("x-ratelimit-limit", limit);
                reply.header("x-ratelimit-remaining", remaining)
            } else {
                reply
            })
        })
        .await;
        let feed = feed_with(&provider.url, &[("FINNHUB_PER_SECOND", "1000")]);
        feed.poll(&symbols(&["AAPL"]), soon()).await;
        let (quotes, over_budget) = quotes_and_over_budget(&feed).await;
        assert_eq!(
            (quotes, over_budget),
            (room, 30 - room),
            "{limit} {remaining}"
        );
    }
}

#[tokio::test]
async fn the_limits_are_settings() {
    let provider = Provider::start(|_, _| Some(Reply::new(200, AAPL))).await;
    for (setting, window) in [("FINNHUB_PER_SECOND", 0), ("FINNHUB_PER_MINUTE", 1)] {
        let feed = feed_with(&provider.url, &[(setting, "7")]);
        assert_eq!(quotes_and_over_budget(&feed).await, (7, 23), "{setting}");
        assert_eq!(feed.0.budgets[0].1.usage()[window].window.limit, 7);
    }
}

#[tokio::test]
async fn so_many_requests_are_underway_as_the_setting_says() {
    let provider = Provider::start(|_, _| None).await;
    let feed = feed_with(&provider.url, &[("FINNHUB_CONCURRENCY", "2")]);
    let until = Instant::now() + Duration::from_millis(500);
    let polled = feed.poll(&symbols(&["A", "B", "C", "D"]), until).await;
    let mut reasons: Vec<_> = outcomes(&polled)
        .iter()
        .map(|(_, reason)| *reason)
        .collect();
    reasons.sort_unstable();
    let expected = ["no-turn", "no-turn", "past-deadline", "past-deadline"];
    assert_eq!(reasons, expected);
    assert_eq!(provider.targets().len(), 2);
}

#[test]
fn a_setting_that_is_wrong_stops_the_start_with_one_sentence() {
    let cases = [
        (
            "FINNHUB_PER_MINUTE",
            "0",
            "the setting FINNHUB_PER_MINUTE is '0' (out of range): set it to a whole number from 1 to 100000",
        ),
        (
            "FINNHUB_TRADES_SYMBOLS",
            "all",
            "the setting FINNHUB_TRADES_SYMBOLS is 'all' (not a number): set it to a whole number from 1 to 100000",
        ),
        (
            "FINNHUB_TRADES_URL",
            "https://ws.finnhub.io",
            "the setting FINNHUB_TRADES_URL can't be used (it is neither ws nor wss): \
             set it to a URL such as wss://ws.finnhub.io",
        ),
    ];
    for (setting, value, sentence) in cases {
        let settings = settings(&[(API_KEY, KEY), (setting, value)], clock);
        let error = crate::open("finnhub", &settings).unwrap_err();
        assert_eq!(error.to_string(), sentence);
    }
}
