//! Binance's `GET /api/v3/ticker/24hr`, `/klines` and `/exchangeInfo`, with their weights and errors.
//!
//! Of the ticker's parameters `symbol` and `symbols` are read, as of the exchange's information, and of the klines' all but `timeZone`. Any other is
//! refused as unread, so that nobody takes the full ticker for another type of it.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use axum::{
    Json, Router,
    extract::{ConnectInfo, Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use runtime::clock;
use rust_decimal::{Decimal, RoundingStrategy};
use serde::Serialize;

use super::{
    MarketError,
    crypto::{Second, seconds},
    fault::retry_after,
    feed::Feed,
    limit::{Limit, Meter},
    playback::Position,
    recording::Recording,
};

mod asked;
mod info;
mod klines;
#[cfg(test)]
mod tests;

use asked::{Asked, AskedKlines, Refused, Sent};
use info::ExchangeInfo;
use klines::Kline;

/// 6,000 of weight a minute for each address. Binance counts by the clock's minute; a sliding one is stricter.
const LIMITS: &[Limit] = &[Limit {
    weight: 6000,
    span: Duration::from_secs(60),
}];
const USED_WEIGHT: &str = "x-mbx-used-weight-1m";

struct Binance {
    feed: Arc<Feed>,
    seconds: Recording<Second>,
    meter: Meter<IpAddr>,
}

pub(super) fn router(feed: Arc<Feed>) -> Result<Router, MarketError> {
    let binance = Binance {
        feed,
        seconds: seconds()?,
        meter: Meter::new(LIMITS),
    };
    Ok(Router::new()
        .route("/api/v3/ticker/24hr", get(ticker))
        .route("/api/v3/klines", get(klines))
        .route("/api/v3/exchangeInfo", get(exchange_info))
        .with_state(Arc::new(binance)))
}

async fn ticker(
    State(binance): State<Arc<Binance>>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    Query(sent): Query<Sent>,
) -> Response {
    let asked = Asked::read(&sent);
    let weight = asked.as_ref().map_or(Refused::WEIGHT, Asked::weight);
    binance.answered(client, weight, |position| {
        answer(&binance.seconds, &asked?, position)
    })
}

async fn klines(
    State(binance): State<Arc<Binance>>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    Query(sent): Query<Sent>,
) -> Response {
    binance.answered(client, AskedKlines::WEIGHT, |position| {
        Kline::all(&binance.seconds, &AskedKlines::read(&sent)?, position)
    })
}

async fn exchange_info(
    State(binance): State<Arc<Binance>>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    Query(sent): Query<Sent>,
) -> Response {
    binance.answered(client, info::WEIGHT, |position| {
        ExchangeInfo::of(&Asked::read(&sent)?, position.now)
    })
}

impl Binance {
    /// Counts a call, and answers it where its weight fits.
    fn answered<Body: Serialize>(
        &self,
        client: SocketAddr,
        weight: u32,
        answer: impl FnOnce(Position) -> Result<Body, Refused>,
    ) -> Response {
        let moment = self.feed.moment();
        let spent = self.meter.spend(&client.ip(), moment.elapsed, weight);
        let (used, response) = match spent {
            Ok(used) => (used, answer(moment.position).map(Json).into_response()),
            Err(over) => (over.used, too_much_weight(Some(over.retry_after))),
        };
        ([(USED_WEIGHT, used.to_string())], response).into_response()
    }
}

/// The answer to a call over the limit.
pub(super) fn too_much_weight(wait: Option<Duration>) -> Response {
    let refused = Refused::weight(
        "Too much request weight used; current limit is 6000 request weight per 1 MINUTE. \
         Please use WebSocket Streams for live updates to avoid polling the API.",
    );
    let status = StatusCode::TOO_MANY_REQUESTS;
    (status, retry_after(wait), Json(refused)).into_response()
}

/// The answer to a client that went on after too much weight; it names the ban's end by the wall clock.
pub(super) fn banned(wait: Duration) -> Response {
    let millis = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
    let until = clock::now().as_millisecond().saturating_add(millis);
    let refused = Refused::weight(format!(
        "Way too much request weight used; IP banned until {until}. \
         Please use WebSocket Streams for live updates to avoid bans."
    ));
    let status = StatusCode::IM_A_TEAPOT;
    (status, retry_after(Some(wait)), Json(refused)).into_response()
}

/// An object for one symbol, an array else.
#[derive(Serialize)]
#[serde(untagged)]
enum Answer {
    One(Box<Ticker>),
    Many(Vec<Ticker>),
}

fn answer(
    seconds: &Recording<Second>,
    asked: &Asked,
    position: Position,
) -> Result<Answer, Refused> {
    let beat = seconds.beats(position);
    let [open_time, close_time] =
        [seconds.round(beat), beat].map(|beat| seconds.time(beat, position));
    let one = |symbol: &String| match seconds.at(symbol, beat) {
        Some(second) => Ok(Ticker::new(symbol, [open_time, close_time], second)),
        None => Err(Refused::symbol()),
    };
    let many = |symbols: &[String]| symbols.iter().map(one).collect::<Result<_, _>>();
    match asked {
        Asked::One(symbol) => one(symbol).map(Box::new).map(Answer::One),
        Asked::List(symbols) => many(symbols).map(Answer::Many),
        Asked::All => many(seconds.symbols()).map(Answer::Many),
    }
}

/// The body for one symbol, member for member in Binance's order.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Ticker {
    symbol: String,
    price_change: String,
    price_change_percent: String,
    weighted_avg_price: String,
    prev_close_price: String,
    last_price: String,
    last_qty: String,
    bid_price: String,
    bid_qty: String,
    ask_price: String,
    ask_qty: String,
    open_price: String,
    high_price: String,
    low_price: String,
    volume: String,
    quote_volume: String,
    open_time: i64,
    close_time: i64,
    first_id: u64,
    last_id: u64,
    count: u64,
}

impl Ticker {
    /// The window's times are in milliseconds since the epoch.
    fn new(symbol: &str, [open_time, close_time]: [i64; 2], second: &Second) -> Self {
        let change = second.last - second.open;
        Self {
            symbol: symbol.to_owned(),
            price_change: fixed(change, 8),
            price_change_percent: fixed(change / second.open * Decimal::ONE_HUNDRED, 3),
            weighted_avg_price: fixed(second.quote_volume / second.volume, 8),
            // No trade before the window is recorded; the open stands in for its price.
            prev_close_price: fixed(second.open, 8),
            last_price: fixed(second.last, 8),
            last_qty: fixed(second.last_quantity, 8),
            bid_price: fixed(second.bid, 8),
            bid_qty: fixed(second.bid_quantity, 8),
            ask_price: fixed(second.ask, 8),
            ask_qty: fixed(second.ask_quantity, 8),
            open_price: fixed(second.open, 8),
            high_price: fixed(second.high, 8),
            low_price: fixed(second.low, 8),
            volume: fixed(second.volume, 8),
            quote_volume: fixed(second.quote_volume, 8),
            open_time,
            close_time,
            first_id: second.first_id,
            last_id: second.last_id,
            count: second.count,
        }
    }
}

/// A decimal with just so many places.
fn fixed(value: Decimal, places: u32) -> String {
    let mut value = value.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero);
    if value.is_zero() {
        value = Decimal::ZERO;
    }
    value.rescale(places);
    value.to_string()
}
