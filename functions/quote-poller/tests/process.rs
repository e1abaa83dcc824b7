//! The function as a process.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::process::{Command, Output};

fn start(environment: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_quote-poller"))
        .env_clear()
        .envs(environment.iter().copied())
        .output()
        .unwrap()
}

/// The last line of stderr; librdkafka's own log may come before it.
fn last_words(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1));
    let said = std::str::from_utf8(&output.stderr).unwrap();
    said.lines().last().unwrap().to_owned()
}

#[test]
fn a_wrong_deployment_is_one_sentence_and_a_failed_start() {
    assert_eq!(
        last_words(&start(&[])),
        "neither KAFKA_BOOTSTRAP_SERVERS nor MSK_CLUSTER_ARN is set: set the one to host:port, comma-separated, or the \
         other to the cluster's ARN"
    );
    assert_eq!(
        last_words(&start(&[("KAFKA_BOOTSTRAP_SERVERS", "kafka")])),
        "the setting KAFKA_BOOTSTRAP_SERVERS is 'kafka' ('kafka' has no port): set it to host:port, comma-separated"
    );
}

#[test]
fn brokers_that_do_not_answer_are_named_before_init_runs_out() {
    // Takes connections and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = silent.local_addr().unwrap().to_string();
    let started = std::time::Instant::now();
    let said = last_words(&start(&[("KAFKA_BOOTSTRAP_SERVERS", &nobody)]));
    assert!(
        said.starts_with(&format!("no broker answers at {nobody} (")),
        "{said}"
    );
    assert!(started.elapsed().as_secs() < 10);
}
