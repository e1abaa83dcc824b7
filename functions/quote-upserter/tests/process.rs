//! The function as a process.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

/// A deployment that is right, but for the database, the store and the Runtime API. Nobody listens on port 1.
const RIGHT: [(&str, &str); 12] = [
    ("DATABASE_HOST", "127.0.0.1"),
    ("DATABASE_PORT", "1"),
    ("DATABASE_USER", "quotelake"),
    ("DATABASE_TLS", "off"),
    ("BRONZE_BUCKET", "lake"),
    ("BRONZE_PREFIX", "bronze"),
    ("AWS_REGION", "us-east-1"),
    ("AWS_ACCESS_KEY_ID", "quotelake"),
    ("AWS_SECRET_ACCESS_KEY", "quotelake-local"),
    ("AWS_LAMBDA_FUNCTION_NAME", "quote-upserter"),
    ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
    ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512"),
];

fn function(environment: &[(&str, &str)]) -> Command {
    let mut function = Command::new(env!("CARGO_BIN_EXE_quote-upserter"));
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
        (&[][..], "the setting DATABASE_HOST is missing: "),
        (&RIGHT[..4], "the setting BRONZE_BUCKET is missing: "),
        (&RIGHT[..5], "the setting BRONZE_PREFIX is missing: "),
    ] {
        let said = refusal(&mut function(environment));
        assert!(said.starts_with(expected), "{said}");
    }
    for (name, wrong) in [
        ("DATABASE_HOST", "postgres://db/quotelake"),
        ("DATABASE_PORT", "0"),
        ("DATABASE_AUTH", "password"),
        ("DATABASE_TLS", "on"),
        ("DATABASE_HISTORY", "no"),
        ("DATABASE_QUARANTINE_PREFIX", "/postgres"),
        ("DATABASE_QUARANTINE_PREFIX", "bronze/postgres"),
        ("BRONZE_BUCKET", "My Bucket"),
        ("BRONZE_EPOCH", "2026/11"),
        ("FAILURE_RESPONSE", "all"),
        ("LOG_LEVEL", "a=b=c"),
    ] {
        let said = refusal(function(&RIGHT).env(name, wrong));
        let expected = format!("the setting {name} is '{wrong}' (");
        assert!(said.starts_with(&expected), "{said}");
    }
    let said = refusal(function(&RIGHT).env("DATABASE_HOST", "db.example.com"));
    assert!(said.contains("DATABASE_TLS"), "{said}");
}

/// A database on a port of its own that gives every connection the same `answer` to its first message, or none.
fn database(answer: Option<Vec<u8>>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let mut silent = Vec::new();
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            match &answer {
                Some(answer) => {
                    let mut message = [0; 1024];
                    let _ = connection.read(&mut message);
                    let _ = connection.write_all(answer);
                }
                None => silent.push(connection),
            }
        }
    });
    port
}

/// Format: PostgreSQL's documentation, "Message Formats", `ErrorResponse`.
fn error(sqlstate: &str, message: &str) -> Vec<u8> {
    let fields = format!("SFATAL\0VFATAL\0C{sqlstate}\0M{message}\0\0");
    let length = u32::try_from(fields.len() + 4).unwrap();
    [b"E", &length.to_be_bytes()[..], fields.as_bytes()].concat()
}

#[test]
fn a_database_that_no_batch_can_be_brought_to_is_a_failed_start() {
    for (sqlstate, message) in [
        (
            "28P01",
            "password authentication failed for user \"quotelake\"",
        ),
        ("3D000", "database \"quotelake\" does not exist"),
    ] {
        let port = database(Some(error(sqlstate, message))).to_string();
        let said = refusal(function(&RIGHT).env("DATABASE_PORT", &port));
        let database = format!("the database at 127.0.0.1:{port}/quotelake can't be used (");
        assert!(said.starts_with(&database), "{said}");
        assert!(said.contains(message), "{said}");
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
fn a_database_that_is_down_or_slow_costs_init_two_seconds_and_not_the_function() {
    let starting = error("57P03", "the database system is starting up");
    for port in [1, database(None), database(Some(starting))] {
        let runtime_api = TcpListener::bind("127.0.0.1:0").unwrap();
        let started = Instant::now();
        let _function = Running(
            function(&RIGHT)
                .env("DATABASE_PORT", port.to_string())
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
        if let Ok((connection, _)) = api.accept() {
            connection.set_nonblocking(false).unwrap();
            return head(connection);
        }
        assert!(Instant::now() < until, "no request");
        thread::sleep(Duration::from_millis(10));
    }
}

fn head(mut connection: TcpStream) -> String {
    let mut request = [0; 8192];
    let length = connection.read(&mut request).unwrap();
    String::from_utf8_lossy(&request[..length]).into_owned()
}
