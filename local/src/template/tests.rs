#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod errors;
mod failures;
mod functions;
mod intrinsics;
mod robustness;
mod settings;

use super::*;

/// The parameters of the repository's template that have no default.
fn required() -> BTreeMap<String, String> {
    given(&[
        (
            "MskClusterArn",
            "arn:aws:kafka:us-east-1:123456789012:cluster/quotes/6cc0432b-8618-4f44-bccc-e1fbd8fb7c4d-2",
        ),
        ("KafkaBootstrapServers", "127.0.0.1:9092"),
        ("FinnhubApiKey", ""),
    ])
}

fn given(parameters: &[(&str, &str)]) -> BTreeMap<String, String> {
    parameters
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn repository_template() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../template.yaml"))
}

/// A template with one function, whose properties are these lines.
fn function_with(properties: &str) -> String {
    let properties = properties.replace('\n', "\n      ");
    format!(
        "Resources:\n  Poller:\n    Type: AWS::Serverless::Function\n    Metadata: {{BuildProperties: {{Binary: poller}}}}\n    Properties:\n      {properties}\n"
    )
}

fn function_of(text: &str) -> Function {
    let pipeline = parse(text, &BTreeMap::new()).unwrap_or_else(|error| panic!("{error}\n{text}"));
    pipeline.functions.into_iter().next().unwrap()
}

/// The sentence for a function with these properties, the first of which is on line 6.
fn refusal(properties: &str) -> String {
    sentence(&function_with(properties), &[])
}

fn sentence(text: &str, parameters: &[(&str, &str)]) -> String {
    match parse(text, &given(parameters)) {
        Err(error) => error.to_string(),
        Ok(pipeline) => panic!("{pipeline:?}\n{text}"),
    }
}

#[test]
fn the_repositorys_template_describes_two_functions_two_schedules_and_two_triggers() {
    let pipeline = read(repository_template(), &required()).unwrap();
    assert_eq!(pipeline.buckets, ["bronze-bucket"]);
    let [poller, writer] = pipeline.functions.as_slice() else {
        panic!("{pipeline:?}");
    };

    assert_eq!(
        (poller.name.as_str(), poller.binary.as_str()),
        ("QuotePoller", "quote-poller")
    );
    assert_eq!(
        (poller.timeout, poller.memory_mb),
        (Duration::from_secs(90), 256)
    );
    assert_eq!(
        poller.environment,
        given(&[
            ("BINANCE_URL", "https://data-api.binance.vision"),
            ("FINNHUB_API_KEY", ""),
            ("FINNHUB_URL", "https://finnhub.io/api/v1"),
            ("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:9092"),
            ("LOG_LEVEL", "info"),
        ])
    );
    assert!(poller.kafka.is_empty());
    let jobs = [
        (
            "Stocks",
            "finnhub",
            "AAPL,GOOG,IBM,META,MSFT",
            "stock-quotes",
            6,
        ),
        ("Crypto", "binance", "BTCUSDT,ETHUSDT", "crypto-prices", 1),
    ];
    assert_eq!(poller.schedules.len(), jobs.len());
    for (schedule, (name, feed, symbols, topic, beat)) in poller.schedules.iter().zip(jobs) {
        assert_eq!(schedule.name, name);
        assert_eq!(
            schedule.expression,
            Expression::Rate(Duration::from_secs(60))
        );
        assert_eq!(schedule.timezone, TimeZone::UTC);
        assert!(schedule.enabled);
        assert_eq!(
            schedule.input,
            serde_json::json!({
                "feed": feed, "symbols": symbols, "topic": topic, "beat_seconds": beat, "budget_seconds": 60
            })
        );
    }

    assert_eq!(
        (writer.name.as_str(), writer.binary.as_str()),
        ("BronzeWriter", "bronze-writer")
    );
    assert_eq!(
        (writer.timeout, writer.memory_mb),
        (Duration::from_secs(60), 512)
    );
    assert_eq!(
        writer.environment,
        given(&[
            ("BRONZE_BUCKET", "bronze-bucket"),
            ("BRONZE_COMPRESSION", "none"),
            ("BRONZE_EPOCH", "1"),
            ("BRONZE_GRANULARITY", "segment"),
            ("BRONZE_PREFIX", "bronze"),
            ("BRONZE_SEGMENT_OFFSETS", "50000"),
            ("BRONZE_SEGMENT_SECONDS", "3600"),
            ("FAILURE_RESPONSE", "batch"),
            ("LOG_LEVEL", "info"),
        ])
    );
    assert!(writer.schedules.is_empty());
    let trigger = |name: &str, topic: &str| KafkaEvent {
        name: name.to_owned(),
        topic: topic.to_owned(),
        consumer_group: format!("quotelake-local-{topic}"),
        batch_size: 100,
        window: Duration::from_secs(1),
        starting_position: StartingPosition::TrimHorizon,
        pollers: 1,
        failures: FailurePolicy::default(),
        on_failure: None,
        enabled: true,
    };
    assert_eq!(
        writer.kafka,
        [
            trigger("StockQuotes", "stock-quotes"),
            trigger("CryptoPrices", "crypto-prices")
        ]
    );
}

#[test]
fn a_given_parameter_reaches_what_refers_to_it() {
    let mut parameters = required();
    parameters.extend(given(&[
        ("StockSymbols", "BRK.B"),
        ("BatchSize", "500"),
        ("LogLevel", "debug"),
    ]));
    let pipeline = read(repository_template(), &parameters).unwrap();
    let [poller, writer] = pipeline.functions.as_slice() else {
        panic!("{pipeline:?}");
    };
    assert_eq!(poller.schedules[0].input["symbols"], "BRK.B");
    assert_eq!(writer.kafka[0].batch_size, 500);
    assert_eq!(writer.environment["LOG_LEVEL"], "debug");
}

#[test]
fn a_parameter_is_required_only_where_it_is_read() {
    let mut parameters = required();
    parameters.remove("MskClusterArn");
    assert!(read(repository_template(), &parameters).is_ok());
    parameters.remove("FinnhubApiKey");
    let error = read(repository_template(), &parameters)
        .unwrap_err()
        .to_string();
    assert!(
        error.ends_with(
            "the parameter FinnhubApiKey has no default: give it by --parameter FinnhubApiKey=VALUE"
        ),
        "{error}"
    );
}

#[test]
fn a_secret_is_not_in_the_debug_output() {
    let mut parameters = required();
    parameters.insert("FinnhubApiKey".to_owned(), "k3y".to_owned());
    let pipeline = read(repository_template(), &parameters).unwrap();
    assert_eq!(pipeline.functions[0].environment["FINNHUB_API_KEY"], "k3y");
    assert!(!format!("{pipeline:?}").contains("k3y"));
}
