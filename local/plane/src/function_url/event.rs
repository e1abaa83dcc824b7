//! A request as the service hands it to the function. Format: AWS Lambda developer guide, "Invoking Lambda function
//! URLs", request payload, format 2.0.

use std::{
    collections::BTreeMap,
    hash::{BuildHasher, RandomState},
};

use axum::http::{HeaderMap, header, request::Parts};
use bytes::Bytes;
use jiff::{Timestamp, tz::TimeZone};
use sam_template::{ACCOUNT, REGION, UrlAuth};
use serde_json::{Value, json};

/// The event of a request that came at `now`.
pub(super) fn payload(
    function: &str,
    auth: UrlAuth,
    head: &Parts,
    body: &Bytes,
    now: Timestamp,
) -> Bytes {
    let (path, query) = (head.uri.path(), head.uri.query().unwrap_or_default());
    let headers = headers(&head.headers);
    let url_id = function.to_lowercase();
    let mut event = json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": {
            "accountId": match auth {
                UrlAuth::Anyone => "anonymous",
                UrlAuth::Iam => ACCOUNT,
            },
            "apiId": url_id,
            "domainName": format!("{url_id}.lambda-url.{REGION}.on.aws"),
            "domainPrefix": url_id,
            "http": {
                "method": head.method.as_str(),
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": headers.get("user-agent").map_or("", String::as_str),
            },
            "requestId": format!("{:016x}", RandomState::new().hash_one(now)),
            "routeKey": "$default",
            "stage": "$default",
            "time": now.to_zoned(TimeZone::UTC).strftime("%d/%b/%Y:%H:%M:%S %z").to_string(),
            "timeEpoch": now.as_millisecond(),
        },
        "isBase64Encoded": false,
    });
    if !query.is_empty() {
        event["queryStringParameters"] = json!(query_parameters(query));
    }
    let cookies = cookies(&head.headers);
    if !cookies.is_empty() {
        event["cookies"] = json!(cookies);
    }
    if !body.is_empty() {
        let (body, is_base64) = text_of(&head.headers, body);
        event["body"] = body;
        event["isBase64Encoded"] = is_base64.into();
    }
    event.to_string().into()
}

/// The headers in lower case; several of one name are joined by commas.
fn headers(headers: &HeaderMap) -> BTreeMap<String, String> {
    let mut joined: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        joined
            .entry(name.as_str().to_owned())
            .and_modify(|known| *known = format!("{known},{value}"))
            .or_insert_with(|| value.into_owned());
    }
    joined
}

fn cookies(headers: &HeaderMap) -> Vec<String> {
    let headers = headers.get_all(header::COOKIE).iter();
    let texts = headers.filter_map(|value| value.to_str().ok());
    let cookies = texts.flat_map(|text| text.split(';'));
    let cookies = cookies.map(|cookie| cookie.trim().to_owned());
    cookies.filter(|cookie| !cookie.is_empty()).collect()
}

/// The decoded parameters; several of one name are joined by commas.
fn query_parameters(query: &str) -> BTreeMap<String, String> {
    let mut joined: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        joined
            .entry(name.into_owned())
            .and_modify(|known| *known = format!("{known},{value}"))
            .or_insert_with(|| value.into_owned());
    }
    joined
}

/// The body as text where its type says that it is some, else in Base64.
fn text_of(headers: &HeaderMap, body: &Bytes) -> (Value, bool) {
    const TEXTS: [&str; 3] = [
        "application/json",
        "application/xml",
        "application/javascript",
    ];
    let content_type = headers.get(header::CONTENT_TYPE);
    let content_type = content_type.and_then(|value| value.to_str().ok());
    let essence = content_type.and_then(|text| text.split(';').next());
    let essence = essence.unwrap_or_default().trim().to_ascii_lowercase();
    let is_text = essence.starts_with("text/") || TEXTS.contains(&essence.as_str());
    match std::str::from_utf8(body) {
        Ok(text) if is_text => (text.into(), false),
        _ => {
            let encoded = base64_simd::STANDARD.encode_to_string(body);
            (encoded.into(), true)
        }
    }
}
