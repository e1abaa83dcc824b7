//! What a Kafka trigger does about a batch that fails.
//!
//! Source: AWS Lambda developer guide, "Configuring error handling controls for Kafka event sources" and "Capturing
//! discarded batches"; most of it exists in provisioned mode only.

use std::{fmt::Display, ops::RangeInclusive, str::FromStr, time::Duration};

use kafka_event::is_topic_name;

use super::{Problem, TemplateError, section::Section};

/// When a trigger gives up on records; by default never.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FailurePolicy {
    /// `MaximumRetryAttempts`: attempts after the first one, 0 to 10,000; `None` is no limit.
    pub retries: Option<u32>,
    /// `MaximumRecordAgeInSeconds`: records older than this are not sent any more, 60 s to 7 days.
    pub record_age: Option<Duration>,
    /// `BisectBatchOnFunctionError`: whether a failed batch is split in two.
    pub split_on_error: bool,
    /// `FunctionResponseTypes: [ReportBatchItemFailures]`: whether the function names the records that failed.
    pub partial_responses: bool,
}

/// Where records go that a trigger has given up on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// An S3 bucket, by its name.
    Bucket(String),
    /// A topic of the same brokers.
    Topic(String),
}

const POLLERS: &str = "ProvisionedPollerConfig";
const RETRIES: &str = "MaximumRetryAttempts";
const RECORD_AGE: &str = "MaximumRecordAgeInSeconds";
const SPLIT: &str = "BisectBatchOnFunctionError";
const RESPONSES: &str = "FunctionResponseTypes";

/// The consumers that a trigger has at first: `MinimumPollers`, or one without provisioned mode.
pub(super) fn pollers(properties: &Section<'_, '_>) -> Result<u32, TemplateError> {
    let Some(config) = properties.section(POLLERS)? else {
        return Ok(1);
    };
    let minimum = config.number("MinimumPollers", 1..=200, 1)?;
    config.number("MaximumPollers", minimum..=2_000, 2_000)?;
    Ok(minimum)
}

/// Reads the settings of retries.
pub(super) fn policy(properties: &Section<'_, '_>) -> Result<FailurePolicy, TemplateError> {
    for key in [RETRIES, RECORD_AGE, SPLIT, RESPONSES] {
        if properties.get(key)?.is_some() {
            provisioned(properties, key, properties)?;
        }
    }
    let partial_responses = match properties.texts(RESPONSES)?.as_deref() {
        None | Some([]) => false,
        Some([only]) if only == "ReportBatchItemFailures" => true,
        Some(types) => {
            let range = "ReportBatchItemFailures".to_owned();
            return Err(properties.out_of_range(RESPONSES, &types.join(","), range));
        }
    };
    Ok(FailurePolicy {
        retries: limit(properties, RETRIES, 0..=10_000)?,
        record_age: limit(properties, RECORD_AGE, 60..=604_800)?.map(Duration::from_secs),
        split_on_error: properties.flag(SPLIT, false)?,
        partial_responses,
    })
}

/// Reads the destination of what `topic`'s trigger has given up on.
pub(super) fn on_failure(
    properties: &Section<'_, '_>,
    topic: &str,
) -> Result<Option<OnFailure>, TemplateError> {
    const KEY: &str = "Destination";
    let on_failure = match properties.section("DestinationConfig")? {
        Some(config) => config.section("OnFailure")?,
        None => None,
    };
    let Some(on_failure) = on_failure else {
        return Ok(None);
    };
    // SAM's own setting; with SQS or SNS the destination is a resource that the plane can't refer to.
    if let Some(kind) = on_failure.text("Type")?
        && !matches!(kind.as_str(), "S3" | "Kafka")
    {
        let range = "S3 or Kafka, which are what the local plane has".to_owned();
        return Err(on_failure.out_of_range("Type", &kind, range));
    }
    let destination = on_failure
        .text(KEY)?
        .ok_or_else(|| on_failure.missing(KEY))?;
    if let Some(to) = destination.strip_prefix("kafka://") {
        provisioned(properties, KEY, &on_failure)?;
        if !is_topic_name(to) || to == topic {
            let range = "kafka:// and the name of another topic than the trigger's".to_owned();
            return Err(on_failure.out_of_range(KEY, &destination, range));
        }
        return Ok(Some(OnFailure::Topic(to.to_owned())));
    }
    let bucket = destination.strip_prefix("arn:aws:s3:::").map(|resource| {
        let bucket = resource.strip_suffix("/*").unwrap_or(resource);
        bucket.to_owned()
    });
    match bucket {
        Some(bucket) if !bucket.is_empty() && !bucket.contains('/') => {
            Ok(Some(OnFailure::Bucket(bucket)))
        }
        _ => {
            let range =
                "the ARN of an S3 bucket or kafka://topic, which are what the local plane has";
            Err(on_failure.out_of_range(KEY, &destination, range.to_owned()))
        }
    }
}

/// Refuses `key` of `owner` where the trigger is not in provisioned mode.
fn provisioned(
    properties: &Section<'_, '_>,
    key: &str,
    owner: &Section<'_, '_>,
) -> Result<(), TemplateError> {
    if properties.get(POLLERS)?.is_some() {
        return Ok(());
    }
    let name = owner.path_of(key);
    Err(Problem::OnDemand { name }.at(owner.line_of(key)))
}

/// A whole number in a range; -1, the default, is no limit.
fn limit<T: FromStr + PartialOrd + Display>(
    properties: &Section<'_, '_>,
    key: &str,
    range: RangeInclusive<T>,
) -> Result<Option<T>, TemplateError> {
    let Some(text) = properties.text(key)? else {
        return Ok(None);
    };
    if text == "-1" {
        return Ok(None);
    }
    let number = text.parse().ok().filter(|number| range.contains(number));
    number.map(Some).ok_or_else(|| {
        let range = format!(
            "-1 or a whole number from {} to {}",
            range.start(),
            range.end()
        );
        properties.out_of_range(key, &text, range)
    })
}
