//! The event of the service, for a self-managed cluster. Source: AWS Lambda developer guide, "Using Lambda with
//! self-managed Apache Kafka", example event.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::record::Record;

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
