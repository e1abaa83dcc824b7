//! The function as a process.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod start;

use std::{
    io::{ErrorKind, Read},
    net::{SocketAddr, TcpListener},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{
    Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Value, json};
use tokio::{sync::mpsc, task::JoinSet, time::timeout};

fn function(environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quote-poller"));
    command.env_clear().envs(environment.iter().copied());
    command
}

/// A function that is ended with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Lambda's Runtime API, and a provider of quotes.
struct Surroundings {
    at: SocketAddr,
    /// When the function asks for an invocation.
    ready: mpsc::UnboundedReceiver<Instant>,
    /// What it answers.
    answers: mpsc::UnboundedReceiver<String>,
    _tasks: JoinSet<()>,
}

#[derive(Clone)]
struct Shared {
    job: Arc<Mutex<Option<Value>>>,
    ready: mpsc::UnboundedSender<Instant>,
}

impl Surroundings {
    async fn with(job: Value) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let (ready, is_ready) = mpsc::unbounded_channel();
        let (answer, answers) = mpsc::unbounded_channel();
        let answered = move |body: String| async move {
            answer.send(body).unwrap();
            StatusCode::ACCEPTED
        };
        let routes = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/1/response", post(answered))
            .route("/api/v3/ticker/24hr", get(async || TICKER))
            .with_state(Shared {
                job: Arc::new(Mutex::new(Some(job))),
                ready,
            });
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self {
            at,
            ready: is_ready,
            answers,
            _tasks: tasks,
        }
    }
}

/// What Binance says of a symbol.
const TICKER: &str =
    include_str!("../../../../shared/feeds/src/binance/fixtures/ticker-24hr-BTCUSDT.json");

/// Gives the job once.
async fn next(State(shared): State<Shared>) -> Response {
    let _ = shared.ready.send(Instant::now());
    let job = shared.job.lock().unwrap().take();
    let Some(job) = job else {
        std::future::pending::<()>().await;
        return StatusCode::GONE.into_response();
    };
    let headers = [
        ("lambda-runtime-aws-request-id", "1"),
        // `cargo lambda watch` gives a duration in milliseconds, too.
        ("lambda-runtime-deadline-ms", "60000"),
        ("lambda-runtime-invoked-function-arn", "arn"),
    ];
    (headers, job.to_string()).into_response()
}

/// What came of a poll of one quote.
struct Polled {
    /// How long the function took to ask for the job.
    init: Duration,
    failed: Value,
    /// Its log.
    said: String,
}

/// Starts the function with these settings beside those that it has from Lambda, and lets it poll a quote.
async fn poll(settings: &[(&str, &str)]) -> Polled {
    let job = json!({"feed": "binance", "symbols": ["BTCUSDT"], "topic": "crypto-prices", "beat_seconds": 2,
        "budget_seconds": 2});
    let mut around = Surroundings::with(job).await;
    let at = around.at.to_string();
    let market = format!("http://{at}");
    let lambda = [
        ("BINANCE_URL", market.as_str()),
        ("AWS_LAMBDA_RUNTIME_API", &at),
        ("AWS_LAMBDA_FUNCTION_NAME", "quote-poller"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "group"),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "stream"),
    ];
    let mut command = function(&[settings, lambda.as_slice()].concat());
    let started = Instant::now();
    let mut function = Running(
        command
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap(),
    );
    let ready = timeout(Duration::from_secs(30), around.ready.recv()).await;
    let init = ready.unwrap().unwrap().duration_since(started);
    let report = timeout(Duration::from_secs(60), around.answers.recv()).await;
    let mut report: Value = serde_json::from_str(&report.unwrap().unwrap()).unwrap();
    let mut log = function.0.stderr.take().unwrap();
    drop(function);
    let mut said = String::new();
    log.read_to_string(&mut said).unwrap();
    Polled {
        init,
        failed: report["failed"].take(),
        said,
    }
}

/// Takes connections and says nothing.
fn silent() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let at = listener.local_addr().unwrap().to_string();
    (listener, at)
}

fn failed(reason: &str) -> Value {
    json!([{"symbol": "BTCUSDT", "reason": reason, "count": 1}])
}

#[tokio::test(flavor = "multi_thread")]
async fn brokers_that_do_not_answer_are_named_within_init_and_every_quote_counts_as_failed() {
    let (_silent, nobody) = silent();
    let polled = poll(&[("KAFKA_BOOTSTRAP_SERVERS", &nobody)]).await;
    assert!(polled.init < Duration::from_secs(10), "{:?}", polled.init);
    assert_eq!(polled.failed, failed("publish-timed-out"));
    let named = format!("no broker answers at {nobody} (");
    assert!(polled.said.contains(&named), "{}", polled.said);
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_that_are_missing_are_named_and_every_quote_counts_as_failed() {
    let polled = poll(&[
        ("KAFKA_BOOTSTRAP_SERVERS", "localhost:1"),
        ("KAFKA_SECURITY", "scram"),
        ("KAFKA_CREDENTIALS_SECRET", "file:/nowhere/user.json"),
    ])
    .await;
    assert_eq!(polled.failed, failed("no-producer"));
    let named = "there is no secret file:/nowhere/user.json: create it on this machine";
    assert!(polled.said.contains(named), "{}", polled.said);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_of_a_provider_is_not_fetched_before_a_job_needs_it() {
    let (secrets, secrets_at) = silent();
    let polled = poll(&[
        ("KAFKA_BOOTSTRAP_SERVERS", "localhost:1"),
        ("KAFKA_SECURITY", "scram"),
        ("KAFKA_CREDENTIALS_SECRET", "file:/nowhere/user.json"),
        ("FINNHUB_API_KEY_SECRET", "secretsmanager:finnhub"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_ENDPOINT_URL", &format!("http://{secrets_at}")),
    ])
    .await;
    assert_eq!(polled.failed, failed("no-producer"));
    let unasked = secrets.accept().unwrap_err();
    assert_eq!(unasked.kind(), ErrorKind::WouldBlock);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_is_asked_for_in_the_region_of_its_arn_and_the_machine_is_not_asked_for_it() {
    let (metadata, metadata_at) = silent();
    let metadata_at = format!("http://{metadata_at}");
    let polled = poll(&[
        (
            "MSK_CLUSTER_ARN",
            "arn:aws:kafka:eu-west-1:123456789012:cluster/quotes/id-2",
        ),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT", &metadata_at),
    ])
    .await;
    assert_eq!(polled.failed, failed("no-producer"));
    let named = "MSK did not tell the brokers";
    assert!(polled.said.contains(named), "{}", polled.said);
    assert!(polled.init < Duration::from_secs(10), "{:?}", polled.init);
    let unasked = metadata.accept().unwrap_err();
    assert_eq!(unasked.kind(), ErrorKind::WouldBlock);
}
