//! A lake that the writers' own parts have made of given records, and the topics that it was made from.

use std::{collections::BTreeMap, ops::Range, time::Duration};

use ::stream::{consume::ConsumedRecord, topics::TopicError};
use bytes::Bytes;
use futures::{Stream, stream};
use lake::{
    Compression, Granularity, Layout, ObjectKey, OpenObjects, Received, Requests, admit, describe,
    gather, merge,
    store::{MemoryStore, PutIf},
};
use tokio::time::Instant;

use crate::verify::{OffsetRange, Topics, Verdict, verify};

/// The records of each partition of the topic `t`, and what else is expected of them.
pub(super) struct Made {
    pub(super) layout: Layout,
    pub(super) store: MemoryStore,
    pub(super) topics: Recorded,
    pub(super) expected: Vec<OffsetRange>,
}

/// Topics in memory.
#[derive(Default)]
pub(super) struct Recorded {
    pub(super) partitions: BTreeMap<i32, (Range<i64>, Vec<ConsumedRecord>)>,
}

pub(super) const TOPIC: &str = "t";

/// A record that becomes a line; every seventh can be none.
pub(super) fn record(partition: i32, offset: i64) -> ConsumedRecord {
    let symbol = ["AAPL", "BRK.B", "BTC/USDT"][usize::try_from(offset % 3).unwrap()];
    let second = 1_779_480_000 + offset * 300;
    let value = if offset % 7 == 3 {
        "{\"symbol\":".to_owned()
    } else {
        format!(r#"{{"symbol":"{symbol}","price":1{offset}.50,"fetched_at":{second}}}"#)
    };
    ConsumedRecord {
        partition,
        offset,
        timestamp: Some(second * 1_000 + 123),
        log_append_time: false,
        key: Some(symbol.into()),
        value: Some(value.into()),
        headers: vec![("schema".to_owned(), Bytes::from_static(b"v1"))],
    }
}

/// Calls `with` with the record as the lake takes it.
pub(super) fn received<T>(record: &ConsumedRecord, with: impl FnOnce(Received<'_>) -> T) -> T {
    let headers = record.headers.iter();
    let headers: Vec<_> = headers
        .map(|(name, value)| lake::Header {
            name,
            value: Some(value),
        })
        .collect();
    with(Received {
        topic: TOPIC,
        partition: record.partition,
        offset: record.offset,
        timestamp: record.timestamp,
        key: record.key.as_deref(),
        headers: &headers,
        value: record.value.as_deref(),
    })
}

impl Made {
    /// A right lake of `partitions` partitions with `offsets` each.
    pub(super) async fn of(compression: Compression, partitions: i32, offsets: Range<i64>) -> Self {
        let granularity = Granularity::new(3_600_000, 10).unwrap();
        let mut made = Self {
            layout: Layout::new("bronze", Some("1"), granularity, compression),
            store: MemoryStore::default(),
            topics: Recorded::default(),
            expected: Vec::new(),
        };
        let until = Instant::now() + Duration::from_secs(60);
        describe(&made.store, &made.layout, until).await.unwrap();
        for partition in 0..partitions {
            made.expected.push(OffsetRange {
                topic: TOPIC.to_owned(),
                partition,
                offsets: offsets.clone(),
            });
            let records: Vec<_> = offsets
                .clone()
                .map(|offset| record(partition, offset))
                .collect();
            for record in &records {
                made.land(record).await;
            }
            let of_partition = (offsets.clone(), records);
            made.topics.partitions.insert(partition, of_partition);
        }
        made
    }

    /// Writes a record as the writer does.
    pub(super) async fn land(&self, record: &ConsumedRecord) {
        let admitted = received(record, |received| admit(&self.layout, &received));
        if matches!(admitted.kind, lake::Kind::Quarantine(_)) {
            self.put(admitted.key.as_str(), admitted.body).await;
            return;
        }
        let (key, lines) = received(record, |received| {
            let received = [received];
            let gathered = gather(&self.layout, &received);
            let shares = gathered.shares();
            let share = shares.iter().next().unwrap();
            (share.key(), share.lines().0)
        });
        let until = Instant::now() + Duration::from_secs(60);
        let (open, mut requests) = (OpenObjects::new(1 << 20), Requests::default());
        let at = (&key, &lines);
        let merged = merge(&self.store, &self.layout, &open, at, until, &mut requests);
        merged.await.unwrap();
    }

    pub(super) async fn put(&self, key: &str, body: impl Into<Bytes>) {
        let key = ObjectKey::new(key);
        self.store.remove(&key);
        self.store.put_if_absent(&key, body.into()).await.unwrap();
    }

    pub(super) fn remove(&self, key: &str) {
        self.store.remove(&ObjectKey::new(key));
    }

    /// The bronze objects, by key.
    pub(super) fn bronze(&self) -> Vec<(String, String)> {
        self.under(&self.layout.topic_root(TOPIC))
    }

    /// The quarantine objects, by key.
    pub(super) fn aside(&self) -> Vec<(String, String)> {
        self.under(&self.layout.quarantine_root())
    }

    fn under(&self, root: &str) -> Vec<(String, String)> {
        let objects = self.store.objects().into_iter();
        let text = |body: Bytes| String::from_utf8_lossy(&body).into_owned();
        objects
            .filter(|(key, _)| key.as_str().starts_with(root))
            .map(|(key, body)| (key.to_string(), text(body)))
            .collect()
    }

    /// The verdict with the topics at hand.
    pub(super) async fn verify(&self) -> Verdict {
        let (store, layout) = (&self.store, &self.layout);
        let verified = verify(store, layout, Some(&self.topics), &self.expected, &|_| {});
        verified.await.unwrap()
    }

    /// The verdict without them.
    pub(super) async fn verify_alone(&self) -> Verdict {
        let (store, layout) = (&self.store, &self.layout);
        let verified = verify(store, layout, None::<&Recorded>, &self.expected, &|_| {});
        verified.await.unwrap()
    }
}

impl Topics for Recorded {
    async fn held(&self, _topic: &str, partition: i32) -> Result<Range<i64>, TopicError> {
        let held = self
            .partitions
            .get(&partition)
            .map(|(held, _)| held.clone());
        Ok(held.unwrap_or(0..0))
    }

    fn read(
        &self,
        _topic: &str,
        ranges: Vec<(i32, Range<i64>)>,
    ) -> impl Stream<Item = Result<ConsumedRecord, TopicError>> + Send {
        let read = ranges.into_iter().flat_map(|(partition, range)| {
            let records = self.partitions.get(&partition).into_iter();
            records
                .flat_map(|(_, records)| records)
                .filter(move |record| range.contains(&record.offset))
        });
        stream::iter(read.map(|record| Ok(record.clone())).collect::<Vec<_>>())
    }
}
