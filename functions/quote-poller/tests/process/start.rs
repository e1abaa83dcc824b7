//! What fails the start of the function as a process.

use std::process::Output;

use super::function;

/// The last line of stderr; librdkafka's own log may come before it.
fn last_words(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1));
    let said = std::str::from_utf8(&output.stderr).unwrap();
    said.lines().last().unwrap().to_owned()
}

#[test]
fn a_wrong_deployment_is_one_sentence_and_a_failed_start() {
    for (environment, said) in [
        (
            &[][..],
            "neither KAFKA_BOOTSTRAP_SERVERS nor MSK_CLUSTER_ARN is set: set the one to host:port, comma-separated, or \
             the other to the cluster's ARN",
        ),
        (
            &[("KAFKA_BOOTSTRAP_SERVERS", "kafka")],
            "the setting KAFKA_BOOTSTRAP_SERVERS is 'kafka' ('kafka' has no port): set it to host:port, comma-separated",
        ),
        (
            &[
                ("KAFKA_BOOTSTRAP_SERVERS", "kafka:1"),
                ("KAFKA_SECURITY", "scram"),
            ],
            "KAFKA_SECURITY is scram and KAFKA_CREDENTIALS_SECRET is missing: set it to the reference of a secret, \
             {\"username\":\"…\",\"password\":\"…\"}",
        ),
    ] {
        let output = function(environment).output().unwrap();
        assert_eq!(last_words(&output), said);
    }
}

#[test]
fn a_wrong_setting_of_a_provider_is_one_sentence_and_a_failed_start() {
    for (setting, value, said) in [
        (
            "FINNHUB_API_KEY_SECRET",
            "vault:a",
            " can't be used (the reference to a secret",
        ),
        (
            "FINNHUB_PER_SECOND",
            "many",
            " is 'many' (not a number): set it to a whole number",
        ),
        ("FINNHUB_TRADES_URL", "https://x", " can't be used ("),
        ("BINANCE_URL", "binance.vision", " can't be used ("),
        (
            "VCI_PER_MINUTE",
            "0",
            " is '0' (out of range): set it to a whole number from 1",
        ),
        (
            "KBS_HEADERS",
            "Referer: x",
            " can't be used (it is no JSON object of HTTP headers): set it to",
        ),
        ("DNSE_URL", "ftp://x", " can't be used ("),
        (
            "VIETNAM_SOURCES",
            "vci,ssi",
            " is 'vci,ssi' ('ssi' is no source): set it to some of",
        ),
    ] {
        let mut settings = vec![("KAFKA_BOOTSTRAP_SERVERS", "localhost:1"), (setting, value)];
        if setting.starts_with("FINNHUB_") && !setting.ends_with("_SECRET") {
            settings.push(("FINNHUB_API_KEY", "key"));
        }
        let last = last_words(&function(&settings).output().unwrap());
        assert!(
            last.starts_with(&format!("the setting {setting}{said}")),
            "{last}"
        );
    }
    let keyless = [
        ("KAFKA_BOOTSTRAP_SERVERS", "localhost:1"),
        ("FINNHUB_URL", "https://finnhub.io/api/v1"),
    ];
    let last = last_words(&function(&keyless).output().unwrap());
    assert!(
        last.starts_with("the setting FINNHUB_API_KEY is missing"),
        "{last}"
    );
}
