//! Finnhub's `GET /api/v1/quote` and its websocket, as recorded bodies and its issue tracker show it.

use std::{collections::HashMap, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Query, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use rust_decimal::{Decimal, RoundingStrategy};

use super::{
    MarketError,
    feed::Feed,
    limit::{Limit, Meter},
    recording::Recording,
    stocks::{Session, sessions},
};

#[cfg(test)]
mod tests;
pub(super) mod trades;

/// The free plan's 60 calls a minute, and the 30 calls a second of every plan, for each token.
const LIMITS: &[Limit] = &[
    Limit {
        weight: 60,
        span: Duration::from_secs(60),
    },
    Limit {
        weight: 30,
        span: Duration::from_secs(1),
    },
];
const UNKNOWN_SYMBOL: &str = r#"{"c":0,"d":null,"dp":null,"h":0,"l":0,"o":0,"pc":0,"t":0}"#;
const INVALID_TOKEN: &str = r#"{"error":"Invalid API key."}"#;
const LIMIT_REACHED: &str =
    r#"{"error":"API limit reached. Please try again later. Remaining Limit: 0"}"#;

struct Finnhub {
    tokens: Vec<String>,
    feed: Arc<Feed>,
    sessions: Recording<Session>,
    meter: Meter<String>,
}

pub(super) fn router(tokens: Vec<String>, feed: Arc<Feed>) -> Result<Router, MarketError> {
    let finnhub = Finnhub {
        tokens,
        feed,
        sessions: sessions()?,
        meter: Meter::new(LIMITS),
    };
    Ok(Router::new()
        .route("/api/v1/quote", get(quote))
        .with_state(Arc::new(finnhub)))
}

async fn quote(
    State(finnhub): State<Arc<Finnhub>>,
    headers: HeaderMap,
    Query(parameters): Query<HashMap<String, String>>,
) -> Response {
    let Some(token) = accepted(&finnhub.tokens, &headers, &parameters) else {
        return refused();
    };
    let moment = finnhub.feed.moment();
    if finnhub.meter.spend(token, moment.elapsed, 1).is_err() {
        return limit_reached();
    }
    // A call without a symbol is answered as one with a symbol that is not known.
    let symbol = parameters.get("symbol").map_or("", String::as_str);
    let beat = finnhub.sessions.beats(moment.position);
    let time = finnhub.sessions.time(beat, moment.position) / 1000;
    match finnhub.sessions.at(symbol, beat) {
        Some(session) => json(StatusCode::OK, body(session, time)),
        None => json(StatusCode::OK, UNKNOWN_SYMBOL),
    }
}

/// The token that a request shows in its header or query, if it is one of those accepted.
pub(super) fn accepted<'a>(
    tokens: &'a [String],
    headers: &HeaderMap,
    parameters: &HashMap<String, String>,
) -> Option<&'a String> {
    let header = headers.get("x-finnhub-token").map(HeaderValue::as_bytes);
    let token = header.or(parameters.get("token").map(String::as_bytes));
    tokens.iter().find(|known| Some(known.as_bytes()) == token)
}

/// The answer to a token that is not accepted.
pub(super) fn refused() -> Response {
    json(StatusCode::UNAUTHORIZED, INVALID_TOKEN)
}

/// The answer to a call over the limit.
pub(super) fn limit_reached() -> Response {
    json(StatusCode::TOO_MANY_REQUESTS, LIMIT_REACHED)
}

fn json(status: StatusCode, body: impl IntoResponse) -> Response {
    let content_type = [(header::CONTENT_TYPE, "application/json; charset=utf-8")];
    (status, content_type, body).into_response()
}

/// The quote at the session's close, which is at `time` in seconds since the epoch. Every number is a decimal without trailing zeros, so that a whole number has
/// no point; the percent change has up to 4 decimals.
fn body(
    Session {
        bar,
        previous_close,
    }: &Session,
    time: i64,
) -> String {
    let change = bar.close - previous_close;
    let percent = (change / previous_close * Decimal::ONE_HUNDRED)
        .round_dp_with_strategy(4, RoundingStrategy::MidpointAwayFromZero);
    format!(
        r#"{{"c":{},"d":{},"dp":{},"h":{},"l":{},"o":{},"pc":{},"t":{}}}"#,
        bar.close.normalize(),
        change.normalize(),
        percent.normalize(),
        bar.high.normalize(),
        bar.low.normalize(),
        bar.open.normalize(),
        previous_close.normalize(),
        time,
    )
}
