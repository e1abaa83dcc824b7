use super::*;

/// A template with a function and a mapping to it with these lines.
fn with(properties: &str) -> String {
    let properties = properties.replace('\n', "\n      ");
    format!(
        "Conditions:
  Yes: !Equals [a, a]
  No: !Equals [a, b]
Resources:
  Records:
    Type: AWS::Lambda::EventSourceMapping
    Properties:
      {properties}
  Writer:
    Type: AWS::Serverless::Function
    Metadata: {{BuildProperties: {{Binary: writer}}}}
"
    )
}

const TRIGGER: &str = "Topics: [quotes]\nStartingPosition: TRIM_HORIZON";

#[test]
fn a_mapping_is_a_trigger_of_the_function_that_it_names() {
    let config =
        "SelfManagedKafkaEventSourceConfig: !If [Yes, {ConsumerGroupId: own}, !Ref AWS::NoValue]
AmazonManagedKafkaEventSourceConfig: !If [No, {ConsumerGroupId: msk}, !Ref AWS::NoValue]
EventSourceArn: !If [No, !GetAtt Nowhere.Arn, !Ref AWS::NoValue]
BatchSize: 7";
    for named in [
        "!Ref Writer",
        "!GetAtt Writer.Arn",
        "Writer",
        "!Sub '${Writer.Arn}'",
    ] {
        let text = with(&format!("FunctionName: {named}\n{TRIGGER}\n{config}"));
        let function = function_of(&text);
        let [trigger] = function.kafka.as_slice() else {
            panic!("{function:?}");
        };
        assert_eq!(trigger.name, "Records");
        assert_eq!(trigger.topic, "quotes");
        assert_eq!(trigger.consumer_group, "own");
        assert_eq!(trigger.batch_size, 7);
        assert!(trigger.enabled);
    }
}

#[test]
fn a_mapping_of_msk_has_its_group_in_the_section_of_msk() {
    let config = "AmazonManagedKafkaEventSourceConfig: {ConsumerGroupId: msk}";
    let text = with(&format!("FunctionName: !Ref Writer\n{TRIGGER}\n{config}"));
    assert_eq!(function_of(&text).kafka[0].consumer_group, "msk");
    let text = with(&format!("FunctionName: !Ref Writer\n{TRIGGER}"));
    assert_eq!(function_of(&text).kafka[0].consumer_group, "Writer-Records");
}

#[test]
fn a_mapping_that_can_not_run_is_refused_with_its_line() {
    let path = "Records.Properties";
    for (properties, expected) in [
        (
            TRIGGER.to_owned(),
            format!("7: {path} has no FunctionName: add it"),
        ),
        (
            format!("FunctionName: Nobody\n{TRIGGER}"),
            "5: there is no function Nobody: declare it or correct the name".to_owned(),
        ),
        (
            format!("FunctionName: !Ref Nobody\n{TRIGGER}"),
            "8: there is no parameter or resource Nobody: declare it or correct the name"
                .to_owned(),
        ),
        (
            "FunctionName: !Ref Writer\nStartingPosition: LATEST".to_owned(),
            format!("7: {path} has no Topics: add it"),
        ),
        (
            format!("FunctionName: !Ref Writer\n{TRIGGER}\nFilterCriteria: {{}}"),
            format!(
                "11: {path}.FilterCriteria is not something the local plane does, and without it the pipeline would run otherwise than on AWS: leave it out"
            ),
        ),
        (
            format!(
                "FunctionName: !Ref Writer\n{TRIGGER}\nSelfManagedKafkaEventSourceConfig:\n  SchemaRegistryConfig: {{}}"
            ),
            format!(
                "12: {path}.SelfManagedKafkaEventSourceConfig.SchemaRegistryConfig is not something the local plane does, and without it the pipeline would run otherwise than on AWS: leave it out"
            ),
        ),
        (
            format!("FunctionName: !Ref Writer\n{TRIGGER}\nMaximumRetryAttempts: 3"),
            format!(
                "11: {path}.MaximumRetryAttempts takes a trigger in provisioned mode: add ProvisionedPollerConfig or leave it out"
            ),
        ),
    ] {
        assert_eq!(
            sentence(&with(&properties), &[]),
            format!("template.yaml line {expected}")
        );
    }
}

#[test]
fn a_function_with_a_mapping_has_the_time_limit_of_kafka() {
    let text = with(&format!("FunctionName: !Ref Writer\n{TRIGGER}"));
    let text = format!("{text}    Properties: {{Timeout: 841}}\n");
    assert_eq!(
        sentence(&text, &[]),
        "template.yaml line 5: Writer.Properties.Timeout is '841': it must be at most 840 with a Kafka trigger"
    );
}
