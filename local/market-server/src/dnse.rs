//! DNSE's (Entrade) history in thousand VND, as public clients show it.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Deserialize;
use serde_json::json;

use super::{
    feed::Feed,
    vietnam::{self, Candle, Exchange, ending_by},
};

#[derive(Clone)]
struct Dnse {
    exchange: Arc<Exchange>,
    feed: Arc<Feed>,
}

pub(super) fn router(exchange: Arc<Exchange>, feed: Arc<Feed>) -> Router {
    Router::new()
        .route("/chart-api/v2/ohlcs/stock", get(history))
        .with_state(Dnse { exchange, feed })
}

#[derive(Deserialize)]
struct Asked {
    symbol: String,
    /// In seconds since the epoch, as `to` is.
    from: i64,
    to: i64,
    resolution: String,
}

/// A symbol's days in a range, the oldest first; none for a symbol that is not known.
async fn history(State(dnse): State<Dnse>, Query(asked): Query<Asked>) -> Response {
    if asked.resolution != "1D" {
        let message = "the recorded market serves the resolution 1D";
        return (StatusCode::BAD_REQUEST, Json(json!({"message": message}))).into_response();
    }
    let position = dnse.feed.moment().position;
    let sessions = dnse.exchange.sessions(&asked.symbol, position);
    let series = sessions.zip(dnse.exchange.session(&asked.symbol, position));
    let newest_first = series.into_iter().flat_map(|(sessions, session)| {
        let (from, to) = ending_by(session.time() / 1000, (asked.from, asked.to));
        vietnam::days(sessions).filter(move |day| (from..=to).contains(&day.time))
    });
    let mut days: Vec<Candle> = newest_first.collect();
    days.reverse();
    let column = |pick: fn(&Candle) -> i64| -> Vec<i64> { days.iter().map(pick).collect() };
    // A binary float prints these few digits as they were.
    let prices = |pick: fn(&Candle) -> i64| -> Vec<f64> {
        days.iter().map(|day| pick(day) as f64 / 1e3).collect()
    };
    Json(json!({
        "t": column(|day| day.time),
        "o": prices(|day| day.open),
        "h": prices(|day| day.high),
        "l": prices(|day| day.low),
        "c": prices(|day| day.close),
        "v": column(|day| day.volume),
        "nextTime": 0,
    }))
    .into_response()
}
