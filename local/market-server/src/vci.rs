//! Vietcap's (VCI) price board, listing and history in VND, as public clients and sampled bodies show them.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    feed::Feed,
    vietnam::{Candle, Exchange, Session, Sessions, days, minutes},
};

#[derive(Clone)]
struct Vci {
    exchange: Arc<Exchange>,
    feed: Arc<Feed>,
}

pub(super) fn router(exchange: Arc<Exchange>, feed: Arc<Feed>) -> Router {
    Router::new()
        .route("/api/price/symbols/getAll", get(listing))
        .route("/api/price/symbols/getList", post(board))
        .route("/api/chart/OHLCChart/gap-chart", post(history))
        .with_state(Vci { exchange, feed })
}

/// Every symbol. Names of companies are not recorded.
async fn listing(State(vci): State<Vci>) -> Json<Value> {
    let listed =
        vci.exchange.symbols().iter().zip(1..).map(
            |(symbol, id)| json!({"id": id, "symbol": symbol, "type": "STOCK", "board": "HSX"}),
        );
    Json(listed.collect())
}

#[derive(Deserialize)]
struct BoardAsked {
    symbols: Vec<String>,
}

/// The board of the symbols asked for, without those that are not known.
async fn board(State(vci): State<Vci>, Json(asked): Json<BoardAsked>) -> Json<Value> {
    let position = vci.feed.moment().position;
    let row = |symbol: &String| {
        let session = vci.exchange.session(symbol, position)?;
        Some(board_row(symbol, &session))
    };
    Json(asked.symbols.iter().filter_map(row).collect())
}

fn board_row(symbol: &str, session: &Session) -> Value {
    let (floor, ceiling) = session.band();
    let time = Timestamp::from_millisecond(session.time()).map(|time| time.to_string());
    let time = time.unwrap_or_default();
    let levels = |levels: Vec<(i64, i64)>| -> Value {
        let level = |(price, volume)| json!({"price": price, "volume": volume});
        levels.into_iter().map(level).collect()
    };
    json!({
        "listingInfo": {
            "symbol": symbol,
            "ceiling": ceiling,
            "floor": floor,
            "refPrice": session.reference,
            "priorClosePrice": session.reference,
            "stockType": "STOCK",
            "board": "HSX",
            "listedShare": 0,
            "receivedTime": time,
        },
        "bidAsk": {
            "session": if session.is_auction() { "ATO" } else { "LO" },
            "time": time,
            "bidPrices": levels(session.bids()),
            "askPrices": levels(session.asks()),
        },
        "matchPrice": matched(session, &time),
    })
}

/// The last match and the day's totals; all 0 before the first match.
fn matched(session: &Session, time: &str) -> Value {
    let last = session.minutes().next_back();
    let day = session.so_far();
    let of = |pick: fn(&Candle) -> i64| day.as_ref().map_or(0, pick);
    json!({
        "matchPrice": of(|day| day.close),
        "matchVol": last.map_or(0, |minute| minute.volume),
        "matchType": "unknown",
        "highest": of(|day| day.high),
        "lowest": of(|day| day.low),
        "avgMatchPrice": of(|day| day.value.checked_div(day.volume).unwrap_or(0)),
        "accumulatedVolume": of(|day| day.volume),
        // In million VND. Its digits are those of the quotient, for a binary float keeps 15 of them.
        "accumulatedValue": of(|day| day.value) as f64 / 1e6,
        "referencePrice": session.reference,
        "foreignBuyVolume": 0,
        "foreignSellVolume": 0,
        "time": time,
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HistoryAsked {
    time_frame: String,
    symbols: Vec<String>,
    /// Exclusive, in seconds since the epoch.
    to: i64,
    count_back: usize,
}

/// The last candles before a time, the oldest first, of each symbol that is known.
async fn history(State(vci): State<Vci>, Json(asked): Json<HistoryAsked>) -> Response {
    let candles: fn(Sessions, &HistoryAsked) -> Vec<Candle> = match &*asked.time_frame {
        "ONE_DAY" => |sessions, asked| last(days(sessions), asked),
        "ONE_MINUTE" => |sessions, asked| last(minutes(sessions), asked),
        _ => {
            let message = "the recorded market serves the timeFrames ONE_DAY and ONE_MINUTE";
            return (StatusCode::BAD_REQUEST, Json(json!({"message": message}))).into_response();
        }
    };
    let position = vci.feed.moment().position;
    let series = |symbol: &String| {
        let sessions = vci.exchange.sessions(symbol, position)?;
        Some(columns(symbol, &candles(sessions, &asked)))
    };
    let answer: Value = asked.symbols.iter().filter_map(series).collect();
    Json(answer).into_response()
}

fn last(newest_first: impl Iterator<Item = Candle>, asked: &HistoryAsked) -> Vec<Candle> {
    let before = newest_first.skip_while(|candle| candle.time >= asked.to);
    let mut candles: Vec<_> = before.take(asked.count_back).collect();
    candles.reverse();
    candles
}

fn columns(symbol: &str, candles: &[Candle]) -> Value {
    let column = |pick: fn(&Candle) -> i64| -> Vec<i64> { candles.iter().map(pick).collect() };
    let times = candles.iter().map(|candle| candle.time.to_string());
    json!({
        "symbol": symbol,
        "o": column(|candle| candle.open),
        "h": column(|candle| candle.high),
        "l": column(|candle| candle.low),
        "c": column(|candle| candle.close),
        "v": column(|candle| candle.volume),
        "t": times.collect::<Vec<_>>(),
    })
}
