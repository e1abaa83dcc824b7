//! Records on their way back into the trigger's event.

use std::collections::BTreeMap;

use kafka_event::{KafkaEvent, Unreadable};
use lake::{Header, Quarantined, Received};
use serde::{Deserialize, Serialize};
use serde_json::{
    Map, Value, json,
    value::{RawValue, to_raw_value},
};

/// One record as an event has it.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// The key of the event's map, `<topic>-<partition>`.
    pub(super) source: String,
    /// The record's JSON.
    pub(super) json: Box<RawValue>,
}

/// The records of an event.
#[derive(Serialize, Deserialize)]
struct Event {
    records: BTreeMap<String, Vec<Box<RawValue>>>,
}

/// The event of these records.
pub(super) fn event<'a>(
    entries: impl IntoIterator<Item = &'a Entry>,
) -> Result<Box<RawValue>, serde_json::Error> {
    let mut records: BTreeMap<String, Vec<Box<RawValue>>> = BTreeMap::new();
    for entry in entries {
        let of_source = records.entry(entry.source.clone()).or_default();
        of_source.push(entry.json.clone());
    }
    to_raw_value(&Event { records })
}

/// The records of an event.
pub(super) fn entries(event: &str) -> Result<Vec<Entry>, serde_json::Error> {
    let Event { records } = serde_json::from_str(event)?;
    let of_source = |(source, records): (String, Vec<Box<RawValue>>)| {
        let entry = move |json| Entry {
            source: source.clone(),
            json,
        };
        records.into_iter().map(entry)
    };
    Ok(records.into_iter().flat_map(of_source).collect())
}

/// A quarantined record as the event had it.
pub(super) fn entry(quarantined: &Quarantined) -> Result<Entry, serde_json::Error> {
    let headers = quarantined.headers();
    let json = match (&quarantined.record, quarantined.received(&headers)) {
        (Some(record), _) => RawValue::from_string(record.clone())?,
        (None, Some(received)) => to_raw_value(&record(&received))?,
        (None, None) => to_raw_value(&Value::Null)?,
    };
    let (topic, partition) = (&quarantined.topic, quarantined.partition);
    // A partition that is none must not be read as one: `t--1` would be partition 1 of `t-`.
    let source = if partition < 0 {
        format!("{topic}-")
    } else {
        format!("{topic}-{partition}")
    };
    Ok(Entry { source, json })
}

/// A record as text that says all of it, the same for the same record.
pub(super) fn canonical(received: &Received<'_>) -> String {
    Value::Object(record(received)).to_string()
}

/// Format: AWS Lambda developer guide, "Using Lambda with Amazon MSK", example event; header bytes are signed.
fn record(received: &Received<'_>) -> Map<String, Value> {
    let base64 = |bytes: &[u8]| json!(base64_simd::STANDARD.encode_to_string(bytes));
    let header = |header: &Header<'_>| {
        let signed = |bytes: &[u8]| -> Value { bytes.iter().map(|b| b.cast_signed()).collect() };
        json!({ header.name: header.value.map(signed) })
    };
    let members = [
        ("topic", Some(json!(received.topic))),
        ("partition", Some(json!(received.partition))),
        ("offset", Some(json!(received.offset))),
        ("timestamp", received.timestamp.map(|time| json!(time))),
        ("key", received.key.map(base64)),
        ("value", Some(received.value.map_or(Value::Null, base64))),
        (
            "headers",
            Some(received.headers.iter().map(header).collect()),
        ),
    ];
    let given = members
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)));
    given.collect()
}

/// An entry as the writer takes it.
pub(super) enum Taken<'a> {
    Readable(Received<'a>),
    Unreadable(&'a Unreadable<'a>),
}

impl<'a> Taken<'a> {
    pub(super) fn readable(&self) -> Option<Received<'a>> {
        match self {
            Self::Readable(received) => Some(*received),
            Self::Unreadable(_) => None,
        }
    }
}

/// Entries decoded by the code that decodes an invocation's event, each alone.
pub(super) fn decode<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Vec<KafkaEvent<'a>> {
    let entries = entries.into_iter();
    entries
        .map(|entry| KafkaEvent::of_record(&entry.source, &entry.json))
        .collect()
}

/// The headers of each, for [`taken`].
pub(super) fn headers<'a>(events: &'a [KafkaEvent<'_>]) -> Vec<Vec<Header<'a>>> {
    events.iter().map(lake::headers).collect()
}

/// What each is.
pub(super) fn taken<'a>(
    events: &'a [KafkaEvent<'a>],
    headers: &'a [Vec<Header<'a>>],
) -> Vec<Taken<'a>> {
    let one = |(event, headers): (&'a KafkaEvent<'a>, &'a Vec<Header<'a>>)| {
        let readable = lake::received(event, headers).pop().map(Taken::Readable);
        readable.or_else(|| event.unreadable.first().map(Taken::Unreadable))
    };
    events.iter().zip(headers).filter_map(one).collect()
}
