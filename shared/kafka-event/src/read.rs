//! Reading an event: all of it in one pass that stops at the first record that can't be read, or each record
//! alone.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{
    KafkaEvent, Record, Span, Unreadable,
    lenient::{Lenient, Text},
};

/// Reads an event whose every record is sound.
pub(super) fn all_sound(
    mut bytes: Vec<u8>,
    json: &str,
) -> Result<KafkaEvent<'_>, serde_json::Error> {
    bytes.clear();
    // Base64 of all there is would be no more.
    bytes.reserve(json.len() / 4 * 3);
    let mut event = KafkaEvent {
        bytes,
        ..KafkaEvent::default()
    };
    let mut deserializer = serde_json::Deserializer::from_str(json);
    Envelope(&mut event).deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(event)
}

/// Reads an event record by record.
pub(super) fn one_by_one(json: &str) -> Result<KafkaEvent<'_>, serde_json::Error> {
    #[derive(Deserialize)]
    struct Envelope<'a> {
        #[serde(borrow)]
        records: Raw<'a>,
    }
    let Envelope { records } = serde_json::from_str(json)?;
    let mut event = KafkaEvent::default();
    for (source, records) in records.0 {
        event.sources.push(source);
        for record in records {
            let source = event.sources.len() - 1;
            one(&mut event, source, record);
        }
    }
    Ok(event)
}

/// Reads one record into `event`.
pub(super) fn one<'a>(event: &mut KafkaEvent<'a>, source: usize, json: &'a RawValue) {
    let (bytes, headers) = (event.bytes.len(), event.headers.len());
    let mut deserializer = serde_json::Deserializer::from_str(json.get());
    let read = OneRecord { event, source }.deserialize(&mut deserializer);
    if let Err(error) = read {
        event.bytes.truncate(bytes);
        event.headers.truncate(headers);
        let unreadable = unreadable(event, source, json, &error);
        event.unreadable.push(unreadable);
    }
}

fn unreadable<'a>(
    event: &KafkaEvent<'a>,
    source: usize,
    json: &'a RawValue,
    error: &serde_json::Error,
) -> Unreadable<'a> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Coordinates<'a> {
        #[serde(borrow)]
        topic: Lenient<Cow<'a, str>>,
        partition: Lenient<i64>,
        offset: Lenient<i64>,
    }
    let own: Coordinates<'a> = serde_json::from_str(json.get()).unwrap_or_default();
    let (topic, partition) = of_source(&event.sources[source]);
    Unreadable {
        source,
        topic: own.topic.0.unwrap_or(topic),
        partition: usable(own.partition.0).or(partition).unwrap_or(-1),
        offset: own.offset.0.filter(|&offset| offset >= 0),
        json: json.get(),
        defect: error.to_string(),
    }
}

fn usable(partition: Option<i64>) -> Option<i32> {
    let number = i32::try_from(partition?).ok()?;
    (number >= 0).then_some(number)
}

/// Topic and partition of a map's key; a topic's name may hold hyphens.
fn of_source<'a>(source: &Cow<'a, str>) -> (Cow<'a, str>, Option<i32>) {
    let split = |text: &str| {
        let (topic, partition) = text.rsplit_once('-')?;
        Some((
            topic.len(),
            partition.parse().ok().filter(|&number: &i32| number >= 0),
        ))
    };
    match (source, split(source)) {
        (source, None) => (source.clone(), None),
        (Cow::Borrowed(text), Some((end, partition))) => (Cow::Borrowed(&text[..end]), partition),
        (Cow::Owned(text), Some((end, partition))) => {
            (Cow::Owned(text[..end].to_owned()), partition)
        }
    }
}

struct Raw<'a>(Vec<(Cow<'a, str>, Vec<&'a RawValue>)>);

impl<'de: 'a, 'a> Deserialize<'de> for Raw<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Raw<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(SOURCES)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some((name, records)) = map.next_entry::<Text<'_>, _>()? {
                    entries.push((name.0, records));
                }
                Ok(Raw(entries))
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

const SOURCES: &str = "a map of \"<topic>-<partition>\" to a list of records";

/// Makes a seed of a struct with a visitor's methods.
macro_rules! seed {
    ($seed:ty, $expecting:expr, $deserialize:ident -> $value:ty { $($visit:item)* }) => {
        impl<'de> DeserializeSeed<'de> for $seed {
            type Value = $value;

            fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<$value, D::Error> {
                deserializer.$deserialize(self)
            }
        }

        impl<'de> Visitor<'de> for $seed {
            type Value = $value;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str($expecting)
            }

            $($visit)*
        }
    };
}

struct Envelope<'e, 'a>(&'e mut KafkaEvent<'a>);

seed!(Envelope<'_, 'de>, "an event", deserialize_map -> () {
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut has_records = false;
        while let Some(Text(name)) = map.next_key()? {
            if name == "records" {
                map.next_value_seed(Sources(self.0))?;
                has_records = true;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        if has_records { Ok(()) } else { Err(A::Error::missing_field("records")) }
    }
});

struct Sources<'e, 'a>(&'e mut KafkaEvent<'a>);

seed!(Sources<'_, 'de>, SOURCES, deserialize_map -> () {
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Text(name)) = map.next_key()? {
            self.0.sources.push(name);
            let source = self.0.sources.len() - 1;
            map.next_value_seed(Records { event: self.0, source })?;
        }
        Ok(())
    }
});

struct Records<'e, 'a> {
    event: &'e mut KafkaEvent<'a>,
    source: usize,
}

seed!(Records<'_, 'de>, "a list of records", deserialize_seq -> () {
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let Self { event, source } = self;
        while seq.next_element_seed(OneRecord { event, source })?.is_some() {}
        Ok(())
    }
});

struct OneRecord<'e, 'a> {
    event: &'e mut KafkaEvent<'a>,
    source: usize,
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum Member {
    Topic,
    Partition,
    Offset,
    Timestamp,
    Key,
    Value,
    Headers,
    #[serde(other)]
    Other,
}

seed!(OneRecord<'_, 'de>, "a record", deserialize_map -> () {
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { event, source } = self;
        let mut topic: Lenient<Cow<'de, str>> = Lenient::default();
        let (mut partition, mut offset, mut timestamp) =
            (Lenient::default(), Lenient::default(), Lenient::default());
        let (mut key, mut value) = (None, None);
        let first_header = event.headers.len();
        while let Some(member) = map.next_key()? {
            match member {
                Member::Topic => topic = map.next_value()?,
                Member::Partition => partition = map.next_value()?,
                Member::Offset => offset = map.next_value()?,
                Member::Timestamp => timestamp = map.next_value()?,
                Member::Key => key = map.next_value_seed(Base64 { bytes: &mut event.bytes, name: "key" })?,
                Member::Value => value = map.next_value_seed(Base64 { bytes: &mut event.bytes, name: "value" })?,
                Member::Headers => map.next_value_seed(Headers(event))?,
                Member::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        let offset = offset.0.filter(|&offset: &i64| offset >= 0);
        let offset = offset.ok_or_else(|| A::Error::custom("the record has no offset"))?;
        let (topic, partition) = match (topic.0, usable(partition.0)) {
            (Some(topic), Some(partition)) => (topic, partition),
            (own, number) => {
                let (topic, partition) = of_source(&event.sources[source]);
                let number = number.or(partition);
                let number = number.ok_or_else(|| A::Error::custom("the record has no partition"))?;
                (own.unwrap_or(topic), number)
            }
        };
        let headers = Span::between(first_header, event.headers.len()).ok_or_else(too_long)?;
        event.records.push(Record {
            source,
            topic,
            partition,
            offset,
            timestamp: timestamp.0.filter(|&time: &i64| time >= 0),
            key,
            value,
            headers,
        });
        Ok(())
    }
});

fn too_long<E: Error>() -> E {
    E::custom("the event is too long")
}

/// Text in Base64, or null.
struct Base64<'e> {
    bytes: &'e mut Vec<u8>,
    name: &'static str,
}

seed!(Base64<'_>, "Base64 or null", deserialize_any -> Option<Span> {
    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        let start = self.bytes.len();
        base64_simd::STANDARD
            .decode_append(text, self.bytes)
            .map_err(|_| E::custom(format_args!("the {} is not Base64", self.name)))?;
        Span::between(start, self.bytes.len()).map(Some).ok_or_else(too_long)
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
});

/// A list of maps of names to lists of bytes; each map's entries are headers, so a name may repeat.
struct Headers<'e, 'a>(&'e mut KafkaEvent<'a>);

seed!(Headers<'_, 'de>, "the headers, a list of maps of names to lists of bytes", deserialize_any -> () {
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(HeaderEntries(self.0))?.is_some() {}
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }
});

struct HeaderEntries<'e, 'a>(&'e mut KafkaEvent<'a>);

seed!(HeaderEntries<'_, 'de>, "a map of a header's name to a list of bytes", deserialize_map -> () {
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Text(name)) = map.next_key()? {
            let value = map.next_value_seed(Bytes(&mut self.0.bytes))?;
            self.0.headers.push((name, value));
        }
        Ok(())
    }
});

/// A list of bytes, or null. The service writes signed bytes, some emulators unsigned ones.
struct Bytes<'e>(&'e mut Vec<u8>);

seed!(Bytes<'_>, "a list of bytes from -128 to 255", deserialize_any -> Option<Span> {
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let start = self.0.len();
        while let Some(number) = seq.next_element::<i64>()? {
            let byte = u8::try_from(number).or_else(|_| i8::try_from(number).map(i8::cast_unsigned));
            self.0.push(byte.map_err(|_| A::Error::custom("a header's byte is not from -128 to 255"))?);
        }
        Span::between(start, self.0.len()).map(Some).ok_or_else(too_long)
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
});
