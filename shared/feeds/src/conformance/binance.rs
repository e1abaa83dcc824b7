use jiff::Timestamp;
use market::{history_message, intraday_message, quote_message};

use super::{assert_reviewed, published, served};
use crate::{
    Feed,
    test_server::{self, soon, symbols},
};

fn recorded(target: &str) -> Option<&'static [u8]> {
    match target {
        "/api/v3/ticker/24hr?symbols=%5B%22BTCUSDT%22%5D" => Some(include_bytes!(
            "../binance/fixtures/ticker-24hr-BTCUSDT.json"
        )),
        "/api/v3/klines?symbol=BTCUSDT&interval=1m&startTime=1588636800000&endTime=1588637400000&limit=1000" => {
            Some(include_bytes!("../binance/fixtures/klines-1m-BTCUSDT.json"))
        }
        "/api/v3/klines?symbol=BTCUSDT&interval=1d&startTime=1546300800000&endTime=1546700000000&limit=1000" => {
            Some(include_bytes!("../binance/fixtures/klines-1d-BTCUSDT.json"))
        }
        target if target.starts_with("/api/v3/exchangeInfo?symbols=") => {
            Some(include_bytes!("../binance/fixtures/exchange-info.json"))
        }
        target if target.starts_with("/api/v3/ticker/24hr?symbols=") => {
            Some(include_bytes!("../binance/fixtures/ticker-24hr-array.json"))
        }
        _ => None,
    }
}

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap()
}

/// Binance, of which these pairs' assets are known.
async fn binance(clock: fn() -> Timestamp, names: &[&str]) -> Feed {
    let feed = served("binance", "BINANCE_URL", &[], clock, recorded).await;
    let instruments = feed.instruments.as_ref().unwrap();
    instruments.learn(&symbols(names), soon()).await;
    feed
}

async fn tickers(clock: fn() -> Timestamp, names: &[&str]) -> String {
    let feed = binance(clock, names).await;
    let polled = test_server::quotes(&feed, &symbols(names), soon()).await;
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

#[tokio::test]
async fn recorded_klines_of_a_minute_become_this_message() {
    let clock = || at(1_588_636_860_250);
    let feed = binance(clock, &["BTCUSDT"]).await;
    let range = at(1_588_636_800_000)..at(1_588_637_400_000);
    let bars = feed.minute_bars.as_ref();
    let polled = test_server::bars(bars, &symbols(&["BTCUSDT"]), range, soon()).await;
    let text = published(&polled, |bars| intraday_message(bars, false));
    assert_reviewed("binance", "klines-intraday", &text);
}

#[tokio::test]
async fn recorded_klines_of_a_day_become_this_message() {
    let clock = || at(1_546_700_000_000);
    let feed = binance(clock, &["BTCUSDT"]).await;
    let range = at(1_546_300_800_000)..at(1_546_700_000_000);
    let bars = feed.daily_bars.as_ref();
    let polled = test_server::bars(bars, &symbols(&["BTCUSDT"]), range, soon()).await;
    let text = published(&polled, |bars| history_message(bars, 5, false));
    assert_reviewed("binance", "klines-daily", &text);
}
