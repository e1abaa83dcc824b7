use std::{collections::BTreeMap, error::Error, time::Duration};

use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4::SigningParams,
};
use axum::http;
use bytes::Bytes;
use lake_tools::lake_location::Endpoint;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use plane::host::InvokeError;
use reqwest::{Client, Request, StatusCode, Url, redirect};
use runtime::clock;
use sam_template::REGION;
use serde::Deserialize;
use serde_json::Value;

/// The API call `Invoke` of a Lambda that takes static credentials.
///
/// Format: AWS Lambda API reference, `Invoke`.
pub(super) struct LambdaApi {
    client: Client,
    endpoint: Url,
    credentials: Credentials,
}

/// A function there.
#[derive(Clone)]
pub(super) struct RemoteFunction {
    /// Its name or ARN.
    pub(super) name: String,
    /// How long an invocation may take.
    pub(super) timeout: Duration,
}

/// The functions there, by their logical ids.
pub(super) type RemoteFunctions = BTreeMap<String, RemoteFunction>;

/// Why an endpoint can't be used.
#[derive(Debug, thiserror::Error)]
#[error("'{url}' is no endpoint of Lambda ({cause}): give --lambda-endpoint http://HOST:PORT")]
pub struct EndpointError {
    url: String,
    cause: String,
}

/// What is encoded in a path, as a signature has it: all but the unreserved characters of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// What the service may need above a function's own time: a start, and the way there and back.
const MARGIN: Duration = Duration::from_secs(30);

/// The most of a refusal that is shown.
const SHOWN: usize = 300;

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Diagnostic {
    error_type: String,
    error_message: String,
}

impl LambdaApi {
    /// A client; nothing is asked of the service yet.
    pub(super) fn new(endpoint: &Endpoint) -> Result<Self, EndpointError> {
        let failed = |cause: String| EndpointError {
            url: endpoint.url.clone(),
            cause,
        };
        // Fails when a provider is installed already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let url = endpoint.url.parse();
        let url: Url = url.map_err(|error| failed(format!("{error}")))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(failed("it is neither http nor https".to_owned()));
        }
        // A redirect makes a GET of some page of the call, and any page answers 200.
        let client = Client::builder().redirect(redirect::Policy::none());
        let client = client.build();
        Ok(Self {
            client: client.map_err(|error| failed(error.to_string()))?,
            endpoint: url,
            credentials: Credentials::new(
                &endpoint.access_key,
                &endpoint.secret_key,
                None,
                None,
                "quotelake",
            ),
        })
    }

    /// Invokes `function` and waits for its answer.
    pub(super) async fn invoke(
        &self,
        function: &RemoteFunction,
        payload: Bytes,
    ) -> Result<Bytes, InvokeError> {
        let mut request =
            self.request(function, payload)
                .map_err(|error| InvokeError::Service {
                    function: function.name.clone(),
                    reason: format!("the request can't be signed: {error}"),
                })?;
        *request.timeout_mut() = Some(function.timeout + MARGIN);
        let lost = |error: reqwest::Error| self.lost(function, &error);
        let response = self.client.execute(request).await.map_err(lost)?;
        let status = response.status();
        let has_failed = response.headers().contains_key("x-amz-function-error");
        let body = response.bytes().await.map_err(lost)?;
        match status {
            // Some emulators answer the function's error with a status of its own.
            _ if has_failed => Err(function_error(function, &body)),
            // 202 is an invocation that is only queued.
            StatusCode::OK if says(&body) == Some(Said::Answer) => Ok(body),
            StatusCode::OK if says(&body) == Some(Said::Error) => {
                Err(function_error(function, &body))
            }
            StatusCode::NOT_FOUND => Err(InvokeError::NoSuchFunction(function.name.clone())),
            status => Err(InvokeError::Service {
                function: function.name.clone(),
                reason: format!("{} answers {status}: {}", self.endpoint, shown(&body)),
            }),
        }
    }

    fn request(
        &self,
        function: &RemoteFunction,
        payload: Bytes,
    ) -> Result<Request, Box<dyn Error + Send + Sync>> {
        let name = utf8_percent_encode(&function.name, RESERVED);
        let mut url = self.endpoint.clone();
        url.set_path(&format!("/2015-03-31/functions/{name}/invocations"));
        let identity = self.credentials.clone().into();
        let signing = SigningParams::builder()
            .identity(&identity)
            .region(REGION)
            .name("lambda")
            .time(clock::now().into())
            .settings(SigningSettings::default())
            .build()?
            .into();
        let body = SignableBody::Bytes(&payload);
        let signable = SignableRequest::new("POST", url.as_str(), std::iter::empty(), body)?;
        let (signature, _) = sign(signable, &signing)?.into_parts();
        let mut request = http::Request::post(url.as_str())
            .header(http::header::CONTENT_TYPE, "application/json")
            .body(payload)?;
        signature.apply_to_request_http1x(&mut request);
        Ok(request.try_into()?)
    }

    fn lost(&self, function: &RemoteFunction, error: &reqwest::Error) -> InvokeError {
        if error.is_timeout() {
            return InvokeError::TimedOut {
                function: function.name.clone(),
                limit: function.timeout,
            };
        }
        let mut cause: &dyn Error = error;
        while let Some(source) = cause.source() {
            cause = source;
        }
        InvokeError::Service {
            function: function.name.clone(),
            reason: format!("{} does not answer: {cause}", self.endpoint),
        }
    }
}

/// What a function has said.
#[derive(PartialEq, Eq)]
enum Said {
    Answer,
    Error,
}

/// What a payload is; `None` if it is no JSON, so not of a function.
///
/// Lambda's Runtime Interface Emulator sends a function's error, `Task timed out after …` or nothing at all as it sends an
/// answer. Source: its `cmd/aws-lambda-rie/handlers.go`.
fn says(body: &[u8]) -> Option<Said> {
    let body: Value = serde_json::from_slice(body).ok()?;
    match body.get("errorMessage") {
        Some(_) => Some(Said::Error),
        None => Some(Said::Answer),
    }
}

fn function_error(function: &RemoteFunction, body: &[u8]) -> InvokeError {
    let diagnostic: Diagnostic = serde_json::from_slice(body).unwrap_or_else(|_| Diagnostic {
        error_type: "an error".to_owned(),
        error_message: shown(body),
    });
    InvokeError::FunctionError {
        function: function.name.clone(),
        error_type: diagnostic.error_type,
        message: diagnostic.error_message,
    }
}

fn shown(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    text.trim().chars().take(SHOWN).collect()
}

#[cfg(test)]
mod tests;
