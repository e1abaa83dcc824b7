//! A topic that is made again begins at offset 0 once more. Its records land in other objects, since their times differ, so
//! no object shows it. A small object for each 10,000 offsets of a partition does: it holds the digest of the first record
//! that came there.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use futures::{StreamExt, stream};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use crate::{
    Layout, Received, Version,
    line::write_json,
    path_segment::hex,
    store::{Get, PutIf, StoreError, in_time},
};

/// A partition whose offsets have started again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "partition {partition} of the topic {topic} had another record at offset {offset} before: the topic was made again, so set a new BRONZE_EPOCH"
)]
pub struct StartedAgain {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The offset.
    pub offset: i64,
}

/// The record that came first of a span of offsets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    offset: i64,
    /// Of its timestamp and value, in hexadecimal.
    sha256: String,
}

/// The marks that a warm function has read or written, so that it asks for each once: of each partition the latest.
#[derive(Debug, Default)]
pub struct PartitionMarks(Mutex<HashMap<String, Latest>>);

/// The latest mark of each partition of a topic, with the first offset of its span.
type Latest = HashMap<i32, (i64, Mark)>;

impl PartitionMarks {
    /// Compares the records of a batch with the marks of their partitions, and sets those that are missing. From a store that
    /// does not answer nothing is learnt, and the next batch asks again.
    pub async fn compare(
        &self,
        store: &(impl PutIf + Get),
        layout: &Layout,
        batch: &[Received<'_>],
        until: Instant,
    ) -> Vec<StartedAgain> {
        if layout.version() == Version::One {
            // It has no place for them.
            return Vec::new();
        }
        let runs = batch.chunk_by(|one, next| place(one) == place(next));
        let comparing = runs.map(async |run| {
            let mark = self.mark(store, layout, run, until).await?;
            let record = run.iter().find(|record| record.offset == mark.offset)?;
            (digest(record) != mark.sha256).then(|| StartedAgain {
                topic: record.topic.to_owned(),
                partition: record.partition,
                offset: record.offset,
            })
        });
        stream::iter(comparing)
            .buffer_unordered(CONCURRENT)
            .filter_map(async |again| again)
            .collect()
            .await
    }

    /// The mark of the span that the records of `run` lie in.
    async fn mark(
        &self,
        store: &(impl PutIf + Get),
        layout: &Layout,
        run: &[Received<'_>],
        until: Instant,
    ) -> Option<Mark> {
        let first = run.iter().min_by_key(|record| record.offset)?;
        let start = span(first);
        if let Some(mark) = self.recall(first, start) {
            return Some(mark);
        }
        let key = layout.mark_key(first.topic, first.partition, start);
        let mark = match in_time(&key, until, store.get(&key)).await {
            Ok(object) => serde_json::from_slice(&object.body).ok()?,
            Err(StoreError::NotFound { .. }) => {
                let mark = Mark {
                    offset: first.offset,
                    sha256: digest(first),
                };
                let mut body = Vec::new();
                write_json(&mut body, &mark);
                let put = store.put_if_absent(&key, body.into());
                match in_time(&key, until, put).await {
                    Ok(_) => mark,
                    // Another function was faster, maybe with another topic's record.
                    Err(StoreError::AlreadyExists { .. }) => {
                        let object = in_time(&key, until, store.get(&key)).await.ok()?;
                        serde_json::from_slice(&object.body).ok()?
                    }
                    Err(_) => return None,
                }
            }
            Err(_) => return None,
        };
        self.remember(first, start, mark.clone());
        Some(mark)
    }

    fn recall(&self, record: &Received<'_>, start: i64) -> Option<Mark> {
        let marks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (of, mark) = marks.get(record.topic)?.get(&record.partition)?;
        (*of == start).then(|| mark.clone())
    }

    fn remember(&self, record: &Received<'_>, start: i64, mark: Mark) {
        let mut marks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_topic = marks.entry(record.topic.to_owned()).or_default();
        of_topic.insert(record.partition, (start, mark));
    }
}

/// How many offsets of a partition share a mark: few enough that a topic that starts again is noticed by its first batches,
/// and so many that the marks cost nothing beside the lines.
const SPAN: i64 = 10_000;

/// Requests in flight.
const CONCURRENT: usize = 16;

/// What the records of a run have in common.
fn place<'a>(record: &Received<'a>) -> (i32, i64, &'a str) {
    (record.partition, span(record), record.topic)
}

/// The first offset of the span that a record lies in.
fn span(record: &Received<'_>) -> i64 {
    record.offset - record.offset.rem_euclid(SPAN)
}

fn digest(record: &Received<'_>) -> String {
    let mut digest = Sha256::new();
    digest.update(record.timestamp.unwrap_or(-1).to_be_bytes());
    digest.update(record.value.unwrap_or_default());
    hex(&digest.finalize())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{Compression, Granularity, store::MemoryStore};

    fn records<'a>(offsets: impl Iterator<Item = i64>, timestamp: i64) -> Vec<Received<'a>> {
        offsets
            .map(|offset| Received {
                topic: "t",
                partition: 1,
                offset,
                timestamp: Some(timestamp + offset),
                value: Some(br#"{"symbol":"A"}"#),
                ..Received::default()
            })
            .collect()
    }

    #[tokio::test]
    async fn a_topic_that_is_made_again_is_noticed_by_its_first_batch() {
        let store = MemoryStore::default();
        let layout = Layout::new("b", None, Granularity::SEGMENT, Compression::None);
        let until = Instant::now() + Duration::from_secs(5);
        let warm = PartitionMarks::default();
        let compare = async |marks: &PartitionMarks, batch: &[Received<'_>]| {
            marks.compare(&store, &layout, batch, until).await
        };
        // In any cut, by a warm function and by cold ones.
        for offsets in [0..7, 7..20_003, 0..20_003, 3..9_000, 19_999..25_000] {
            let batch = records(offsets, 1_000_000);
            assert_eq!(compare(&warm, &batch).await, []);
            assert_eq!(compare(&PartitionMarks::default(), &batch).await, []);
        }
        assert_eq!(store.objects().len(), 3, "one for each 10,000 offsets");
        let day = 86_400_000;
        let again = |offset| StartedAgain {
            topic: "t".to_owned(),
            partition: 1,
            offset,
        };
        let batch = records(0..3, 1_000_000 + day);
        assert_eq!(compare(&warm, &batch).await, [again(0)]);
        assert_eq!(
            compare(&PartitionMarks::default(), &batch).await,
            [again(0)]
        );
        let batch = records(9_998..10_002, 1_000_000 + day);
        assert_eq!(compare(&warm, &batch).await, [again(10_000)]);
    }
}
