//! A history of layout 1 is read by every tool. `layout_1.json` has the first lines of some objects that version 0.1.0 wrote
//! on 2026-11-28 from the recorded market; their licences are those of `local/market-server/data`.

use ::stream::OffsetRange;
use lake::{Header, Layout, Version, described, read_line};

use super::*;
use crate::{
    inspect::{Selection, find, inspect},
    verify::{KafkaTopics, Verdict, verify},
};

const OBJECTS: &str = include_str!("layout_1.json");

/// Where the record of the quarantine was.
const ASIDE: i64 = 7;

async fn history() -> (Shared, Layout) {
    let objects: BTreeMap<String, String> = serde_json::from_str(OBJECTS).unwrap();
    let store = Shared::default();
    for (key, body) in objects {
        let key = ObjectKey::new(key);
        store.put_if_absent(&key, body.into()).await.unwrap();
    }
    let layout = described(&store, "bronze", Some("1"))
        .await
        .unwrap()
        .unwrap();
    let received = Received {
        topic: "stock-quotes",
        partition: 7,
        offset: ASIDE,
        timestamp: Some(1_795_867_210_000),
        key: Some(&[0xff]),
        headers: &[Header {
            name: "name",
            value: Some(b"v1"),
        }],
        // Its time is one of layout 1 alone, and so is a member that is there twice.
        value: Some(br#"{"symbol":"A/B","time":1795867205,"x":1,"x":2}"#),
    };
    let aside = object_damaged(&layout, &received);
    let text = str::from_utf8(&aside.body).unwrap();
    assert!(
        text.contains(r#""key":{"base64":"/w=="},"headers":[{"name":"v1"}]"#),
        "{text}"
    );
    store.put_if_absent(&aside.key, aside.body).await.unwrap();
    (store, layout)
}

/// The judgement of all offsets that the lines have, and of the one in quarantine.
async fn verified(store: &Shared, layout: &Layout) -> Verdict {
    let objects = store.objects();
    let lines = objects
        .values()
        .flat_map(|body| body.split_inclusive(|&byte| byte == b'\n'));
    let read = lines.filter_map(|line| read_line(Version::One, line).ok());
    let mut partitions: BTreeMap<(String, i32), (i64, i64)> = BTreeMap::new();
    for line in read {
        let of = partitions.entry((line.topic.into_owned(), line.partition));
        let (first, last) = of.or_insert((line.offset, line.offset));
        (*first, *last) = (line.offset.min(*first), line.offset.max(*last));
    }
    let range = |((topic, partition), (first, last)): (&(String, i32), &(i64, i64))| OffsetRange {
        topic: topic.clone(),
        partition: *partition,
        offsets: *first..last + 1,
    };
    let mut expected: Vec<_> = partitions.iter().map(range).collect();
    for range in &mut expected {
        if (&*range.topic, range.partition) == ("stock-quotes", 7) {
            range.offsets.end = ASIDE + 1;
        }
    }
    let none: Option<&KafkaTopics> = None;
    verify(store, layout, none, &expected, &|_| {})
        .await
        .unwrap()
}

#[tokio::test]
async fn a_history_of_layout_1_is_read_by_every_tool() {
    let (store, layout) = history().await;
    assert_eq!(layout.version(), Version::One);

    let before = verified(&store, &layout).await;
    assert_eq!(
        (before.damaged.total, before.foreign.total),
        (0, 0),
        "{before}"
    );
    assert_eq!((before.in_bronze, before.in_quarantine), (9, 1), "{before}");

    let contents = inspect(&store, &layout, &Selection::default())
        .await
        .unwrap();
    assert_eq!(contents.damaged.count, 0);
    assert_eq!(contents.bronze["trades_raw"]["BINANCE:ETHUSDT"].records, 3);
    assert_eq!(contents.bronze["stock-board"]["SSI"].records, 1);
    assert_eq!(
        contents.quarantine["stock-quotes"][&Some(Reason::ObjectDamaged)].records,
        1
    );
    let at = format!("stock-quotes-7@{ASIDE}").parse().unwrap();
    assert_eq!(find(&store, &layout, &at).await.unwrap().places.len(), 1);

    let counts = replay(store.clone(), &layout).quarantine().await.unwrap();
    assert_eq!((counts.brought, counts.deleted), (1, 1));
    let key = "bronze/epoch=1/stock-quotes/symbol=A%2FB/date=2026-11-28/20261128T120000.000Z-p007-o0000000000000000000.ndjson";
    let objects = store.objects();
    let line = str::from_utf8(&objects[&ObjectKey::new(key)]).unwrap();
    assert!(
        line.contains(r#""key":{"base64":"/w=="},"headers":[{"name":"v1"}]"#),
        "{line}"
    );
    let after = verified(&store, &layout).await;
    assert_eq!((after.in_bronze, after.in_quarantine), (10, 0), "{after}");
    assert_eq!(after.foreign.total, 0, "{after}");
}
