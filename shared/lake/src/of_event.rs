use kafka_event::{KafkaEvent, Record};

use crate::{Header, Received};

/// The headers of all records of an event, for [`received`].
pub fn headers<'e>(event: &'e KafkaEvent<'_>) -> Vec<Header<'e>> {
    let headers = event.headers();
    headers
        .map(|(name, value)| Header { name, value })
        .collect()
}

/// The records of an event as the lake takes them, each at its position.
pub fn received<'e>(event: &'e KafkaEvent<'_>, headers: &'e [Header<'e>]) -> Vec<Received<'e>> {
    let receive = |record: &'e Record<'_>| Received {
        topic: &record.topic,
        partition: record.partition,
        offset: record.offset,
        timestamp: record.timestamp,
        key: event.key(record),
        headers: &headers[event.headers_of(record)],
        value: event.value(record),
    };
    event.records.iter().map(receive).collect()
}
