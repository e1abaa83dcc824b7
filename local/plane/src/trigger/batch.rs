use std::collections::{BTreeMap, BTreeSet};

use stream::consume::ConsumedRecord;

use super::{event::head, record::Record};
use crate::host::PAYLOAD_LIMIT;

/// Records of one topic that are gathered for one invocation: in order within each partition.
pub(super) struct Batch {
    topic: String,
    limit: usize,
    records: Vec<Record>,
    partitions: BTreeSet<i32>,
    bytes: usize,
}

impl Batch {
    /// An empty batch of at most `limit` records.
    pub(super) fn new(brokers: &str, topic: &str, limit: usize) -> Self {
        Self {
            topic: topic.to_owned(),
            limit,
            records: Vec::new(),
            partitions: BTreeSet::new(),
            bytes: head(brokers).len() + "}}".len(),
        }
    }

    /// Puts `record` behind the others of its partition, or gives it back if it does not fit any more. The
    /// first always fits: a record that is too large alone is alone.
    ///
    /// # Errors
    /// The record.
    pub(super) fn add(&mut self, record: ConsumedRecord) -> Result<(), ConsumedRecord> {
        let json = Record::json(&self.topic, &record);
        let bytes = self.bytes + self.cost(record.partition, json.len());
        if self.is_full() || (!self.records.is_empty() && bytes > PAYLOAD_LIMIT) {
            return Err(record);
        }
        self.bytes = bytes;
        self.partitions.insert(record.partition);
        self.records.push(Record::new(record, json));
        Ok(())
    }

    /// Whether it has its number of records.
    pub(super) fn is_full(&self) -> bool {
        self.records.len() >= self.limit
    }

    pub(super) fn into_records(self) -> Vec<Record> {
        self.records
    }

    /// The bytes that a record adds: its own, a comma, and for a new partition `"topic-n":[]`.
    fn cost(&self, partition: i32, json: usize) -> usize {
        if self.partitions.contains(&partition) {
            json + ",".len()
        } else {
            json + self.topic.len() + partition.to_string().len() + "\"-\":[],".len()
        }
    }
}

/// Each partition of the records with the offset after its last one.
pub(super) fn ends(records: &[Record]) -> BTreeMap<i32, i64> {
    let ends = records.iter().map(|record| &record.at);
    ends.map(|at| (at.partition, at.offset + 1)).collect()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use kafka_event::KafkaEvent;
    use proptest::prelude::*;

    use super::{super::event::payload, *};

    fn record(partition: i32, offset: i64, value: &[u8]) -> ConsumedRecord {
        ConsumedRecord {
            partition,
            offset,
            timestamp: None,
            log_append_time: false,
            key: None,
            value: Some(Bytes::copy_from_slice(value)),
            headers: vec![("h".to_owned(), Bytes::from_static(&[0, 127, 128, 255]))],
        }
    }

    #[test]
    fn the_event_is_what_the_service_writes() {
        let mut batch = Batch::new("b:1", "t-x", 10);
        let first = ConsumedRecord {
            timestamp: Some(5),
            log_append_time: true,
            key: Some(Bytes::from_static(b"AAPL")),
            ..record(3, 7, b"{}")
        };
        batch.add(first).unwrap();
        let tombstone = ConsumedRecord {
            value: None,
            headers: Vec::new(),
            ..record(0, 2, b"")
        };
        batch.add(tombstone).unwrap();
        assert_eq!(
            std::str::from_utf8(&payload("b:1", "t-x", &batch.records)).unwrap(),
            concat!(
                r#"{"eventSource":"SelfManagedKafka","bootstrapServers":"b:1","records":{"#,
                r#""t-x-0":[{"topic":"t-x","partition":0,"offset":2,"timestamp":-1,"timestampType":"CREATE_TIME","value":null,"headers":[]}],"#,
                r#""t-x-3":[{"topic":"t-x","partition":3,"offset":7,"timestamp":5,"timestampType":"LOG_APPEND_TIME","key":"QUFQTA==","value":"e30=","headers":[{"h":[0,127,-128,-1]}]}]}}"#,
            )
        );
        assert_eq!(ends(&batch.into_records()), [(0, 3), (3, 8)].into());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn a_batch_keeps_its_limits_its_order_and_every_byte(
            limit in 1..20_usize,
            sizes in prop::collection::vec((0..3_i32, prop_oneof![0..300_usize, 900_000..1_100_000_usize]), 1..30),
        ) {
            let mut batch = Batch::new("b:1", "t", limit);
            let mut added = [Vec::new(), Vec::new(), Vec::new()];
            for (offset, (partition, size)) in (0_i64..).zip(sizes) {
                let record = record(partition, offset, &vec![b'x'; size]);
                if batch.add(record).is_err() {
                    break;
                }
                added[usize::try_from(partition).unwrap()].push((offset, size));
            }
            let payload = payload("b:1", "t", &batch.records);
            prop_assert!(payload.len() <= PAYLOAD_LIMIT);
            let event = KafkaEvent::decode(std::str::from_utf8(&payload).unwrap()).unwrap();
            prop_assert!(event.unreadable.is_empty() && event.records.len() <= limit);
            let headers: Vec<_> = event.headers().collect();
            let mut seen = [Vec::new(), Vec::new(), Vec::new()];
            for record in &event.records {
                let partition = usize::try_from(record.partition).unwrap();
                prop_assert_eq!(&event.sources[record.source], &format!("t-{partition}"));
                prop_assert_eq!(
                    &headers[event.headers_of(record)],
                    &[("h", Some(&[0, 127, 128, 255][..]))]
                );
                seen[partition].push((record.offset, event.value(record).unwrap().len()));
            }
            prop_assert_eq!(seen, added);
        }
    }
}
