//! The function as a process.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::process::{Command, Output};

/// A deployment that is right, but for the Runtime API.
const RIGHT: [(&str, &str); 2] = [("BRONZE_BUCKET", "lake"), ("BRONZE_PREFIX", "bronze")];

/// The one sentence of a start that failed at once.
fn refusal(environment: &[(&str, &str)]) -> String {
    let mut function = Command::new(env!("CARGO_BIN_EXE_bar-roller"));
    function.env_clear().envs(environment.iter().copied());
    let Output { status, stderr, .. } = function.output().unwrap();
    let said = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(1), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    said
}

#[test]
fn a_wrong_deployment_is_one_sentence_and_a_failed_start() {
    assert_eq!(
        refusal(&[]),
        "the setting BRONZE_BUCKET is missing: set it to the name of an S3 bucket\n"
    );
    for (name, wrong) in [
        ("BRONZE_PREFIX", "a//b"),
        ("BRONZE_EPOCH", "2026/11"),
        ("SILVER_PREFIX", "/silver"),
        ("SILVER_PREFIX", "bronze/silver"),
        ("LATENESS_SECONDS", "1h"),
        ("AHEAD_SECONDS", "-1"),
        ("PROVISIONAL", "yes"),
    ] {
        let said = refusal(&[&RIGHT[..], &[(name, wrong)]].concat());
        let expected = format!("the setting {name} is '{wrong}' (");
        assert!(said.starts_with(&expected), "{said}");
    }
}
