use super::*;

fn with(settings: &str) -> String {
    function_with(&format!(
        "Events:\n  Records:\n    Type: MSK\n    Properties: {{Topics: [quotes], StartingPosition: LATEST, {settings}}}"
    ))
}

fn trigger(settings: &str) -> KafkaEvent {
    function_of(&with(settings)).kafka.remove(0)
}

const PROVISIONED: &str = "ProvisionedPollerConfig: {MinimumPollers: 2, MaximumPollers: 4}";

#[test]
fn every_setting_of_the_failure_side_is_read() {
    let event = trigger(&format!(
        "{PROVISIONED}, MaximumRetryAttempts: 3, MaximumRecordAgeInSeconds: 60, BisectBatchOnFunctionError: true, \
         FunctionResponseTypes: [ReportBatchItemFailures], \
         DestinationConfig: {{OnFailure: {{Type: Kafka, Destination: 'kafka://dead-quotes'}}}}"
    ));
    assert_eq!(event.pollers, 2);
    assert_eq!(
        event.failures,
        FailurePolicy {
            retries: Some(3),
            record_age: Some(Duration::from_secs(60)),
            split_on_error: true,
            partial_responses: true,
        }
    );
    assert_eq!(
        event.on_failure,
        Some(OnFailure::Topic("dead-quotes".to_owned()))
    );

    let event = trigger(
        "ProvisionedPollerConfig: {}, MaximumRetryAttempts: -1, MaximumRecordAgeInSeconds: -1, FunctionResponseTypes: []",
    );
    assert_eq!(
        (event.pollers, event.failures, event.on_failure),
        (1, FailurePolicy::default(), None)
    );
}

#[test]
fn a_bucket_takes_what_is_given_up_in_either_mode_however_its_arn_is_written() {
    let lake = "\n  Lake: {Type: AWS::S3::Bucket}";
    for (written, bucket) in [
        ("'arn:aws:s3:::dead-letters'", "dead-letters"),
        ("'arn:aws:s3:::dead-letters/*'", "dead-letters"),
        ("!GetAtt Lake.Arn", "lake"),
        ("!Sub '${Lake.Arn}/*'", "lake"),
        ("!Sub 'arn:aws:s3:::${Lake}'", "lake"),
    ] {
        let settings = format!("DestinationConfig: {{OnFailure: {{Destination: {written}}}}}");
        let event = function_of(&(with(&settings) + lake)).kafka.remove(0);
        assert_eq!(
            event.on_failure,
            Some(OnFailure::Bucket(bucket.to_owned())),
            "{written}"
        );
    }
}

#[test]
fn what_needs_provisioned_mode_is_refused_without_it() {
    let event = "template.yaml line 9: Poller.Events.Records.Properties";
    for (settings, name) in [
        ("MaximumRetryAttempts: 3", "MaximumRetryAttempts"),
        ("MaximumRecordAgeInSeconds: 60", "MaximumRecordAgeInSeconds"),
        (
            "BisectBatchOnFunctionError: true",
            "BisectBatchOnFunctionError",
        ),
        (
            "FunctionResponseTypes: [ReportBatchItemFailures]",
            "FunctionResponseTypes",
        ),
        (
            "DestinationConfig: {OnFailure: {Destination: 'kafka://dead'}}",
            "DestinationConfig.OnFailure.Destination",
        ),
    ] {
        let expected = format!(
            "{event}.{name} takes a trigger in provisioned mode: add ProvisionedPollerConfig or leave it out"
        );
        assert_eq!(sentence(&with(settings), &[]), expected);
    }
}

#[test]
fn a_wrong_setting_of_the_failure_side_is_refused() {
    let event = "template.yaml line 9: Poller.Events.Records.Properties";
    let elsewhere = "the ARN of an S3 bucket or kafka://topic, which are what the local plane has";
    let destination =
        |written: &str| format!("DestinationConfig: {{OnFailure: {{Destination: '{written}'}}}}");
    for (settings, expected) in [
        (
            "MaximumRetryAttempts: 10001".to_owned(),
            ".MaximumRetryAttempts is '10001': it must be -1 or a whole number from 0 to 10000"
                .to_owned(),
        ),
        (
            "MaximumRecordAgeInSeconds: 59".to_owned(),
            ".MaximumRecordAgeInSeconds is '59': it must be -1 or a whole number from 60 to 604800"
                .to_owned(),
        ),
        (
            "BisectBatchOnFunctionError: often".to_owned(),
            ".BisectBatchOnFunctionError is 'often': it must be true or false".to_owned(),
        ),
        (
            "FunctionResponseTypes: [All]".to_owned(),
            ".FunctionResponseTypes is 'All': it must be ReportBatchItemFailures".to_owned(),
        ),
        (
            destination("arn:aws:sqs:us-east-1:123456789012:dead"),
            format!(
                ".DestinationConfig.OnFailure.Destination is 'arn:aws:sqs:us-east-1:123456789012:dead': it must be {elsewhere}"
            ),
        ),
        (
            destination("arn:aws:sns:us-east-1:123456789012:dead"),
            format!(
                ".DestinationConfig.OnFailure.Destination is 'arn:aws:sns:us-east-1:123456789012:dead': it must be {elsewhere}"
            ),
        ),
        (
            destination("arn:aws:s3:::"),
            format!(".DestinationConfig.OnFailure.Destination is 'arn:aws:s3:::': it must be {elsewhere}"),
        ),
        (
            destination("kafka://quotes"),
            ".DestinationConfig.OnFailure.Destination is 'kafka://quotes': it must be kafka:// and the name of another topic than the trigger's".to_owned(),
        ),
        (
            "DestinationConfig: {OnFailure: {Type: SQS}}".to_owned(),
            ".DestinationConfig.OnFailure.Type is 'SQS': it must be S3 or Kafka, which are what the local plane has".to_owned(),
        ),
        (
            "DestinationConfig: {OnFailure: {Type: S3}}".to_owned(),
            ".DestinationConfig.OnFailure has no Destination: add it".to_owned(),
        ),
        (
            "SchemaRegistryConfig: {}".to_owned(),
            ".SchemaRegistryConfig is not something the local plane does, and without it the pipeline would run otherwise than on AWS: leave it out".to_owned(),
        ),
    ] {
        let settings = format!("{PROVISIONED}, {settings}");
        assert_eq!(sentence(&with(&settings), &[]), format!("{event}{expected}"));
    }
    for (settings, expected) in [
        (
            "MinimumPollers: 201",
            "MinimumPollers is '201': it must be a whole number from 1 to 200",
        ),
        (
            "MinimumPollers: 3, MaximumPollers: 2",
            "MaximumPollers is '2': it must be a whole number from 3 to 2000",
        ),
    ] {
        let text = with(&format!("ProvisionedPollerConfig: {{{settings}}}"));
        assert_eq!(
            sentence(&text, &[]),
            format!("{event}.ProvisionedPollerConfig.{expected}")
        );
    }
}

#[test]
fn the_config_of_asynchronous_invocations_is_read() {
    for (properties, retries, seconds) in [
        ("Timeout: 3", 2, 21_600),
        ("EventInvokeConfig: {}", 2, 21_600),
        (
            "EventInvokeConfig: {MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60}",
            0,
            60,
        ),
    ] {
        let expected = EventInvokeConfig {
            retries,
            event_age: Duration::from_secs(seconds),
        };
        let function = function_of(&function_with(properties));
        assert_eq!(function.event_invoke, expected, "{properties}");
    }
    let path = "template.yaml line 6: Poller.Properties.EventInvokeConfig";
    assert_eq!(
        refusal("EventInvokeConfig: {MaximumRetryAttempts: 3}"),
        format!("{path}.MaximumRetryAttempts is '3': it must be a whole number from 0 to 2")
    );
    assert_eq!(
        refusal("EventInvokeConfig: {MaximumEventAgeInSeconds: 59}"),
        format!(
            "{path}.MaximumEventAgeInSeconds is '59': it must be a whole number from 60 to 21600"
        )
    );
}

#[test]
fn a_reserved_concurrency_is_read_and_zero_is_one() {
    for (properties, expected) in [
        ("Timeout: 3", None),
        ("ReservedConcurrentExecutions: 0", Some(0)),
        ("ReservedConcurrentExecutions: 7", Some(7)),
    ] {
        let function = function_of(&function_with(properties));
        assert_eq!(function.reserved_concurrency, expected, "{properties}");
    }
    assert_eq!(
        refusal("ReservedConcurrentExecutions: -1"),
        "template.yaml line 6: Poller.Properties.ReservedConcurrentExecutions is '-1': it must be a whole number from 0 to 1000000"
    );
}
