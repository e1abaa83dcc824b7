use lake::{
    Compression, ObjectKey,
    store::{ETag, Get, List, Listed, MemoryStore, Object, StoreError},
};

use super::{
    kinds,
    made::{Made, record},
    named,
};
use crate::verify::{NAMED, VerifyError, verify};

#[tokio::test]
async fn a_copied_object_is_damaged_where_it_is_and_its_lines_are_doubled() {
    let made = Made::of(Compression::None, 1, 0..20).await;
    let (key, body) = made.bronze().swap_remove(0);
    let copy = key.replace("lake_symbol=_AAPL", "lake_symbol=_AAPX");
    made.put(&copy, body).await;
    let verdict = made.verify_alone().await;
    assert_eq!(verdict.damaged.first[0].key, copy);
    assert!(
        verdict.damaged.first[0]
            .why
            .contains(&format!("belongs in {key}"))
    );
    assert_eq!(kinds(&verdict), ["doubled", "damaged"], "{verdict}");
    made.remove(&key);
    let moved = made.verify_alone().await;
    assert_eq!(
        kinds(&moved),
        ["damaged"],
        "every line is there, in the wrong object: {moved}"
    );
}

#[tokio::test]
async fn a_cut_object_is_damaged_and_only_what_is_cut_off_is_missing() {
    let made = Made::of(Compression::None, 1, 0..30).await;
    let (key, body) = made
        .bronze()
        .into_iter()
        .find(|(_, body)| body.lines().count() > 2)
        .unwrap();
    made.put(&key, body[..body.len() - 9].to_owned()).await;
    let verdict = made.verify().await;
    assert_eq!(
        verdict.damaged.first[0].to_string(),
        format!("{key} (it ends without a line feed)")
    );
    assert_eq!(verdict.missing.total, 1);
    assert_eq!(kinds(&verdict), ["missing", "damaged"], "{verdict}");

    let packed = Made::of(Compression::Zstd, 1, 0..30).await;
    let (key, _) = packed.bronze().swap_remove(0);
    packed.put(&key, "no frame").await;
    let verdict = packed.verify().await;
    assert_eq!(kinds(&verdict), ["missing", "damaged"], "{verdict}");
}

#[tokio::test]
async fn an_altered_value_is_named_by_its_offset_as_long_as_kafka_has_the_record() {
    let mut made = Made::of(Compression::None, 2, 0..30).await;
    let edit = |body: &str| body.replace("\"price\":112.50", "\"price\":113.50");
    for (key, body) in made.bronze() {
        made.put(&key, edit(&body)).await;
    }
    let verdict = made.verify().await;
    assert_eq!(named(&verdict.altered), ["t-0@12", "t-1@12"]);
    assert_eq!(kinds(&verdict), ["altered"], "{verdict}");
    // Kafka forgets the one of partition 0.
    let (held, records) = made.topics.partitions.get_mut(&0).unwrap();
    (*held, _) = (15..30, records.drain(..15));
    let verdict = made.verify().await;
    assert_eq!(named(&verdict.altered), ["t-1@12"]);
    assert_eq!((verdict.in_topics, verdict.compared), (60, 45));
}

#[tokio::test]
async fn an_altered_record_in_quarantine_is_damaged_and_not_kafkas() {
    let made = Made::of(Compression::None, 1, 0..10).await;
    let (key, body) = made.aside().swap_remove(0);
    made.put(&key, body.replace("\"AAPL\"", "\"AAPX\"")).await;
    let verdict = made.verify().await;
    assert_eq!(named(&verdict.altered), ["t-0@3"]);
    assert_eq!(kinds(&verdict), ["altered", "damaged"], "{verdict}");
    made.put(&key, "{}").await;
    let verdict = made.verify().await;
    assert_eq!(kinds(&verdict), ["missing", "damaged"], "{verdict}");
}

#[tokio::test]
async fn more_differing_pages_than_are_looked_at_again_are_named_as_unresolved() {
    let mut made = Made::of(Compression::None, 1, 0..0).await;
    let pages = 258;
    made.expected[0].offsets = 0..pages * 4_096;
    let mut records: Vec<_> = (0..pages)
        .map(|page| record(0, page * 4_096 + 7 - page * 4_096 % 7))
        .collect();
    for record in &records {
        made.land(record).await;
    }
    for record in &mut records {
        record.key = Some("other".into());
    }
    made.topics
        .partitions
        .insert(0, (0..pages * 4_096, records));
    let verdict = made.verify().await;
    assert_eq!(verdict.altered.total, 256);
    assert_eq!(verdict.altered.first.len(), NAMED);
    assert_eq!(verdict.unresolved.total, 2 * 4_096);
    assert_eq!(kinds(&verdict), ["altered", "not"], "{verdict}");
}

/// A store that can't give one of its objects.
struct Torn<'a> {
    store: &'a MemoryStore,
    key: &'a str,
    error: StoreError,
}

impl Get for Torn<'_> {
    async fn get_within(&self, key: &ObjectKey, most: usize) -> Result<Object, StoreError> {
        if key.as_str() == self.key {
            return Err(self.error.clone());
        }
        self.store.get_within(key, most).await
    }

    async fn get_if_changed(
        &self,
        key: &ObjectKey,
        etag: &ETag,
        most: usize,
    ) -> Result<Option<Object>, StoreError> {
        self.store.get_if_changed(key, etag, most).await
    }
}

impl List for Torn<'_> {
    async fn list(
        &self,
        prefix: &str,
        after: Option<&ObjectKey>,
    ) -> Result<Vec<Listed>, StoreError> {
        self.store.list(prefix, after).await
    }

    async fn folders(&self, prefix: &str, after: Option<&str>) -> Result<Vec<String>, StoreError> {
        self.store.folders(prefix, after).await
    }
}

#[tokio::test]
async fn an_object_with_other_bytes_than_were_stored_is_damaged_and_a_store_that_is_down_is_no_verdict()
 {
    let made = Made::of(Compression::None, 1, 0..10).await;
    let (key, body) = made.bronze().swap_remove(0);
    let verified = async |error| {
        let (store, key) = (&made.store, &*key);
        let torn = Torn { store, key, error };
        let (layout, topics) = (&made.layout, Some(&made.topics));
        verify(&torn, layout, topics, &made.expected, &|_| {}).await
    };
    let verdict = verified(StoreError::Corrupt {
        key: ObjectKey::new(&*key),
        cause: "checksum mismatch".into(),
    });
    let verdict = verdict.await.unwrap();
    assert_eq!(kinds(&verdict), ["missing", "damaged"], "{verdict}");
    assert_eq!(verdict.missing.total, body.lines().count() as u64);
    let text = verdict.to_string();
    assert!(
        text.contains("is not what was stored (checksum mismatch)"),
        "{text}"
    );
    let down = verified(StoreError::Unavailable {
        store: "s3://lake".to_owned(),
        cause: "reset".into(),
    });
    assert!(matches!(down.await, Err(VerifyError::Store(_))));
}
