use super::*;

fn trigger(settings: &str) -> String {
    refusal(&format!(
        "Events:\n  Records:\n    Type: MSK\n    Properties: {{Topics: [quotes], StartingPosition: LATEST, {settings}}}"
    ))
}

fn clock(settings: &str) -> String {
    refusal(&format!(
        "Events:\n  Clock:\n    Type: ScheduleV2\n    Properties: {{{settings}}}"
    ))
}

#[test]
fn a_setting_beyond_what_the_service_takes_is_refused() {
    for (properties, expected) in [
        (
            "Timeout: 901",
            "6: Poller.Properties.Timeout is '901': it must be a whole number from 1 to 900",
        ),
        (
            "MemorySize: 64",
            "6: Poller.Properties.MemorySize is '64': it must be a whole number from 128 to 10240",
        ),
        (
            "Events: {Records: {Type: MSK, Properties: {Topics: [quotes], StartingPosition: LATEST}}}\nTimeout: 841",
            "7: Poller.Properties.Timeout is '841': it must be a whole number from 1 to 840",
        ),
        (
            "Events: {Queue: {Type: SQS}}",
            "6: Poller.Events.Queue is of type SQS, which the local plane can't run: it runs ScheduleV2, MSK and SelfManagedKafka, and serves HTTP for a function with FunctionUrlConfig",
        ),
        (
            "Events: {Records: {Type: MSK}}",
            "6: Poller.Events.Records has no Properties: add it",
        ),
        (
            "Events: [MSK]",
            "6: Poller.Properties.Events must be a map, and it is a list: correct it",
        ),
    ] {
        assert_eq!(
            refusal(properties),
            format!("template.yaml line {expected}")
        );
    }
}

#[test]
fn a_wrong_trigger_is_refused() {
    let event = "template.yaml line 9: Poller.Events.Records.Properties";
    for (settings, expected) in [
        (
            "BatchSize: 10001",
            ".BatchSize is '10001': it must be a whole number from 1 to 10000",
        ),
        (
            "MaximumBatchingWindowInSeconds: 0.5",
            ".MaximumBatchingWindowInSeconds is '0.5': it must be a whole number from 0 to 300",
        ),
        (
            "ConsumerGroupId: ''",
            ".ConsumerGroupId is '': it must be 1 to 200 characters",
        ),
        (
            "Enabled: perhaps",
            ".Enabled is 'perhaps': it must be true or false",
        ),
        (
            "FilterCriteria: {Filters: []}",
            ".FilterCriteria is not something the local plane does, and without it the pipeline would run otherwise than on AWS: leave it out",
        ),
    ] {
        assert_eq!(trigger(settings), format!("{event}{expected}"));
    }
    let with = |settings: &str| {
        refusal(&format!(
            "Events:\n  Records:\n    Type: MSK\n    Properties: {{{settings}}}"
        ))
    };
    for (settings, expected) in [
        ("StartingPosition: LATEST", " has no Topics: add it"),
        (
            "Topics: [a, b], StartingPosition: LATEST",
            ".Topics is 'a,b': it must be exactly one topic",
        ),
        (
            "Topics: [a b], StartingPosition: LATEST",
            ".Topics is 'a b': it must be 1 to 249 letters, digits, dots, hyphens and underscores",
        ),
        ("Topics: [a]", " has no StartingPosition: add it"),
        (
            "Topics: [a], StartingPosition: EARLIEST",
            ".StartingPosition is 'EARLIEST': it must be TRIM_HORIZON, LATEST or AT_TIMESTAMP",
        ),
        (
            "Topics: [a], StartingPosition: AT_TIMESTAMP",
            " has no StartingPositionTimestamp: add it",
        ),
        (
            "Topics: [a], StartingPosition: AT_TIMESTAMP, StartingPositionTimestamp: now",
            ".StartingPositionTimestamp is 'now': it must be a time in seconds since the epoch",
        ),
    ] {
        assert_eq!(with(settings), format!("{event}{expected}"));
    }
}

#[test]
fn a_wrong_schedule_is_refused() {
    let event = "template.yaml line 9: Poller.Events.Clock.Properties";
    for (settings, expected) in [
        ("Input: '{}'", " has no ScheduleExpression: add it"),
        (
            "ScheduleExpression: rate(1 minutes)",
            ".ScheduleExpression: 'rate(1 minutes)' has the wrong unit: write rate(1 minute)",
        ),
        (
            "ScheduleExpression: rate(1 minute), ScheduleExpressionTimezone: Mars/Olympus",
            ".ScheduleExpressionTimezone: there is no time zone 'Mars/Olympus': name one of the IANA database, such as America/New_York",
        ),
        (
            "ScheduleExpression: rate(1 minute), Input: '{feed: finnhub}'",
            ".Input is not JSON (key must be a string at line 1 column 2): write one JSON value",
        ),
        (
            "ScheduleExpression: rate(1 minute), State: OFF",
            ".State is 'OFF': it must be ENABLED or DISABLED",
        ),
        (
            "ScheduleExpression: rate(1 minute), EndDate: '2027-01-01T00:00:00Z'",
            ".EndDate is not something the local plane does, and without it the pipeline would run otherwise than on AWS: leave it out",
        ),
    ] {
        assert_eq!(clock(settings), format!("{event}{expected}"));
    }
}
