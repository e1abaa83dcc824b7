//! The count at the end of a run: what the topics hold against what the store holds, by coordinates, from
//! the broker and the store alone.

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt;
use lake::{
    Layout, ObjectKey, read_line, read_quarantined,
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

/// Topic, partition and offset.
type Coordinates = (String, i32, i64);

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
        let read = read_quarantined(&body).ok();
        let place = read.and_then(|read| Some((read.topic, read.partition, read.offset?)));
        return Ok(place.into_iter().map(|place| (place, false)).collect());
    }
    let lines = body
        .split(|&byte| byte == b'\n')
        .filter(|line| !line.is_empty());
    Ok(lines
        .filter_map(|line| read_line(line).ok())
        .map(|line| ((line.topic.into_owned(), line.partition, line.offset), true))
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
            wanted.insert((topic.clone(), *partition, offset));
        }
    }
    audit.in_topics = wanted.len() as u64;
    let name = |(topic, partition, offset): &Coordinates| format!("{topic}-{partition}@{offset}");
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
