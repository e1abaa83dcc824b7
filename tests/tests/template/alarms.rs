//! Every alarm is about something that is measured, and somebody is told what to do about it.

use std::collections::BTreeSet;

use bar_roller::metrics as roller;
use bronze_writer::metrics as writer;
use pipeline_tests::plane::workspace;
use quote_poller::metrics as poller;
use quote_upserter::metrics as upserter;
use runtime::metrics::{Metric, NAMESPACE, Unit};
use serde_json::json;

use super::{Template, document::visit, metrics::used};
use crate::documents::sources;

/// The metrics of AWS that may be asked for: namespace, name, dimensions, and where AWS documents them.
const OF_AWS: [(&str, &str, &[&str], &str); 10] = [
    ("AWS/Lambda", "Invocations", &["FunctionName"], LAMBDA),
    ("AWS/Lambda", "Errors", &["FunctionName"], LAMBDA),
    ("AWS/Lambda", "Throttles", &["FunctionName"], LAMBDA),
    ("AWS/Lambda", "Duration", &["FunctionName"], LAMBDA),
    ("AWS/Lambda", "OffsetLag", &["FunctionName"], LAMBDA),
    (
        "AWS/Lambda",
        "AsyncEventsDropped",
        &["FunctionName"],
        LAMBDA,
    ),
    (
        "AWS/SQS",
        "ApproximateNumberOfMessagesVisible",
        &["QueueName"],
        "Amazon SQS developer guide, \"Available CloudWatch metrics for Amazon SQS\"",
    ),
    (
        "AWS/Scheduler",
        "InvocationDroppedCount",
        &["ScheduleGroup"],
        "EventBridge Scheduler user guide, \"Monitoring with Amazon CloudWatch\"",
    ),
    ("AWS/Kafka", "UnderReplicatedPartitions", &BROKER, MSK),
    ("AWS/Kafka", "KafkaDataLogsDiskUsed", &BROKER, MSK),
];
const LAMBDA: &str = "AWS Lambda developer guide, \"Types of metrics for Lambda functions\"";
const MSK: &str = "Amazon MSK developer guide, \"Metrics for monitoring Standard brokers with CloudWatch\", level DEFAULT";
const BROKER: [&str; 2] = ["Broker ID", "Cluster Name"];

/// Every metric of the poller, the writer, the roller and the upserter.
pub(super) fn emitted() -> impl Iterator<Item = Metric> {
    let ours = poller::ALL.into_iter().chain(writer::ALL);
    ours.chain(roller::ALL).chain(upserter::ALL)
}

/// Whether the sources of a function name a metric.
fn another_function_names(metric: &str) -> bool {
    let mut is_named = false;
    for entry in std::fs::read_dir(workspace().join("functions")).unwrap() {
        let source = entry.unwrap().path().join("src");
        if source.is_dir() {
            sources(&source, &mut |text| {
                is_named |= text.contains(&format!("\"{metric}\""));
            });
        }
    }
    is_named
}

#[test]
fn an_alarm_or_graph_is_about_a_metric_of_ours_or_of_a_service() {
    let template = Template::read();
    let of_the_stack = format!("{NAMESPACE}/${{AWS::StackName}}");
    for used in used(&template) {
        if used.namespace != of_the_stack {
            let known = OF_AWS.iter().any(|(namespace, name, dimensions, _)| {
                (*namespace, *name) == (&*used.namespace, &*used.name)
                    && used.dimensions == *dimensions
            });
            assert!(known, "{used:?}");
            continue;
        }
        let Some(metric) = emitted().find(|metric| metric.name == used.name) else {
            assert!(
                another_function_names(&used.name),
                "no function emits {used:?}"
            );
            continue;
        };
        assert_eq!(used.dimensions, [metric.dimension], "{used:?}");
        let statistics: &[&str] = match (metric.dimension, metric.unit) {
            ("provider", _) => &["Maximum"],
            (_, Unit::Milliseconds) => &["Maximum", "p50", "p99"],
            (_, Unit::Seconds) => &["Maximum"],
            // Of what is counted again in each run, the sum says nothing.
            _ if metric == roller::LATE_RECORDS => &["Maximum"],
            (_, Unit::Count) => &["Sum"],
        };
        assert!(statistics.contains(&&*used.statistic), "{used:?}");
    }
}

#[test]
fn the_functions_know_the_stack_in_whose_namespace_the_alarms_look() {
    let template = Template::read();
    let stack = &template.globals()["Environment"]["Variables"]["STACK_NAME"];
    assert_eq!(*stack, serde_json::json!({"Ref": "AWS::StackName"}));
}

#[test]
fn whatever_may_lose_or_hold_up_a_record_a_bar_or_a_row_has_an_alarm() {
    let template = Template::read();
    let used = used(&template);
    let watched = |metric: Metric| {
        used.iter()
            .any(|used| used.name == metric.name && used.by.ends_with("Alarm"))
    };
    for metric in [
        poller::QUOTES_FAILED,
        poller::QUOTES_PUBLISHED,
        poller::PUBLISH_MILLISECONDS,
        writer::RECORDS_WRITTEN,
        writer::RECORD_AGE_MILLISECONDS,
        writer::RECORDS_QUARANTINED,
        writer::OFFSETS_REUSED,
        writer::OBJECTS_DAMAGED,
        writer::RECORDS_NOT_DURABLE,
        roller::SYMBOLS_FAILED,
        roller::SYMBOLS_LEFT,
        roller::INPUTS_DAMAGED,
        roller::LATE_RECORDS,
        roller::NEWEST_BAR_AGE_SECONDS,
        upserter::ROW_AGE_MILLISECONDS,
        upserter::ROWS_QUARANTINED,
        upserter::ROWS_NOT_DURABLE,
        upserter::DATABASE_CONNECTIONS,
    ] {
        assert!(watched(metric), "{metric:?}");
    }
}

#[test]
fn every_landed_topic_has_an_alarm_and_no_other_than_is_read() {
    let template = Template::read();
    let writers = template.functions_of("bronze-writer").into_iter();
    let landed: BTreeSet<_> = writers
        .flat_map(|writer| template.topics_of(writer))
        .collect();
    let functions = template.resources("AWS::Serverless::Function").into_iter();
    let read: BTreeSet<_> = functions
        .flat_map(|(id, _)| template.topics_of(id))
        .collect();
    let mut named = BTreeSet::new();
    for (_, alarm) in template.resources("AWS::CloudWatch::Alarm") {
        visit(alarm, &mut |value| {
            if value["Name"] == "topic" {
                named.insert(value["Value"].as_str().unwrap());
            }
        });
    }
    assert!(landed.is_subset(&named), "{landed:?} are of {named:?}");
    assert!(named.is_subset(&read), "{named:?} are of {read:?}");
}

#[test]
fn every_alarm_can_be_switched_off_says_what_it_is_and_tells_its_topic() {
    let template = Template::read();
    for (id, alarm) in template.resources("AWS::CloudWatch::Alarm") {
        let properties = &alarm["Properties"];
        assert!(
            alarm["Condition"].as_str().unwrap().starts_with("Alarms"),
            "{id}"
        );
        assert!(
            properties["AlarmDescription"]
                .as_str()
                .unwrap()
                .ends_with('.'),
            "{id}"
        );
        assert_eq!(
            properties["AlarmActions"],
            json!({"Fn::If": ["Notifies", [{"Ref": "AlarmTopicArn"}], {"Ref": "AWS::NoValue"}]}),
            "{id}"
        );
        // Source: CloudWatch user guide, "Create an alarm based on a metric math expression".
        let metrics = properties["Metrics"].as_array().map_or(1, Vec::len);
        assert!(metrics <= 11, "{id}: ten metrics and the expression");
    }
}

#[test]
fn every_alarm_has_a_section_in_the_operators_guide_and_no_section_is_left_over() {
    let template = Template::read();
    let guide = std::fs::read_to_string(workspace().join("docs/operate.md")).unwrap();
    let mut sections: Vec<(&str, &str)> = guide
        .split("\n### ")
        .skip(1)
        .map(|section| section.split_once('\n').unwrap())
        .filter(|(title, _)| title.ends_with("Alarm"))
        .collect();
    sections.sort_unstable();
    let mut alarms: Vec<&str> = template
        .resources("AWS::CloudWatch::Alarm")
        .into_iter()
        .map(|(id, _)| id)
        .collect();
    alarms.sort_unstable();
    let titles: Vec<&str> = sections.iter().map(|(title, _)| *title).collect();
    assert_eq!(titles, alarms);
    for (title, text) in sections {
        assert!(text.contains("Means:") && text.contains("Do:"), "{title}");
    }
}
