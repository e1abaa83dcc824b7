//! What each alarm waits for, written down a second time, so that neither a threshold nor an alarm changes unnoticed.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Template, document::visit, metrics::used};

/// Logical id, statistic and metric, threshold, and how many of how many periods have to be beyond it.
const ALARMS: [(&str, &str, &str, &str); 20] = [
    (
        "TriggerLagAlarm",
        "Maximum OffsetLag",
        "> 1000",
        "5 of 5 of 60 s",
    ),
    (
        "RecordsLateAlarm",
        "Maximum RecordAgeMilliseconds",
        "> 600000",
        "2 of 2 of 300 s",
    ),
    ("WriterErrorsAlarm", "Sum Errors", "> 0", "3 of 5 of 60 s"),
    (
        "WriterThrottlesAlarm",
        "Sum Throttles",
        "> 0",
        "3 of 5 of 60 s",
    ),
    (
        "RecordsNotDurableAlarm",
        "Sum RecordsNotDurable",
        "> 0",
        "3 of 5 of 60 s",
    ),
    ("PollerErrorsAlarm", "Sum Errors", "> 0", "2 of 3 of 300 s"),
    (
        "PollsDroppedAlarm",
        "Sum AsyncEventsDropped",
        "> 5",
        "1 of 1 of 900 s",
    ),
    (
        "QuotesFailedAlarm",
        "Sum QuotesFailed",
        "> 100",
        "2 of 3 of 300 s",
    ),
    (
        "QuotesUnpublishedAlarm",
        "Sum QuotesPolled, Sum QuotesPublished",
        "> 1",
        "2 of 3 of 300 s",
    ),
    (
        "PublishSlowAlarm",
        "p99 PublishMilliseconds",
        "> 100",
        "3 of 3 of 300 s",
    ),
    (
        "NothingWrittenAlarm",
        "Sum QuotesPublished, Sum RecordsWritten",
        "> 0",
        "2 of 2 of 600 s",
    ),
    (
        "NothingWrittenOfVietnamAlarm",
        "Sum QuotesPublished, Sum RecordsWritten",
        "> 0",
        "2 of 2 of 600 s",
    ),
    (
        "NoCryptoPricesAlarm",
        "Sum RecordsWritten",
        "<= 0",
        "3 of 3 of 300 s, or missing",
    ),
    (
        "RecordsQuarantinedAlarm",
        "Sum RecordsQuarantined",
        "> 0",
        "1 of 1 of 300 s",
    ),
    (
        "OffsetsReusedAlarm",
        "Sum OffsetsReused",
        "> 0",
        "1 of 1 of 300 s",
    ),
    (
        "ObjectsDamagedAlarm",
        "Sum ObjectsDamaged",
        "> 0",
        "1 of 1 of 300 s",
    ),
    (
        "ScheduleDeadLettersAlarm",
        "Maximum ApproximateNumberOfMessagesVisible",
        "> 0",
        "1 of 1 of 300 s",
    ),
    (
        "SchedulesDroppedAlarm",
        "Sum InvocationDroppedCount",
        "> 0",
        "1 of 1 of 300 s",
    ),
    (
        "BrokersUnderReplicatedAlarm",
        "Maximum UnderReplicatedPartitions",
        "> 0",
        "3 of 3 of 300 s",
    ),
    (
        "BrokersDiskFullAlarm",
        "Maximum KafkaDataLogsDiskUsed",
        "> 80",
        "1 of 1 of 300 s",
    ),
];

#[test]
fn every_alarm_has_its_metric_its_threshold_and_its_time() {
    let template = Template::read();
    let used = used(&template);
    let alarms = template.resources("AWS::CloudWatch::Alarm");
    let found: BTreeSet<_> = alarms
        .into_iter()
        .map(|(id, alarm)| {
            let metrics = used.iter().filter(|used| used.by == id);
            let metrics: BTreeSet<_> = metrics
                .map(|used| format!("{} {}", used.statistic, used.name))
                .collect();
            let metrics: Vec<_> = metrics.into_iter().collect();
            let properties = &alarm["Properties"];
            let limit = limit(&template, properties);
            (id.to_owned(), metrics.join(", "), limit, time(properties))
        })
        .collect();
    let expected: BTreeSet<_> = ALARMS
        .map(|(id, metrics, limit, time)| [id, metrics, limit, time].map(str::to_owned))
        .map(|[id, metrics, limit, time]| (id, metrics, limit, time))
        .into();
    let only_expected: Vec<_> = expected.difference(&found).collect();
    let only_found: Vec<_> = found.difference(&expected).collect();
    assert!(
        only_expected.is_empty() && only_found.is_empty(),
        "expected {only_expected:#?}, in the template {only_found:#?}"
    );
}

/// What is beyond the threshold, which may be a parameter's default.
fn limit(template: &Template, properties: &Value) -> String {
    let sign = match properties["ComparisonOperator"].as_str().unwrap() {
        "GreaterThanThreshold" => ">",
        "LessThanOrEqualToThreshold" => "<=",
        other => panic!("{other}"),
    };
    let threshold = &properties["Threshold"];
    let threshold = match threshold["Ref"].as_str() {
        Some(parameter) => &template.section("Parameters")[parameter]["Default"],
        None => threshold,
    };
    format!("{sign} {}", threshold.as_f64().unwrap())
}

fn time(properties: &Value) -> String {
    let mut periods = BTreeSet::new();
    visit(properties, &mut |value| {
        periods.extend(value.get("Period").map(|period| period.as_u64().unwrap()));
    });
    assert_eq!(periods.len(), 1, "{periods:?}");
    let period = periods.pop_first().unwrap();
    let evaluated = properties["EvaluationPeriods"].as_u64().unwrap();
    let beyond = &properties["DatapointsToAlarm"];
    let beyond = beyond.as_u64().unwrap_or(evaluated);
    let missing = match properties["TreatMissingData"].as_str().unwrap() {
        "breaching" => ", or missing",
        "notBreaching" => "",
        other => panic!("{other}"),
    };
    format!("{beyond} of {evaluated} of {period} s{missing}")
}

#[test]
fn an_alarm_over_all_pollers_or_topics_leaves_none_out() {
    let template = Template::read();
    let functions = template.resources("AWS::Serverless::Function");
    let pollers: BTreeSet<_> = functions
        .into_iter()
        .map(|(id, _)| id)
        .filter(|id| *id != "BronzeWriter")
        .collect();
    let mappings = template.resources("AWS::Lambda::EventSourceMapping");
    let topics: BTreeSet<_> = mappings
        .into_iter()
        .map(|(_, mapping)| mapping["Properties"]["Topics"][0].as_str().unwrap())
        .collect();
    for (id, expression, expected) in [
        ("PollerErrorsAlarm", "SUM(METRICS())", &pollers),
        ("PollsDroppedAlarm", "SUM(METRICS())", &pollers),
        ("PublishSlowAlarm", "MAX(METRICS())", &topics),
    ] {
        let metrics = metrics(&template, id);
        assert_eq!(metrics[0]["Expression"], expression, "{id}");
        let mut named = BTreeSet::new();
        for metric in &metrics[1..] {
            visit(metric, &mut |value| {
                if let Some(of) = value.get("Value") {
                    named.extend(of["Ref"].as_str().or(of.as_str()));
                }
            });
        }
        assert_eq!(named, *expected, "{id}");
    }
}

#[test]
fn an_alarm_that_compares_two_metrics_does_so_for_the_same_topics() {
    let template = Template::read();
    for id in ["NothingWrittenAlarm", "NothingWrittenOfVietnamAlarm"] {
        let pairs = pairs(&template, id, ["QuotesPublished", "RecordsWritten"]);
        let terms = pairs.into_iter().map(|[published, written]| {
            format!("IF(FILL({published}, 0) > 0 AND FILL({written}, 0) == 0, 1, 0)")
        });
        let expected = format!("MAX([{}])", terms.collect::<Vec<_>>().join(", "));
        assert_eq!(metrics(&template, id)[0]["Expression"], expected);
    }
    let id = "QuotesUnpublishedAlarm";
    let pairs = pairs(&template, id, ["QuotesPolled", "QuotesPublished"]);
    let all = |side: usize| {
        let ids: Vec<_> = pairs.iter().map(|pair| pair[side]).collect();
        format!("SUM([{}])", ids.join(", "))
    };
    let (polled, published) = (all(0), all(1));
    let expected = format!("100 * ({polled} - {published}) / {polled}");
    assert_eq!(metrics(&template, id)[0]["Expression"], expected);
}

fn metrics<'t>(template: &'t Template, alarm: &str) -> &'t [Value] {
    let alarm = &template.section("Resources")[alarm];
    alarm["Properties"]["Metrics"].as_array().unwrap()
}

/// The ids of the two metrics of each topic, in the alarm's order: all of the one, then all of the other.
fn pairs<'t>(template: &'t Template, alarm: &str, names: [&str; 2]) -> Vec<[&'t str; 2]> {
    let of_topics = &metrics(template, alarm)[1..];
    let (first, second) = of_topics.split_at(of_topics.len() / 2);
    assert_eq!(first.len(), second.len(), "{alarm}");
    let both = first.iter().zip(second);
    both.map(|(first, second)| {
        let stats = [first, second].map(|metric| &metric["MetricStat"]["Metric"]);
        assert_eq!(
            stats.map(|stat| stat["MetricName"].as_str().unwrap()),
            names
        );
        assert_eq!(stats[0]["Dimensions"], stats[1]["Dimensions"], "{alarm}");
        [first, second].map(|metric| metric["Id"].as_str().unwrap())
    })
    .collect()
}
