//! What a lake holds, read back object by object.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures::{StreamExt, stream};
use lake::{
    Layout, Name, ObjectKey, Reason, read_line, read_quarantined, read_stored,
    store::{Get, List, list_all},
};

/// Where a record is in Kafka: topic, partition and offset.
pub type Coordinates = (String, i32, i64);

/// Every record that a lake holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// The bronze lines.
    pub lines: BTreeMap<Coordinates, Bytes>,
    /// The records in quarantine.
    pub aside: BTreeMap<Coordinates, Reason>,
}

/// Objects read at once.
const CONCURRENT_GETS: usize = 32;

/// Every object of the layout but the marks of partitions, which depend on how topics were cut.
pub async fn objects(store: &(impl Get + List), layout: &Layout) -> BTreeMap<ObjectKey, Bytes> {
    let mut keys = list_all(store, &layout.root()).await.unwrap();
    keys.retain(|key| !key.as_str().starts_with(&layout.marks_root()));
    stream::iter(keys)
        .map(async |key| {
            let body = store.get(&key).await.unwrap().body;
            (key, body)
        })
        .buffer_unordered(CONCURRENT_GETS)
        .collect()
        .await
}

/// The records in these objects, every one of which a writer of the layout has made: whole, in order, each line
/// where it belongs. A record that is there twice is a panic, and so is one that is in bronze and aside.
pub fn contents(layout: &Layout, objects: &BTreeMap<ObjectKey, Bytes>) -> Contents {
    let mut contents = Contents::default();
    for (key, body) in objects {
        let name = layout.name_of(key);
        if name == Name::Beside {
            continue;
        }
        if matches!(name, Name::Quarantine { .. }) {
            let read = read_quarantined(body).unwrap_or_else(|error| panic!("{key}: {error}"));
            let offset = read.offset.unwrap();
            let at = (read.topic, read.partition, offset);
            let other = contents.aside.insert(at, read.reason);
            assert_eq!(other, None, "doubled: {key}");
            continue;
        }
        let lines = read_stored(layout, key, body).unwrap_or_else(|error| panic!("{key}: {error}"));
        for (_, line) in lines.iter() {
            let read = read_line(layout.version(), line).unwrap();
            let at = (read.topic.into_owned(), read.partition, read.offset);
            let other = contents.lines.insert(at, Bytes::copy_from_slice(line));
            assert_eq!(other, None, "doubled: {key}");
        }
    }
    let mut aside = contents.aside.keys();
    let both = aside.find(|at| contents.lines.contains_key(*at));
    assert_eq!(both, None, "in bronze and in quarantine");
    contents
}
