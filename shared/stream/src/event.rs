//! The event that Lambda's Kafka trigger sends, decoded tolerantly and without copies.
//!
//! Format: AWS Lambda developer guide, "Using Lambda with Amazon MSK", example event. A record's members
//! may be absent, null or of another type without harm to its neighbours: what can't be read is
//! [`Field::Absent`] or [`Field::Odd`], and only a payload that is not such an event at all is an error.

mod lenient;

use std::borrow::Cow;

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

pub use lenient::Field;

/// One invocation's records, by partition, in the order of the payload.
#[derive(Debug, Default)]
pub struct KafkaEvent<'a> {
    /// The map's entries: the key `"<topic>-<partition>"` and its records in offset order, not yet decoded.
    pub partitions: Vec<(Cow<'a, str>, Vec<&'a RawValue>)>,
}

/// One record as the trigger wrote it; nothing here is checked beyond its JSON type.
#[derive(Debug, Default, PartialEq)]
pub struct Record<'a> {
    /// The topic's name.
    pub topic: Field<Cow<'a, str>>,
    /// The partition.
    pub partition: Field<i64>,
    /// The offset.
    pub offset: Field<i64>,
    /// Milliseconds since the epoch; Kafka says -1 where a record has none.
    pub timestamp: Field<i64>,
    /// The key in Base64; absent when the producer sent none.
    pub key: Field<Cow<'a, str>>,
    /// The value in Base64; absent or null is a tombstone.
    pub value: Field<Cow<'a, str>>,
    /// Header names and values in order. The service writes signed bytes, some emulators unsigned ones.
    pub headers: Field<Vec<Header<'a>>>,
}

/// A header's name and value.
pub type Header<'a> = (Cow<'a, str>, Field<Vec<u8>>);

/// A payload that is no event of a Kafka trigger.
#[derive(Debug, thiserror::Error)]
#[error(
    "the payload is not a Kafka trigger's event ({0}): invoke this function from an event source mapping, or with a file like events/bronze-writer.json"
)]
pub struct NotAnEvent(#[from] serde_json::Error);

impl<'a> KafkaEvent<'a> {
    /// Decodes an event; strings without escapes are borrowed from `json`.
    ///
    /// # Errors
    /// [`NotAnEvent`] if it is no JSON object with a map of lists named `records`.
    pub fn decode(json: &'a str) -> Result<Self, NotAnEvent> {
        #[derive(Deserialize)]
        struct Envelope<'a> {
            #[serde(borrow)]
            records: Partitions<'a>,
        }
        let Envelope { records } = serde_json::from_str(json)?;
        Ok(Self {
            partitions: records.0,
        })
    }

    /// How many records it holds.
    pub fn len(&self) -> usize {
        let lengths = self.partitions.iter().map(|(_, records)| records.len());
        lengths.sum()
    }

    /// Whether it holds no record.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<'a> Record<'a> {
    /// Decodes one record of an event. What is no object has no members; nor has what holds text or a number
    /// that can't be represented.
    pub fn decode(json: &'a RawValue) -> Self {
        serde_json::from_str(json.get()).unwrap_or_default()
    }
}

struct Partitions<'a>(Vec<(Cow<'a, str>, Vec<&'a RawValue>)>);

impl<'de: 'a, 'a> Deserialize<'de> for Partitions<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Partitions<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a map of \"<topic>-<partition>\" to a list of records")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some((name, records)) = map.next_entry::<lenient::Text, _>()? {
                    entries.push((name.0, records));
                }
                Ok(Partitions(entries))
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Record<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer
            .deserialize_any(lenient::Tolerant(RecordMembers))
            .map(Field::or_default)
    }
}

struct RecordMembers;

impl<'de> lenient::Expect<'de> for RecordMembers {
    type Value = Record<'de>;

    fn map<A: MapAccess<'de>>(self, mut map: A) -> Result<Field<Record<'de>>, A::Error> {
        let mut record = Record::default();
        while let Some(name) = map.next_key::<lenient::Text<'de>>()? {
            match &*name.0 {
                "topic" => record.topic = map.next_value()?,
                "partition" => record.partition = map.next_value()?,
                "offset" => record.offset = map.next_value()?,
                "timestamp" => record.timestamp = map.next_value()?,
                "key" => record.key = map.next_value()?,
                "value" => record.value = map.next_value()?,
                "headers" => record.headers = map.next_value()?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(Field::Is(record))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Field<Vec<Header<'a>>> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(lenient::Tolerant(HeaderList))
    }
}

/// A list of maps; each map's entries are headers, so a name may repeat.
struct HeaderList;

impl<'de> lenient::Expect<'de> for HeaderList {
    type Value = Vec<Header<'de>>;

    fn seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Field<Self::Value>, A::Error> {
        let mut headers = Vec::new();
        let mut odd = false;
        while let Some(entry) = seq.next_element::<Field<HeaderEntry<'de>>>()? {
            match entry {
                Field::Is(HeaderEntry(entries)) => headers.extend(entries),
                Field::Absent | Field::Odd => odd = true,
            }
        }
        Ok(if odd { Field::Odd } else { Field::Is(headers) })
    }
}

struct HeaderEntry<'a>(Vec<Header<'a>>);

impl<'de: 'a, 'a> Deserialize<'de> for Field<HeaderEntry<'a>> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> lenient::Expect<'de> for Entries {
            type Value = HeaderEntry<'de>;

            fn map<A: MapAccess<'de>>(self, mut map: A) -> Result<Field<Self::Value>, A::Error> {
                let mut entries = Vec::new();
                while let Some((name, value)) = map.next_entry::<lenient::Text, _>()? {
                    entries.push((name.0, value));
                }
                Ok(Field::Is(HeaderEntry(entries)))
            }
        }
        deserializer.deserialize_any(lenient::Tolerant(Entries))
    }
}

#[cfg(test)]
mod tests;
