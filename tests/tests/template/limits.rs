//! What each alarm waits for is written down for the operator, and the alarms over many leave none out.

use std::{collections::BTreeSet, fmt::Write as _};

use pipeline_tests::documents::assert_written;
use serde_json::Value;

use super::{Template, document::visit, metrics::used};

const PAGE: &str = "\
# What each alarm waits for

`QUOTELAKE_WRITE=1 cargo test --workspace --test promises template` writes this page from `template.yaml`, with the defaults of the
parameters. [Operating it](operate.md) says what each alarm means and what to do.

| alarm | metric | beyond | in periods |
|---|---|---|---|
";

#[test]
fn what_each_alarm_waits_for_is_what_its_page_says() {
    let template = Template::read();
    let used = used(&template);
    let mut page = PAGE.to_owned();
    let mut alarms = template.resources("AWS::CloudWatch::Alarm");
    alarms.sort_unstable_by_key(|(id, _)| *id);
    for (id, alarm) in alarms {
        let metrics = used.iter().filter(|used| used.by == id);
        let metrics: BTreeSet<_> = metrics
            .map(|used| format!("{} `{}`", used.statistic, used.name))
            .collect();
        let metrics: Vec<_> = metrics.into_iter().collect();
        let (metrics, properties) = (metrics.join(", "), &alarm["Properties"]);
        let (limit, time) = (limit(&template, properties), time(properties));
        writeln!(page, "| `{id}` | {metrics} | {limit} | {time} |").unwrap();
    }
    assert_written("docs/alarms.md", &page);
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
fn an_alarm_over_all_pollers_rollers_or_topics_leaves_none_out() {
    let template = Template::read();
    let pollers = template.functions_of("quote-poller");
    let rollers = template.functions_of("bar-roller");
    let topics: BTreeSet<_> = pollers
        .iter()
        .flat_map(|poller| template.job_topics_of(poller))
        .collect();
    let topics: BTreeSet<_> = topics.iter().map(String::as_str).collect();
    for (id, expression, expected) in [
        ("PollerErrorsAlarm", "SUM(METRICS())", &pollers),
        ("PollsDroppedAlarm", "SUM(METRICS())", &pollers),
        ("RollerErrorsAlarm", "SUM(METRICS())", &rollers),
        ("RollsDroppedAlarm", "SUM(METRICS())", &rollers),
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
