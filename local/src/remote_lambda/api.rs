use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Client, StatusCode, Url, header::CONTENT_TYPE};
use serde::Deserialize;

use crate::host::InvokeError;

/// The API call `Invoke` of a Lambda that asks for no signature.
///
/// Format: AWS Lambda API reference, `Invoke`.
#[derive(Clone)]
pub(super) struct LambdaApi {
    client: Client,
    endpoint: Url,
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
    pub(super) fn new(endpoint: &str) -> Result<Self, EndpointError> {
        let failed = |cause: String| EndpointError {
            url: endpoint.to_owned(),
            cause,
        };
        // Fails when a provider is installed already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let url: Url = endpoint
            .parse()
            .map_err(|error| failed(format!("{error}")))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(failed("it is neither http nor https".to_owned()));
        }
        let client = Client::builder().build();
        Ok(Self {
            client: client.map_err(|error| failed(error.to_string()))?,
            endpoint: url,
        })
    }

    /// Invokes `function` and waits for its answer.
    pub(super) async fn invoke(
        &self,
        function: &RemoteFunction,
        payload: Bytes,
    ) -> Result<Bytes, InvokeError> {
        let name = utf8_percent_encode(&function.name, NON_ALPHANUMERIC);
        let path = format!("/2015-03-31/functions/{name}/invocations");
        let mut url = self.endpoint.clone();
        url.set_path(&path);
        let request = self
            .client
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .timeout(function.timeout + MARGIN)
            .body(payload);
        let lost = |error: reqwest::Error| self.lost(function, &error);
        let response = request.send().await.map_err(lost)?;
        let status = response.status();
        let has_failed = response.headers().contains_key("x-amz-function-error");
        let body = response.bytes().await.map_err(lost)?;
        match status {
            // Some emulators answer the function's error with a status of its own.
            _ if has_failed => Err(function_error(function, &body)),
            status if status.is_success() => Ok(body),
            StatusCode::NOT_FOUND => Err(InvokeError::NoSuchFunction(function.name.clone())),
            status => Err(InvokeError::Service {
                function: function.name.clone(),
                reason: format!("{} answers {status}: {}", self.endpoint, shown(&body)),
            }),
        }
    }

    fn lost(&self, function: &RemoteFunction, error: &reqwest::Error) -> InvokeError {
        if error.is_timeout() {
            return InvokeError::TimedOut {
                function: function.name.clone(),
                limit: function.timeout,
            };
        }
        let mut cause: &dyn std::error::Error = error;
        while let Some(source) = cause.source() {
            cause = source;
        }
        InvokeError::Service {
            function: function.name.clone(),
            reason: format!("{} does not answer: {cause}", self.endpoint),
        }
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
