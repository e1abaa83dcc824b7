//! The lake of one test, and whether it is as it should be.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use lake::{Layout, ObjectKey, store::S3Store};
use runtime::Environment;

use crate::{
    clean_pass::clean_pass,
    contents::{Contents, contents, objects},
    store::client,
    topic::Topic,
};

/// A bucket with one history.
pub struct Lake {
    /// Its bucket, by the straight way.
    pub store: S3Store,
    /// Where objects go in it.
    pub layout: Layout,
    settings: BTreeMap<String, String>,
}

/// A minute and a hundred offsets share an object: many objects, most of which get full.
pub const SMALL_SEGMENTS: [(&str, &str); 2] = [
    ("BRONZE_SEGMENT_SECONDS", "60"),
    ("BRONZE_SEGMENT_OFFSETS", "100"),
];

/// One object a record.
pub const RECORDS: [(&str, &str); 1] = [("BRONZE_GRANULARITY", "record")];

/// Objects are packed.
pub const PACKED: [(&str, &str); 1] = [("BRONZE_COMPRESSION", "zstd")];

impl Lake {
    /// An empty one in the store at `endpoint`, with these settings of the writer.
    pub async fn create(endpoint: &str, settings: &[(&str, &str)]) -> Self {
        let place = [
            ("BRONZE_BUCKET", "bronze"),
            ("BRONZE_PREFIX", "bronze"),
            ("BRONZE_EPOCH", "1"),
        ];
        let settings: BTreeMap<String, String> = place
            .iter()
            .chain(settings)
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let environment: Environment = settings.clone().into_iter().collect();
        let store = client(endpoint, "bronze").await;
        store.create_bucket().await.unwrap();
        Self {
            store,
            layout: bronze_writer::layout(&environment).unwrap(),
            settings,
        }
    }

    /// The writer's settings for it.
    pub fn settings(&self) -> BTreeMap<String, String> {
        self.settings.clone()
    }

    /// Every object in it.
    pub async fn objects(&self) -> BTreeMap<ObjectKey, Bytes> {
        objects(&self.store, &self.layout).await
    }

    /// Every record of the topic is in it exactly once, and its objects are byte for byte those of a clean pass.
    pub async fn is_that_of_a_clean_pass(&self, topic: &Topic) -> Contents {
        let found = self.objects().await;
        let contents = contents(&self.layout, &found);
        let records: BTreeSet<_> = topic.records().into_iter().collect();
        let held: BTreeSet<_> = contents.lines.keys().chain(contents.aside.keys()).collect();
        let missing: Vec<_> = records.iter().filter(|at| !held.contains(at)).collect();
        assert!(missing.is_empty(), "missing: {missing:?}");
        assert_eq!(held.len(), records.len(), "records that nobody published");

        let clean = clean_pass(topic, &self.layout).await;
        assert!(found.keys().eq(clean.keys()), "other objects");
        for (key, body) in &clean {
            assert!(found[key] == body, "other bytes in {key}");
        }
        contents
    }
}
