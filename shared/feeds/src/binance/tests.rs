//! What the capabilities of Binance share: the time it is left alone, and its budget.

use std::{ops::Range, time::Duration};

use jiff::Timestamp;
use market::Symbol;
use tokio::time::{Instant, advance, pause, resume};

use crate::{
    Feed, FetchError,
    test_server::{self, Provider, Reply, settings, soon, symbols},
};

const TICKER: &str = include_str!("fixtures/ticker-24hr-BTCUSDT.json");
const KLINES: &str = include_str!("fixtures/klines-1m-BTCUSDT.json");

fn clock() -> Timestamp {
    Timestamp::from_second(1_785_050_000).unwrap()
}

fn feed(provider: &Provider) -> Feed {
    crate::open(
        "binance",
        &settings(&[("BINANCE_URL", &provider.url)], clock),
    )
    .unwrap()
}

fn answer(target: &str) -> Reply {
    let is_kline = target.starts_with("/api/v3/klines?");
    Reply::new(200, if is_kline { KLINES } else { TICKER })
}

/// Why there is no ticker.
async fn tickers(feed: &Feed, asked: &[Symbol]) -> Option<FetchError> {
    let mut polled = test_server::quotes(feed, asked, soon()).await;
    polled.remove(0).result.err()
}

/// Why there are no bars.
async fn minutes(feed: &Feed, asked: &[Symbol], until: Instant) -> Option<FetchError> {
    let at = |ms| Timestamp::from_millisecond(ms).unwrap();
    let minute: Range<_> = at(1_588_636_800_000)..at(1_588_636_860_000);
    let mut polled = test_server::bars(feed.minute_bars.as_ref(), asked, minute, until).await;
    polled.remove(0).result.err()
}

/// Lets so many seconds pass. Only here, as a clock that stands still leaves no time for the network.
async fn pass(seconds: u64) {
    pause();
    advance(Duration::from_secs(seconds)).await;
    resume();
}

#[tokio::test]
async fn binance_is_left_alone_by_every_poll_for_as_long_as_it_says_to_the_second() {
    let ban = r#"{"code":-1003,"msg":"Way too much request weight used; IP banned until 1785050300000. "}"#;
    let cases = [
        (429, Some("9"), "{}", "rate-limited", 9),
        (429, None, "{}", "rate-limited", 60),
        (418, Some("300"), "{}", "banned", 300),
        (418, None, ban, "banned", 300),
        (418, Some("2"), ban, "banned", 300),
        (403, None, "<html>403 Forbidden", "forbidden", 60),
        (503, Some("30"), "busy", "unavailable", 30),
    ];
    for (status, retry_after, body, reason, rest) in cases {
        let provider = Provider::start(move |target, before| {
            let failure = Reply::new(status, body);
            Some(match retry_after {
                _ if before > 0 => answer(target),
                Some(seconds) => failure.header("retry-after", seconds),
                None => failure,
            })
        })
        .await;
        let feed = feed(&provider);
        let asked = symbols(&["BTCUSDT"]);
        let first = tickers(&feed, &asked).await.unwrap();
        assert_eq!(first.reason(), reason, "{status}");
        pass(rest - 1).await;
        // Too soon for a retry within the poll.
        let until = Instant::now() + Duration::from_millis(500);
        let last = minutes(&feed, &asked, until).await.unwrap();
        assert_eq!(last.reason(), reason, "{status}");
        let left = last.retry_after().unwrap_or_default();
        assert!(left <= Duration::from_secs(1), "{status}: {left:?}");
        assert_eq!(provider.targets().len(), 1, "{status}");
        pass(1).await;
        assert_eq!(minutes(&feed, &asked, soon()).await, None, "{status}");
        assert_eq!(tickers(&feed, &asked).await, None, "{status}");
        assert_eq!(provider.targets().len(), 3, "{status}");
    }
}

#[tokio::test]
async fn weight_that_others_spent_counts_for_tickers_and_klines_alike() {
    let asked = symbols(&["BTCUSDT"]);
    for klines_first in [true, false] {
        let provider = Provider::start(|target, _| {
            Some(answer(target).header("X-MBX-USED-WEIGHT-1M", "5999"))
        })
        .await;
        let feed = feed(&provider);
        let (first, second) = if klines_first {
            (
                minutes(&feed, &asked, soon()).await,
                tickers(&feed, &asked).await,
            )
        } else {
            (
                tickers(&feed, &asked).await,
                minutes(&feed, &asked, soon()).await,
            )
        };
        assert_eq!((first, second), (None, Some(FetchError::OverBudget)));
        assert_eq!(provider.targets().len(), 1);
        assert_eq!(feed.budgets[0].1.usage()[0].spent, 5_999);
    }
}
