//! The event that Lambda's Kafka trigger sends, decoded in one pass and without an allocation per record; and the
//! [`answer`] that the trigger expects.
//!
//! ```
//! let json = r#"{"records": {"quotes-0": [{"offset": 7, "key": "QUFQTA==", "value": "e30="}]}}"#;
//! let event = kafka_event::KafkaEvent::decode(json)?;
//! let record = &event.records[0];
//! assert_eq!((&*record.topic, record.partition, record.offset), ("quotes", 0, 7));
//! assert_eq!(event.key(record), Some(&b"AAPL"[..]));
//! assert_eq!(event.value(record), Some(&b"{}"[..]));
//! # Ok::<(), kafka_event::NotAnEvent>(())
//! ```
//!
//! Format: AWS Lambda developer guide, "Using Lambda with Amazon MSK", example event. A record that cannot be
//! read does not affect its neighbours: it is [`Unreadable`]. Only a payload that is no such event is an error.

#![forbid(unsafe_code)]

pub mod answer;
mod lenient;
mod read;
mod topic_name;

pub use topic_name::is_topic_name;

use std::{borrow::Cow, collections::BTreeMap};

use serde_json::value::RawValue;

/// One invocation's records, in the order of the payload. Keys, values and headers' bytes are decoded into
/// memory of the event's own.
#[derive(Debug, Default)]
pub struct KafkaEvent<'a> {
    /// The map's keys, `"<topic>-<partition>"`.
    pub sources: Vec<Cow<'a, str>>,
    /// The records; those of one source are in offset order.
    pub records: Vec<Record<'a>>,
    /// What should be records and can't be read.
    pub unreadable: Vec<Unreadable<'a>>,
    headers: Vec<(Cow<'a, str>, Option<Span>)>,
    bytes: Vec<u8>,
}

/// A record; its bytes are in its event.
#[derive(Debug, PartialEq)]
pub struct Record<'a> {
    /// The position of the map's key in [`KafkaEvent::sources`].
    pub source: usize,
    /// The topic's name, its own or that of the map's key.
    pub topic: Cow<'a, str>,
    /// The partition, its own or that of the map's key.
    pub partition: i32,
    /// The offset.
    pub offset: i64,
    /// Milliseconds since the epoch, where it has one.
    pub timestamp: Option<i64>,
    key: Option<Span>,
    value: Option<Span>,
    headers: Span,
}

/// What should be a record and can't be read.
#[derive(Debug, PartialEq)]
pub struct Unreadable<'a> {
    /// The position of the map's key in [`KafkaEvent::sources`].
    pub source: usize,
    /// The topic's name, its own or that of the map's key.
    pub topic: Cow<'a, str>,
    /// The partition, its own or that of the map's key; -1 if neither is one.
    pub partition: i32,
    /// The offset, if that much can be read.
    pub offset: Option<i64>,
    /// Its JSON in the payload.
    pub json: &'a str,
    /// What is wrong with it.
    pub defect: String,
}

/// A range of an event's bytes or headers; a payload is far below 4 GiB.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Span {
    start: u32,
    end: u32,
}

/// A payload that is no event of a Kafka trigger.
#[derive(Debug, thiserror::Error)]
#[error(
    "the payload is not a Kafka trigger's event ({0}): invoke this function from an event source mapping, or with a file like functions/bronze-writer/events/batch.json"
)]
pub struct NotAnEvent(#[from] serde_json::Error);

impl<'a> KafkaEvent<'a> {
    /// Decodes an event; names without escapes are borrowed from `json`.
    ///
    /// # Errors
    /// [`NotAnEvent`] if it is no JSON object with a map of lists named `records`.
    pub fn decode(json: &'a str) -> Result<Self, NotAnEvent> {
        Self::decode_into(Vec::new(), json)
    }

    /// The same with `memory` for what is decoded, from [`KafkaEvent::into_memory`] of an earlier event: fresh
    /// memory of some megabytes costs as much as decoding into it.
    ///
    /// # Errors
    /// As [`KafkaEvent::decode`].
    pub fn decode_into(memory: Vec<u8>, json: &'a str) -> Result<Self, NotAnEvent> {
        // The rare event with a record that can't be read is read again, record by record.
        match read::all_sound(memory, json) {
            Ok(event) => Ok(event),
            Err(_) => Ok(read::one_by_one(json)?),
        }
    }

    /// The memory of an event that is done with.
    pub fn into_memory(self) -> Vec<u8> {
        self.bytes
    }

    /// Decodes one record's JSON, as an event has it under the key `source`.
    pub fn of_record(source: &'a str, json: &'a RawValue) -> Self {
        let mut event = Self {
            sources: vec![Cow::Borrowed(source)],
            ..Self::default()
        };
        read::one(&mut event, 0, json);
        event
    }

    /// A record's key.
    pub fn key(&self, record: &Record<'_>) -> Option<&[u8]> {
        record.key.map(|span| self.bytes(span))
    }

    /// A record's value; `None` is a tombstone.
    pub fn value(&self, record: &Record<'_>) -> Option<&[u8]> {
        record.value.map(|span| self.bytes(span))
    }

    /// The names and values of every record's headers.
    pub fn headers(&self) -> impl Iterator<Item = (&str, Option<&[u8]>)> {
        let headers = self.headers.iter();
        headers.map(|(name, value)| (&**name, value.map(|span| self.bytes(span))))
    }

    /// Which of [`KafkaEvent::headers`] are the record's.
    pub fn headers_of(&self, record: &Record<'_>) -> std::ops::Range<usize> {
        record.headers.range()
    }

    /// The timestamp of each topic's oldest record that has one, in milliseconds since the epoch.
    pub fn oldest(&self) -> BTreeMap<&str, i64> {
        let mut oldest = BTreeMap::new();
        for record in &self.records {
            if let Some(timestamp) = record.timestamp {
                let oldest = oldest.entry(&*record.topic).or_insert(timestamp);
                *oldest = timestamp.min(*oldest);
            }
        }
        oldest
    }

    fn bytes(&self, span: Span) -> &[u8] {
        &self.bytes[span.range()]
    }
}

impl Span {
    fn between(start: usize, end: usize) -> Option<Self> {
        Some(Self {
            start: u32::try_from(start).ok()?,
            end: u32::try_from(end).ok()?,
        })
    }

    fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

#[cfg(test)]
mod tests;
