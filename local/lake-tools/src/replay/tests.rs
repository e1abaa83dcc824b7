use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use lake::{
    Compression, Granularity, Name, ObjectKey, Received, Unfit, admit, malformed, object_damaged,
    offset_reused, put_aside, read_quarantined, read_stored,
    store::{DeleteIf, ETag, List, Listed, MemoryStore, Object},
};
use serde_json::Value;

use super::*;
use crate::{
    inspect::{self, Coordinates, Place},
    written::{Record, deliver, event, event_record, quote, record, run, writer},
};

mod cuts;
mod given_up;
mod layout_1;
mod scenario;
mod shared;

use scenario::{Scenario, Way};
use shared::Shared;

fn layout() -> Layout {
    Layout::new("bronze", Some("1"), Granularity::SEGMENT, Compression::None)
}

fn replay<S: PutIf + Get + List + DeleteIf>(store: S, layout: &Layout) -> Replay<S> {
    Replay {
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
        let counts = replay(store.clone(), &layout()).quarantine().await.unwrap();
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
        let is_bronze = |key: &&ObjectKey| key.as_str().contains("symbol=_A");
        let objects = store.objects();
        let key = objects.keys().find(is_bronze).unwrap();
        let replace = async |body: Bytes| {
            store.store.remove(key);
            store.store.put_if_absent(key, body).await.unwrap();
        };
        replace(objects[key].slice(..20)).await;
        let cold = self::writer(store.clone(), &layout());
        deliver(&cold, &event([&record(1, &quote("A", 1_779_480_006))])).await;
        let before = store.objects();
        for _ in 0..2 {
            let counts = replay(store.clone(), &layout()).quarantine().await;
            assert_eq!(reasons(&counts.unwrap()), [(Reason::ObjectDamaged, 1)]);
            assert_eq!(store.objects(), before, "nothing is written");
        }
        replace(objects[key].clone()).await;
        let counts = replay(store.clone(), &layout()).quarantine().await;
        assert_eq!(counts.unwrap().brought, 1);
        assert_eq!(store.objects().len(), 2, "the lines and the layout");
    });
}

#[test]
fn a_quarantine_object_that_is_replaced_meanwhile_stays_and_is_counted() {
    let scenario = Scenario {
        layout: layout(),
        records: vec![
            (record(0, &quote("A", 1_779_480_005)), Way::AsideByOldCode),
            (record(1, &quote("A", 1_779_480_006)), Way::AsideByOldCode),
        ],
    };
    let store = Shared::of(&scenario.store());
    let is_aside = |key: &&ObjectKey| key.as_str().starts_with(&layout().quarantine_root());
    let key = store.objects().keys().find(is_aside).unwrap().clone();
    let replacement = Bytes::from_static(b"somebody's own");
    let (of, body) = (key.clone(), replacement.clone());
    // As soon as the records are in bronze, before the first is deleted.
    let replace = move |store: &MemoryStore| {
        let is_line = |key: &ObjectKey| key.as_str().contains("symbol=_A");
        let objects = store.objects();
        if objects.keys().any(is_line) && objects[&of] != body {
            store.remove(&of);
            futures::executor::block_on(store.put_if_absent(&of, body.clone())).unwrap();
        }
    };
    let raced = Shared {
        written: Some(Arc::new(replace)),
        ..store.clone()
    };
    run(async {
        let counts = replay(raced, &layout()).quarantine().await.unwrap();
        assert_eq!((counts.brought, counts.deleted, counts.replaced), (2, 1, 1));
        assert_eq!(store.objects()[&key], replacement);
        let outcome = Outcome {
            quarantine: counts,
            ..Outcome::default()
        };
        assert!(!outcome.is_complete());
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
            let replay = Replay {
                topic: topic.map(str::to_owned),
                reason,
                dry_run: true,
                ..replay(store.clone(), &layout())
            };
            replay.quarantine().await.unwrap().brought
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
        let counts = replay(store.clone(), &layout()).quarantine().await;
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
        let counts = replay(store.clone(), &layout()).quarantine().await.unwrap();
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
        let first = Replay {
            stop,
            ..replay(stops, &layout())
        };
        let counts = first.quarantine().await.unwrap();
        assert_eq!((counts.brought, counts.deleted), (500, 500));
        let counts = replay(store.clone(), &layout()).quarantine().await.unwrap();
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
        replaced: 2,
        ..Counts::default()
    };
    assert_eq!(
        text::text(&outcome),
        "quarantine: 1,004 records: 1,000 brought to bronze, 1 in bronze already, 3 stay in quarantine (no-symbol 2, offset-reused 1), 1,001 objects deleted, 2 objects replaced meanwhile stay: run it again\n"
    );
    let json: Value = serde_json::from_str(&text::json(&outcome)).unwrap();
    assert_eq!(json["complete"], false);
    assert_eq!(json["quarantine"]["aside"]["no-symbol"], 2);
}
