//! Records that are in bronze, in quarantine or in both, in every way in which that may have come about.

use proptest::{prelude::*, sample::select};

use super::*;
use crate::written::{layouts, logs};

/// How a record came to where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Today's writer had it.
    Delivered,
    /// A writer whose code could not read it put it aside.
    AsideByOldCode,
    /// The same, and then again in other words.
    AsideTwice,
    /// The same, and then today's writer had it.
    InBoth,
    /// Today's writer had another record of its coordinates before.
    OffsetTaken,
    /// The same, but what had its offset has been removed since.
    OffsetFreed,
    /// The same as when its offset was taken, but when it was put aside its offset was free.
    OffsetTakenLater,
    /// The trigger's event described it in a way that could not be read.
    Malformed,
    /// Two records of its coordinates were put aside, and bronze has none.
    Contended,
}

/// A lake.
#[derive(Clone, Debug)]
pub(super) struct Scenario {
    pub(super) layout: Layout,
    pub(super) records: Vec<(Record, Way)>,
}

pub(super) fn scenarios() -> impl Strategy<Value = Scenario> {
    let way = select(vec![
        Way::Delivered,
        Way::AsideByOldCode,
        Way::AsideTwice,
        Way::InBoth,
        Way::OffsetTaken,
        Way::OffsetFreed,
        Way::OffsetTakenLater,
        Way::Malformed,
        Way::Contended,
    ]);
    (layouts(), logs(), prop::collection::vec(way, 8)).prop_map(|(layout, log, ways)| Scenario {
        layout,
        records: log.into_iter().zip(ways).collect(),
    })
}

/// What the writer takes of a record.
pub(super) fn with_received<T>(record: &Record, then: impl FnOnce(&Received<'_>) -> T) -> T {
    let entries = event::entries(&event([record]).to_string()).unwrap();
    let events = event::decode(&entries);
    let headers = event::headers(&events);
    let taken = event::taken(&events, &headers);
    then(&taken[0].readable().unwrap())
}

/// Another record of the same coordinates, for the same place in bronze if the one has any.
pub(super) fn rival(record: &Record) -> Record {
    let price = |value: &String| {
        let dearer = value.replace(".10,", ".11,");
        (dearer != *value).then_some(dearer)
    };
    let other = || quote("A", 1_779_480_099);
    let value = record.value.as_ref().and_then(price);
    Record {
        value: Some(value.unwrap_or_else(other)),
        ..record.clone()
    }
}

impl Scenario {
    /// The lake's objects.
    pub(super) fn store(&self) -> MemoryStore {
        run(async {
            let store = Shared::default();
            for (record, way) in &self.records {
                self.put(&store, record, *way).await;
            }
            drop(store.written);
            Arc::into_inner(store.store).unwrap()
        })
    }

    async fn put(&self, store: &Shared, record: &Record, way: Way) {
        let layout = &self.layout;
        let has = async |record: &Record| {
            deliver(&writer(store.clone(), layout), &event([record])).await;
        };
        let old = async |record: &Record| {
            let aside = with_received(record, |received| {
                put_aside(layout, received, &Unfit::NoTime)
            });
            store.put_if_absent(&aside.key, aside.body).await.unwrap();
        };
        let reused = async |record: &Record| {
            let aside = with_received(record, |received| offset_reused(layout, received));
            store.put_if_absent(&aside.key, aside.body).await.unwrap();
        };
        match way {
            Way::Delivered => has(record).await,
            Way::AsideByOldCode => old(record).await,
            Way::AsideTwice => {
                old(record).await;
                let aside = with_received(record, |received| object_damaged(layout, received));
                store.put_if_absent(&aside.key, aside.body).await.unwrap();
            }
            Way::InBoth => {
                old(record).await;
                has(record).await;
            }
            Way::OffsetTaken => {
                has(&rival(record)).await;
                reused(record).await;
            }
            Way::OffsetFreed => reused(record).await,
            Way::OffsetTakenLater => {
                old(record).await;
                has(&rival(record)).await;
            }
            Way::Malformed => {
                let json = event_record(record).to_string();
                let (topic, offset) = (record.topic, Some(record.offset));
                let aside = malformed(layout, topic, record.partition, offset, &json, "?");
                store.put_if_absent(&aside.key, aside.body).await.unwrap();
            }
            Way::Contended => {
                old(record).await;
                old(&rival(record)).await;
            }
        }
    }

    /// Every record that is somewhere.
    pub(super) fn all(&self) -> Vec<Record> {
        let rivals = self.records.iter().filter_map(|(record, way)| {
            let has_rival = matches!(
                way,
                Way::OffsetTaken | Way::OffsetTakenLater | Way::Contended
            );
            has_rival.then(|| rival(record))
        });
        let mut all: Vec<Record> = self
            .records
            .iter()
            .map(|(record, _)| record.clone())
            .collect();
        all.extend(rivals);
        all
    }

    /// In how many bronze lines and quarantine objects each record is.
    pub(super) fn held(&self, objects: &BTreeMap<ObjectKey, Bytes>) -> Vec<(Record, usize, usize)> {
        let aside = self.layout.quarantine_root();
        let mut lines: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
        let mut asides: BTreeMap<String, usize> = BTreeMap::new();
        for (key, body) in objects {
            if key.as_str().starts_with(&aside) {
                let read = read_quarantined(body).unwrap();
                let entry = event::entry(&read).unwrap();
                let entries = [entry];
                let events = event::decode(&entries);
                let headers = event::headers(&events);
                let taken = event::taken(&events, &headers);
                let received = taken[0].readable().unwrap();
                *asides.entry(event::canonical(&received)).or_default() += 1;
            } else if matches!(self.layout.name_of(key), Name::Bronze { .. }) {
                let stored = read_stored(&self.layout, key, body).unwrap();
                for (_, line) in stored.iter() {
                    *lines.entry(line.to_vec()).or_default() += 1;
                }
            }
        }
        let of = |record: Record| {
            let (line, text) = with_received(&record, |received| {
                let admitted = admit(&self.layout, received);
                (admitted.body.to_vec(), event::canonical(received))
            });
            let count = |count: Option<&usize>| count.copied().unwrap_or(0);
            (record, count(lines.get(&line)), count(asides.get(&text)))
        };
        self.all().into_iter().map(of).collect()
    }
}
