//! The function as a process.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::process::{Command, Output};

fn start(environment: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bronze-writer"))
        .env_clear()
        .envs(environment.iter().copied())
        .output()
        .unwrap()
}

#[test]
fn a_wrong_deployment_is_one_sentence_and_a_failed_start() {
    let check = |environment: &[(&str, &str)], expected: &str| {
        let output = start(environment);
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(
            String::from_utf8(output.stderr).unwrap(),
            format!("{expected}\n")
        );
    };
    check(
        &[],
        "the setting BRONZE_BUCKET is missing: set it to the name of an S3 bucket",
    );
    check(
        &[("BRONZE_BUCKET", "lake")],
        "the setting BRONZE_PREFIX is missing: set it to a key prefix such as 'bronze'",
    );
    let output = start(&[("LOG_LEVEL", "a=b=c")]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.starts_with("the setting LOG_LEVEL is 'a=b=c' ("),
        "{said}"
    );
}
