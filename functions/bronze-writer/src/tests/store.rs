//! What an answer rests on: a store that keeps its conditions, and what it holds in that moment.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, Ordering::SeqCst},
};

use super::*;

/// A store that ignores one condition of a write, or both.
#[derive(Default)]
struct Careless {
    store: MemoryStore,
    creates: bool,
    swaps: bool,
}

impl Careless {
    async fn overwrite(&self, key: &ObjectKey, body: Bytes) -> Result<ETag, StoreError> {
        self.store.remove(key);
        self.store.put_if_absent(key, body).await
    }
}

impl PutIf for Careless {
    async fn put_if_absent(&self, key: &ObjectKey, body: Bytes) -> Result<ETag, StoreError> {
        if self.creates {
            return self.overwrite(key, body).await;
        }
        self.store.put_if_absent(key, body).await
    }

    async fn put_if_match(
        &self,
        key: &ObjectKey,
        body: Bytes,
        etag: &ETag,
    ) -> Result<ETag, StoreError> {
        if self.swaps {
            return self.overwrite(key, body).await;
        }
        self.store.put_if_match(key, body, etag).await
    }
}

impl Get for Careless {
    async fn get_within(&self, key: &ObjectKey, most: usize) -> Result<Object, StoreError> {
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

#[tokio::test]
async fn a_store_that_ignores_conditions_is_refused_when_the_writer_starts() {
    for (creates, swaps, header) in [
        (true, true, "If-None-Match"),
        (true, false, "If-None-Match"),
        (false, true, "If-Match"),
    ] {
        let store = Careless {
            creates,
            swaps,
            ..Careless::default()
        };
        let writer = writer(store);
        let soon = Instant::now() + Duration::from_secs(5);
        let refused = writer.begin(soon).await.unwrap_err().to_string();
        let expected = format!("ignores the condition {header} of a PUT");
        assert!(refused.contains(&expected), "{refused}");
        assert_eq!(refused.lines().count(), 1);
        let fault = deliver(&writer, &event(&[quote(0)])).await.unwrap_err();
        assert!(matches!(fault, Fault::Describe(_)), "{fault}");
        assert!(!writer.store().store.objects().keys().any(is_lines));
    }
    let sound = writer(Careless::default());
    let soon = Instant::now() + Duration::from_secs(5);
    sound.begin(soon).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_store_that_throttles_the_first_requests_gets_the_batch_nevertheless() {
    for throttled in 1..9 {
        let left = AtomicU32::new(throttled);
        let busy = move |_: &MemoryStore, _, _: &ObjectKey| match left.fetch_update(
            SeqCst,
            SeqCst,
            |left| left.checked_sub(1),
        ) {
            Ok(_) => Err(StoreError::Throttled { store: "s".into() }),
            Err(_) => Ok(()),
        };
        let writer = writer(Guarded(MemoryStore::default(), busy));
        assert_eq!(report(&writer, &event(&[quote(0)])).await.added, 1);
    }
}

#[tokio::test]
async fn a_description_is_never_overwritten_by_a_store_that_ignores_conditions() {
    let store = Careless {
        creates: true,
        swaps: true,
        ..Careless::default()
    };
    let said = Bytes::from_static(br#"{"bucket_ms":1,"segment_offsets":1,"compression":"none"}"#);
    let key = layout().description_key();
    store.put_if_absent(&key, said.clone()).await.unwrap();
    let writer = writer(store);
    let soon = Instant::now() + Duration::from_secs(5);
    writer.begin(soon).await.unwrap_err();
    assert_eq!(writer.store().store.objects()[&key], said);
}

#[tokio::test]
async fn a_history_of_layout_1_is_refused_with_the_remedy() {
    let store = MemoryStore::default();
    let said = br#"{"bucket_ms":3600000,"segment_offsets":50000,"compression":"none"}"#;
    let key = layout().description_key();
    let said = Bytes::from_static(said);
    store.put_if_absent(&key, said).await.unwrap();
    let writer = writer(store);
    let fault = deliver(&writer, &event(&[quote(0)])).await.unwrap_err();
    assert!(
        fault.to_string().contains("set a new BRONZE_EPOCH"),
        "{fault}"
    );
    assert_eq!(writer.store().objects().len(), 1, "nothing is written");
}

/// Delivers two records to a warm writer, has its objects changed, and delivers them again.
async fn delivered_again(
    writer: &Writer<MemoryStore>,
    records: &Value,
    change: impl AsyncFn(&MemoryStore, ObjectKey),
) -> Report {
    report(writer, records).await;
    for key in writer.store().objects().into_keys() {
        if is_lines(&key) || key.as_str().starts_with(&layout().quarantine_root()) {
            change(writer.store(), key).await;
        }
    }
    report(writer, records).await
}

#[tokio::test]
async fn an_object_that_was_removed_is_not_said_to_be_there() {
    let writer = writer(MemoryStore::default());
    let records = event(&[quote(0), quote(1)]);
    let again = delivered_again(&writer, &records, async |store, key| store.remove(&key)).await;
    assert_eq!((again.added, again.already_there), (2, 0));
    assert_eq!(offsets(&kept(writer.store())).0, [0, 1]);
    let again = report(&writer, &records).await;
    assert_eq!((again.added, again.already_there), (0, 2));
    assert_eq!(
        (again.puts, again.gets),
        (0, 1),
        "the store is asked, by one GET"
    );
}

#[tokio::test]
async fn an_object_that_was_damaged_is_not_said_to_hold_its_records() {
    let writer = writer(MemoryStore::default());
    let records = event(&[quote(0), quote(1)]);
    let damage = async |store: &MemoryStore, key| {
        store.remove(&key);
        let garbage = Bytes::from_static(b"garbage");
        store.put_if_absent(&key, garbage).await.unwrap();
    };
    let again = delivered_again(&writer, &records, damage).await;
    assert_eq!((again.added, again.already_there), (0, 0));
    assert_eq!(again.quarantined, [(Reason::ObjectDamaged, 2)].into());
}

#[tokio::test]
async fn a_quarantine_object_that_was_emptied_is_not_said_to_hold_its_record() {
    let writer = writer(MemoryStore::default());
    let records = event(&[record(0, "{")]);
    let empty = async |store: &MemoryStore, key| {
        store.remove(&key);
        store.put_if_absent(&key, Bytes::new()).await.unwrap();
    };
    let again = delivered_again(&writer, &records, empty).await;
    assert_eq!(again.quarantined, [(Reason::BrokenJson, 1)].into());
    let objects = kept(writer.store());
    let held = objects
        .values()
        .filter_map(|body| read_quarantined(body).ok());
    assert_eq!(held.count(), 1, "beside the emptied one");
    // Emptied too, no answer says that the record is durable.
    for key in objects
        .into_keys()
        .filter(|key| !key.as_str().contains("_layout"))
    {
        empty(writer.store(), key).await;
    }
    let fault = deliver(&writer, &records).await.unwrap_err();
    assert!(
        matches!(fault, Fault::NotDurable { missing: 1, .. }),
        "{fault}"
    );
}

#[tokio::test]
async fn a_topic_that_is_made_again_is_counted_and_loses_nothing() {
    let writer = writer(MemoryStore::default());
    let day = 86_400;
    let of = |day: i64| {
        let quote = |offset| {
            let time = 1_779_480_005 + day;
            record(
                offset,
                &format!(r#"{{"symbol":"A","c":{offset},"fetched_at":{time}}}"#),
            )
        };
        event(&(0..3).map(quote).collect::<Vec<_>>())
    };
    report(&writer, &of(0)).await;
    let landed = self::writer(writer.store);
    let headers_of = of(day);
    let raw = serde_json::value::to_raw_value(&headers_of).unwrap();
    let decoded = KafkaEvent::decode(raw.get()).unwrap();
    let headers = headers(&decoded);
    let received = received(&decoded, &headers);
    let until = Instant::now() + Duration::from_secs(5);
    let (store, layout) = (&landed.store, &landed.layout);
    let again = landed.marks.compare(store, layout, &received, until).await;
    assert_eq!(again.len(), 1, "{again:?}");
    assert_eq!(again[0].offset, 0);
    assert!(again[0].to_string().contains("set a new BRONZE_EPOCH"));
    let report = report(&landed, &of(day)).await;
    assert_eq!(report.added, 3, "in objects of their own day");
}

#[tokio::test]
async fn a_quarantine_object_that_can_not_be_read_stops_no_partition() {
    let is_corrupt = Arc::new(AtomicBool::new(false));
    let corrupt = Arc::clone(&is_corrupt);
    let guard = move |store: &MemoryStore, asked, key: &ObjectKey| {
        let objects = store.objects();
        let mut asides = objects
            .keys()
            .filter(|of| of.as_str().contains("_quarantine"));
        if asked == Asked::Read && corrupt.load(SeqCst) && asides.next() == Some(key) {
            return Err(StoreError::Corrupt {
                key: key.clone(),
                cause: "checksum".into(),
            });
        }
        Ok(())
    };
    let writer = writer(Guarded(MemoryStore::default(), guard));
    let records = event(&[record(0, "{"), quote(1)]);
    report(&writer, &records).await;
    is_corrupt.store(true, SeqCst);
    for _ in 0..2 {
        let again = report(&writer, &records).await;
        assert_eq!(again.quarantined, [(Reason::BrokenJson, 1)].into());
    }
}

#[tokio::test]
async fn of_a_full_object_only_what_is_new_goes_to_quarantine() {
    let large = |offset: i64, mib: usize| {
        let text = "x".repeat(mib << 20);
        record(
            offset,
            &format!(r#"{{"symbol":"A","fetched_at":1779480005,"x":"{text}"}}"#),
        )
    };
    let writer = writer(MemoryStore::default());
    report(&writer, &event(&[quote(0)])).await;
    for offset in 1..4 {
        report(&writer, &event(&[large(offset, 40)])).await;
    }
    let full = report(&writer, &event(&[quote(0), large(4, 10), quote(5)])).await;
    assert_eq!((full.added, full.already_there), (0, 1));
    assert_eq!(full.quarantined, [(Reason::ObjectTooLarge, 2)].into());
    let later = report(&writer, &event(&[quote(6)])).await;
    assert_eq!(
        (later.added, later.quarantined.len()),
        (1, 0),
        "it has room for that"
    );
    let (bronze, aside) = offsets(&kept(writer.store()));
    assert_eq!(bronze, [0, 1, 2, 3, 6]);
    let reasons = [(4, Reason::ObjectTooLarge), (5, Reason::ObjectTooLarge)];
    assert_eq!(aside, reasons);
}
