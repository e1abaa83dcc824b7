//! Who may do what.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    Template,
    document::{texts, visit},
};

/// Every wildcard in a resource of an allowing statement: the statement, the resource, and why it is there.
const WILDCARDS: [(&str, &str, &str); 5] = [
    (
        "WriteBronze",
        "${BronzeBucket.Arn}/${BronzePrefix}/*",
        "the prefix is the writer's own",
    ),
    (
        "MakeInterfaces",
        "arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:network-interface/*",
        "an interface has no name before it is made",
    ),
    (
        "MakeInterfaces",
        "arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:subnet/*",
        "the cluster's subnets, which the template does not know",
    ),
    (
        "MakeInterfaces",
        "arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:security-group/*",
        "the cluster's security groups, likewise",
    ),
    (
        "DescribeTheNetwork",
        "*",
        "EC2 allows no resource for its Describe calls",
    ),
];

#[test]
fn nothing_is_allowed_on_everything_but_for_a_reason() {
    let template = Template::read();
    let mut used = Vec::new();
    for statement in template.statements() {
        if statement["Effect"] != "Allow" {
            continue;
        }
        for action in texts(&statement["Action"]) {
            assert!(!action.contains('*'), "{statement}");
        }
        for resource in texts(&statement["Resource"]) {
            if resource.contains('*') {
                let sid = statement["Sid"].as_str().unwrap();
                let known = WILDCARDS
                    .iter()
                    .find(|(name, text, _)| (*name, *text) == (sid, resource));
                used.push(known.unwrap_or_else(|| panic!("{sid}: {resource}")));
            }
        }
        assert!(statement.get("NotAction").is_none() && statement.get("NotResource").is_none());
    }
    assert_eq!(used.len(), WILDCARDS.len(), "{used:?}");
}

/// SAM's own policies allow them everywhere.
#[test]
fn no_function_logs_elsewhere_or_makes_interfaces_itself() {
    let template = Template::read();
    for (id, function) in template.resources("AWS::Serverless::Function") {
        let policies = function["Properties"]["Policies"].as_array().unwrap();
        assert_eq!(policies[0], json!({"Ref": "LimitFunctions"}), "{id}");
    }
    let limits = &template.section("Resources")["LimitFunctions"]["Properties"]["PolicyDocument"];
    let own_groups = ["PollersLog.Arn", "WriterLog.Arn"].map(|arn| json!({"Fn::GetAtt": arn}));
    assert_eq!(
        limits["Statement"],
        json!([
            {"Sid": "LogToOwnGroupsOnly", "Effect": "Deny", "Action": "logs:*", "NotResource": own_groups},
            {"Sid": "LeaveInterfacesToLambda", "Effect": "Deny", "Action": "ec2:*", "Resource": "*",
                "Condition": {"Null": {"lambda:SourceFunctionArn": "false"}}},
        ])
    );
}

#[test]
fn nobody_outside_is_allowed_anything() {
    let template = Template::read();
    let statements = template.statements();
    let principals = statements
        .iter()
        .filter(|statement| statement["Effect"] == "Allow" && statement.get("Principal").is_some());
    let principals: Vec<&Value> = principals
        .map(|statement| &statement["Principal"])
        .collect();
    assert_eq!(principals, [&json!({"Service": "scheduler.amazonaws.com"})]);
    let bucket = template.resources("AWS::S3::BucketPolicy")[0].1;
    let statements = &bucket["Properties"]["PolicyDocument"]["Statement"];
    assert_eq!(statements[0]["Effect"], "Deny");
    assert_eq!(
        statements[0]["Condition"],
        json!({"Bool": {"aws:SecureTransport": "false"}})
    );
    let mut effects = statements.as_array().unwrap().iter();
    assert!(effects.all(|statement| statement["Effect"] == "Deny"));
}

#[test]
fn a_poller_may_write_to_the_topic_of_its_job_alone() {
    let template = Template::read();
    let mut pollers = 0;
    for (id, function) in template.resources("AWS::Serverless::Function") {
        let Some(events) = function["Properties"].get("Events") else {
            continue;
        };
        let input = texts(events)
            .into_iter()
            .find(|text| text.starts_with('{'))
            .unwrap();
        let job: Value = serde_json::from_str(input).unwrap();
        let mut resources = Vec::new();
        visit(&function["Properties"]["Policies"], &mut |value| {
            if value.get("Sid").is_some() {
                assert_eq!(value["Sid"], "PublishToItsTopic", "{id}");
                resources.push(value["Resource"]["Fn::Sub"][0].as_str().unwrap());
            }
        });
        let topic = job["topic"].as_str().unwrap();
        assert_eq!(resources, [format!("${{Topics}}/{topic}")], "{id}");
        pollers += 1;
    }
    assert_eq!(pollers, 7);
}

#[test]
fn the_writer_may_read_the_topics_of_its_triggers_and_commit_as_their_groups_alone() {
    let template = Template::read();
    let (mut topics, mut groups) = (BTreeSet::new(), BTreeSet::new());
    for (_, mapping) in template.resources("AWS::Lambda::EventSourceMapping") {
        let properties = &mapping["Properties"];
        let topic = properties["Topics"][0].as_str().unwrap();
        let group = format!("${{AWS::StackName}}-{topic}");
        for kind in ["AmazonManagedKafka", "SelfManagedKafka"] {
            let config = &properties[&format!("{kind}EventSourceConfig")];
            assert!(texts(config).contains(&group.as_str()), "{config}");
        }
        topics.insert(format!("${{Topics}}/{topic}"));
        groups.insert(format!("${{Groups}}/{group}"));
    }
    let of = |sid: &str| -> BTreeSet<String> {
        let mut statements = template.statements().into_iter();
        let statement = statements.find(|statement| statement["Sid"] == sid);
        let resources = statement.unwrap()["Resource"].as_array().unwrap().iter();
        resources
            .map(|resource| resource["Fn::Sub"][0].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(of("ReadTheTopics"), topics);
    assert_eq!(of("CommitOffsets"), groups);
}
