use jiff::Timestamp;
use market::{Observation, Trade, quote_message, trade_message};
use tokio::sync::mpsc;

use super::{assert_reviewed, published, served};
use crate::{
    Polled,
    test_server::{self, settings, soon, stream::StreamProvider, symbols},
};

const TRADES: &str = include_str!("../finnhub/fixtures/trades.json");

fn recorded(target: &str) -> Option<&'static [u8]> {
    match target {
        "/quote?symbol=AAPL" => Some(include_bytes!("../finnhub/fixtures/quote-AAPL.json")),
        "/quote?symbol=ZZZNOTASYMBOL" => {
            Some(include_bytes!("../finnhub/fixtures/quote-unknown.json"))
        }
        _ => None,
    }
}

fn clock() -> Timestamp {
    Timestamp::from_millisecond(1_779_480_001_987).unwrap()
}

#[tokio::test]
async fn recorded_quotes_become_these_messages() {
    let key = [("FINNHUB_API_KEY", "k3y")];
    let feed = served("finnhub", "FINNHUB_URL", &key, clock, recorded).await;
    let asked = symbols(&["AAPL", "ZZZNOTASYMBOL"]);
    let polled = test_server::quotes(&feed, &asked, soon()).await;
    let text = published(&polled, |quote| quote_message(quote, false));
    assert_reviewed("finnhub", "quotes", &text);
}

#[tokio::test]
async fn recorded_trades_become_these_messages() {
    let provider = StreamProvider::accepting(|mut peer, _| async move {
        peer.receive(2).await;
        peer.send(&[TRADES]).await;
        peer.linger().await;
    })
    .await;
    let values = [
        ("FINNHUB_TRADES_URL", provider.url.as_str()),
        ("FINNHUB_API_KEY", "k3y"),
    ];
    let feed = crate::open("finnhub", &settings(&values, clock)).unwrap();
    let trades = feed.trades.as_ref().unwrap();
    let asked = symbols(&["AAPL", "BINANCE:BTCUSDT"]);
    let (sink, mut coming) = mpsc::channel::<Observation<Trade>>(9);
    let receive = async {
        let mut received = Vec::new();
        while received.len() < 2
            && let Some(trade) = coming.recv().await
        {
            received.push(Polled {
                symbol: trade.instrument.symbol.clone(),
                result: Ok(trade),
            });
        }
        drop(coming);
        received
    };
    let (_, received) = tokio::join!(trades.trades(&asked, soon(), sink), receive);
    assert_reviewed("finnhub", "trades", &published(&received, trade_message));
}
