use market::{Digits, Instrument};
use tokio::sync::mpsc;

use super::*;
use crate::{
    Feed,
    test_server::{
        settings,
        stream::{Peer, StreamProvider},
        symbols,
    },
};

mod key;
mod reconnect;
mod refused;

const KEY: &str = "c0ffee-k3y";

/// Trades as they were captured, in one message.
const RECORDED: &str = include_str!("../fixtures/trades.json");

const PING: &str = r#"{"type":"ping"}"#;

fn clock() -> Timestamp {
    Timestamp::from_second(1_779_480_001).unwrap()
}

/// Finnhub that streams from `url`.
fn finnhub(url: &str) -> Feed {
    finnhub_with(url, "50")
}

fn finnhub_with(url: &str, limit: &str) -> Feed {
    let settings = settings(
        &[
            ("FINNHUB_TRADES_URL", url),
            ("FINNHUB_TRADES_SYMBOLS", limit),
            ("FINNHUB_API_KEY", KEY),
        ],
        clock,
    );
    crate::open("finnhub", &settings).unwrap()
}

/// A session that ends `time` from now or when `enough` trades came, and the trades.
async fn session(
    feed: &Feed,
    names: &[&str],
    time: Duration,
    enough: usize,
) -> (TradeSession, Vec<Observation<Trade>>) {
    let (sink, mut received) = mpsc::channel(1000);
    let names = symbols(names);
    let trades = feed.trades.as_ref().unwrap();
    let session = trades.trades(&names, Instant::now() + time, sink);
    let receive = async {
        let mut trades = Vec::new();
        while trades.len() < enough
            && let Some(trade) = received.recv().await
        {
            trades.push(trade);
        }
        drop(received);
        trades
    };
    tokio::join!(session, receive)
}

fn trade(symbol: &str, size: &str) -> String {
    format!(
        r#"{{"type":"trade","data":[{{"p":1.50,"s":"{symbol}","t":1628238530221,"v":{size}}}]}}"#
    )
}

fn sizes(trades: &[Observation<Trade>]) -> Vec<&str> {
    let sizes = trades.iter().map(|trade| trade.said.size.as_str());
    sizes.collect()
}

fn reasons(failed: &[(Symbol, FetchError)]) -> Vec<(&str, &'static str)> {
    let reasons = failed
        .iter()
        .map(|(symbol, error)| (symbol.as_str(), error.reason()));
    reasons.collect()
}

/// Sends texts once `subscribed` symbols are, and waits for the client to go.
async fn say(mut peer: Peer, subscribed: usize, texts: &[&str]) {
    peer.receive(subscribed).await;
    peer.send(texts).await;
    peer.linger().await;
}

const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(300);

#[tokio::test]
async fn recorded_messages_become_exact_observations() {
    let provider = StreamProvider::accepting(|peer, _| say(peer, 2, &[PING, RECORDED, PING])).await;
    let asked = ["AAPL", "BINANCE:BTCUSDT"];
    let (session, trades) = session(&finnhub(&provider.url), &asked, LONG, 2).await;
    let digits = |text: &str| text.parse::<Digits>().unwrap();
    let observation = |instrument: Instrument, price, size, time: &str, conditions: &[&str]| {
        let conditions = conditions.iter().map(|code| (*code).to_owned()).collect();
        Observation {
            source: "finnhub",
            instrument,
            said: Trade {
                price: digits(price),
                size: digits(size),
                time: time.parse().unwrap(),
                conditions,
            },
            fetched_at: clock(),
        }
    };
    let [apple, bitcoin] = asked.map(|symbol| symbol.parse().unwrap());
    assert_eq!(
        trades,
        [
            observation(
                Instrument::us_share(apple),
                "146.76",
                "43",
                "2021-08-06T08:28:50.221Z",
                &["1", "24", "12"]
            ),
            observation(
                Instrument::crypto_pair(bitcoin, "BTCUSDT", None),
                "63229.69",
                "0.00139",
                "2024-07-02T04:17:16.373Z",
                &[]
            ),
        ]
    );
    assert_eq!((session.connections, session.malformed), (1, 0));
    assert_eq!((session.failed, session.errors), (vec![], vec![]));
}

#[tokio::test]
async fn a_session_subscribes_and_leaves_before_the_next_one_connects() {
    let provider =
        StreamProvider::accepting(|peer, before| say(peer, 2 - before, &[RECORDED])).await;
    let feed = finnhub(&provider.url);
    let (first, second) = tokio::join!(
        session(&feed, &["AAPL", "MSFT"], LONG, 1),
        session(&feed, &["SAP.DE"], LONG, 1)
    );
    assert_eq!((first.0.connections, second.0.connections), (1, 1));
    let say = |kind, symbol| format!(r#"{{"symbol":"{symbol}","type":"{kind}"}}"#);
    assert_eq!(
        provider.messages(),
        [
            say("subscribe", "AAPL"),
            say("subscribe", "MSFT"),
            say("unsubscribe", "AAPL"),
            say("unsubscribe", "MSFT"),
            "close".to_owned(),
            say("subscribe", "SAP.DE"),
            say("unsubscribe", "SAP.DE"),
            "close".to_owned(),
        ]
    );
    assert_eq!(
        provider.targets(),
        [format!("/?token={KEY}"), format!("/?token={KEY}")]
    );
}

#[tokio::test]
async fn a_session_that_waits_in_vain_for_another_has_no_turn() {
    let provider = StreamProvider::accepting(|peer, _| peer.linger()).await;
    let feed = finnhub(&provider.url);
    let (first, second) = tokio::join!(
        session(&feed, &["AAPL"], SHORT * 4, 1),
        session(&feed, &["MSFT"], SHORT, 1)
    );
    assert_eq!(first.0.failed, []);
    assert_eq!(reasons(&second.0.failed), [("MSFT", "no-turn")]);
    assert_eq!(provider.targets().len(), 1);
}

#[tokio::test]
async fn the_deadline_is_kept_against_a_flood_that_nobody_takes_and_a_close_that_nobody_answers() {
    let provider = StreamProvider::accepting(|mut peer, _| async move {
        let flood = trade("AAPL", "1");
        // Ends when the client is gone; nothing is ever read.
        while futures::SinkExt::send(&mut peer.socket, flood.as_str().into())
            .await
            .is_ok()
        {}
    })
    .await;
    let feed = finnhub(&provider.url);
    let (sink, received) = mpsc::channel(1);
    let until = Instant::now() + Duration::from_secs(1);
    let asked = symbols(&["AAPL"]);
    let trades = feed.trades.as_ref().unwrap();
    let session = trades.trades(&asked, until, sink).await;
    let late = Instant::now().saturating_duration_since(until);
    assert!(late < Duration::from_secs(3), "{late:?}");
    // What came after the first message that found no room is missing.
    assert!(session.gap > Duration::from_millis(500), "{session:?}");
    drop(received);
}

#[tokio::test]
async fn a_session_ends_when_nobody_receives() {
    let provider = StreamProvider::accepting(|peer, _| peer.linger()).await;
    let began = Instant::now();
    let (report, _) = session(&finnhub(&provider.url), &["AAPL"], LONG, 0).await;
    assert!(began.elapsed() < LONG / 2, "{report:?}");
}

#[tokio::test]
async fn a_slow_receiver_gets_every_trade_in_order() {
    let provider = StreamProvider::accepting(|mut peer, _| async move {
        for size in 0..500 {
            peer.send(&[&trade("AAPL", &size.to_string())]).await;
        }
        peer.linger().await;
    })
    .await;
    let feed = finnhub(&provider.url);
    let (sink, mut received) = mpsc::channel::<Observation<Trade>>(1);
    let asked = symbols(&["AAPL"]);
    let trades = feed.trades.as_ref().unwrap();
    let receive = async {
        for size in 0..500 {
            tokio::task::yield_now().await;
            let trade = received.recv().await.unwrap();
            assert_eq!(trade.said.size.as_str(), size.to_string());
        }
        drop(received);
    };
    let (session, ()) = tokio::join!(trades.trades(&asked, Instant::now() + LONG, sink), receive);
    assert_eq!((session.connections, session.malformed), (1, 0));
}

#[tokio::test]
async fn no_symbols_and_a_past_deadline_connect_to_nobody() {
    let provider = StreamProvider::accepting(|peer, _| peer.linger()).await;
    let feed = finnhub(&provider.url);
    assert_eq!(session(&feed, &[], LONG, 1).await.0.failed, []);
    let (late, _) = session(&feed, &["AAPL"], Duration::ZERO, 1).await;
    assert_eq!(reasons(&late.failed), [("AAPL", "no-turn")]);
    assert_eq!(provider.targets().len(), 0);
}
