use serde::{Deserialize, Serialize};

use crate::{
    Admitted, Coordinates, Defect, Kind, Layout, Received,
    line::{Bytes, Header, headers, write_json},
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
    /// The trigger's event describes the record in a way that can't be read.
    MalformedRecord,
    /// Other bytes took this offset before: the topic was recreated without a new epoch.
    OffsetReused,
}

impl Reason {
    pub(crate) fn of(defect: &Defect) -> Self {
        match defect {
            Defect::BrokenJson(_) => Self::BrokenJson,
            Defect::NotAnObject => Self::NotAnObject,
            Defect::NoSymbol => Self::NoSymbol,
            Defect::UnsafeSymbol(_) => Self::UnsafeSymbol,
            Defect::ReservedMember => Self::ReservedMember,
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
    headers: Vec<Header<'a>>,
    /// The raw bytes; null for a tombstone and where `record` has them.
    value_base64: Option<String>,
    /// The record as the event had it, where it could not be taken apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<&'a str>,
}

/// The quarantine object of a record that could be read as far as its coordinates.
pub(crate) fn quarantine(
    layout: &Layout,
    received: &Received,
    reason: Reason,
    detail: &str,
) -> Admitted {
    let body = Body {
        reason,
        detail,
        topic: &received.topic,
        partition: received.partition,
        offset: Some(received.offset),
        timestamp: received.timestamp,
        key: received.key.as_deref().map(Bytes),
        headers: headers(&received.headers),
        value_base64: received
            .value
            .as_ref()
            .map(|value| base64_simd::STANDARD.encode_to_string(value)),
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
        headers: Vec::new(),
        value_base64: None,
        record: Some(record),
    };
    admitted(layout, &body)
}

/// Reads the coordinates and the reason of a quarantine object; `None` if it is none or has no offset.
pub fn quarantined_coordinates(body: &[u8]) -> Option<(Coordinates, Reason)> {
    #[derive(Deserialize)]
    struct Head {
        reason: Reason,
        #[serde(flatten)]
        coordinates: Coordinates,
    }
    let head: Head = serde_json::from_slice(body).ok()?;
    Some((head.coordinates, head.reason))
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
