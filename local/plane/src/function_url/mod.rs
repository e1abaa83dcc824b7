//! Function URLs: each function that has one is served over HTTP on a loopback port.
//!
//! A request becomes an event and the function's answer a response as with Lambda's own URLs, buffered. Signatures of
//! `AWS_IAM` are not checked: only this machine can ask. Source: AWS Lambda developer guide, "Invoking Lambda function
//! URLs".

mod event;
mod response;

use std::{collections::BTreeMap, io, net::Ipv4Addr, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use runtime::clock;
use sam_template::{Pipeline, UrlAuth};
use tokio::{net::TcpListener, task::JoinSet, time::Duration};
use tokio_util::sync::CancellationToken;

use crate::{
    host::{Host, InvokeError, PAYLOAD_LIMIT},
    stats::Stats,
};

/// How long a response in hand may take once the URLs are stopped.
const GRACE: Duration = Duration::from_secs(1);

/// Why a URL can't be served.
#[derive(Debug, thiserror::Error)]
#[error("the URL of {function} can't be served on loopback: {cause}")]
pub struct UrlError {
    function: String,
    #[source]
    cause: io::Error,
}

/// The URLs of a pipeline's functions. They end with this value.
pub struct FunctionUrls {
    addresses: BTreeMap<String, String>,
    stop: CancellationToken,
    servers: JoinSet<()>,
}

struct Served {
    function: String,
    auth: UrlAuth,
    host: Arc<Host>,
    stats: Arc<Stats>,
}

impl FunctionUrls {
    /// Serves every URL that the pipeline has, each on a free port.
    ///
    /// # Errors
    /// [`UrlError`] if this machine has no port left.
    pub async fn start(
        pipeline: &Pipeline,
        host: &Arc<Host>,
        stats: &Arc<Stats>,
    ) -> Result<Self, UrlError> {
        let mut urls = Self {
            addresses: BTreeMap::new(),
            stop: CancellationToken::new(),
            servers: JoinSet::new(),
        };
        for function in &pipeline.functions {
            let Some(url) = function.url else { continue };
            let failed = |cause| UrlError {
                function: function.name.clone(),
                cause,
            };
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
            let listener = listener.map_err(failed)?;
            let address = listener.local_addr().map_err(failed)?;
            let served = Arc::new(Served {
                function: function.name.clone(),
                auth: url.auth,
                host: Arc::clone(host),
                stats: Arc::clone(stats),
            });
            let stopped = urls.stop.clone().cancelled_owned();
            urls.servers.spawn(async move {
                let routes = Router::new().fallback(serve).with_state(served);
                // It serves until it is stopped; a broken connection is the client's to notice.
                let _ = axum::serve(listener, routes)
                    .with_graceful_shutdown(stopped)
                    .await;
            });
            let address = format!("http://{address}/");
            urls.addresses.insert(function.name.clone(), address);
        }
        Ok(urls)
    }

    /// The URLs, by function.
    pub fn addresses(&self) -> &BTreeMap<String, String> {
        &self.addresses
    }

    /// Takes no more requests, and gives those in hand a second.
    pub async fn stop(&mut self) {
        self.stop.cancel();
        let ended = async { while self.servers.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(GRACE, ended).await;
        self.servers.shutdown().await;
    }
}

async fn serve(State(served): State<Arc<Served>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, PAYLOAD_LIMIT).await else {
        return refusal(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
    };
    let payload = event::payload(&served.function, served.auth, &head, &body, clock::now());
    if payload.len() > PAYLOAD_LIMIT {
        return refusal(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
    }
    match served.host.invoke(&served.function, payload).await {
        Ok(answer) => respond(&served, &answer),
        Err(error) => {
            served.stats.trouble(&error.to_string());
            match error {
                InvokeError::Throttled { .. } => {
                    refusal(StatusCode::TOO_MANY_REQUESTS, "Rate Exceeded")
                }
                InvokeError::TimedOut { .. } => {
                    refusal(StatusCode::GATEWAY_TIMEOUT, "Gateway Timeout")
                }
                _ => refusal(StatusCode::BAD_GATEWAY, "Internal Server Error"),
            }
        }
    }
}

fn respond(served: &Served, answer: &Bytes) -> Response {
    match response::read(answer) {
        Ok(response) => response,
        Err(error) => {
            let function = &served.function;
            let trouble = format!("{function} has answered its URL with no HTTP response: {error}");
            served.stats.trouble(&trouble);
            refusal(StatusCode::BAD_GATEWAY, "Internal Server Error")
        }
    }
}

/// What the service itself answers.
fn refusal(status: StatusCode, message: &str) -> Response {
    let body = Body::from(serde_json::json!({ "Message": message }).to_string());
    let content_type = [("content-type", "application/json")];
    (status, content_type, body).into_response()
}

#[cfg(test)]
mod tests;
