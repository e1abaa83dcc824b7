//! Who may do what.

use std::collections::{BTreeMap, BTreeSet};

use pipeline_tests::{
    plane::workspace,
    template::{fragments, rows},
};
use serde_json::{Value, json};

use super::{
    Template,
    document::{statements, texts, visit},
};

/// Every wildcard in a resource of an allowing statement: the statement, the resource, and why it is there.
const WILDCARDS: [(&str, &str, &str); 8] = [
    (
        "WriteBronze",
        "${BronzeBucket.Arn}/${BronzePrefix}/*",
        "the prefix is the writer's own",
    ),
    (
        "ReadBronze",
        "${BronzeBucket.Arn}/${BronzePrefix}/*",
        "bars are made of what the writer has written there",
    ),
    (
        "WriteBars",
        "${BronzeBucket.Arn}/${SilverPrefix}/*",
        "the prefix is the rollers' own",
    ),
    (
        "WriteQuarantine",
        "${BronzeBucket.Arn}/${DatabaseQuarantinePrefix}/*",
        "the prefix is the upserter's own",
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
        let first = &function["Properties"]["Policies"][0];
        assert_eq!(*first, json!({"Ref": "LimitFunctions"}), "{id}");
    }
    let limits = &template.section("Resources")["LimitFunctions"]["Properties"]["PolicyDocument"];
    let mut limits = limits["Statement"].clone();
    let groups = limits[0]["NotResource"].as_array_mut().unwrap();
    groups.sort_unstable_by_key(Value::to_string);
    let own_groups = template.resources("AWS::Logs::LogGroup").into_iter();
    let mut own_groups: Vec<_> = own_groups
        .map(|(id, group)| {
            let arn = json!({"Fn::GetAtt": format!("{id}.Arn")});
            match group.get("Condition") {
                Some(condition) => json!({"Fn::If": [condition, arn, {"Ref": "AWS::NoValue"}]}),
                None => arn,
            }
        })
        .collect();
    own_groups.sort_unstable_by_key(Value::to_string);
    assert_eq!(
        limits,
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
    let all = template.statements();
    let principals = all
        .iter()
        .filter(|statement| statement["Effect"] == "Allow" && statement.get("Principal").is_some());
    for statement in principals {
        let service = statement["Principal"]["Service"].as_str();
        let of_aws = service.is_some_and(|service| service.ends_with(".amazonaws.com"));
        assert!(of_aws, "{statement}");
    }
    for (id, policy) in template.resources("AWS::S3::BucketPolicy") {
        let statements = statements(policy);
        assert!(statements.iter().all(|of| of["Effect"] == "Deny"), "{id}");
        let plain_http = json!({"Bool": {"aws:SecureTransport": "false"}});
        let refuses = |of: &&Value| of["Condition"] == plain_http && of["Action"] == "s3:*";
        assert!(statements.iter().any(refuses), "{id}");
    }
}

#[test]
fn a_poller_may_write_to_the_topics_of_its_jobs_alone_and_no_other_function_to_any() {
    let template = Template::read();
    let pollers = template.functions_of("quote-poller");
    for (id, function) in template.resources("AWS::Serverless::Function") {
        let mut topics = template.job_topics_of(id);
        topics.retain(|_| pollers.contains(id));
        let expected = topics.iter().map(|topic| format!("${{Topics}}/{topic}"));
        let expected: BTreeSet<_> = expected.collect();
        assert_eq!(
            allowed(function, "kafka-cluster:WriteData"),
            expected,
            "{id}"
        );
    }
}

#[test]
fn every_landed_topic_has_a_roller_that_deletes_nothing() {
    let template = Template::read();
    let writers = template.functions_of("bronze-writer").into_iter();
    let landed: BTreeSet<_> = writers
        .flat_map(|writer| template.topics_of(writer))
        .collect();
    let rollers = template.functions_of("bar-roller");
    let topics: BTreeSet<_> = rollers
        .iter()
        .flat_map(|roller| template.job_topics_of(roller))
        .collect();
    assert_eq!(rollers.len(), landed.len());
    assert!(topics.iter().map(String::as_str).eq(landed));
    let policies = [json!({"Ref": "LimitFunctions"}), json!({"Ref": "MakeBars"})];
    for roller in rollers {
        let roller = &template.section("Resources")[roller]["Properties"];
        assert_eq!(*roller["Policies"].as_array().unwrap(), policies);
    }
    let may = statements(&template.section("Resources")["MakeBars"]);
    let may: BTreeSet<_> = may.iter().flat_map(|of| texts(&of["Action"])).collect();
    let on_s3: Vec<_> = may.into_iter().filter(|of| of.starts_with("s3:")).collect();
    assert_eq!(on_s3, ["s3:GetObject", "s3:ListBucket", "s3:PutObject"]);
}

#[test]
fn every_poller_has_a_job_and_every_job_a_poller() {
    let template = Template::read();
    let pollers = template.functions_of("quote-poller");
    let topics: BTreeSet<_> = pollers
        .iter()
        .map(|poller| template.job_topics_of(poller))
        .collect();
    let table = "functions/quote-poller/template/jobs.yaml";
    let jobs = rows(table, &fragments(workspace())[table]);
    assert_eq!(pollers.len(), jobs.len());
    let expected = jobs
        .iter()
        .map(|job| BTreeSet::from([job["topic"].clone()]));
    assert_eq!(topics, expected.collect::<BTreeSet<_>>());
}

#[test]
fn a_function_may_read_the_topics_of_its_triggers_and_commit_as_their_groups_alone() {
    let template = Template::read();
    let mut groups: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (id, mapping) in template.resources("AWS::Lambda::EventSourceMapping") {
        let properties = &mapping["Properties"];
        let topic = properties["Topics"][0].as_str().unwrap();
        let of = ["AmazonManagedKafka", "SelfManagedKafka"]
            .map(|kind| group(&properties[&format!("{kind}EventSourceConfig")]));
        assert_eq!(of[0], of[1], "{id}");
        let its_own = of[0].starts_with("${AWS::StackName}-") && of[0].ends_with(topic);
        assert!(its_own, "{id}: {}", of[0]);
        let function = properties["FunctionName"]["Ref"].as_str().unwrap();
        let groups = groups.entry(function).or_default();
        assert!(groups.insert(format!("${{Groups}}/{}", of[0])), "{id}");
    }
    for (function, groups) in groups {
        let topics = template.topics_of(function).into_iter();
        let topics: BTreeSet<_> = topics.map(|topic| format!("${{Topics}}/{topic}")).collect();
        let function = &template.section("Resources")[function];
        assert_eq!(allowed(function, "kafka-cluster:ReadData"), topics);
        assert_eq!(allowed(function, "kafka-cluster:AlterGroup"), groups);
    }
}

/// The consumer group in a trigger's configuration.
fn group(config: &Value) -> &str {
    let mut group = None;
    visit(config, &mut |value| {
        group = value["ConsumerGroupId"]["Fn::Sub"].as_str().or(group);
    });
    group.unwrap_or_else(|| panic!("{config}"))
}

/// What a function's own policies allow an action on.
fn allowed(function: &Value, action: &str) -> BTreeSet<String> {
    let own = statements(&function["Properties"]["Policies"]).into_iter();
    let own = own.filter(|statement| texts(&statement["Action"]).contains(&action));
    let mut resources = BTreeSet::new();
    for statement in own {
        visit(&statement["Resource"], &mut |value| {
            let text = value["Fn::Sub"][0].as_str();
            resources.extend(text.map(str::to_owned));
        });
    }
    resources
}
