use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize, Serializer, ser::SerializeMap};
use stream::{Position, consume::ConsumedRecord};

/// A record as the trigger handles it.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) at: Position,
    /// Milliseconds since the epoch, where the broker has one.
    pub(super) timestamp: Option<i64>,
    pub(super) key: Option<Bytes>,
    /// When the quote in it was fetched, as far as it says so.
    pub(super) fetched: Option<Timestamp>,
    /// Itself within an event.
    pub(super) json: Vec<u8>,
}

impl Record {
    /// The record, which is `json` within an event.
    pub(super) fn new(record: ConsumedRecord, json: Vec<u8>) -> Self {
        Self {
            at: Position {
                partition: record.partition,
                offset: record.offset,
            },
            timestamp: record.timestamp,
            fetched: record.value.as_deref().and_then(fetch_time),
            key: record.key,
            json,
        }
    }

    /// What a record is within an event.
    pub(super) fn json(topic: &str, record: &ConsumedRecord) -> Vec<u8> {
        let base64 = |bytes: &Bytes| base64_simd::STANDARD.encode_to_string(bytes);
        let event = EventRecord {
            topic,
            partition: record.partition,
            offset: record.offset,
            timestamp: record.timestamp.unwrap_or(-1),
            timestamp_type: if record.log_append_time {
                "LOG_APPEND_TIME"
            } else {
                "CREATE_TIME"
            },
            key: record.key.as_ref().map(base64),
            value: record.value.as_ref().map(base64),
            headers: record
                .headers
                .iter()
                .map(|(name, value)| Header(name, value))
                .collect(),
        };
        // Types of our own that have no failing case.
        serde_json::to_vec(&event).unwrap_or_default()
    }
}

/// The member `meta.fetched_at` of a message.
fn fetch_time(value: &[u8]) -> Option<Timestamp> {
    #[derive(Deserialize)]
    struct Message {
        meta: Meta,
    }
    #[derive(Deserialize)]
    struct Meta {
        fetched_at: Timestamp,
    }
    let message: Message = serde_json::from_slice(value).ok()?;
    Some(message.meta.fetched_at)
}

/// A record as the service writes it into its event: keys and values in Base64, header bytes signed, an
/// absent key left out.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EventRecord<'a> {
    topic: &'a str,
    partition: i32,
    offset: i64,
    timestamp: i64,
    timestamp_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    value: Option<String>,
    headers: Vec<Header<'a>>,
}

struct Header<'a>(&'a str, &'a [u8]);

impl Serialize for Header<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let signed: Vec<i8> = self.1.iter().map(|&byte| byte.cast_signed()).collect();
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(self.0, &signed)?;
        map.end()
    }
}
