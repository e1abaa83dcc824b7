use jiff::Timestamp;
use market::quote_message;

use super::{assert_reviewed, published, replayed};
use crate::replay::{soon, symbols};

fn recorded(target: &str) -> Option<&'static [u8]> {
    match target {
        "/api/v3/ticker/24hr?symbols=%5B%22BTCUSDT%22%5D" => Some(include_bytes!(
            "../binance/fixtures/ticker-24hr-BTCUSDT.json"
        )),
        target if target.starts_with("/api/v3/ticker/24hr?symbols=") => {
            Some(include_bytes!("../binance/fixtures/ticker-24hr-array.json"))
        }
        _ => None,
    }
}

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap()
}

async fn tickers(clock: fn() -> Timestamp, names: &[&str]) -> String {
    let feed = replayed("binance", "BINANCE_URL", &[], clock, recorded).await;
    let quotes = feed.quotes.unwrap();
    let polled = quotes.quotes(&symbols(names), soon()).await;
    published(&polled, |quote| quote_message(quote, false))
}

#[tokio::test]
async fn a_recorded_array_of_tickers_becomes_these_messages() {
    let clock = || at(1_730_439_017_600);
    let text = tickers(clock, &["EOSETH", "ETHBTC", "GONEUSDT", "QTUMETH"]).await;
    assert_reviewed("binance", "ticker-array", &text);
}

#[tokio::test]
async fn a_recorded_single_ticker_becomes_this_message() {
    let text = tickers(|| at(1_586_991_278_601), &["BTCUSDT"]).await;
    assert_reviewed("binance", "ticker-single", &text);
}
