//! The repository's template under its parameters.

use super::*;

fn with(parameters: &[(&str, &str)]) -> Pipeline {
    let mut all = brokers();
    all.extend(given(parameters));
    read(repository_template(), &all).unwrap()
}

fn writer(pipeline: &Pipeline) -> &Function {
    let mut functions = pipeline.functions.iter();
    functions
        .find(|function| function.binary == "bronze-writer")
        .unwrap()
}

#[test]
fn a_job_that_is_off_has_neither_poller_nor_roller_and_its_trigger_rests() {
    let on = [("VietnamSymbols", "FPT")];
    let every: Vec<String> = with(&on)
        .functions
        .iter()
        .map(|function| function.name.clone())
        .collect();
    for (parameter, value, poller, topic) in [
        ("StockSymbols", "", "StockQuotesPoller", "stock-quotes"),
        ("CryptoSymbols", "", "CryptoPricesPoller", "crypto-prices"),
        ("TradeSymbols", "", "TradesPoller", "trades_raw"),
        (
            "PollStockPrices",
            "false",
            "StockPricesPoller",
            "stock-prices",
        ),
        (
            "PollStockIntraday",
            "false",
            "StockIntradayPoller",
            "stock-intraday",
        ),
        (
            "PollStockHistorical",
            "false",
            "StockHistoricalPoller",
            "stock-historical",
        ),
        ("VietnamBoardSymbols", "", "StockBoardPoller", "stock-board"),
    ] {
        let pipeline = with(&[on[0], (parameter, value)]);
        let left: Vec<_> = pipeline
            .functions
            .iter()
            .map(|function| &function.name)
            .collect();
        let roller = poller.replace("Poller", "Roller");
        let is_left = |name: &&String| **name != poller && **name != roller;
        let expected: Vec<_> = every.iter().filter(is_left).collect();
        assert_eq!(left, expected, "{parameter}");
        let writer = writer(&pipeline);
        for trigger in &writer.kafka {
            assert_eq!(trigger.enabled, trigger.topic != topic, "{parameter}");
        }
    }
}

#[test]
fn the_writer_names_what_failed_only_where_that_is_asked_for_and_the_triggers_listen() {
    for (mode, asked) in [
        ("on-demand", "batch"),
        ("provisioned", "batch"),
        ("provisioned", "items"),
    ] {
        let pipeline = with(&[
            ("TriggerMode", mode),
            ("FailureResponse", asked),
            ("MinimumPollers", "2"),
        ]);
        let writer = writer(&pipeline);
        assert_eq!(writer.environment["FAILURE_RESPONSE"], asked);
        for trigger in &writer.kafka {
            let provisioned = mode == "provisioned";
            assert_eq!(trigger.pollers, if provisioned { 2 } else { 1 });
            assert_eq!(trigger.failures.partial_responses, provisioned);
            assert_eq!(trigger.failures.retries, None, "never given up");
            assert_eq!(trigger.on_failure, None);
        }
    }
}

#[test]
fn a_change_of_the_mode_alone_leaves_the_writers_response_as_it_is() {
    // The writer is updated before its triggers: a response that they don't listen to yet would lose records.
    let responses = ["on-demand", "provisioned"].map(|mode| {
        let pipeline = with(&[("TriggerMode", mode)]);
        let writer = writer(&pipeline);
        writer.environment["FAILURE_RESPONSE"].clone()
    });
    assert_eq!(responses, ["batch", "batch"]);
}

#[test]
fn the_environment_says_how_to_reach_the_brokers() {
    let environment = |parameters: &[(&str, &str)]| {
        let mut environment = with(parameters).functions[0].environment.clone();
        environment.retain(|name, _| name.starts_with("KAFKA_") || name.starts_with("MSK_"));
        environment
    };
    let secret =
        |name: &str| format!("arn:aws:secretsmanager:us-east-1:123456789012:secret:{name}");
    let (credentials, ca) = (secret("AmazonMSK_quotes-a1b2c3"), secret("ca-a1b2c3"));
    assert_eq!(
        environment(&[
            ("KafkaSecurity", "scram"),
            ("KafkaCredentialsSecretArn", &credentials),
            ("KafkaCaSecretArn", &ca),
            ("TopicPartitions", "10"),
        ]),
        given(&[
            ("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:9092"),
            ("KAFKA_SECURITY", "scram"),
            (
                "KAFKA_CREDENTIALS_SECRET",
                &format!("secretsmanager:{credentials}")
            ),
            ("KAFKA_CA_SECRET", &format!("secretsmanager:{ca}")),
            ("KAFKA_CREATE_PARTITIONS", "10"),
        ])
    );
    let cluster = "arn:aws:kafka:us-east-1:123456789012:cluster/quotes/6cc0432b-8618-4f44-bccc-e1fbd8fb7c4d-2";
    assert_eq!(
        environment(&[
            ("Kafka", "msk"),
            ("KafkaBootstrapServers", ""),
            ("MskClusterArn", cluster),
            ("KafkaSecurity", "iam"),
            ("SubnetIds", "subnet-1"),
            ("SecurityGroupIds", "sg-1"),
        ]),
        given(&[("MSK_CLUSTER_ARN", cluster), ("KAFKA_SECURITY", "iam")])
    );
}

#[test]
fn a_wrong_combination_is_refused_with_a_sentence() {
    let cluster = "arn:aws:kafka:us-east-1:123456789012:cluster/quotes/6cc0432b-8618-4f44-bccc-e1fbd8fb7c4d-2";
    let secret = "arn:aws:secretsmanager:us-east-1:123456789012:secret:quotes-a1b2c3";
    let msk = [
        ("Kafka", "msk"),
        ("MskClusterArn", cluster),
        ("KafkaSecurity", "iam"),
        ("SubnetIds", "subnet-1"),
        ("SecurityGroupIds", "sg-1"),
    ];
    let serverless = [
        ("Kafka", "msk-serverless"),
        ("KafkaSecurity", "iam"),
        ("VpcId", "vpc-0123abcd"),
        ("SubnetIds", "subnet-1,subnet-2"),
    ];
    let own = [
        ("Kafka", "self-managed"),
        ("KafkaBootstrapServers", "b:9092"),
        ("KafkaSecurity", "plaintext"),
    ];
    let tls = [
        &own[..2],
        &[("KafkaSecurity", "tls"), ("KafkaCaSecretArn", secret)],
        &[("SubnetIds", "subnet-1"), ("SecurityGroupIds", "sg-1")],
    ]
    .concat();
    let refusal = |parameters: &[(&str, &str)], name: &str, value: &str| {
        let mut parameters = given(parameters);
        parameters.insert(name.to_owned(), value.to_owned());
        let read = read(repository_template(), &parameters);
        read.err().map_or(String::new(), |error| error.to_string())
    };
    for right in [&msk[..], &own, &tls] {
        assert_eq!(refusal(right, "LogLevel", "info"), "");
    }
    for (parameters, name, value, rule) in [
        (&msk[..], "MskClusterArn", "", "MskNeedsItsCluster"),
        (
            &msk,
            "KafkaBootstrapServers",
            "b:9092",
            "MskBrokersAreLookedUp",
        ),
        (&msk, "SecurityGroupIds", "", "MskIsInAVpc"),
        (
            &msk,
            "KafkaSecurity",
            "scram",
            "CredentialsAreGivenWhereTheyAreUsed",
        ),
        (
            &msk,
            "KafkaCredentialsSecretArn",
            secret,
            "CredentialsAreNotGivenInVain",
        ),
        (&msk, "CreateVpcEndpoints", "true", "EndpointsNeedAVpc"),
        (&msk, "SilverPrefix", "bronze", "BarsLieBesideBronze"),
        (
            &serverless,
            "KafkaSecurity",
            "plaintext",
            "ServerlessNeedsIamAndAVpc",
        ),
        (&serverless, "SubnetIds", "", "ServerlessNeedsIamAndAVpc"),
        (&serverless, "MskClusterArn", cluster, "OnlyMskHasACluster"),
        (&own, "KafkaBootstrapServers", "", "SelfManagedNeedsBrokers"),
        (&own, "KafkaSecurity", "iam", "SelfManagedNeedsBrokers"),
        (
            &own,
            "KafkaSecurity",
            "mtls",
            "CredentialsAreGivenWhereTheyAreUsed",
        ),
        (&own, "KafkaCaSecretArn", secret, "PlaintextHasNoAuthority"),
        (&own, "KafkaSecurity", "tls", "TlsIsByAnAuthorityInAVpc"),
        (&tls, "SubnetIds", "", "TlsIsByAnAuthorityInAVpc"),
        (&tls, "KafkaCaSecretArn", "", "TlsIsByAnAuthorityInAVpc"),
        (&own, "SubnetIds", "subnet-1", "SubnetsHaveSecurityGroups"),
        (
            &own,
            "FailureResponse",
            "items",
            "ItemsNeedTriggersThatListen",
        ),
    ] {
        let said = refusal(parameters, name, value);
        assert!(
            said.contains(&format!(": by the rule {rule}: ")),
            "{name}={value}: {said}"
        );
        assert_eq!(said.lines().count(), 1, "{said}");
    }
    let mut nothing = own.to_vec();
    nothing.extend([("CryptoSymbols", ""), ("TradeSymbols", "")]);
    let every_job_is_off =
        "Every job is off: give the symbols of one, and for Vietnam switch one on";
    let said = refusal(&nothing, "StockSymbols", "");
    assert!(said.ends_with(every_job_is_off), "{said}");
    nothing.extend([("StockSymbols", ""), ("VietnamSymbols", "FPT")]);
    nothing.extend(
        [
            "PollStockPrices",
            "PollStockIntraday",
            "PollStockHistorical",
        ]
        .map(|job| (job, "false")),
    );
    assert_eq!(refusal(&nothing, "VietnamBoardSymbols", "*"), "");
    let said = refusal(&nothing, "VietnamBoardSymbols", "");
    assert!(said.ends_with(every_job_is_off), "{said}");
}

#[test]
fn triggers_that_are_switched_off_rest_and_the_pollers_go_on() {
    let pipeline = with(&[("TriggersEnabled", "false")]);
    let writer = writer(&pipeline);
    assert!(writer.kafka.iter().all(|trigger| !trigger.enabled));
    assert_eq!(pipeline.functions.len(), with(&[]).functions.len());
}

#[test]
fn bars_are_made_as_often_as_is_asked_for_or_not_at_all() {
    let with_bars = with(&[("RollEvery", "1 minute"), ("SweepHours", "48")]);
    let rollers = |pipeline: &Pipeline| -> Vec<Function> {
        let functions = pipeline.functions.iter();
        let rollers = functions.filter(|function| function.binary == "bar-roller");
        rollers.cloned().collect()
    };
    let of_stocks_coins_and_trades = rollers(&with_bars);
    assert_eq!(of_stocks_coins_and_trades.len(), 3);
    for roller in of_stocks_coins_and_trades {
        let [roll, sweep] = roller.schedules.as_slice() else {
            panic!("{roller:?}");
        };
        assert_eq!(roll.expression, "rate(1 minute)".parse().unwrap());
        assert_eq!(roll.input["every"], "1 minute");
        assert_eq!(sweep.expression, "rate(1 day)".parse().unwrap());
        assert_eq!(sweep.input["hours"], 48);
        assert_eq!(roll.input["topic"], sweep.input["topic"]);
        assert_eq!(roller.reserved_concurrency, Some(1));
    }
    let without = with(&[("Bars", "false")]);
    assert_eq!(rollers(&without), []);
    assert_eq!(without.functions.len(), with_bars.functions.len() - 3);
}
