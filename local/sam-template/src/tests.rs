mod errors;
mod failures;
mod functions;
mod intrinsics;
mod mappings;
mod repository;
mod robustness;
mod rules;
mod settings;

use std::collections::BTreeSet;

use super::*;

/// What the plane says of its brokers to the repository's template.
fn brokers() -> BTreeMap<String, String> {
    given(&[
        ("Kafka", "self-managed"),
        ("KafkaBootstrapServers", "127.0.0.1:9092"),
        ("KafkaSecurity", "plaintext"),
    ])
}

fn given(parameters: &[(&str, &str)]) -> BTreeMap<String, String> {
    parameters
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn repository_template() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml"))
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

fn function_named<'p>(pipeline: &'p Pipeline, name: &str) -> &'p Function {
    let mut functions = pipeline.functions.iter();
    let found = functions.find(|function| function.name == name);
    found.unwrap_or_else(|| panic!("{name} is not in {pipeline:?}"))
}

/// A poller of the repository's template: its name, its time limit, and the job in its one schedule.
type Poller = (&'static str, u64, u64, serde_json::Value);

/// The pollers with the Vietnamese ones.
fn pollers() -> [Poller; 7] {
    let job = |feed: &str, dataset: &str, symbols: &str, topic: &str, rest: serde_json::Value| {
        let mut job = serde_json::json!({"feed": feed, "dataset": dataset, "symbols": symbols, "topic": topic,
            "scheduled_time": "<aws.scheduler.scheduled-time>"});
        let members = job.as_object_mut().unwrap();
        members.extend(rest.as_object().unwrap().clone());
        job
    };
    let beat = |seconds: u64| serde_json::json!({"beat_seconds": seconds, "budget_seconds": 60});
    let stocks = "AAPL@XNAS,GOOG@XNAS,IBM@XNYS,META@XNAS,MSFT@XNAS";
    let stream = serde_json::json!({"budget_seconds": 299});
    let history = serde_json::json!({"beat_seconds": 300, "period_days": 365});
    let board = serde_json::json!({"beat_seconds": 300});
    let (finnhub, binance, vietnam) = ("finnhub", "binance", "vietnam");
    let coins = "BTCUSDT,ETHUSDT";
    [
        (
            "StockQuotesPoller",
            90,
            60,
            job(finnhub, "quotes", stocks, "stock-quotes", beat(6)),
        ),
        (
            "CryptoPricesPoller",
            90,
            60,
            job(binance, "quotes", coins, "crypto-prices", beat(1)),
        ),
        (
            "TradesPoller",
            330,
            300,
            job(finnhub, "trades", stocks, "trades_raw", stream),
        ),
        (
            "StockPricesPoller",
            90,
            60,
            job(vietnam, "quotes", "FPT", "stock-prices", beat(10)),
        ),
        (
            "StockIntradayPoller",
            90,
            60,
            job(vietnam, "intraday-bars", "FPT", "stock-intraday", beat(60)),
        ),
        (
            "StockHistoricalPoller",
            240,
            300,
            job(vietnam, "daily-bars", "FPT", "stock-historical", history),
        ),
        (
            "StockBoardPoller",
            240,
            300,
            job(vietnam, "board", "*", "stock-board", board),
        ),
    ]
}

#[test]
fn each_job_of_the_repositorys_template_has_a_poller_never_retried() {
    let mut parameters = brokers();
    parameters.extend(given(&[("VietnamSymbols", "FPT")]));
    let pipeline = read(repository_template(), &parameters).unwrap();
    for (name, limit, rate, job) in pollers() {
        let poller = function_named(&pipeline, name);
        let [schedule] = poller.schedules.as_slice() else {
            panic!("{poller:?}");
        };
        assert_eq!(poller.binary, "quote-poller", "{name}");
        assert_eq!(poller.timeout, Duration::from_secs(limit), "{name}");
        assert_eq!(poller.reserved_concurrency, Some(1), "{name}");
        assert_eq!(poller.event_invoke.retries, 0, "{name}");
        assert_eq!(
            poller.event_invoke.event_age,
            Duration::from_mins(1),
            "{name}"
        );
        assert!(poller.kafka.is_empty() && schedule.enabled, "{name}");
        assert_eq!(
            schedule.expression,
            Expression::Rate(Duration::from_secs(rate))
        );
        assert_eq!(schedule.timezone, TimeZone::UTC);
        assert_eq!(schedule.input, job, "{name}");
    }
}

#[test]
fn a_key_is_given_by_the_name_of_its_secret_or_of_its_parameter() {
    let environment = |name: &str, value: &str| {
        let mut parameters = brokers();
        parameters.extend(given(&[(name, value)]));
        let pipeline = read(repository_template(), &parameters).unwrap();
        let poller = function_named(&pipeline, "StockQuotesPoller");
        poller.environment["FINNHUB_API_KEY_SECRET"].clone()
    };
    let secret = "arn:aws:secretsmanager:us-east-1:123456789012:secret:finnhub-a1b2c3";
    assert_eq!(
        environment("FinnhubApiKeySecretArn", secret),
        format!("secretsmanager:{secret}")
    );
    let parameter = "arn:aws:ssm:us-east-1:123456789012:parameter/quotelake/finnhub";
    assert_eq!(
        environment("FinnhubApiKeyParameterArn", parameter),
        format!("ssm:{parameter}")
    );
    assert_eq!(environment("LogLevel", "info"), "");
}

#[test]
fn the_repositorys_template_lands_every_topic_that_is_polled() {
    let pipeline = read(repository_template(), &brokers()).unwrap();
    assert!(pipeline.buckets.contains(&"bronze-bucket".to_owned()));
    let writer = function_named(&pipeline, "BronzeWriter");
    assert_eq!(writer.binary, "bronze-writer");
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
            ("BRONZE_SEGMENT_OFFSETS", "30000"),
            ("BRONZE_SEGMENT_SECONDS", "3600"),
            ("FAILURE_RESPONSE", "batch"),
            ("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:9092"),
            ("KAFKA_SECURITY", "plaintext"),
            ("LOG_LEVEL", "info"),
            ("STACK_NAME", "quotelake-local"),
        ])
    );
    assert!(writer.schedules.is_empty());
    let trigger = |name: &str, topic: &str, enabled: bool| KafkaEvent {
        name: name.to_owned(),
        topic: topic.to_owned(),
        consumer_group: format!("quotelake-local-{topic}"),
        batch_size: 100,
        window: Duration::from_secs(1),
        starting_position: StartingPosition::TrimHorizon,
        pollers: 1,
        failures: FailurePolicy::default(),
        on_failure: None,
        enabled,
    };
    for expected in [
        trigger("StockQuotesTrigger", "stock-quotes", true),
        trigger("CryptoPricesTrigger", "crypto-prices", true),
        trigger("TradesTrigger", "trades_raw", true),
        trigger("StockPricesTrigger", "stock-prices", false),
        trigger("StockIntradayTrigger", "stock-intraday", false),
        trigger("StockHistoricalTrigger", "stock-historical", false),
        trigger("StockBoardTrigger", "stock-board", false),
    ] {
        assert!(writer.kafka.contains(&expected), "{expected:?}");
    }
    let schedules = pipeline
        .functions
        .iter()
        .flat_map(|function| &function.schedules);
    let polled: BTreeSet<_> = schedules
        .filter_map(|schedule| schedule.input["topic"].as_str())
        .collect();
    let landed: BTreeSet<_> = writer
        .kafka
        .iter()
        .filter(|event| event.enabled)
        .map(|event| event.topic.as_str())
        .collect();
    assert_eq!(polled, landed);
}

#[test]
fn a_given_parameter_reaches_what_refers_to_it() {
    let mut parameters = brokers();
    parameters.extend(given(&[
        ("StockSymbols", "BRK.B"),
        ("BatchSize", "500"),
        ("LogLevel", "debug"),
    ]));
    let pipeline = read(repository_template(), &parameters).unwrap();
    let poller = function_named(&pipeline, "StockQuotesPoller");
    let writer = function_named(&pipeline, "BronzeWriter");
    assert_eq!(poller.schedules[0].input["symbols"], "BRK.B");
    assert_eq!(writer.kafka[0].batch_size, 500);
    assert_eq!(writer.environment["LOG_LEVEL"], "debug");
}

#[test]
fn a_secret_is_not_in_the_debug_output() {
    let mut parameters = brokers();
    parameters.insert("FinnhubApiKey".to_owned(), "k3y".to_owned());
    let pipeline = read(repository_template(), &parameters).unwrap();
    let poller = function_named(&pipeline, "StockQuotesPoller");
    assert_eq!(poller.environment["FINNHUB_API_KEY"], "k3y");
    assert!(!format!("{pipeline:?}").contains("k3y"));
}
