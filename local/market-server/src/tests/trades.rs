use std::time::Duration;

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Error, Message},
};

use crate::{Fault, Provider};

use super::Lab;

/// A websocket's client.
pub(super) struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    pub(super) async fn open(lab: &Lab, token: &str) -> Result<Self, Error> {
        let url = format!("{}?token={token}", lab.market.finnhub_trades_url());
        Ok(Self(connect_async(url).await?.0))
    }

    /// A connection that has already sent the last BTCUSDT trade.
    pub(super) async fn of_btcusdt(lab: &Lab) -> Self {
        let mut socket = Self::open(lab, "one").await.unwrap();
        socket.say("subscribe", "BINANCE:BTCUSDT").await;
        assert_eq!(
            socket.hear().await.unwrap()["data"]
                .as_array()
                .unwrap()
                .len(),
            1
        );
        socket
    }

    pub(super) async fn say(&mut self, kind: &str, symbol: &str) {
        let message = json!({"type": kind, "symbol": symbol}).to_string();
        self.0.send(Message::text(message)).await.unwrap();
    }

    /// The next message as text; nothing when the connection has ended.
    pub(super) async fn hear_text(&mut self) -> Option<String> {
        let received = timeout(Duration::from_secs(10), self.0.next())
            .await
            .unwrap();
        Some(received?.ok()?.into_text().unwrap().to_string())
    }

    pub(super) async fn hear(&mut self) -> Option<Value> {
        Some(serde_json::from_str(&self.hear_text().await?).unwrap())
    }
}

fn status(opened: Result<Socket, Error>) -> u16 {
    match opened.err().expect("a refusal") {
        Error::Http(answer) => answer.status().as_u16(),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_subscription_brings_the_last_trade_and_then_every_new_one_several_to_a_message() {
    let lab = Lab::at_speed(1.0).await;
    let mut socket = Socket::open(&lab, "one").await.unwrap();
    socket.say("subscribe", "AAPL").await;
    socket.say("subscribe", "BINANCE:BTCUSDT").await;
    assert_eq!(
        socket.hear_text().await.unwrap(),
        r#"{"data":[{"c":null,"p":61824,"s":"BINANCE:BTCUSDT","t":1723161254999,"v":0.00008}],"type":"trade"}"#,
    );
    lab.set(3_000);
    assert_eq!(
        socket.hear().await.unwrap(),
        json!({"type": "trade", "data": [
            {"c": null, "p": 61824.01, "s": "BINANCE:BTCUSDT", "t": 1_723_161_255_999_i64, "v": 0.00588},
            {"c": null, "p": 61824, "s": "BINANCE:BTCUSDT", "t": 1_723_161_256_999_i64, "v": 0.00176},
            {"c": null, "p": 61826.61, "s": "BINANCE:BTCUSDT", "t": 1_723_161_257_999_i64, "v": 0.00009},
        ]})
    );
    socket.say("unsubscribe", "BINANCE:BTCUSDT").await;
    socket.say("subscribe", "BINANCE:ETHUSDT").await;
    let trades = socket.hear().await.unwrap();
    assert_eq!(trades["data"][0]["s"], "BINANCE:ETHUSDT");
    lab.set(4_000);
    let trades = socket.hear().await.unwrap();
    let symbols = trades["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|trade| &trade["s"]);
    assert_eq!(symbols.collect::<Vec<_>>(), ["BINANCE:ETHUSDT"]);
}

#[tokio::test]
async fn a_second_without_a_new_trade_brings_none_and_a_round_brings_each_trade_once() {
    let lab = Lab::at_speed(1.0).await;
    let mut socket = Socket::of_btcusdt(&lab).await;
    lab.set(345_000);
    let trades = socket.hear().await.unwrap();
    let recorded: Vec<_> = include_str!("../../data/crypto.csv")
        .lines()
        .filter(|line| line.contains("BTCUSDT"))
        .map(|line| line.split(',').nth(12).unwrap())
        .collect();
    let new = recorded
        .windows(2)
        .filter(|pair| pair[0] != pair[1])
        .count();
    assert_eq!(trades["data"].as_array().unwrap().len(), new);
    assert!(new < 345, "some seconds have no trade");
    lab.set(346_000);
    let trades = socket.hear().await.unwrap();
    assert_eq!(
        trades["data"][0]["t"], 1_723_161_254_999_i64,
        "the first comes after the last"
    );
}

#[tokio::test]
async fn the_51st_symbol_is_refused_and_an_idle_connection_is_sent_pings() {
    let lab = Lab::at_speed(1.0).await;
    let mut socket = Socket::open(&lab, "one").await.unwrap();
    for symbol in 0..51 {
        socket.say("subscribe", &format!("S{symbol}")).await;
    }
    let refused = r#"{"msg":"Subscribing to too many symbols","type":"error"}"#;
    assert_eq!(socket.hear_text().await.unwrap(), refused);
    for minute in 1..=2 {
        lab.set(minute * 60_000);
        assert_eq!(socket.hear_text().await.unwrap(), r#"{"type":"ping"}"#);
    }
    socket.say("unsubscribe", "S0").await;
    socket.say("subscribe", "BINANCE:BTCUSDT").await;
    assert_eq!(socket.hear().await.unwrap()["type"], "trade");
}

#[tokio::test]
async fn a_wrong_token_is_refused_before_the_websocket_opens() {
    let lab = Lab::at_speed(1.0).await;
    for wrong in ["three", ""] {
        assert_eq!(status(Socket::open(&lab, wrong).await), 401);
    }
}

#[tokio::test]
async fn a_second_connection_of_a_token_ends_both_and_the_third_lives() {
    let lab = Lab::at_speed(1.0).await;
    let mut first = Socket::of_btcusdt(&lab).await;
    let mut other = Socket::open(&lab, "two").await.unwrap();
    let mut second = Socket::open(&lab, "one").await.unwrap();
    assert_eq!(second.hear().await, None);
    assert_eq!(first.hear().await, None);
    Socket::of_btcusdt(&lab).await;
    other.say("subscribe", "BINANCE:ETHUSDT").await;
    assert_eq!(other.hear().await.unwrap()["type"], "trade");
}

#[tokio::test]
async fn a_stopped_market_ends_its_websockets() {
    let lab = Lab::at_speed(1.0).await;
    let mut socket = Socket::of_btcusdt(&lab).await;
    lab.market.stop().await;
    assert_eq!(socket.hear().await, None);
}

#[tokio::test]
async fn a_dropped_websocket_is_dropped_again_and_again() {
    let lab = Lab::at_speed(1.0).await;
    let after = Duration::from_secs(2);
    lab.market.set_fault(
        Provider::FinnhubTrades,
        Some(Fault::DropWebsocket { after }),
    );
    for round in 1..=3 {
        let mut socket = Socket::of_btcusdt(&lab).await;
        lab.set(round * 2_000);
        assert_eq!(socket.hear().await, None);
    }
}

#[tokio::test]
async fn a_frozen_or_empty_websocket_sends_pings_alone_and_a_truncated_one_half_a_message() {
    let lab = Lab::at_speed(1.0).await;
    let fault = |fault| lab.market.set_fault(Provider::FinnhubTrades, fault);
    let mut socket = Socket::of_btcusdt(&lab).await;
    for (minute, silent) in [(1, Fault::Frozen), (2, Fault::EmptyBoard)] {
        fault(Some(silent));
        lab.set(minute * 60_000);
        assert_eq!(socket.hear_text().await.unwrap(), r#"{"type":"ping"}"#);
    }
    fault(Some(Fault::Truncated));
    lab.set(130_000);
    let half = socket.hear_text().await.unwrap();
    assert!(
        half.starts_with(r#"{"data":["#) && !half.ends_with('}'),
        "{half}"
    );
    fault(None);
    lab.set(140_000);
    assert_eq!(socket.hear().await.unwrap()["type"], "trade");
}

#[tokio::test]
async fn the_faults_of_http_meet_a_websocket_as_it_opens() {
    let lab = Lab::at_speed(1.0).await;
    for (fault, answer) in [("429", 429), ("418=2m", 418), ("500", 500), ("html", 200)] {
        let fault = fault.parse().unwrap();
        lab.market.set_fault(Provider::FinnhubTrades, Some(fault));
        assert_eq!(status(Socket::open(&lab, "one").await), answer);
    }
    lab.market
        .set_fault(Provider::FinnhubTrades, Some(Fault::Reset));
    assert!(Socket::open(&lab, "one").await.is_err());
    lab.market.set_fault(Provider::FinnhubTrades, None);
    Socket::of_btcusdt(&lab).await;
}
