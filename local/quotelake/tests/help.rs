//! The tool's own explanation.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::process::Command;

fn help(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_quotelake"))
        .args(arguments)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn help_teaches_the_first_step_and_every_option() {
    assert!(help(&["--help"]).contains("Start with `quotelake up`"));
    let up = help(&["up", "--help"]);
    for option in [
        "--for",
        "--json",
        "--data",
        "--template",
        "--parameter",
        "--feed",
        "--times",
        "--speed",
        "--fault",
        "--brokers",
        "--s3-endpoint",
        "--s3-port",
        "--bin-dir",
    ] {
        assert!(up.contains(option), "{option}");
    }
    assert!(up.contains("Exits with 0"));
}

#[test]
fn the_commands_that_look_after_a_lake_explain_their_options_and_exit_codes() {
    let lake = ["--data", "--bucket", "--prefix", "--epoch", "--s3-endpoint"];
    let inspect = ["--topic", "--symbol", "--keys-only", "--record", "--json"];
    let replay = [
        "--topic",
        "--reason",
        "--payloads",
        "--keep",
        "--failures-topic",
        "--brokers",
        "--dry-run",
        "--json",
    ];
    let gaps = [
        "--from",
        "--to",
        "--topic",
        "--symbol",
        "--beat",
        "--extended",
        "--lateness",
        "--logs",
        "--json",
    ];
    let backfill = [
        "--from",
        "--to",
        "--topic",
        "--symbol",
        "--brokers",
        "--dry-run",
        "--json",
    ];
    let commands = [
        ("inspect", &inspect[..]),
        ("replay", &replay),
        ("gaps", &gaps),
        ("backfill", &backfill),
    ];
    for (command, options) in commands {
        let help = help(&[command, "--help"]);
        for option in lake.iter().chain(options) {
            assert!(help.contains(option), "{command} {option}");
        }
        assert!(help.contains("Exits with 0"), "{help}");
    }
}

#[test]
fn cost_is_a_table_a_json_object_or_one_sentence_and_exit_code_2() {
    let cost = |arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_quotelake"))
            .arg("cost")
            .args(arguments)
            .output()
            .unwrap()
    };
    let table = cost(&[]);
    assert_eq!(table.status.code(), Some(0));
    assert!(
        String::from_utf8(table.stdout)
            .unwrap()
            .contains("lake: S3 PUT")
    );

    let figures = cost(&["--json"]);
    let figures: serde_json::Value = serde_json::from_slice(&figures.stdout).unwrap();
    assert_eq!(figures["puts_per_million_quotes"], 1_000_000.0);

    let refused = cost(&["--window", "400s"]);
    assert_eq!(refused.status.code(), Some(2));
    assert_eq!(
        String::from_utf8(refused.stderr).unwrap(),
        "quotelake: --window is 400: choose 0 to 300 seconds\n"
    );
}

#[test]
fn a_wrong_option_is_refused_with_exit_code_2() {
    let output = Command::new(env!("CARGO_BIN_EXE_quotelake"))
        .args(["up", "--for", "soon"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("'soon'"));
}
