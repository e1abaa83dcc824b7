use std::collections::BTreeSet;

use bytes::Bytes;
use lake::{
    ObjectKey, Reason, read_quarantined, read_stored,
    store::{Get, PutIf, StoreError},
};
use pipeline_tests::{
    clean_pass::clean_pass,
    dice::Dice,
    feed::Feed,
    lake::Lake,
    served::Served,
    topic::Topic,
    writers::{Setup, Writers},
};

use super::{QUOTES, setup};

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_object_of_ten_partitions_stays_and_its_records_go_to_quarantine() {
    is_damaged(&Served::embedded().await).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs ministack: .ci/run emulator"]
async fn a_damaged_object_on_the_emulator_stays_and_its_records_go_to_quarantine() {
    let store = Served::emulated().await;
    is_damaged(&store).await;
}

const GARBAGE: Bytes = Bytes::from_static(b"garbage");

async fn is_damaged(store: &Served) {
    let dice = Dice::take();
    let topic = Topic::new(10);
    // All quotes are of one hour, so that each symbol has one object a partition.
    let lake = Lake::create(&store.endpoint(), &[]).await;
    let endpoint = store.endpoint();
    let setup = Setup {
        pollers: 2,
        batch_size: 20,
        ..setup(&endpoint)
    };
    let writers = Writers::start(&topic, &lake, setup).await;
    let feed = Feed::start(&topic, QUOTES, dice.generator(0));
    writers.answers(20).await;
    let (key, last) = damage(&lake).await;
    writers.answers(100).await;
    feed.stop().await;
    topic.until_committed("writers").await;
    writers.end().await;

    let mut found = lake.objects().await;
    assert_eq!(found.remove(&key), Some(GARBAGE), "it is never overwritten");
    let mut clean = clean_pass(&topic, &lake.layout).await;
    let offsets = |body: &Bytes| {
        let lines = read_stored(&lake.layout, &key, body).unwrap();
        lines
            .iter()
            .map(|(offset, _)| offset)
            .collect::<BTreeSet<_>>()
    };
    let (all, overwritten) = (offsets(&clean.remove(&key).unwrap()), offsets(&last));
    let mut aside = BTreeSet::new();
    found.retain(|_, body| match read_quarantined(body) {
        Ok(read) if read.reason == Reason::ObjectDamaged => {
            aside.insert(read.offset.unwrap());
            false
        }
        _ => true,
    });
    let later: BTreeSet<_> = all.difference(&overwritten).copied().collect();
    assert!(later.len() >= 5, "{later:?}");
    // What was overwritten may have come again, and then it is there too.
    assert!(aside.is_superset(&later), "{later:?} {aside:?}");
    assert!(all.is_superset(&aside), "{all:?} {aside:?}");
    assert!(found == clean, "its neighbours are those of a clean pass");
}

/// Overwrites an object that has some lines; the second value is what it was.
async fn damage(lake: &Lake) -> (ObjectKey, Bytes) {
    let is_bronze = |key: &ObjectKey| key.as_str().contains("/lake_symbol=");
    let objects = lake.objects().await;
    let largest = objects.iter().filter(|(key, _)| is_bronze(key));
    let (key, _) = largest.max_by_key(|(_, body)| body.len()).unwrap();
    loop {
        let last = lake.store.get(key).await.unwrap();
        match lake.store.put_if_match(key, GARBAGE, &last.etag).await {
            Ok(_) => return (key.clone(), last.body),
            Err(StoreError::Changed { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
}
