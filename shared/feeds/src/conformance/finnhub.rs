use jiff::Timestamp;
use market::quote_message;

use super::{assert_reviewed, published, replayed};
use crate::replay::{self, soon, symbols};

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
    let feed = replayed("finnhub", "FINNHUB_URL", &key, clock, recorded).await;
    let asked = symbols(&["AAPL", "ZZZNOTASYMBOL"]);
    let polled = replay::quotes(&feed, &asked, soon()).await;
    let text = published(&polled, |quote| quote_message(quote, false));
    assert_reviewed("finnhub", "quotes", &text);
}
