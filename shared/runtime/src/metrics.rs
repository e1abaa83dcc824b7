//! Metrics as CloudWatch reads them: lines on stdout in the embedded metric format (EMF).
//!
//! Format: CloudWatch user guide, "Specification: Embedded metric format".

use std::{
    io::{Write, stdout},
    sync::OnceLock,
};

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::{Environment, settings::STACK_NAME};

/// The CloudWatch namespace of every metric here; `/` and the stack's name follow where it has one.
pub const NAMESPACE: &str = "quotelake";

/// A metric that a function emits. Each function's crate has its own, as constants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Metric {
    /// The name in CloudWatch.
    pub name: &'static str,
    /// The unit.
    pub unit: Unit,
    /// The dimension that splits it, such as `topic`.
    pub dimension: &'static str,
}

/// The unit of a metric in CloudWatch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unit {
    /// A number of things.
    Count,
    /// A length of time.
    Milliseconds,
    /// A longer one.
    Seconds,
}

impl Metric {
    /// A number of things, for each topic.
    pub const fn count(name: &'static str) -> Self {
        Self {
            name,
            unit: Unit::Count,
            dimension: "topic",
        }
    }

    /// A length of time in milliseconds, for each topic.
    pub const fn milliseconds(name: &'static str) -> Self {
        Self {
            unit: Unit::Milliseconds,
            ..Self::count(name)
        }
    }

    /// A length of time in seconds, for each topic.
    pub const fn seconds(name: &'static str) -> Self {
        Self {
            unit: Unit::Seconds,
            ..Self::count(name)
        }
    }

    /// This metric, split by another dimension than the topic.
    pub const fn by(self, dimension: &'static str) -> Self {
        Self { dimension, ..self }
    }
}

impl Unit {
    fn name(self) -> &'static str {
        match self {
            Self::Count => "Count",
            Self::Milliseconds => "Milliseconds",
            Self::Seconds => "Seconds",
        }
    }
}

/// The namespace, once this process is a function, whose stdout is CloudWatch's.
static OF_FUNCTION: OnceLock<String> = OnceLock::new();

/// Lets [`emit`] write from now on.
pub(crate) fn begin(environment: &Environment) {
    OF_FUNCTION.get_or_init(|| namespace(environment));
}

fn namespace(environment: &Environment) -> String {
    match environment.secret(STACK_NAME.name) {
        Some(stack) => format!("{NAMESPACE}/{stack}"),
        None => NAMESPACE.to_owned(),
    }
}

/// The most values of one metric that a line may have.
const VALUES_A_LINE: usize = 100;

/// Writes one line with `values`, split by one dimension, e.g. `("topic", "stock-quotes")`; nothing in a process that
/// [`start`](crate::start()) has not made a function, because its stdout is somebody else's.
///
/// A line that can't be written is dropped: a metric never fails an invocation.
pub fn emit(now: Timestamp, dimension: (&str, &str), values: &[(Metric, u64)]) {
    let values: Vec<_> = values
        .iter()
        .map(|&(metric, value)| (metric, value.into()))
        .collect();
    write(|namespace| line(namespace, now, dimension, &values));
}

/// Writes every value of one metric, so that CloudWatch knows its percentiles; else as [`emit()`].
pub fn emit_each(now: Timestamp, dimension: (&str, &str), metric: Metric, values: &[u64]) {
    for values in values.chunks(VALUES_A_LINE) {
        write(|namespace| line(namespace, now, dimension, &[(metric, values.into())]));
    }
}

fn write(line: impl FnOnce(&str) -> Value) {
    let Some(namespace) = OF_FUNCTION.get() else {
        return;
    };
    let mut out = stdout().lock();
    let _ = writeln!(out, "{}", line(namespace)).and_then(|()| out.flush());
}

/// What a function has printed in one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Emitted {
    /// The value of the dimension that splits the metrics, e.g. the name of a topic.
    pub of: String,
    /// The values by the metric's name, without those that [`emit_each`] wrote.
    pub values: Vec<(String, u64)>,
}

/// Reads an EMF line of any stack; `None` for any other line.
pub fn read(line: &str) -> Option<Emitted> {
    if !line.starts_with('{') || !line.contains("\"_aws\"") {
        return None;
    }
    let object: Map<String, Value> = serde_json::from_str(line).ok()?;
    let directive = object.get("_aws")?.get("CloudWatchMetrics")?.get(0)?;
    let namespace = directive.get("Namespace")?.as_str()?;
    if namespace.split('/').next() != Some(NAMESPACE) {
        return None;
    }
    let value_of = |metric: &Value| {
        let name = metric.get("Name")?.as_str()?;
        Some((name.to_owned(), object.get(name)?.as_u64()?))
    };
    let metrics = directive.get("Metrics")?.as_array()?;
    let dimension = directive.get("Dimensions")?.get(0)?.get(0)?.as_str()?;
    Some(Emitted {
        of: object.get(dimension)?.as_str()?.to_owned(),
        values: metrics.iter().filter_map(value_of).collect(),
    })
}

fn line(
    namespace: &str,
    now: Timestamp,
    dimension: (&str, &str),
    values: &[(Metric, Value)],
) -> Value {
    debug_assert!(
        values
            .iter()
            .all(|(metric, _)| metric.dimension == dimension.0)
    );
    let definitions: Vec<Value> = values
        .iter()
        .map(|(metric, _)| json!({"Name": metric.name, "Unit": metric.unit.name()}))
        .collect();
    let mut line = json!({
        "_aws": {
            "Timestamp": now.as_millisecond(),
            "CloudWatchMetrics": [{
                "Namespace": namespace,
                "Dimensions": [[dimension.0]],
                "Metrics": definitions,
            }],
        },
    });
    line[dimension.0] = dimension.1.into();
    for (metric, value) in values {
        line[metric.name] = value.clone();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLLED: Metric = Metric::count("QuotesPolled");
    const FAILED: Metric = Metric::count("QuotesFailed");
    const PUBLISH: Metric = Metric::milliseconds("PublishMilliseconds");

    #[test]
    fn a_line_is_what_cloudwatch_specifies_and_reads_back() {
        let now = Timestamp::from_millisecond(1_779_480_000_123).unwrap();
        let values = [(POLLED, 5), (FAILED, 0)];
        let written = values.map(|(metric, value)| (metric, value.into()));
        let namespace = namespace(&Environment::from_iter([("STACK_NAME", "prod")]));
        let line = line(&namespace, now, ("topic", "stock-quotes"), &written).to_string();
        assert_eq!(
            serde_json::from_str::<Value>(&line).unwrap(),
            json!({
                "_aws": {
                    "Timestamp": 1_779_480_000_123_i64,
                    "CloudWatchMetrics": [{
                        "Namespace": "quotelake/prod",
                        "Dimensions": [["topic"]],
                        "Metrics": [
                            {"Name": "QuotesPolled", "Unit": "Count"},
                            {"Name": "QuotesFailed", "Unit": "Count"},
                        ],
                    }],
                },
                "topic": "stock-quotes",
                "QuotesPolled": 5,
                "QuotesFailed": 0,
            })
        );
        let emitted = read(&line).unwrap();
        assert_eq!(emitted.of, "stock-quotes");
        let read_back = values.map(|(metric, value)| (metric.name.to_owned(), value));
        assert_eq!(emitted.values, read_back);
    }

    #[test]
    fn every_value_of_a_metric_is_in_its_line_and_none_is_taken_for_a_count() {
        let values = [(PUBLISH, [3_u64, 90].as_slice().into())];
        let topic = ("topic", "crypto-prices");
        let line = line(NAMESPACE, Timestamp::UNIX_EPOCH, topic, &values);
        assert_eq!(line["PublishMilliseconds"], json!([3, 90]));
        assert_eq!(
            line["_aws"]["CloudWatchMetrics"][0]["Metrics"],
            json!([{"Name": "PublishMilliseconds", "Unit": "Milliseconds"}])
        );
        assert_eq!(read(&line.to_string()).unwrap().values, []);
    }

    #[test]
    fn a_line_of_another_program_is_no_metric() {
        for line in [
            "",
            "hello",
            "{\"level\":\"INFO\"}",
            "{\"_aws\":{\"CloudWatchMetrics\":[{\"Namespace\":\"other\"}]},\"QuotesPolled\":1}",
            "{\"_aws\":{\"CloudWatchMetrics\":[{\"Namespace\":\"quotelakes\"}]},\"QuotesPolled\":1}",
        ] {
            assert_eq!(read(line), None, "{line}");
        }
    }
}
