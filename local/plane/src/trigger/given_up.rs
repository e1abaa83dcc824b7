//! What reaches a destination about records that were given up.
//!
//! Source: AWS Lambda developer guide, "Capturing discarded batches for Amazon MSK and self-managed Apache Kafka event
//! sources" and "Using a Kafka topic as an on-failure destination".

use std::{
    collections::BTreeMap,
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher},
};

use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json, value::RawValue};

use super::{Mapping, event, record::Record};
use sam_template::function_arn;

/// Why records were given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Condition {
    /// The last attempt that the mapping allows has failed.
    RetryAttemptsExhausted,
    /// They were older than the mapping allows before an attempt.
    RecordAgeExceeded,
    /// One record alone is larger than an invocation's payload may be.
    MaximumPayloadSizeExceeded,
}

/// Records that were given up together.
pub(super) struct GivenUp<'a> {
    pub(super) mapping: &'a Mapping,
    pub(super) brokers: &'a str,
    pub(super) condition: Condition,
    pub(super) records: &'a [Record],
    /// How often the function was invoked with them.
    pub(super) invocations: u32,
    /// Whether the last of these invocations failed as a whole.
    pub(super) is_function_error: bool,
    pub(super) at: Timestamp,
}

impl GivenUp<'_> {
    /// The object for a bucket: all of the records, with the event as text.
    pub(super) fn object(&self) -> (String, Bytes) {
        let payload = event::payload(self.brokers, &self.mapping.topic, self.records);
        let batch = json!({
            "batchSize": self.records.len(),
            "bootstrapServers": self.brokers,
            "payloadSize": payload.len(),
            "recordsInfo": self.records_info(),
        });
        let mut document = self.document(&json!(self.condition), &batch, self.records);
        document["payload"] = String::from_utf8_lossy(&payload).into();
        let key = format!(
            "aws/lambda/{}/{}/{}-{}.json",
            self.mapping.name,
            self.mapping.topic,
            self.at.strftime("%Y/%m/%d/%Y-%m-%dT%H.%M.%S"),
            self.request_id(self.records),
        );
        (key, document.to_string().into())
    }

    /// The message for a topic about one of the records: its key, and a value with the event as JSON.
    pub(super) fn message(&self, record: &Record) -> (Option<Bytes>, Bytes) {
        let records = std::slice::from_ref(record);
        let payload = event::payload(self.brokers, &self.mapping.topic, records);
        let batch = json!({
            "batchSize": 1,
            "bootstrapServers": self.brokers,
            "payloadSize": payload.len(),
            "recordInfo": {
                "offset": record.at.offset.to_string(),
                "timestamp": record.timestamp.and_then(iso),
            },
        });
        // A topic has a name of its own for this condition.
        let condition = match self.condition {
            Condition::RetryAttemptsExhausted => json!("RetriesExhausted"),
            condition => json!(condition),
        };
        let document = self.document(&condition, &batch, records);
        #[derive(Serialize)]
        struct Message<'a> {
            #[serde(flatten)]
            document: &'a Value,
            payload: &'a RawValue,
        }
        let raw = serde_json::from_slice(&payload);
        let value = raw.and_then(|payload| {
            serde_json::to_vec(&Message {
                document: &document,
                payload,
            })
        });
        // An event of our own is JSON.
        (record.key.clone(), value.unwrap_or_default().into())
    }

    fn document(&self, condition: &Value, batch: &Value, records: &[Record]) -> Value {
        let response = (self.invocations > 0).then(|| {
            json!({
                "statusCode": 200,
                "executedVersion": "$LATEST",
                "functionError": self.is_function_error.then_some("Unhandled"),
            })
        });
        json!({
            "requestContext": {
                "requestId": self.request_id(records),
                "functionArn": function_arn(&self.mapping.function),
                "condition": condition,
                "approximateInvokeCount": self.invocations,
            },
            "responseContext": response,
            "version": "1.0",
            "timestamp": format!("{:.3}", self.at),
            "KafkaBatchInfo": batch,
        })
    }

    fn records_info(&self) -> BTreeMap<String, Value> {
        let mut partitions: BTreeMap<i32, (&Record, &Record)> = BTreeMap::new();
        for record in self.records {
            let (_, last) = partitions
                .entry(record.at.partition)
                .or_insert((record, record));
            *last = record;
        }
        let info = |(partition, (first, last)): (i32, (&Record, &Record))| {
            let info = json!({
                "firstRecordOffset": first.at.offset.to_string(),
                "lastRecordOffset": last.at.offset.to_string(),
                "firstRecordTimestamp": first.timestamp.and_then(iso),
                "lastRecordTimestamp": last.timestamp.and_then(iso),
            });
            (format!("{}-{partition}", self.mapping.topic), info)
        };
        partitions.into_iter().map(info).collect()
    }

    /// An id in the form of a UUID, the same for the same records at the same time.
    fn request_id(&self, records: &[Record]) -> String {
        let hash = |salt: u8| {
            let places: Vec<_> = records.iter().map(|record| record.at).collect();
            let of = (
                salt,
                &self.mapping.name,
                &self.mapping.topic,
                places,
                self.at,
            );
            BuildHasherDefault::<DefaultHasher>::default().hash_one(of)
        };
        let hex = format!("{:016x}{:016x}", hash(0), hash(1));
        [
            &hex[..8],
            &hex[8..12],
            &hex[12..16],
            &hex[16..20],
            &hex[20..],
        ]
        .join("-")
    }
}

fn iso(milliseconds: i64) -> Option<String> {
    let time = Timestamp::from_millisecond(milliseconds).ok()?;
    Some(format!("{time:.3}"))
}
