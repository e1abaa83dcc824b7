//! KB Securities' (KBS) price board and history in VND, as public clients and sampled bodies show them.

use std::{collections::HashMap, sync::Arc};

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use jiff::{Timestamp, civil::Date, tz::offset};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    feed::Feed,
    vietnam::{Candle, Exchange, Session, Sessions, days, ending_by, minutes},
};

const SECONDS_A_DAY: i64 = 86_400;
/// Vietnam is 7 hours ahead of UTC all year.
const HOURS_AHEAD: i8 = 7;

#[derive(Clone)]
struct Kbs {
    exchange: Arc<Exchange>,
    feed: Arc<Feed>,
}

pub(super) fn router(exchange: Arc<Exchange>, feed: Arc<Feed>) -> Router {
    Router::new()
        .route("/iis-server/investment/stock/iss", post(board))
        .route(
            "/iis-server/investment/stocks/{symbol}/{list}",
            get(history),
        )
        .with_state(Kbs { exchange, feed })
}

#[derive(Deserialize)]
struct BoardAsked {
    /// Symbols with commas between.
    code: String,
}

/// The board of the symbols asked for, without those that are not known.
async fn board(State(kbs): State<Kbs>, Json(asked): Json<BoardAsked>) -> (StatusCode, Json<Value>) {
    let position = kbs.feed.moment().position;
    let rows = asked.code.split(',').filter_map(|symbol| {
        let session = kbs.exchange.session(symbol, position)?;
        Some(board_row(symbol, &session))
    });
    (StatusCode::CREATED, Json(rows.collect()))
}

/// Prices and totals are 0 before the first match, and the first level of the book is then the auction's.
fn board_row(symbol: &str, session: &Session) -> Value {
    let (floor, ceiling) = session.band();
    let day = session.so_far();
    let of = |pick: fn(&Candle) -> i64| day.as_ref().map_or(0, pick);
    let change = day.map_or(0, |day| day.close - session.reference);
    let mut row = json!({
        "SB": symbol,
        "EX": "HOSE",
        "RE": session.reference,
        "CL": ceiling,
        "FL": floor,
        "OP": of(|day| day.open),
        "HI": of(|day| day.high),
        "LO": of(|day| day.low),
        "CP": of(|day| day.close),
        "CH": change,
        "CHP": (change as f64 / session.reference as f64 * 1e4).round() / 1e2,
        "CV": session.minutes().next_back().map_or(0, |minute| minute.volume),
        "TT": of(|day| day.volume),
        "TV": of(|day| day.value),
        "AP": of(|day| day.value.checked_div(day.volume).unwrap_or(0)),
        "FB": 0,
        "FS": 0,
        "FR": 0,
        "t": session.time(),
    });
    for (names, levels) in [
        ([["B1", "V1"], ["B2", "V2"], ["B3", "V3"]], session.bids()),
        ([["S1", "U1"], ["S2", "U2"], ["S3", "U3"]], session.asks()),
    ] {
        for (index, [price, volume]) in names.into_iter().enumerate() {
            let level = levels.get(index).copied();
            row[price] = match (index, level) {
                (0, Some((price, _))) => format!("{price}.0").into(),
                (0, None) if session.is_auction() => "ATO".into(),
                (0, None) => "0.0".into(),
                (_, level) => level.map_or(0, |(price, _)| price).into(),
            };
            row[volume] = level.map_or(0, |(_, volume)| volume).into();
        }
    }
    row
}

/// A symbol's candles of a range of days, the newest first; none for a symbol that is not known.
async fn history(
    State(kbs): State<Kbs>,
    Path((symbol, list)): Path<(String, String)>,
    Query(parameters): Query<HashMap<String, String>>,
) -> Response {
    let date = |name| parameters.get(name).and_then(|text| epoch_day(text));
    let candles: fn(Sessions) -> Box<dyn Iterator<Item = Candle>> = match &*list {
        "data_day" => |sessions| Box::new(days(sessions)),
        "data_1P" => |sessions| Box::new(minutes(sessions)),
        _ => return refused("the recorded market serves the lists data_day and data_1P"),
    };
    let (Some(first), Some(last)) = (date("sdate"), date("edate")) else {
        return refused("sdate and edate are dates such as 31-12-2025");
    };
    let position = kbs.feed.moment().position;
    let sessions = kbs.exchange.sessions(&symbol, position);
    let series = sessions.zip(kbs.exchange.session(&symbol, position));
    let items = series.into_iter().flat_map(|(sessions, session)| {
        let (first, last) = ending_by(local_day(session.time() / 1000), (first, last));
        candles(sessions)
            .skip_while(move |candle| local_day(candle.time) > last)
            .take_while(move |candle| local_day(candle.time) >= first)
            .map(item)
    });
    let items: Value = items.collect();
    Json(json!({"symbol": symbol, list: items})).into_response()
}

fn item(candle: Candle) -> Value {
    let local = Timestamp::from_second(candle.time).map(|time| {
        offset(HOURS_AHEAD)
            .to_datetime(time)
            .strftime("%F %H:%M")
            .to_string()
    });
    json!({
        "t": local.unwrap_or_default(),
        "o": candle.open,
        "h": candle.high,
        "l": candle.low,
        "c": candle.close,
        "v": candle.volume,
        "va": candle.value,
    })
}

fn refused(message: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({"message": message}))).into_response()
}

/// The local date of a time in seconds since the epoch, in days since the epoch.
fn local_day(time: i64) -> i64 {
    (time + i64::from(HOURS_AHEAD) * 3600).div_euclid(SECONDS_A_DAY)
}

/// A date as the endpoint has it, in days since the epoch.
fn epoch_day(text: &str) -> Option<i64> {
    let date = Date::strptime("%d-%m-%Y", text).ok()?;
    let epoch = Date::constant(1970, 1, 1);
    Some(i64::from((date - epoch).get_days()))
}
