use futures::{StreamExt, TryStreamExt};
use lake::{
    Layout, Name, ObjectKey, Reason, Received, read_line, read_quarantined, read_stored,
    store::{Get, List, Listed, StoreError},
};
use tables::{NoRow, Row};
use tokio::sync::mpsc::Sender;
use tokio_util::sync::CancellationToken;

use super::{CHUNK, Wanted, outcome::ReadCounts};
use crate::{
    listed::listed_after,
    reading::{Reading, Room, read},
    replay::ReplayError,
};

/// Objects read at once.
const CONCURRENT_GETS: usize = 16;

/// Objects in memory at once, in KiB as they are stored; a larger one is there alone.
const ROOM_KIB: u32 = 32 * 1_024;

/// Rows on their way.
#[derive(Default)]
pub(super) struct Chunk {
    pub(super) rows: Vec<Row>,
    /// The last object of which every row is in this chunk or one before.
    pub(super) done: Option<ObjectKey>,
}

/// Reads bronze in the order of its keys.
pub(super) struct Reader<'a, S> {
    store: &'a S,
    layout: &'a Layout,
    wanted: &'a Wanted<'a>,
    stop: &'a CancellationToken,
    pub(super) counts: ReadCounts,
    chunk: Chunk,
    value: Vec<u8>,
}

impl<'a, S: Get + List> Reader<'a, S> {
    pub(super) fn new(
        store: &'a S,
        layout: &'a Layout,
        wanted: &'a Wanted<'a>,
        stop: &'a CancellationToken,
    ) -> Self {
        Self {
            store,
            layout,
            wanted,
            stop,
            counts: ReadCounts::default(),
            chunk: Chunk::default(),
            value: Vec::new(),
        }
    }

    /// Sends every row; ends early when it is stopped, or when nobody takes them any more.
    pub(super) async fn read(&mut self, chunks: Sender<Chunk>) -> Result<(), ReplayError> {
        let room = Room::of(ROOM_KIB);
        for root in self.roots() {
            let (store, layout) = (self.store, self.layout);
            let mut objects = listed_after(store, &root, self.wanted.after.clone())
                .try_filter(|listed| {
                    let name = layout.name_of(&listed.key);
                    let is_of_records =
                        matches!(name, Name::Bronze { .. } | Name::Quarantine { .. });
                    std::future::ready(is_of_records)
                })
                // One after the other, so that the next in line is never without room.
                .and_then(async |Listed { key, size, .. }| Ok((key, room.take(size).await)))
                .map_ok(async |(key, taken)| {
                    let object = read(store, &key).await?;
                    Ok::<_, StoreError>((key, object, taken))
                })
                .try_buffered(CONCURRENT_GETS)
                .boxed_local();
            while let Some((key, object, _room)) = objects.try_next().await? {
                if self.stop.is_cancelled() || !self.object(key, object, &chunks).await {
                    return self.rest(&chunks).await;
                }
            }
        }
        self.rest(&chunks).await
    }

    /// The parts of the lake to read, in the order of their keys.
    fn roots(&self) -> Vec<String> {
        let topics = self.wanted.topics.iter();
        let roots = topics.flat_map(|topic| {
            let (bronze, aside) = (
                self.layout.topic_root(topic),
                self.layout.quarantine_topic_root(topic),
            );
            [bronze, aside]
        });
        let mut roots: Vec<String> = roots.collect();
        roots.sort();
        roots
    }

    /// Takes an object apart; false if nobody takes its rows.
    async fn object(&mut self, key: ObjectKey, object: Reading, chunks: &Sender<Chunk>) -> bool {
        let body = match object {
            Reading::Gone => return true,
            Reading::Damaged(error) => {
                self.counts.damaged.add(&key, &error);
                return true;
            }
            Reading::Whole(object) => object.body,
        };
        self.counts.objects += 1;
        if let Name::Quarantine { .. } = self.layout.name_of(&key) {
            match read_quarantined(&body) {
                Ok(quarantined) => {
                    let headers = quarantined.headers();
                    match quarantined.received(&headers) {
                        Some(received) => self.record(&received),
                        None => self.unread(&quarantined),
                    }
                }
                Err(error) => self.counts.damaged.add(&key, &error),
            }
        } else {
            let lines = match read_stored(self.layout, &key, &body) {
                Ok(lines) => lines,
                Err(damage) => {
                    self.counts.damaged.add(&key, &damage);
                    return true;
                }
            };
            for (offset, line) in lines.iter() {
                self.line(&key, offset, line);
                if self.chunk.rows.len() >= CHUNK && !self.send(chunks).await {
                    return false;
                }
            }
        }
        self.chunk.done = Some(key);
        self.chunk.rows.len() < CHUNK || self.send(chunks).await
    }

    fn line(&mut self, key: &ObjectKey, offset: i64, line: &[u8]) {
        let mut value = std::mem::take(&mut self.value);
        let read = read_line(self.layout.version(), line).ok();
        match read.as_ref().and_then(|line| line.received(&mut value)) {
            Some(received) => self.record(&received),
            None => {
                let why = format!("its line of offset {offset} was edited");
                self.counts.damaged.add(key, &why);
            }
        }
        self.value = value;
    }

    fn record(&mut self, received: &Received<'_>) {
        self.counts.records += 1;
        match tables::read(received, self.wanted.epoch) {
            Ok(Some(row)) => self.chunk.rows.push(row),
            Ok(None) => self.counts.no_quotes += 1,
            Err(no_row) => {
                let reason = match &no_row {
                    NoRow::Unfit(unfit) => Reason::of(unfit),
                    _ => Reason::NoRow,
                };
                let Received {
                    topic,
                    partition,
                    offset,
                    ..
                } = received;
                let name = || format!("{topic}-{partition}@{offset}: {no_row}");
                self.counts.without_row.entry(reason).or_default().add(name);
            }
        }
    }

    fn unread(&mut self, quarantined: &lake::Quarantined) {
        self.counts.records += 1;
        let name = || {
            let offset = quarantined
                .offset
                .map_or_else(String::new, |offset| offset.to_string());
            let (topic, partition) = (&quarantined.topic, quarantined.partition);
            format!("{topic}-{partition}@{offset}: {}", quarantined.detail)
        };
        self.counts
            .without_row
            .entry(quarantined.reason)
            .or_default()
            .add(name);
    }

    async fn rest(&mut self, chunks: &Sender<Chunk>) -> Result<(), ReplayError> {
        self.send(chunks).await;
        Ok(())
    }

    async fn send(&mut self, chunks: &Sender<Chunk>) -> bool {
        chunks.send(std::mem::take(&mut self.chunk)).await.is_ok()
    }
}
