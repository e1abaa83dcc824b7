//! The layer in front of a provider's routes that makes its answers go wrong.

use std::{io, sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{Html, IntoResponse, Response},
};
use futures::stream;
use serde_json::{Map, Value};

use super::{Fault, Provider};
use crate::{binance, feed::Feed, finnhub};

const CHALLENGE: &str = "<!DOCTYPE html>\n<title>Just a moment...</title>\n<p>Enable JavaScript and cookies to continue.\n";

/// Answers as the feed's fault has it.
pub(crate) async fn inject(
    State(feed): State<Arc<Feed>>,
    request: Request,
    next: Next,
) -> Response {
    match feed.fault() {
        None | Some(Fault::Frozen | Fault::DropWebsocket { .. }) => next.run(request).await,
        Some(Fault::Latency(time)) => {
            tokio::time::sleep(time).await;
            next.run(request).await
        }
        Some(Fault::RateLimited { retry_after }) => rate_limited(feed.provider(), retry_after),
        Some(Fault::Banned { retry_after }) => binance::banned(retry_after),
        Some(Fault::ServerError) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Some(Fault::Html) => Html(CHALLENGE).into_response(),
        Some(Fault::Truncated) => with_body(next.run(request).await, first_half).await,
        Some(Fault::EmptyBoard) => with_body(next.run(request).await, emptied).await,
        Some(Fault::Reset) => cut(next.run(request).await).await,
    }
}

/// The header `Retry-After`, in whole seconds rounded up, where there is a time to wait.
pub(crate) fn retry_after(wait: Option<Duration>) -> HeaderMap {
    let whole = |wait: Duration| wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    let header = |wait| (header::RETRY_AFTER, HeaderValue::from(whole(wait)));
    wait.map(header).into_iter().collect()
}

fn rate_limited(provider: Provider, wait: Option<Duration>) -> Response {
    match provider {
        Provider::Finnhub | Provider::FinnhubTrades => {
            (retry_after(wait), finnhub::limit_reached()).into_response()
        }
        Provider::Binance => binance::too_much_weight(wait),
        Provider::Vci | Provider::Kbs | Provider::Dnse => {
            (StatusCode::TOO_MANY_REQUESTS, retry_after(wait)).into_response()
        }
    }
}

/// Changes the body of a good answer; a refusal and a websocket's opening stay.
async fn with_body(response: Response, change: impl FnOnce(&Bytes) -> Bytes) -> Response {
    if !response.status().is_success() {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    let body = read(body).await;
    Response::from_parts(parts, Body::from(change(&body)))
}

fn first_half(body: &Bytes) -> Bytes {
    body.slice(..body.len() / 2)
}

/// An array without its items; an object without the items of its arrays, or without members where none is an array.
fn emptied(body: &Bytes) -> Bytes {
    match serde_json::from_slice(body) {
        Ok(Value::Array(_)) => Bytes::from_static(b"[]"),
        Ok(Value::Object(members)) => Value::Object(without_items(members)).to_string().into(),
        _ => body.clone(),
    }
}

fn without_items(mut members: Map<String, Value>) -> Map<String, Value> {
    if !members.values().any(Value::is_array) {
        return Map::new();
    }
    for items in members.values_mut().filter_map(Value::as_array_mut) {
        items.clear();
    }
    members
}

/// The head of an answer, half of its body, and the connection's end.
async fn cut(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    if parts.status == StatusCode::SWITCHING_PROTOCOLS {
        parts.status = StatusCode::OK;
    }
    let body = read(body).await;
    // One byte more than there is, so that an empty body is cut short too.
    let length = HeaderValue::from(body.len() + 1);
    parts.headers.insert(header::CONTENT_LENGTH, length);
    let sent = [
        Ok(first_half(&body)),
        Err(io::Error::from(io::ErrorKind::ConnectionReset)),
    ];
    Response::from_parts(parts, Body::from_stream(stream::iter(sent)))
}

/// The whole of a body that a handler of this server made, so there is nothing that could fail.
async fn read(body: Body) -> Bytes {
    to_bytes(body, usize::MAX).await.unwrap_or_default()
}
