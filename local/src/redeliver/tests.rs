use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use lake::{
    Compression, Granularity, ObjectKey, Received, Unfit, admit, malformed, object_damaged,
    offset_reused, put_aside, read_quarantined, read_stored,
    store::{Delete, ETag, List, Listed, MemoryStore, Object},
};
use serde_json::Value;

use super::*;
use crate::{
    inspect::{self, Coordinates, Place},
    written::{Record, deliver, event, event_record, quote, record, run, writer},
};

mod cuts;
mod given_up;
mod scenario;

use scenario::{Scenario, Way};

/// A store in memory that several hold, and that can end at a request as a process does that is killed.
#[derive(Clone, Default)]
struct Shared {
    store: Arc<MemoryStore>,
    requests: Arc<AtomicU64>,
    /// The request at which it ends, and whether that one is still carried out.
    end: Option<(u64, bool)>,
    /// Called after every write.
    written: Option<Look>,
    /// Called before the request with this number.
    before: Option<(u64, Look)>,
}

/// What a test does with a store in the midst of a run.
type Look = Arc<dyn Fn(&MemoryStore) + Send + Sync>;

fn ended() -> StoreError {
    StoreError::Denied {
        store: "s".to_owned(),
        cause: "ended".to_owned(),
    }
}

impl Shared {
    fn of(store: &MemoryStore) -> Self {
        let copy = MemoryStore::default();
        run(async {
            for (key, body) in store.objects() {
                copy.put_if_absent(&key, body).await.unwrap();
            }
        });
        Self {
            store: Arc::new(copy),
            ..Self::default()
        }
    }

    fn objects(&self) -> BTreeMap<ObjectKey, Bytes> {
        self.store.objects()
    }

    /// Whether a request is carried out, and whether its answer comes back.
    fn fate(&self) -> (bool, bool) {
        let number = self.requests.fetch_add(1, Ordering::SeqCst);
        if let Some((at, before)) = &self.before
            && *at == number
        {
            before(&self.store);
        }
        match self.end {
            Some((end, is_done)) if number == end => (is_done, false),
            Some((end, _)) if number > end => (false, false),
            _ => (true, true),
        }
    }

    async fn ask<T>(
        &self,
        is_write: bool,
        request: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let (is_done, is_answered) = self.fate();
        if !is_done {
            return Err(ended());
        }
        let answer = request.await;
        if is_write && let Some(written) = &self.written {
            written(&self.store);
        }
        if is_answered { answer } else { Err(ended()) }
    }
}

impl PutIf for Shared {
    async fn put_if_absent(&self, key: &ObjectKey, body: Bytes) -> Result<ETag, StoreError> {
        self.ask(true, self.store.put_if_absent(key, body)).await
    }

    async fn put_if_match(
        &self,
        key: &ObjectKey,
        body: Bytes,
        etag: &ETag,
    ) -> Result<ETag, StoreError> {
        self.ask(true, self.store.put_if_match(key, body, etag))
            .await
    }
}

impl Get for Shared {
    async fn get(&self, key: &ObjectKey) -> Result<Object, StoreError> {
        self.ask(false, self.store.get(key)).await
    }
}

impl Delete for Shared {
    async fn delete(&self, key: &ObjectKey) -> Result<(), StoreError> {
        self.ask(true, self.store.delete(key)).await
    }
}

impl List for Shared {
    async fn list(
        &self,
        prefix: &str,
        after: Option<&ObjectKey>,
    ) -> Result<Vec<Listed>, StoreError> {
        self.ask(false, self.store.list(prefix, after)).await
    }
}

fn layout() -> Layout {
    Layout::new("bronze", Some("1"), Granularity::SEGMENT, Compression::None)
}

fn redelivery<S: PutIf + Get + List + Delete>(store: S, layout: &Layout) -> Redelivery<S> {
    Redelivery {
        writer: writer(store, layout),
        layout: layout.clone(),
        topic: None,
        reason: None,
        dry_run: false,
        stop: CancellationToken::new(),
        progress: Progress::Silent,
    }
}

/// Where one record is, by its coordinates.
async fn places(store: &(impl Get + List), at: &str) -> Vec<Place> {
    let at: Coordinates = at.parse().unwrap();
    inspect::find(store, &layout(), &at).await.unwrap().places
}

fn reasons(counts: &Counts) -> Vec<(Reason, u64)> {
    counts.aside.clone().into_iter().collect()
}

#[test]
fn what_can_be_a_line_by_now_is_brought_to_bronze_and_the_rest_stays_with_its_reason() {
    let sound = record(0, &quote("A", 1_779_480_005));
    let scenario = Scenario {
        layout: layout(),
        records: vec![
            (sound, Way::AsideByOldCode),
            (record(1, &quote("A", 1_779_480_006)), Way::InBoth),
            (record(2, "{}"), Way::Delivered),
            (record(3, &quote("B", 1_779_480_007)), Way::OffsetTaken),
            (record(4, &quote("B", 1_779_480_008)), Way::Malformed),
        ],
    };
    let store = Shared::of(&scenario.store());
    run(async {
        let counts = redelivery(store.clone(), &layout())
            .quarantine()
            .await
            .unwrap();
        assert_eq!((counts.records, counts.brought), (5, 2));
        assert_eq!((counts.in_bronze_already, counts.deleted), (1, 3));
        assert_eq!(
            reasons(&counts),
            [(Reason::NoSymbol, 1), (Reason::OffsetReused, 1)]
        );
        for at in ["t-0@0", "t-0@1", "t-0@4"] {
            let places = places(&store, at).await;
            assert!(matches!(&places[..], [Place::Bronze { .. }]), "{places:?}");
        }
        assert!(matches!(
            &places(&store, "t-0@2").await[..],
            [Place::Quarantine { .. }]
        ));
        assert_eq!(places(&store, "t-0@3").await.len(), 2);
    });
}

#[test]
fn a_record_of_a_damaged_object_stays_until_that_is_restored() {
    let store = Shared::default();
    run(async {
        let writer = writer(store.clone(), &layout());
        deliver(&writer, &event([&record(0, &quote("A", 1_779_480_005))])).await;
        let is_bronze = |key: &&ObjectKey| key.as_str().contains("symbol=A");
        let objects = store.objects();
        let key = objects.keys().find(is_bronze).unwrap();
        let replace = async |body: Bytes| {
            store.store.delete(key).await.unwrap();
            store.store.put_if_absent(key, body).await.unwrap();
        };
        replace(objects[key].slice(..20)).await;
        let cold = self::writer(store.clone(), &layout());
        deliver(&cold, &event([&record(1, &quote("A", 1_779_480_006))])).await;
        let before = store.objects();
        for _ in 0..2 {
            let counts = redelivery(store.clone(), &layout()).quarantine().await;
            assert_eq!(reasons(&counts.unwrap()), [(Reason::ObjectDamaged, 1)]);
            assert_eq!(store.objects(), before, "nothing is written");
        }
        replace(objects[key].clone()).await;
        let counts = redelivery(store.clone(), &layout()).quarantine().await;
        assert_eq!(counts.unwrap().brought, 1);
        assert_eq!(store.objects().len(), 2, "the lines and the layout");
    });
}

#[test]
fn a_reason_and_a_topic_choose_what_is_touched() {
    let elsewhere = Record {
        topic: "t-x",
        ..record(0, &quote("A", 1_779_480_005))
    };
    let scenario = Scenario {
        layout: layout(),
        records: vec![
            (record(0, &quote("A", 1_779_480_005)), Way::AsideByOldCode),
            (elsewhere, Way::AsideByOldCode),
            (record(1, &quote("A", 1_779_480_006)), Way::Malformed),
        ],
    };
    let store = Shared::of(&scenario.store());
    run(async {
        let of = async |topic: Option<&str>, reason| {
            let redelivery = Redelivery {
                topic: topic.map(str::to_owned),
                reason,
                dry_run: true,
                ..redelivery(store.clone(), &layout())
            };
            redelivery.quarantine().await.unwrap().brought
        };
        assert_eq!(of(None, None).await, 3);
        assert_eq!(of(Some("t"), None).await, 2);
        assert_eq!(of(Some("t-x"), None).await, 1);
        assert_eq!(of(None, Some(Reason::MalformedRecord)).await, 1);
        assert_eq!(of(Some("t-x"), Some(Reason::MalformedRecord)).await, 0);
        assert_eq!(of(Some("absent"), None).await, 0);
    });
}

#[test]
fn a_record_without_a_partition_is_not_taken_for_one_of_another_topic() {
    let store = Shared::default();
    run(async {
        let json = event_record(&record(7, &quote("A", 1_779_480_005)));
        let without = |name: &str| {
            let mut json = json.clone();
            json.as_object_mut().unwrap().remove(name);
            json.to_string()
        };
        for json in [without("partition"), "[]".to_owned()] {
            let aside = malformed(&layout(), "t-", -1, None, &json, "?");
            store.put_if_absent(&aside.key, aside.body).await.unwrap();
        }
        let before = store.objects();
        let counts = redelivery(store.clone(), &layout()).quarantine().await;
        assert_eq!(reasons(&counts.unwrap()), [(Reason::MalformedRecord, 2)]);
        assert_eq!(store.objects(), before);
    });
}

#[test]
fn a_quarantine_object_that_can_not_be_read_is_named_and_stays() {
    let store = Shared::default();
    run(async {
        let key = ObjectKey::new(format!("{}t/p000-o1-x.json", layout().quarantine_root()));
        let body = Bytes::from_static(b"{");
        store.put_if_absent(&key, body).await.unwrap();
        let counts = redelivery(store.clone(), &layout())
            .quarantine()
            .await
            .unwrap();
        assert_eq!(counts.damaged.named[0].name, key.as_str());
        let outcome = Outcome {
            quarantine: counts,
            ..Outcome::default()
        };
        assert!(!outcome.is_complete());
        assert_eq!(store.objects().len(), 1);
    });
}

#[test]
fn a_stop_ends_it_after_the_batch_in_hand_and_another_run_goes_on() {
    let records = (0..1_200).map(|offset| record(offset, &quote("A", 1_779_480_005)));
    let scenario = Scenario {
        layout: layout(),
        records: records
            .map(|record| (record, Way::AsideByOldCode))
            .collect(),
    };
    let store = Shared::of(&scenario.store());
    run(async {
        let stop = CancellationToken::new();
        let asked = stop.clone();
        let stops = Shared {
            before: Some((5, Arc::new(move |_| asked.cancel()))),
            ..store.clone()
        };
        let first = Redelivery {
            stop,
            ..redelivery(stops, &layout())
        };
        let counts = first.quarantine().await.unwrap();
        assert_eq!((counts.brought, counts.deleted), (500, 500));
        let counts = redelivery(store.clone(), &layout())
            .quarantine()
            .await
            .unwrap();
        assert_eq!((counts.records, counts.brought), (700, 700));
    });
}

#[test]
fn the_outcome_is_a_sentence_or_a_json_object() {
    let mut outcome = Outcome::default();
    assert_eq!(text::text(&outcome), "quarantine: there is nothing to do\n");
    assert!(outcome.is_complete());
    outcome.quarantine = Counts {
        records: 1_004,
        brought: 1_000,
        in_bronze_already: 1,
        aside: [(Reason::NoSymbol, 2), (Reason::OffsetReused, 1)].into(),
        deleted: 1_001,
        ..Counts::default()
    };
    assert_eq!(
        text::text(&outcome),
        "quarantine: 1,004 records: 1,000 brought to bronze, 1 in bronze already, 3 stay in quarantine (no-symbol 2, offset-reused 1), 1,001 objects deleted\n"
    );
    let json: Value = serde_json::from_str(&text::json(&outcome)).unwrap();
    assert_eq!(json["complete"], false);
    assert_eq!(json["quarantine"]["aside"]["no-symbol"], 2);
}
