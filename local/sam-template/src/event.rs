//! What invokes a function.
//!
//! Sources: SAM's property pages of `ScheduleV2`, `MSK` and `SelfManagedKafka`; CloudFormation's of
//! `AWS::Lambda::EventSourceMapping`; the ranges are those of Lambda's API reference, `CreateEventSourceMapping`.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use kafka_event::is_topic_name;

use super::{
    KafkaEvent, Problem, ScheduleEvent, StartingPosition, TemplateError, failure, section::Section,
};

pub(super) enum Event {
    Schedule(ScheduleEvent),
    Kafka(KafkaEvent),
}

/// What a mapping waits for a batch to fill unless it says otherwise.
const DEFAULT_WINDOW: Duration = Duration::from_millis(500);

/// Settings that change when a schedule fires.
const UNSUPPORTED_OF_SCHEDULES: [&str; 2] = ["StartDate", "EndDate"];

/// Settings that change which records reach the function, and how.
const UNSUPPORTED_OF_KAFKA: [&str; 3] =
    ["FilterCriteria", "SchemaRegistryConfig", "ConsumptionMode"];

/// Reads the event `name` of `function`.
pub(super) fn read(
    function: &str,
    name: &str,
    event: &Section<'_, '_>,
) -> Result<Event, TemplateError> {
    let event_type = event.text("Type")?.ok_or_else(|| event.missing("Type"))?;
    let properties = || {
        event
            .section("Properties")?
            .ok_or_else(|| event.missing("Properties"))
    };
    match event_type.as_str() {
        "ScheduleV2" => schedule(name, &properties()?).map(Event::Schedule),
        "MSK" | "SelfManagedKafka" => {
            let properties = properties()?;
            kafka(function, name, &properties, &properties).map(Event::Kafka)
        }
        _ => {
            let problem = Problem::EventType {
                event: event.path().to_owned(),
                event_type,
            };
            Err(problem.at(event.line_of("Type")))
        }
    }
}

/// Reads the mapping `name`: the ARN or name of its function, and the trigger.
pub(super) fn mapping(
    name: &str,
    mapping: &Section<'_, '_>,
) -> Result<(String, KafkaEvent), TemplateError> {
    let properties = mapping
        .section("Properties")?
        .ok_or_else(|| mapping.missing("Properties"))?;
    let function = properties
        .text("FunctionName")?
        .ok_or_else(|| properties.missing("FunctionName"))?;
    // What is set for Kafka alone stands in a section of its own, of which there is one a kind of cluster.
    let of_kafka = match properties.section("SelfManagedKafkaEventSourceConfig")? {
        Some(section) => Some(section),
        None => properties.section("AmazonManagedKafkaEventSourceConfig")?,
    };
    let of_kafka = of_kafka.as_ref().unwrap_or(&properties);
    let trigger = kafka(&function, name, &properties, of_kafka)?;
    Ok((function, trigger))
}

fn schedule(name: &str, properties: &Section<'_, '_>) -> Result<ScheduleEvent, TemplateError> {
    properties.refuse(&UNSUPPORTED_OF_SCHEDULES)?;
    let expression = properties
        .text("ScheduleExpression")?
        .ok_or_else(|| properties.missing("ScheduleExpression"))?
        .parse()
        .map_err(|reason| {
            let name = properties.path_of("ScheduleExpression");
            Problem::Schedule { name, reason }.at(properties.line_of("ScheduleExpression"))
        })?;
    let enabled = match properties.text("State")?.as_deref() {
        None | Some("ENABLED") => true,
        Some("DISABLED") => false,
        Some(state) => {
            let range = "ENABLED or DISABLED".to_owned();
            return Err(properties.out_of_range("State", state, range));
        }
    };
    Ok(ScheduleEvent {
        name: name.to_owned(),
        expression,
        timezone: timezone(properties)?,
        input: input(properties)?,
        enabled,
        line: properties.line_of("ScheduleExpression"),
    })
}

fn timezone(properties: &Section<'_, '_>) -> Result<TimeZone, TemplateError> {
    const KEY: &str = "ScheduleExpressionTimezone";
    let Some(zone) = properties.text(KEY)? else {
        return Ok(TimeZone::UTC);
    };
    TimeZone::get(&zone).map_err(|_| {
        let name = properties.path_of(KEY);
        Problem::TimeZone { name, zone }.at(properties.line_of(KEY))
    })
}

/// The JSON of `Input`; the service sends an empty object where there is none.
fn input(properties: &Section<'_, '_>) -> Result<serde_json::Value, TemplateError> {
    let Some(input) = properties.text("Input")? else {
        return Ok(serde_json::json!({}));
    };
    serde_json::from_str(&input).map_err(|error| {
        let problem = Problem::NotJson {
            name: properties.path_of("Input"),
            reason: error.to_string(),
        };
        problem.at(properties.line_of("Input"))
    })
}

/// Reads a trigger; `of_kafka` is where it has what is set for Kafka alone.
fn kafka(
    function: &str,
    name: &str,
    properties: &Section<'_, '_>,
    of_kafka: &Section<'_, '_>,
) -> Result<KafkaEvent, TemplateError> {
    properties.refuse(&UNSUPPORTED_OF_KAFKA)?;
    of_kafka.refuse(&UNSUPPORTED_OF_KAFKA)?;
    let topics = properties
        .texts("Topics")?
        .ok_or_else(|| properties.missing("Topics"))?;
    let [topic] = topics.as_slice() else {
        let range = "exactly one topic".to_owned();
        return Err(properties.out_of_range("Topics", &topics.join(","), range));
    };
    if !is_topic_name(topic) {
        let range = "1 to 249 letters, digits, dots, hyphens and underscores".to_owned();
        return Err(properties.out_of_range("Topics", topic, range));
    }
    let consumer_group = match of_kafka.text("ConsumerGroupId")? {
        // The service takes the mapping's id, which a local mapping does not have.
        None => format!("{function}-{name}"),
        Some(group) if (1..=200).contains(&group.chars().count()) => group,
        Some(group) => {
            let range = "1 to 200 characters".to_owned();
            return Err(of_kafka.out_of_range("ConsumerGroupId", &group, range));
        }
    };
    let window = match properties.get("MaximumBatchingWindowInSeconds")? {
        None => DEFAULT_WINDOW,
        Some(_) => {
            let seconds = properties.number("MaximumBatchingWindowInSeconds", 0..=300, 0)?;
            Duration::from_secs(seconds)
        }
    };
    Ok(KafkaEvent {
        name: name.to_owned(),
        topic: topic.clone(),
        consumer_group,
        batch_size: properties.number("BatchSize", 1..=10_000, 100)?,
        window,
        starting_position: starting_position(properties)?,
        pollers: failure::pollers(properties)?,
        failures: failure::policy(properties)?,
        on_failure: failure::on_failure(properties, topic)?,
        enabled: properties.flag("Enabled", true)?,
    })
}

fn starting_position(properties: &Section<'_, '_>) -> Result<StartingPosition, TemplateError> {
    const KEY: &str = "StartingPosition";
    const TIME_KEY: &str = "StartingPositionTimestamp";
    match properties.text(KEY)?.as_deref() {
        None => Err(properties.missing(KEY)),
        Some("TRIM_HORIZON") => Ok(StartingPosition::TrimHorizon),
        Some("LATEST") => Ok(StartingPosition::Latest),
        Some("AT_TIMESTAMP") => {
            let seconds = properties
                .text(TIME_KEY)?
                .ok_or_else(|| properties.missing(TIME_KEY))?;
            epoch_seconds(&seconds)
                .map(StartingPosition::AtTimestamp)
                .ok_or_else(|| {
                    let range = "a time in seconds since the epoch".to_owned();
                    properties.out_of_range(TIME_KEY, &seconds, range)
                })
        }
        Some(position) => {
            let range = "TRIM_HORIZON, LATEST or AT_TIMESTAMP".to_owned();
            Err(properties.out_of_range(KEY, position, range))
        }
    }
}

fn epoch_seconds(text: &str) -> Option<Timestamp> {
    let since_epoch = SignedDuration::try_from_secs_f64(text.parse().ok()?).ok()?;
    Timestamp::from_duration(since_epoch)
        .ok()
        .filter(|time| *time >= Timestamp::UNIX_EPOCH)
}
