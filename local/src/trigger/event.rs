//! The event of the service, for a self-managed cluster. Source: AWS Lambda developer guide, "Using Lambda with
//! self-managed Apache Kafka", example event.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Serialize, Serializer, ser::SerializeMap};
use stream::consume::ConsumedRecord;

use super::batch::Record;

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

/// The JSON of one record.
pub(super) fn encode(topic: &str, record: &ConsumedRecord) -> Vec<u8> {
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

/// The event's JSON: each partition's records in their order.
pub(super) fn payload(brokers: &str, topic: &str, records: &[Record]) -> Bytes {
    let mut partitions: BTreeMap<i32, Vec<&Record>> = BTreeMap::new();
    for record in records {
        partitions
            .entry(record.at.partition)
            .or_default()
            .push(record);
    }
    let json: usize = records.iter().map(|record| record.json.len() + 1).sum();
    let mut payload = Vec::with_capacity(json + 1_024);
    payload.extend_from_slice(head(brokers).as_bytes());
    for (index, (number, records)) in partitions.into_iter().enumerate() {
        if index > 0 {
            payload.push(b',');
        }
        payload.extend_from_slice(format!("\"{topic}-{number}\":[").as_bytes());
        for (index, record) in records.into_iter().enumerate() {
            if index > 0 {
                payload.push(b',');
            }
            payload.extend_from_slice(&record.json);
        }
        payload.push(b']');
    }
    payload.extend_from_slice(b"}}");
    payload.into()
}

/// What comes before the records of an event.
pub(super) fn head(brokers: &str) -> String {
    format!(
        r#"{{"eventSource":"SelfManagedKafka","bootstrapServers":{},"records":{{"#,
        serde_json::Value::from(brokers)
    )
}
