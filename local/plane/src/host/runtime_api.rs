//! The Runtime API of one execution environment.
//!
//! Format: AWS Lambda developer guide, "Using the Lambda runtime API for custom runtimes".

use std::{
    net::Ipv4Addr,
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::{DefaultBodyLimit, Path, State},
    http::{Response, StatusCode},
    routing::{get, post},
};
use bytes::Bytes;
use rustix::process::{Pid, Signal, kill_process};
use sam_template::function_arn;
use serde::Deserialize;
use tokio::{
    net::TcpListener,
    sync::{Notify, oneshot},
};
use tokio_util::task::AbortOnDropHandle;

use super::{Function, PAYLOAD_LIMIT, lock};

/// An invocation on its way to the function.
pub(super) struct Call {
    pub(super) payload: Bytes,
    /// Told when the function has taken it.
    pub(super) taken: oneshot::Sender<()>,
    pub(super) answer: oneshot::Sender<Answer>,
}

/// What the function says.
pub(super) enum Answer {
    Response(Bytes),
    Error { error_type: String, message: String },
}

/// The server; it ends with this value.
pub(super) struct RuntimeApi {
    address: String,
    shared: Arc<Shared>,
    _server: AbortOnDropHandle<()>,
}

struct Shared {
    function_arn: String,
    timeout: Duration,
    process: OnceLock<Pid>,
    offered: Mutex<Option<Call>>,
    arrived: Notify,
    in_hand: Mutex<Option<(String, oneshot::Sender<Answer>)>>,
    count: Mutex<u64>,
}

impl RuntimeApi {
    pub(super) async fn start(function: &Function) -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?.to_string();
        let shared = Arc::new(Shared {
            function_arn: function_arn(&function.name),
            timeout: function.timeout,
            process: OnceLock::new(),
            offered: Mutex::default(),
            arrived: Notify::new(),
            in_hand: Mutex::default(),
            count: Mutex::default(),
        });
        let routes = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route(
                "/2018-06-01/runtime/invocation/{id}/response",
                post(response),
            )
            .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
            .layer(DefaultBodyLimit::max(PAYLOAD_LIMIT))
            .with_state(Arc::clone(&shared));
        let server = tokio::spawn(async move {
            // It serves until it is aborted; a broken connection is the function's to notice.
            let _ = axum::serve(listener, routes).await;
        });
        Ok(Self {
            address,
            shared,
            _server: AbortOnDropHandle::new(server),
        })
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Freezes this process from now on while it waits for a call.
    pub(super) fn freezes(&self, process: Pid) {
        // It is said once.
        let _ = self.shared.process.set(process);
    }

    /// Puts a call where the function's next request finds it.
    pub(super) fn offer(&self, call: Call) {
        let mut offered = lock(&self.shared.offered);
        *offered = Some(call);
        self.shared.signal(Signal::CONT);
        drop(offered);
        self.shared.arrived.notify_one();
    }
}

impl Shared {
    /// Takes the call that is offered. Where there is none the process is frozen, as in Lambda: until it gets one, no
    /// thread of it runs.
    fn take(&self) -> Option<Call> {
        let mut offered = lock(&self.offered);
        let call = offered.take();
        if call.is_none() {
            // With the offers locked, so that no thaw comes before its freeze.
            self.signal(Signal::STOP);
        }
        call
    }

    fn signal(&self, signal: Signal) {
        if let Some(process) = self.process.get() {
            // It may have ended.
            let _ = kill_process(*process, signal);
        }
    }
}

async fn next(State(shared): State<Arc<Shared>>) -> Result<Response<Body>, StatusCode> {
    let call = loop {
        if let Some(call) = shared.take() {
            break call;
        }
        shared.arrived.notified().await;
    };
    let id = {
        let mut count = lock(&shared.count);
        *count += 1;
        format!("00000000-0000-0000-0000-{count:012}")
    };
    *lock(&shared.in_hand) = Some((id.clone(), call.answer));
    // The host may have given up on it.
    let _ = call.taken.send(());
    let timeout_ms = i64::try_from(shared.timeout.as_millis()).unwrap_or(i64::MAX);
    let deadline = runtime::clock::now()
        .as_millisecond()
        .saturating_add(timeout_ms);
    Response::builder()
        .header("Lambda-Runtime-Aws-Request-Id", id)
        .header("Lambda-Runtime-Deadline-Ms", deadline)
        .header("Lambda-Runtime-Invoked-Function-Arn", &shared.function_arn)
        .header("Content-Type", "application/json")
        .body(Body::from(call.payload))
        .map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}

async fn response(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    body: Bytes,
) -> StatusCode {
    answer(&shared, &id, Answer::Response(body))
}

async fn error(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    body: Bytes,
) -> StatusCode {
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "camelCase", default)]
    struct Diagnostic {
        error_type: String,
        error_message: String,
    }
    let diagnostic: Diagnostic = serde_json::from_slice(&body).unwrap_or_default();
    answer(
        &shared,
        &id,
        Answer::Error {
            error_type: diagnostic.error_type,
            message: diagnostic.error_message,
        },
    )
}

fn answer(shared: &Shared, id: &str, answer: Answer) -> StatusCode {
    let mut in_hand = lock(&shared.in_hand);
    match in_hand.take_if(|(current, _)| current == id) {
        Some((_, waiting)) => {
            // The host may have given up on it.
            let _ = waiting.send(answer);
            StatusCode::ACCEPTED
        }
        None => StatusCode::BAD_REQUEST,
    }
}
