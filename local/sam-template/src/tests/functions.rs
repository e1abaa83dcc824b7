use super::*;

#[test]
fn what_is_left_out_has_the_defaults_of_aws() {
    let function = function_of(&function_with(
        "Events:
  Records: {Type: SelfManagedKafka, Properties: {Topics: [quotes], StartingPosition: LATEST}}
  Clock: {Type: ScheduleV2, Properties: {ScheduleExpression: rate(1 hour)}}",
    ));
    assert_eq!(
        (function.timeout, function.memory_mb),
        (Duration::from_secs(3), 128)
    );
    assert!(function.environment.is_empty());
    assert_eq!(
        function.kafka,
        [KafkaEvent {
            name: "Records".to_owned(),
            topic: "quotes".to_owned(),
            consumer_group: "Poller-Records".to_owned(),
            batch_size: 100,
            window: Duration::from_millis(500),
            starting_position: StartingPosition::Latest,
            pollers: 1,
            failures: FailurePolicy::default(),
            on_failure: None,
            enabled: true,
        }]
    );
    assert_eq!(function.schedules[0].input, serde_json::json!({}));
    assert_eq!(function.schedules[0].line, 8);
}

#[test]
fn what_is_written_is_read() {
    let function = function_of(&function_with(
        "Timeout: '840'
Environment: {Variables: {ACCOUNT: 0123, RATIO: 1.10, ON: true, NONE: !Ref AWS::NoValue}}
Events:
  Records:
    Type: MSK
    Properties:
      Topics: [quotes]
      StartingPosition: AT_TIMESTAMP
      StartingPositionTimestamp: 1779480000.5
      MaximumBatchingWindowInSeconds: 0
      BatchSize: 1
      Enabled: false
  Clock:
    Type: ScheduleV2
    Properties:
      ScheduleExpression: cron(0 9 ? * MON-FRI *)
      ScheduleExpressionTimezone: America/New_York
      State: DISABLED
      Input: |
        {
          \"n\": [1, 2]
        }",
    ));
    assert_eq!(function.timeout, Duration::from_secs(840));
    assert_eq!(
        function.environment,
        given(&[("ACCOUNT", "0123"), ("ON", "true"), ("RATIO", "1.10")])
    );
    let trigger = &function.kafka[0];
    let time = "2026-05-22T20:00:00.5Z".parse().unwrap();
    assert_eq!(
        trigger.starting_position,
        StartingPosition::AtTimestamp(time)
    );
    assert_eq!((trigger.batch_size, trigger.window), (1, Duration::ZERO));
    assert!(!trigger.enabled);
    let schedule = &function.schedules[0];
    assert_eq!(schedule.timezone.iana_name(), Some("America/New_York"));
    assert_eq!(schedule.input, serde_json::json!({"n": [1, 2]}));
    assert!(!schedule.enabled);
}

#[test]
fn globals_are_merged_as_sam_merges_them() {
    let text = "
Globals:
  Function:
    Timeout: 30
    MemorySize: 512
    Environment: {Variables: {SHARED: global, LEVEL: global}}
Resources:
  Own:
    Type: AWS::Serverless::Function
    Metadata: {BuildProperties: {Binary: own}}
    Properties:
      Timeout: 7
      MemorySize: !Ref AWS::NoValue
      Environment: {Variables: {LEVEL: own, MORE: own}}
  Bare:
    Type: AWS::Serverless::Function
    Metadata: {BuildProperties: {Binary: bare}}
";
    let pipeline = parse(text, &BTreeMap::new()).unwrap();
    let [own, bare] = pipeline.functions.as_slice() else {
        panic!("{pipeline:?}");
    };
    assert_eq!((own.timeout, own.memory_mb), (Duration::from_secs(7), 128));
    assert_eq!(
        own.environment,
        given(&[("LEVEL", "own"), ("MORE", "own"), ("SHARED", "global")])
    );
    assert_eq!(
        (bare.timeout, bare.memory_mb),
        (Duration::from_secs(30), 512)
    );
    assert_eq!(
        bare.environment,
        given(&[("LEVEL", "global"), ("SHARED", "global")])
    );
}

#[test]
fn a_resource_whose_condition_is_false_does_not_exist() {
    let text = "
Parameters:
  Stage: {Type: String, Default: test}
Conditions:
  InProduction: !Equals [!Ref Stage, production]
Resources:
  Archive: {Type: AWS::S3::Bucket, Condition: InProduction}
  Lake: {Type: AWS::S3::Bucket, DependsOn: Archive}
  Rogue: {Type: AWS::SQS::Queue, Properties: {QueueName: !ImportValue Elsewhere}}
";
    let buckets = |parameters: &[(&str, &str)]| parse(text, &given(parameters)).unwrap().buckets;
    assert_eq!(buckets(&[]), ["lake"]);
    assert_eq!(buckets(&[("Stage", "production")]), ["archive", "lake"]);
}

#[test]
fn a_function_may_have_a_url_a_schedule_and_several_triggers() {
    let function = function_of(&function_with(
        "FunctionUrlConfig: {AuthType: AWS_IAM, InvokeMode: BUFFERED}
Events:
  One: {Type: MSK, Properties: {Topics: [quotes], StartingPosition: LATEST}}
  Two: {Type: MSK, Properties: {Topics: [trades], StartingPosition: LATEST}}
  Clock: {Type: ScheduleV2, Properties: {ScheduleExpression: rate(1 hour)}}",
    ));
    assert_eq!(function.url, Some(FunctionUrl { auth: UrlAuth::Iam }));
    assert_eq!((function.kafka.len(), function.schedules.len()), (2, 1));
    let open = function_of(&function_with("FunctionUrlConfig: {AuthType: NONE}"));
    let anyone = UrlAuth::Anyone;
    assert_eq!(open.url, Some(FunctionUrl { auth: anyone }));
    assert_eq!(function_of(&function_with("Timeout: 3")).url, None);
}

#[test]
fn a_url_that_the_plane_would_serve_otherwise_is_refused() {
    for (config, expected) in [
        (
            "AuthType: NONE, InvokeMode: RESPONSE_STREAM",
            ".InvokeMode is 'RESPONSE_STREAM': it must be BUFFERED, because the local plane streams no responses",
        ),
        (
            "AuthType: EVERYBODY",
            ".AuthType is 'EVERYBODY': it must be NONE or AWS_IAM",
        ),
        ("InvokeMode: BUFFERED", " has no AuthType: add it"),
    ] {
        let refused = refusal(&format!("FunctionUrlConfig: {{{config}}}"));
        let at = "template.yaml line 6: Poller.Properties.FunctionUrlConfig";
        assert_eq!(refused, format!("{at}{expected}"));
    }
    let refused = refusal("FunctionUrlConfig: {AuthType: NONE, Cors: {AllowOrigins: ['*']}}");
    assert!(refused.contains("FunctionUrlConfig.Cors"), "{refused}");
}

#[test]
fn only_what_a_template_declares_is_offered_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("template.yaml");
    let text = format!(
        "Parameters:\n  Known: {{Type: String, Default: own}}\n{}",
        function_with("Environment: {Variables: {KNOWN: !Ref Known}}")
    );
    std::fs::write(&path, text).unwrap();
    let offered = given(&[("Known", "offered"), ("Unknown", "x")]);
    let known = |parameters: &[(&str, &str)]| {
        let pipeline = read_offering(&path, &offered, &given(parameters)).unwrap();
        pipeline.functions[0].environment["KNOWN"].clone()
    };
    assert_eq!(known(&[]), "offered");
    assert_eq!(known(&[("Known", "given")]), "given");
    let wrong = read_offering(&path, &offered, &given(&[("Unknown", "x")]));
    assert!(wrong.is_err(), "what a user gives has to be declared");
}
