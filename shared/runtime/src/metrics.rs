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

/// Every metric that a function emits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Metric {
    /// Quotes, series of bars and trades that a provider answered with.
    QuotesPolled,
    /// Those that the broker acknowledged.
    QuotesPublished,
    /// What was asked for and not published, whatever the reason.
    QuotesFailed,
    /// Cycles left out because an earlier one overran the beat, or the invocation came too late for them.
    CyclesSkipped,
    /// How long the brokers took to acknowledge a quote, one value a quote.
    PublishMilliseconds,
    /// Weight that is spent of a provider's longest budget window.
    BudgetSpent,
    /// Weight that this window allows.
    BudgetLimit,
    /// How often a stream of trades was connected.
    StreamConnections,
    /// How long a stream of trades was not connected.
    StreamGapMilliseconds,
    /// Lines that this function brought to the lake.
    RecordsWritten,
    /// Records that were in the lake already and were found to be equal.
    RecordsAlreadyThere,
    /// How old the oldest record of a batch was, by Kafka's timestamp, when the batch was done with.
    RecordAgeMilliseconds,
    /// Records put aside with their reason.
    RecordsQuarantined,
    /// Records whose offset was already taken by other bytes; they are in quarantine too.
    OffsetsReused,
    /// Bronze objects found edited, cut or replaced; their records are in quarantine.
    ObjectsDamaged,
    /// Records that are not durable at the end of the invocation; the trigger brings them again.
    RecordsNotDurable,
    /// PUTs sent to the store, whatever came of them.
    StorePuts,
    /// GETs sent to the store.
    StoreGets,
}

impl Metric {
    /// Every metric.
    pub const ALL: [Self; 18] = [
        Self::QuotesPolled,
        Self::QuotesPublished,
        Self::QuotesFailed,
        Self::CyclesSkipped,
        Self::PublishMilliseconds,
        Self::BudgetSpent,
        Self::BudgetLimit,
        Self::StreamConnections,
        Self::StreamGapMilliseconds,
        Self::RecordsWritten,
        Self::RecordsAlreadyThere,
        Self::RecordAgeMilliseconds,
        Self::RecordsQuarantined,
        Self::OffsetsReused,
        Self::ObjectsDamaged,
        Self::RecordsNotDurable,
        Self::StorePuts,
        Self::StoreGets,
    ];

    /// The name in CloudWatch.
    pub fn name(self) -> &'static str {
        match self {
            Self::QuotesPolled => "QuotesPolled",
            Self::QuotesPublished => "QuotesPublished",
            Self::QuotesFailed => "QuotesFailed",
            Self::CyclesSkipped => "CyclesSkipped",
            Self::PublishMilliseconds => "PublishMilliseconds",
            Self::BudgetSpent => "BudgetSpent",
            Self::BudgetLimit => "BudgetLimit",
            Self::StreamConnections => "StreamConnections",
            Self::StreamGapMilliseconds => "StreamGapMilliseconds",
            Self::RecordsWritten => "RecordsWritten",
            Self::RecordsAlreadyThere => "RecordsAlreadyThere",
            Self::RecordAgeMilliseconds => "RecordAgeMilliseconds",
            Self::RecordsQuarantined => "RecordsQuarantined",
            Self::OffsetsReused => "OffsetsReused",
            Self::ObjectsDamaged => "ObjectsDamaged",
            Self::RecordsNotDurable => "RecordsNotDurable",
            Self::StorePuts => "StorePuts",
            Self::StoreGets => "StoreGets",
        }
    }

    /// The unit in CloudWatch.
    pub fn unit(self) -> &'static str {
        match self {
            Self::PublishMilliseconds
            | Self::RecordAgeMilliseconds
            | Self::StreamGapMilliseconds => "Milliseconds",
            _ => "Count",
        }
    }

    /// The dimension that splits it.
    pub fn dimension(self) -> &'static str {
        match self {
            Self::BudgetSpent | Self::BudgetLimit => "provider",
            _ => "topic",
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

/// The values of an EMF line of any stack, without those that [`emit_each`] wrote; `None` for any other line.
pub fn read(line: &str) -> Option<Vec<(Metric, u64)>> {
    if !line.starts_with('{') || !line.contains("\"_aws\"") {
        return None;
    }
    let object: Map<String, Value> = serde_json::from_str(line).ok()?;
    let directives = object.get("_aws")?.get("CloudWatchMetrics")?;
    let namespace = directives.get(0)?.get("Namespace")?.as_str()?;
    if namespace.split('/').next() != Some(NAMESPACE) {
        return None;
    }
    let value_of = |metric: Metric| Some((metric, object.get(metric.name())?.as_u64()?));
    Some(Metric::ALL.into_iter().filter_map(value_of).collect())
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
            .all(|(metric, _)| metric.dimension() == dimension.0)
    );
    let definitions: Vec<Value> = values
        .iter()
        .map(|(metric, _)| json!({"Name": metric.name(), "Unit": metric.unit()}))
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
        line[metric.name()] = value.clone();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_what_cloudwatch_specifies_and_reads_back() {
        let now = Timestamp::from_millisecond(1_779_480_000_123).unwrap();
        let values = [(Metric::QuotesPolled, 5), (Metric::QuotesFailed, 0)];
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
        assert_eq!(read(&line).unwrap(), values);
    }

    #[test]
    fn every_value_of_a_metric_is_in_its_line_and_none_is_taken_for_a_count() {
        let values = [(Metric::PublishMilliseconds, [3_u64, 90].as_slice().into())];
        let topic = ("topic", "crypto-prices");
        let line = line(NAMESPACE, Timestamp::UNIX_EPOCH, topic, &values);
        assert_eq!(line["PublishMilliseconds"], json!([3, 90]));
        assert_eq!(
            line["_aws"]["CloudWatchMetrics"][0]["Metrics"],
            json!([{"Name": "PublishMilliseconds", "Unit": "Milliseconds"}])
        );
        assert_eq!(read(&line.to_string()).unwrap(), []);
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

    #[test]
    fn every_metric_has_its_own_name() {
        let names: std::collections::BTreeSet<_> = Metric::ALL.map(Metric::name).into();
        assert_eq!(names.len(), Metric::ALL.len());
    }
}
