//! The metrics that the alarms and the dashboard are about.

use regex::Regex;
use serde_json::Value;

use super::{Template, document::visit};

/// A metric as something in the template asks for it.
#[derive(Debug)]
pub(super) struct Used {
    /// The resource that asks.
    pub(super) by: String,
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) dimensions: Vec<String>,
    /// `Sum`, `Maximum`, `p99` and so on.
    pub(super) statistic: String,
}

/// Every metric of every alarm and of the dashboard.
pub(super) fn used(template: &Template) -> Vec<Used> {
    let mut used = Vec::new();
    for (id, alarm) in template.resources("AWS::CloudWatch::Alarm") {
        let before = used.len();
        visit(&alarm["Properties"], &mut |value| {
            if value.get("MetricName").is_some() && value.get("Statistic").is_some() {
                used.push(plain(id, value, text(&value["Statistic"])));
            }
            if let Some(stat) = value.get("MetricStat") {
                used.push(plain(id, &stat["Metric"], text(&stat["Stat"])));
            }
            if let Some(expression) = value.get("Expression") {
                let with_values = expression["Fn::Sub"][0].as_str();
                used.extend(query(
                    id,
                    with_values.unwrap_or_else(|| written(expression)),
                ));
            }
        });
        assert!(used.len() > before, "{id} has a metric");
    }
    for (id, dashboard) in template.resources("AWS::CloudWatch::Dashboard") {
        let body = written(&dashboard["Properties"]["DashboardBody"]);
        let body: Value = serde_json::from_str(body).unwrap();
        for widget in body["widgets"].as_array().unwrap() {
            for line in widget["properties"]["metrics"].as_array().unwrap() {
                used.push(line_of_a_graph(id, line.as_array().unwrap()));
            }
        }
    }
    used
}

fn plain(by: &str, metric: &Value, statistic: &str) -> Used {
    let dimensions = metric["Dimensions"].as_array().unwrap().iter();
    Used {
        by: by.to_owned(),
        namespace: written(&metric["Namespace"]).to_owned(),
        name: text(&metric["MetricName"]).to_owned(),
        dimensions: dimensions
            .map(|dimension| text(&dimension["Name"]).to_owned())
            .collect(),
        statistic: statistic.to_owned(),
    }
}

/// The metric of a query of Metrics Insights; none for an expression over other metrics.
fn query(by: &str, expression: &str) -> Option<Used> {
    let query =
        Regex::new(r#"^SELECT (\w+)\((\w+)\) FROM SCHEMA\("([^"]+)", ([^)]+)\)( WHERE .*)?$"#)
            .unwrap();
    if !expression.starts_with("SELECT") {
        return None;
    }
    let parts = query
        .captures(expression)
        .unwrap_or_else(|| panic!("{expression}"));
    let dimensions = parts[4].split(", ").map(|name| name.trim_matches('"'));
    let statistic = match &parts[1] {
        "SUM" => "Sum",
        "MAX" => "Maximum",
        other => panic!("{other}"),
    };
    Some(Used {
        by: by.to_owned(),
        namespace: parts[3].to_owned(),
        name: parts[2].to_owned(),
        dimensions: dimensions.map(str::to_owned).collect(),
        statistic: statistic.to_owned(),
    })
}

fn line_of_a_graph(by: &str, line: &[Value]) -> Used {
    let search =
        Regex::new(r#"^SEARCH\('\{"([^"]+)",([^}]+)\} MetricName="(\w+)"', '(\w+)', \d+\)$"#)
            .unwrap();
    if let [only] = line {
        let expression = text(&only["expression"]);
        let parts = search
            .captures(expression)
            .unwrap_or_else(|| panic!("{expression}"));
        return Used {
            by: by.to_owned(),
            namespace: parts[1].to_owned(),
            name: parts[3].to_owned(),
            dimensions: parts[2].split(',').map(str::to_owned).collect(),
            statistic: parts[4].to_owned(),
        };
    }
    let [namespace, name, dimensions @ .., options] = line else {
        panic!("{line:?}");
    };
    Used {
        by: by.to_owned(),
        namespace: text(namespace).to_owned(),
        name: text(name).to_owned(),
        dimensions: dimensions
            .iter()
            .step_by(2)
            .map(|name| text(name).to_owned())
            .collect(),
        statistic: text(&options["stat"]).to_owned(),
    }
}

/// A text, or one that has the names of other values in it.
fn written(value: &Value) -> &str {
    value["Fn::Sub"].as_str().unwrap_or_else(|| text(value))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value}"))
}
