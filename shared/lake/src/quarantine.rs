use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    Admitted, Defect, Header, Kind, Layout, Received, Unfit, Version,
    line::{Bytes, Headers, write_json},
};

/// Why a record is in quarantine and not in bronze.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The record has no value.
    Tombstone,
    /// The value is not UTF-8 or not JSON.
    BrokenJson,
    /// The value is JSON of another kind than an object.
    NotAnObject,
    /// The value has no symbol.
    NoSymbol,
    /// The symbol would be a path.
    UnsafeSymbol,
    /// Neither the value nor Kafka has a time for it.
    NoTime,
    /// The value has a member that is ours to add.
    ReservedMember,
    /// A text of the value has half of a UTF-16 pair.
    LoneSurrogate,
    /// Two members of one object of the value have one name.
    NamedTwice,
    /// Arrays and objects lie too deep in each other.
    TooDeep,
    /// A number is too long or too large.
    NumberTooLarge,
    /// The trigger's event describes the record in a way that can't be read.
    MalformedRecord,
    /// Other bytes took this offset before: the topic was recreated without a new epoch.
    OffsetReused,
    /// The bronze object that the record belongs in can't be read: it was edited, cut or replaced.
    ObjectDamaged,
    /// The bronze object that the record belongs in would become too large to be read again.
    ObjectTooLarge,
    /// The record is no row of the database's tables. It may well be a line of bronze.
    NoRow,
}

impl Reason {
    /// The reason of what can be no line.
    pub fn of(unfit: &Unfit) -> Self {
        match unfit {
            Unfit::Tombstone => Self::Tombstone,
            Unfit::NoTime => Self::NoTime,
            Unfit::Value(Defect::BrokenJson(_)) => Self::BrokenJson,
            Unfit::Value(Defect::NotAnObject) => Self::NotAnObject,
            Unfit::Value(Defect::NoSymbol) => Self::NoSymbol,
            Unfit::Value(Defect::UnsafeSymbol(_)) => Self::UnsafeSymbol,
            Unfit::Value(Defect::ReservedMember(_)) => Self::ReservedMember,
            Unfit::Value(Defect::LoneSurrogate) => Self::LoneSurrogate,
            Unfit::Value(Defect::NamedTwice(_)) => Self::NamedTwice,
            Unfit::Value(Defect::TooDeep) => Self::TooDeep,
            Unfit::Value(Defect::NumberTooLarge(_)) => Self::NumberTooLarge,
        }
    }
}

/// A quarantine object: the record whole, and why it is there.
#[derive(Serialize)]
struct Body<'a> {
    reason: Reason,
    detail: &'a str,
    topic: &'a str,
    partition: i32,
    offset: Option<i64>,
    timestamp: Option<i64>,
    key: Option<Bytes<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_base64: Option<String>,
    headers: Headers<'a>,
    /// The raw bytes; null for a tombstone and where `record` has them.
    value_base64: Option<String>,
    /// The record as the event had it, where it could not be taken apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<&'a str>,
}

/// The quarantine object of a record that could be read as far as its coordinates.
pub(crate) fn quarantine(
    layout: &Layout,
    received: &Received<'_>,
    reason: Reason,
    detail: &str,
) -> Admitted {
    let base64 = |bytes: &[u8]| base64_simd::STANDARD.encode_to_string(bytes);
    let is_text = |key: &[u8]| layout.version() == Version::One || str::from_utf8(key).is_ok();
    let (key, key_base64) = match received.key {
        Some(key) if !is_text(key) => (None, Some(base64(key))),
        key => (key.map(Bytes), None),
    };
    let body = Body {
        reason,
        detail,
        topic: received.topic,
        partition: received.partition,
        offset: Some(received.offset),
        timestamp: received.timestamp,
        key,
        key_base64,
        headers: Headers(layout.version(), received.headers),
        value_base64: received.value.map(base64),
        record: None,
    };
    admitted(layout, &body)
}

/// The quarantine object of a record that the trigger's event describes in a way that can't be read: `record`
/// is its JSON as it was in the event, `detail` what is wrong with it.
pub fn malformed(
    layout: &Layout,
    topic: &str,
    partition: i32,
    offset: Option<i64>,
    record: &str,
    detail: &str,
) -> Admitted {
    let body = Body {
        reason: Reason::MalformedRecord,
        detail,
        topic,
        partition,
        offset,
        timestamp: None,
        key: None,
        key_base64: None,
        headers: Headers(layout.version(), &[]),
        value_base64: None,
        record: Some(record),
    };
    admitted(layout, &body)
}

/// A quarantine object as it is read back.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Quarantined {
    /// Why it is there.
    pub reason: Reason,
    /// The same in words.
    pub detail: String,
    /// The topic's name.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The offset; a record that could not be taken apart may lack it.
    pub offset: Option<i64>,
    timestamp: Option<i64>,
    key: Option<Raw>,
    key_base64: Option<Base64>,
    headers: Vec<WrittenHeader>,
    value_base64: Option<Base64>,
    /// The record's JSON in the trigger's event, where it could not be taken apart.
    pub record: Option<String>,
}

impl Quarantined {
    /// The record's headers, for [`Quarantined::received`].
    pub fn headers(&self) -> Vec<Header<'_>> {
        self.headers
            .iter()
            .filter_map(WrittenHeader::header)
            .collect()
    }

    /// The record as it was received; `None` where it could not be taken apart.
    pub fn received<'a>(&'a self, headers: &'a [Header<'a>]) -> Option<Received<'a>> {
        if self.record.is_some() {
            return None;
        }
        Some(Received {
            topic: &self.topic,
            partition: self.partition,
            offset: self.offset?,
            timestamp: self.timestamp,
            key: match &self.key_base64 {
                Some(key) => Some(&key.0),
                None => self.key.as_ref().map(Raw::bytes),
            },
            headers,
            value: self.value_base64.as_ref().map(|value| &*value.0),
        })
    }
}

/// Reads a quarantine object.
///
/// # Errors
/// `serde_json`'s, if it is none.
pub fn read_quarantined(body: &[u8]) -> Result<Quarantined, serde_json::Error> {
    serde_json::from_slice(body)
}

/// A header as it was written.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
enum WrittenHeader {
    Two {
        name: String,
        // Null and not absent: a header of layout 1 may be called `name`.
        #[serde(deserialize_with = "Option::deserialize")]
        value: Option<String>,
        base64: Option<Base64>,
    },
    /// Of layout 1: one member, with the header's name.
    One(BTreeMap<String, Option<Raw>>),
}

impl WrittenHeader {
    fn header(&self) -> Option<Header<'_>> {
        match self {
            Self::Two {
                name,
                value,
                base64,
            } => Some(Header {
                name,
                value: match base64 {
                    Some(bytes) => Some(&bytes.0),
                    None => value.as_deref().map(str::as_bytes),
                },
            }),
            Self::One(members) => {
                let (name, value) = members.first_key_value()?;
                Some(Header {
                    name,
                    value: value.as_ref().map(Raw::bytes),
                })
            }
        }
    }
}

/// What [`Bytes`] wrote.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
enum Raw {
    Text(String),
    Bytes { base64: Base64 },
}

impl Raw {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Bytes { base64 } => &base64.0,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Base64(Vec<u8>);

impl<'de> Deserialize<'de> for Base64 {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        base64_simd::STANDARD
            .decode_to_vec(text)
            .map(Self)
            .map_err(serde::de::Error::custom)
    }
}

fn admitted(layout: &Layout, body: &Body<'_>) -> Admitted {
    let mut bytes = Vec::with_capacity(512);
    write_json(&mut bytes, body);
    Admitted {
        key: layout.quarantine_key(body.topic, body.partition, body.offset, &bytes),
        body: bytes.into(),
        kind: Kind::Quarantine(body.reason),
    }
}
