//! The answer of a function as an HTTP response. Format: AWS Lambda developer guide, "Invoking Lambda function URLs",
//! response payload, format 2.0.

use std::collections::BTreeMap;

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;

use crate::host::PAYLOAD_LIMIT;

/// Why an answer is no response.
#[derive(Debug, thiserror::Error)]
pub(super) enum ResponseError {
    #[error("it is not JSON ({0})")]
    NotJson(#[source] serde_json::Error),
    #[error("its members are not those of a response ({0})")]
    Members(#[source] serde_json::Error),
    #[error("statusCode is {0}: give 100 to 599")]
    Status(i64),
    #[error("'{0}' is no name or value of a header")]
    Header(String),
    #[error("isBase64Encoded is true and the body is not Base64")]
    Base64,
    #[error("it is longer than 6 MB")]
    TooLong,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    status_code: i64,
    #[serde(default)]
    headers: BTreeMap<String, Value>,
    #[serde(default)]
    cookies: Vec<String>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

/// The response that `answer` describes. One without a `statusCode` is the body of a response itself.
///
/// # Errors
/// [`ResponseError`].
pub(super) fn read(answer: &Bytes) -> Result<Response, ResponseError> {
    if answer.len() > PAYLOAD_LIMIT {
        return Err(ResponseError::TooLong);
    }
    let value: Value = serde_json::from_slice(answer).map_err(ResponseError::NotJson)?;
    if value.get("statusCode").is_none() {
        let mut response = Response::new(Body::from(answer.clone()));
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        return Ok(response);
    }
    let answer: Answer = serde_json::from_value(value).map_err(ResponseError::Members)?;
    let mut response = Response::new(Body::from(body(&answer)?));
    *response.status_mut() = status(answer.status_code)?;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    for (name, value) in &answer.headers {
        let text = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        let (name, value) = header_of(name, &text)?;
        headers.insert(name, value);
    }
    for cookie in &answer.cookies {
        let (name, value) = header_of("set-cookie", cookie)?;
        headers.append(name, value);
    }
    Ok(response)
}

fn status(code: i64) -> Result<StatusCode, ResponseError> {
    let status = u16::try_from(code).ok().filter(|code| *code < 600);
    let status = status.and_then(|code| StatusCode::from_u16(code).ok());
    status.ok_or(ResponseError::Status(code))
}

fn body(answer: &Answer) -> Result<Bytes, ResponseError> {
    let body = answer.body.clone().unwrap_or_default();
    if !answer.is_base64_encoded {
        return Ok(body.into());
    }
    let decoded = base64_simd::STANDARD.decode_to_vec(body.as_bytes());
    Ok(decoded.map_err(|_| ResponseError::Base64)?.into())
}

fn header_of(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), ResponseError> {
    let wrong = |text: &str| ResponseError::Header(text.to_owned());
    let header = name.parse().map_err(|_| wrong(name))?;
    let value = HeaderValue::from_str(value).map_err(|_| wrong(value))?;
    Ok((header, value))
}
