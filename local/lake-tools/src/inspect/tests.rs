use std::collections::BTreeMap;

use bytes::Bytes;
use jiff::Timestamp;
use lake::{
    Compression, Granularity, Layout, Name, ObjectKey, Reason,
    store::{MemoryStore, PutIf},
};
use proptest::prelude::*;

use super::*;
use crate::written::{self, Record, deliver, event, invocation, layouts, logs, quote, raw, record};

/// The records' quotes as bronze has them: topic, symbol and time in seconds.
fn sound(record: &Record) -> Option<(String, String, i64)> {
    let value: serde_json::Value = serde_json::from_str(record.value.as_ref()?).ok()?;
    let (symbol, time) = (value["symbol"].as_str()?, value["fetched_at"].as_i64()?);
    Some((record.topic.to_owned(), symbol.to_owned(), time))
}

fn reason(record: &Record) -> Reason {
    match record.value.as_deref() {
        None => Reason::Tombstone,
        Some("{") => Reason::BrokenJson,
        Some(_) => Reason::NoSymbol,
    }
}

/// What there is of each topic and symbol: records, first and last second.
type Spans = BTreeMap<(String, String), (u64, i64, i64)>;

fn spans_of(log: &[Record]) -> Spans {
    let mut spans = Spans::new();
    for (topic, symbol, time) in log.iter().filter_map(sound) {
        let span = spans.entry((topic, symbol)).or_insert((0, time, time));
        *span = (span.0 + 1, span.1.min(time), span.2.max(time));
    }
    spans
}

fn spans_in(contents: &Contents) -> Spans {
    let mut spans = Spans::new();
    for (topic, symbols) in &contents.bronze {
        for (symbol, counts) in symbols {
            let second = |time: Option<Timestamp>| time.unwrap().as_second();
            let span = (counts.records, second(counts.first), second(counts.last));
            spans.insert((topic.clone(), symbol.clone()), span);
        }
    }
    spans
}

async fn written(layout: &Layout, log: &[Record]) -> MemoryStore {
    let store = MemoryStore::default();
    let writer = written::writer(store, layout);
    for batch in log.chunks(7) {
        deliver(&writer, &event(batch)).await;
    }
    let copy = MemoryStore::default();
    for (key, body) in writer.store().objects() {
        copy.put_if_absent(&key, body).await.unwrap();
    }
    copy
}

fn selection(topic: Option<&str>, symbol: Option<&str>, keys_only: bool) -> Selection {
    Selection {
        topic: topic.map(str::to_owned),
        symbol: symbol.map(str::to_owned),
        keys_only,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_counts_are_what_was_written(layout in layouts(), log in logs()) {
        written::run(async {
            let store = written(&layout, &log).await;
            let objects = store.objects();
            let all = inspect(&store, &layout, &Selection::default()).await.unwrap();
            prop_assert_eq!(spans_in(&all), spans_of(&log));
            let mut aside: BTreeMap<(String, Option<Reason>), u64> = BTreeMap::new();
            for record in log.iter().filter(|record| sound(record).is_none()) {
                *aside.entry((record.topic.to_owned(), Some(reason(record)))).or_default() += 1;
            }
            let quarantine = all.quarantine.iter().flat_map(|(topic, reasons)| {
                reasons.iter().map(move |(reason, aside)| ((topic.clone(), *reason), aside.records))
            });
            prop_assert_eq!(quarantine.collect::<BTreeMap<_, _>>(), aside);
            let bytes = |of: &Contents| {
                let bronze = of.bronze.values().flat_map(BTreeMap::values).map(|counts| counts.bytes);
                let aside = of.quarantine.values().flat_map(BTreeMap::values).map(|aside| aside.bytes);
                bronze.chain(aside).sum::<u64>()
            };
            let is_counted = |key: &ObjectKey| layout.name_of(key) != Name::Beside;
            let stored = objects.iter().filter(|(key, _)| is_counted(key));
            prop_assert_eq!(bytes(&all), stored.map(|(_, body)| body.len() as u64).sum::<u64>());
            prop_assert_eq!(all.damaged.count, 0);

            let listed = inspect(&store, &layout, &selection(None, None, true)).await.unwrap();
            prop_assert_eq!(bytes(&listed), bytes(&all));
            for (topic, symbols) in &listed.bronze {
                for (symbol, counts) in symbols {
                    let read = &all.bronze[topic][symbol];
                    prop_assert_eq!((counts.objects, counts.bytes), (read.objects, read.bytes));
                    prop_assert!(counts.first <= read.first && counts.last <= read.last);
                }
            }
            Ok(())
        })?;
    }

    #[test]
    fn a_filter_shows_what_all_shows_of_it(layout in layouts(), log in logs()) {
        written::run(async {
            let store = written(&layout, &log).await;
            for keys_only in [false, true] {
                let all = inspect(&store, &layout, &selection(None, None, keys_only)).await.unwrap();
                for topic in ["t", "t-x", "absent"] {
                    let one = inspect(&store, &layout, &selection(Some(topic), None, keys_only)).await.unwrap();
                    prop_assert_eq!(one.bronze.get(topic), all.bronze.get(topic));
                    prop_assert_eq!(one.quarantine.get(topic), all.quarantine.get(topic));
                    prop_assert!(one.bronze.len() <= 1 && one.quarantine.len() <= 1);
                    for symbol in ["A", "BTC/USDT", "B"] {
                        for topic in [Some(topic), None] {
                            let one = inspect(&store, &layout, &selection(topic, Some(symbol), keys_only)).await.unwrap();
                            let mut expected = all.bronze.clone();
                            expected.retain(|of, _| topic.is_none_or(|topic| topic == of));
                            expected.values_mut().for_each(|symbols| symbols.retain(|of, _| of == symbol));
                            expected.retain(|_, symbols| !symbols.is_empty());
                            prop_assert_eq!(&one.bronze, &expected);
                            prop_assert!(one.quarantine.is_empty());
                        }
                    }
                }
            }
            Ok(())
        })?;
    }

    #[test]
    fn every_record_is_found_by_its_coordinates_and_no_other_is(layout in layouts(), log in logs()) {
        written::run(async {
            let store = written(&layout, &log).await;
            for record in &log {
                let at = Coordinates {
                    topic: record.topic.to_owned(),
                    partition: record.partition,
                    offset: record.offset,
                };
                let found = find(&store, &layout, &at).await.unwrap();
                prop_assert_eq!(found.places.len(), 1, "{}", at);
                match (&found.places[0], sound(record)) {
                    (Place::Bronze { key, line }, Some(_)) => {
                        let object = &store.objects()[key];
                        prop_assert!(layout.compression() == Compression::Zstd
                            || String::from_utf8_lossy(object).lines().any(|other| other == line));
                        let read = lake::read_line(lake::Version::Two, line.as_bytes()).unwrap();
                        prop_assert_eq!((read.topic.as_ref(), read.partition, read.offset), (record.topic, record.partition, record.offset));
                    }
                    (Place::Quarantine { reason: why, .. }, None) => prop_assert_eq!(*why, reason(record)),
                    (place, _) => return Err(TestCaseError::fail(format!("{place:?}"))),
                }
                let nowhere = Coordinates { offset: record.offset + 1_000, ..at };
                prop_assert_eq!(find(&store, &layout, &nowhere).await.unwrap(), Found::default());
            }
            Ok(())
        })?;
    }
}

fn plain() -> Layout {
    Layout::new("bronze", Some("1"), Granularity::SEGMENT, Compression::None)
}

#[tokio::test]
async fn a_damaged_object_is_named_and_stops_nothing() {
    let layout = plain();
    let log = [
        record(0, &quote("A", 1_779_480_005)),
        record(1, &quote("B", 1_779_480_005)),
        record(2, "{"),
    ];
    let store = written(&layout, &log).await;
    let of = |part: &str| {
        let objects = store.objects();
        let key = objects.keys().find(|key| key.as_str().contains(part));
        key.unwrap().clone()
    };
    let (cut, aside) = (of("symbol=_A"), of("_quarantine"));
    for key in [&cut, &aside] {
        let half = store.objects()[key].slice(..20);
        store.remove(key);
        store.put_if_absent(key, half).await.unwrap();
    }
    let foreign = ObjectKey::new(format!("{}notes.txt", layout.topic_root("t")));
    store
        .put_if_absent(&foreign, Bytes::from_static(b"?"))
        .await
        .unwrap();
    let contents = inspect(&store, &layout, &Selection::default())
        .await
        .unwrap();
    assert_eq!(contents.bronze["t"]["B"].records, 1);
    assert_eq!(contents.damaged.count, 3);
    let named: Vec<&str> = contents
        .damaged
        .named
        .iter()
        .map(|object| object.name.as_str())
        .collect();
    assert_eq!(named, [aside.as_str(), cut.as_str(), foreign.as_str()]);
    let text = text::contents("lake", &contents);
    assert!(
        text.contains(&format!("damaged  {cut}: it ends without a line feed")),
        "{text}"
    );
    let at = "t-0@0".parse().unwrap();
    let found = find(&store, &layout, &at).await.unwrap();
    assert_eq!((found.places.len(), found.damaged.count), (0, 1));
}

#[tokio::test]
async fn a_record_whose_offset_was_reused_is_shown_in_both_places() {
    let layout = plain();
    let writer = written::writer(MemoryStore::default(), &layout);
    for second in [1_779_480_005, 1_779_480_006] {
        let log = [record(5, &quote("A", second))];
        writer
            .handle(&raw(&event(&log)), &invocation())
            .await
            .unwrap();
    }
    let at = "t-0@5".parse().unwrap();
    let found = find(writer.store(), &layout, &at).await.unwrap();
    let text = text::record(&at, &found);
    assert!(
        text.contains("bronze  bronze/epoch=1/lake_topic=t/lake_symbol=_A/"),
        "{text}"
    );
    assert!(text.contains("\noffset-reused: other bytes"), "{text}");
    let json = text::record_json(&at, &found);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["places"][0]["in"], "bronze");
    assert_eq!(json["places"][1]["object"]["reason"], "offset-reused");
    let nowhere = "t-0@6".parse().unwrap();
    let found = find(writer.store(), &layout, &nowhere).await.unwrap();
    assert_eq!(
        text::record(&nowhere, &found),
        "t-0@6 is neither in bronze nor in quarantine\n"
    );
}

#[tokio::test]
async fn the_table_is_aligned_and_the_json_has_the_same_figures() {
    let layout = plain();
    let log = [
        record(0, &quote("A", 1_779_480_005)),
        record(1, &quote("LONGER", 1_779_480_006)),
        record(2, &quote("A", 1_779_480_009)),
        record(3, "{}"),
    ];
    let store = written(&layout, &log).await;
    let contents = inspect(&store, &layout, &Selection::default())
        .await
        .unwrap();
    assert_eq!(
        text::contents("quotelake-data/s3/b/bronze/", &contents),
        "quotelake-data/s3/b/bronze/\n\n\
         topic  symbol  objects  records  bytes                     first                      last\n\
         t      A             1        2    390  2026-05-22T20:00:05.000Z  2026-05-22T20:00:09.000Z\n\
         t      LONGER        1        1    200  2026-05-22T20:00:06.000Z  2026-05-22T20:00:06.000Z\n\
         t      (all)         2        3    590  2026-05-22T20:00:05.000Z  2026-05-22T20:00:09.000Z\n\n\
         quarantine  reason     records  bytes\n\
         t           no-symbol        1    247\n"
    );
    let json = text::contents_json("l", &contents);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["topics"][0]["records"], 3);
    assert_eq!(json["topics"][0]["symbols"][1]["symbol"], "LONGER");
    assert_eq!(json["quarantine"][0]["reason"], "no-symbol");
    assert_eq!(json["damaged"]["count"], 0);
    let listed = inspect(&store, &layout, &selection(None, None, true))
        .await
        .unwrap();
    let text = text::contents("l", &listed);
    assert!(text.contains("read from the listing alone"), "{text}");
    assert!(!text.contains("records  bytes   "), "{text}");
}
