use std::ops::Range;

use jiff::Timestamp;
use market::{board_message, history_message, intraday_message, quote_message};

use super::{assert_reviewed, published, served};
use crate::{
    Feed,
    test_server::{self, soon, symbols},
};

fn vci(target: &str) -> Option<&'static [u8]> {
    match target {
        "/api/price/symbols/getList" => Some(include_bytes!("../vci/fixtures/board.json")),
        "/api/chart/OHLCChart/gap-chart" => Some(include_bytes!("../vci/fixtures/bars-day.json")),
        _ => None,
    }
}

fn kbs(target: &str) -> Option<&'static [u8]> {
    match target.split_once('?').map_or(target, |(path, _)| path) {
        "/stock/iss" => Some(include_bytes!("../kbs/fixtures/board-TCB.json")),
        "/stocks/TCB/data_1P" => Some(include_bytes!("../kbs/fixtures/bars-minute-TCB.json")),
        "/stocks/TCB/data_day" => Some(include_bytes!("../kbs/fixtures/bars-day-TCB.json")),
        "/stocks/FPT/data_day" => Some(include_bytes!("../kbs/fixtures/bars-day-FPT.json")),
        _ => None,
    }
}

fn dnse(target: &str) -> Option<&'static [u8]> {
    target
        .starts_with("/ohlcs/stock?symbol=FPT&")
        .then_some(include_bytes!("../dnse/fixtures/bars-day-FPT.json"))
}

fn on_20_april() -> Timestamp {
    "2026-04-20T02:41:20.250Z".parse().unwrap()
}

fn on_13_february() -> Timestamp {
    "2026-02-13T10:00:00.125Z".parse().unwrap()
}

fn february() -> Range<Timestamp> {
    "2026-02-11T00:00:00Z".parse().unwrap()..on_13_february()
}

/// Both messages of a row of the board.
async fn board(feed: Feed, names: &[&str]) -> String {
    let polled = test_server::quotes(&feed, &symbols(names), soon()).await;
    let prices = published(&polled, |quote| quote_message(quote, false));
    let board = published(&polled, |quote| board_message(quote, false));
    format!("stock-prices\n\n{prices}\nstock-board\n\n{board}")
}

async fn history(feed: Feed, names: &[&str], range: Range<Timestamp>) -> String {
    let bars = feed.daily_bars.as_ref();
    let polled = test_server::bars(bars, &symbols(names), range, soon()).await;
    published(&polled, |bars| history_message(bars, 3, false))
}

#[tokio::test]
async fn a_recorded_board_of_vci_becomes_these_messages() {
    let feed = served("vci", "VCI_URL", &[], on_20_april, vci).await;
    assert_reviewed("vci", "board", &board(feed, &["TCB", "YTC", "NONE"]).await);
}

#[tokio::test]
async fn a_recorded_board_of_kbs_becomes_these_messages() {
    let feed = served("kbs", "KBS_URL", &[], on_20_april, kbs).await;
    assert_reviewed("kbs", "board", &board(feed, &["TCB"]).await);
}

#[tokio::test]
async fn minutes_of_kbs_become_this_message() {
    let feed = served("kbs", "KBS_URL", &[], on_20_april, kbs).await;
    let range = "2026-04-19T17:00:00Z".parse().unwrap()..on_20_april();
    let bars = feed.minute_bars.as_ref();
    let polled = test_server::bars(bars, &symbols(&["TCB"]), range, soon()).await;
    let text = published(&polled, |bars| intraday_message(bars, false));
    assert_reviewed("kbs", "bars-intraday", &text);
}

#[tokio::test]
async fn the_days_of_every_broker_become_these_messages() {
    let feed = served("vci", "VCI_URL", &[], on_13_february, vci).await;
    let text = history(feed, &["FPT", "SSI", "NONE"], february()).await;
    assert_reviewed("vci", "bars-daily", &text);
    let feed = served("kbs", "KBS_URL", &[], on_13_february, kbs).await;
    let text = history(feed, &["FPT", "TCB"], february()).await;
    assert_reviewed("kbs", "bars-daily", &text);
    let feed = served("dnse", "DNSE_URL", &[], on_13_february, dnse).await;
    let text = history(feed, &["FPT"], february()).await;
    assert_reviewed("dnse", "bars-daily", &text);
}
