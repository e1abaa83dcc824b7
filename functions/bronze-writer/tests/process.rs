//! The function as a process.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

/// A deployment that is right, but for the store and the Runtime API.
const RIGHT: [(&str, &str); 8] = [
    ("BRONZE_BUCKET", "lake"),
    ("BRONZE_PREFIX", "bronze"),
    ("AWS_REGION", "us-east-1"),
    ("AWS_ACCESS_KEY_ID", "quotelake"),
    ("AWS_SECRET_ACCESS_KEY", "quotelake-local"),
    ("AWS_LAMBDA_FUNCTION_NAME", "bronze-writer"),
    ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
    ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512"),
];

fn function(environment: &[(&str, &str)]) -> Command {
    let mut function = Command::new(env!("CARGO_BIN_EXE_bronze-writer"));
    function.env_clear().envs(environment.iter().copied());
    function
}

/// The one sentence of a start that failed at once.
fn refusal(function: &mut Command) -> String {
    let started = Instant::now();
    let Output { status, stderr, .. } = function.output().unwrap();
    assert!(started.elapsed() < Duration::from_secs(5));
    let said = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(1), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    said
}

#[test]
fn a_wrong_deployment_is_one_sentence_and_a_failed_start() {
    for (environment, expected) in [
        (
            &[][..],
            "the setting BRONZE_BUCKET is missing: set it to the name of an S3 bucket\n",
        ),
        (
            &[("BRONZE_BUCKET", "lake")],
            "the setting BRONZE_PREFIX is missing: set it to a key prefix such as 'bronze'\n",
        ),
    ] {
        assert_eq!(refusal(&mut function(environment)), expected);
    }
    for (name, wrong) in [
        ("BRONZE_BUCKET", "My Bucket"),
        ("BRONZE_PREFIX", "a//b"),
        ("BRONZE_GRANULARITY", "hour"),
        ("BRONZE_SEGMENT_SECONDS", "7"),
        ("BRONZE_SEGMENT_OFFSETS", "0"),
        ("BRONZE_COMPRESSION", "gzip"),
        ("FAILURE_RESPONSE", "all"),
        ("LOG_LEVEL", "a=b=c"),
    ] {
        let said = refusal(function(&RIGHT).env(name, wrong));
        let expected = format!("the setting {name} is '{wrong}' (");
        assert!(said.starts_with(&expected), "{said}");
    }
}

/// A server on a port of its own that gives every request the same `answer`, or none.
fn server(answer: Option<String>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let mut silent = Vec::new();
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            match &answer {
                Some(answer) => drop(reply(&mut connection, answer)),
                None => silent.push(connection),
            }
        }
    });
    address
}

/// Reads the head of a request, which it gives back, and answers.
fn reply(connection: &mut TcpStream, answer: &str) -> String {
    let mut request = [0; 8192];
    let length = connection.read(&mut request).unwrap();
    connection.write_all(answer.as_bytes()).unwrap();
    String::from_utf8_lossy(&request[..length]).into_owned()
}

fn refused(status: &str, code: &str) -> Option<String> {
    let body = format!("<Error><Code>{code}</Code><Message>no</Message></Error>");
    let length = body.len();
    Some(format!(
        "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    ))
}

#[test]
fn a_store_that_no_batch_can_be_written_to_is_a_failed_start() {
    for (status, code, expected) in [
        (
            "404 Not Found",
            "NoSuchBucket",
            "there is no bucket at http://STORE/lake: create it, or set BRONZE_BUCKET to one that exists\n",
        ),
        (
            "403 Forbidden",
            "AccessDenied",
            "access to http://STORE/lake is denied (AccessDenied: no): grant s3:PutObject, s3:GetObject and s3:ListBucket on it\n",
        ),
    ] {
        let store = server(refused(status, code));
        let endpoint = format!("http://{store}");
        let said = refusal(function(&RIGHT).env("AWS_ENDPOINT_URL_S3", endpoint));
        assert_eq!(said, expected.replace("STORE", &store.to_string()));
    }
}

/// A function that is ended with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_store_that_is_down_or_slow_costs_init_two_seconds_and_not_the_function() {
    // Nobody listens on port 1.
    let down = SocketAddr::from(([127, 0, 0, 1], 1));
    for store in [
        down,
        server(None),
        server(refused("503 Slow Down", "SlowDown")),
    ] {
        let runtime_api = TcpListener::bind("127.0.0.1:0").unwrap();
        let started = Instant::now();
        let _function = Running(
            function(&RIGHT)
                .env("AWS_ENDPOINT_URL_S3", format!("http://{store}"))
                .env(
                    "AWS_LAMBDA_RUNTIME_API",
                    runtime_api.local_addr().unwrap().to_string(),
                )
                .stderr(Stdio::null())
                .spawn()
                .unwrap(),
        );
        let request = first_request(&runtime_api, started + Duration::from_secs(4));
        assert!(
            request.starts_with("GET /2018-06-01/runtime/invocation/next "),
            "{request}"
        );
    }
}

/// The head of the first request, which is there by `until`.
fn first_request(api: &TcpListener, until: Instant) -> String {
    api.set_nonblocking(true).unwrap();
    loop {
        if let Ok((mut connection, _)) = api.accept() {
            connection.set_nonblocking(false).unwrap();
            return reply(&mut connection, "");
        }
        assert!(Instant::now() < until, "no request");
        thread::sleep(Duration::from_millis(10));
    }
}
