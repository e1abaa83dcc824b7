//! The count at the end of a run: what the topics hold against what the store holds, by coordinates, from
//! the broker and the store alone.

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt;
use lake::{
    Coordinates, Layout, ObjectKey, coordinates, quarantined_coordinates,
    store::{Get, List, StoreError, list_all},
};
use serde::Serialize;

/// The offsets of one partition that have to be in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// From the first that the trigger had to read to the high watermark.
    pub offsets: std::ops::Range<i64>,
}

/// What the audit found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Audit {
    /// Records in the topics.
    pub in_topics: u64,
    /// Of these, records in bronze.
    pub in_bronze: u64,
    /// Of these, records in quarantine.
    pub in_quarantine: u64,
    /// Offsets that are in neither, as `topic-partition@offset`.
    pub missing: Vec<String>,
    /// Offsets that are there more than once.
    pub doubled: Vec<String>,
}

impl Audit {
    /// Whether every record is in the store exactly once.
    pub fn is_exact(&self) -> bool {
        self.missing.is_empty() && self.doubled.is_empty()
    }
}

/// Objects read at once.
const CONCURRENT_GETS: usize = 32;

/// Reads every object of the layout and compares.
///
/// # Errors
/// [`StoreError`] if the store can't be read.
pub async fn audit(
    store: &(impl Get + List),
    layout: &Layout,
    expected: &[Expected],
) -> Result<Audit, StoreError> {
    let keys = list_all(store, &layout.root()).await?;
    let aside = layout.quarantine_root();
    let found: Vec<Result<Vec<(Coordinates, bool)>, StoreError>> = futures::stream::iter(keys)
        .map(|key| found_in(store, key, &aside))
        .buffer_unordered(CONCURRENT_GETS)
        .collect()
        .await;
    let mut places: BTreeMap<Coordinates, (u64, bool)> = BTreeMap::new();
    for object in found {
        for (place, bronze) in object? {
            let seen = places.entry(place).or_insert((0, bronze));
            seen.0 += 1;
        }
    }
    Ok(compare(&places, expected))
}

/// The coordinates that an object holds, and whether it is bronze.
async fn found_in(
    store: &impl Get,
    key: ObjectKey,
    aside: &str,
) -> Result<Vec<(Coordinates, bool)>, StoreError> {
    let body = store.get(&key).await?.body;
    if key.as_str().starts_with(aside) {
        return Ok(quarantined_coordinates(&body)
            .into_iter()
            .map(|(place, _)| (place, false))
            .collect());
    }
    let lines = body
        .split(|&byte| byte == b'\n')
        .filter(|line| !line.is_empty());
    Ok(lines
        .filter_map(coordinates)
        .map(|place| (place, true))
        .collect())
}

fn compare(places: &BTreeMap<Coordinates, (u64, bool)>, expected: &[Expected]) -> Audit {
    let mut audit = Audit::default();
    let mut wanted = BTreeSet::new();
    for Expected {
        topic,
        partition,
        offsets,
    } in expected
    {
        for offset in offsets.clone() {
            wanted.insert(Coordinates {
                topic: topic.clone(),
                partition: *partition,
                offset,
            });
        }
    }
    audit.in_topics = wanted.len() as u64;
    let name =
        |place: &Coordinates| format!("{}-{}@{}", place.topic, place.partition, place.offset);
    for place in &wanted {
        match places.get(place) {
            None => audit.missing.push(name(place)),
            Some((_, true)) => audit.in_bronze += 1,
            Some((_, false)) => audit.in_quarantine += 1,
        }
    }
    audit.doubled = places
        .iter()
        .filter(|(_, (times, _))| *times > 1)
        .map(|(place, _)| name(place))
        .collect();
    audit
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use lake::{
        Received, admit,
        store::{MemoryStore, PutIf},
    };

    use super::*;

    fn expected(offsets: std::ops::Range<i64>) -> [Expected; 1] {
        [Expected {
            topic: "t".into(),
            partition: 0,
            offsets,
        }]
    }

    async fn store_with(records: &[(i64, &str)]) -> (MemoryStore, Layout) {
        let (store, layout) = (MemoryStore::default(), Layout::record("b", None));
        for &(offset, value) in records {
            let received = Received {
                topic: "t".into(),
                offset,
                timestamp: Some(1),
                value: Some(value.as_bytes().to_vec()),
                ..Received::default()
            };
            let admitted = admit(&layout, &received);
            store
                .put_if_absent(&admitted.key, admitted.body)
                .await
                .unwrap();
        }
        (store, layout)
    }

    #[tokio::test]
    async fn every_record_once_is_exact() {
        let (store, layout) =
            store_with(&[(0, r#"{"symbol":"A"}"#), (1, "{"), (2, r#"{"symbol":"B"}"#)]).await;
        let found = audit(&store, &layout, &expected(0..3)).await.unwrap();
        assert_eq!(
            (found.in_topics, found.in_bronze, found.in_quarantine),
            (3, 2, 1)
        );
        assert!(found.is_exact());
    }

    #[tokio::test]
    async fn a_lost_and_a_doubled_record_are_named() {
        let (store, layout) =
            store_with(&[(0, r#"{"symbol":"A"}"#), (2, r#"{"symbol":"B"}"#)]).await;
        let line =
            Bytes::from_static(b"{\"_kafka\":{\"topic\":\"t\",\"partition\":0,\"offset\":2}}\n");
        store
            .put_if_absent(&ObjectKey::new("b/t/again"), line)
            .await
            .unwrap();
        let found = audit(&store, &layout, &expected(0..3)).await.unwrap();
        assert_eq!(found.missing, ["t-0@1"]);
        assert_eq!(found.doubled, ["t-0@2"]);
        assert!(!found.is_exact());
    }
}
