//! The store's side: every object under a prefix, read once and taken apart.

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use lake::{
    Compression, Layout, Name, ObjectKey, Reason, Received, admit, read_line, read_quarantined,
    read_stored,
    store::{Get, List, Listed, StoreError},
};
use sha2::{Digest, Sha256};
use tokio::sync::SemaphorePermit;

use crate::{
    listed::listed,
    reading::{Reading, Room, read},
};

/// What a record's object says.
pub(super) struct Stored<'a> {
    pub(super) topic: &'a str,
    pub(super) partition: i32,
    pub(super) offset: i64,
    pub(super) place: Place<'a>,
}

/// Where a record is.
#[derive(Clone, Copy)]
pub(super) enum Place<'a> {
    /// Its line.
    Bronze(&'a [u8]),
    /// Without the record if its object does not tell its bytes.
    Quarantine(Reason, Option<Received<'a>>),
}

/// Something in the store.
pub(super) enum Found<'a> {
    /// A record.
    Record(Stored<'a>),
    /// A record that nothing but its topic and partition is known of.
    Placeless,
    /// An object that no writer of the layout has left so. Its records that can still be read come too.
    Damaged(&'a ObjectKey, String),
    /// An object that is none of the layout.
    Foreign(&'a ObjectKey),
    /// An object of another topic than those asked for.
    OtherTopic,
    /// An object was read whole; it has so many bytes.
    Object(u64),
}

/// Objects read at once.
const CONCURRENT_GETS: usize = 32;

/// Objects in memory at once, in KiB as they are stored; a larger one is there alone.
const ROOM_KIB: u32 = 64 * 1_024;

/// Reads every object under `prefix` that may hold records of `topics`.
pub(super) async fn read_objects(
    store: &(impl Get + List),
    layout: &Layout,
    prefix: &str,
    topics: &[&str],
    mut found: impl FnMut(Found<'_>),
) -> Result<(), StoreError> {
    let names = Names::of(layout, topics);
    let room = Room::of(ROOM_KIB);
    let mut objects = listed(store, prefix)
        .map_ok(async |listed| {
            let kind = names.kind_of(&listed.key);
            match kind {
                Kind::Bronze | Kind::Quarantine => {
                    let fetched = fetch(store, &listed, &room).await?;
                    Ok((listed, kind, fetched))
                }
                _ => Ok((listed, kind, (Reading::Gone, None))),
            }
        })
        .try_buffer_unordered(CONCURRENT_GETS)
        .boxed_local();
    while let Some((Listed { key, size, .. }, kind, fetched)) = objects.try_next().await? {
        match (kind, fetched) {
            (Kind::Foreign, _) => found(Found::Foreign(&key)),
            (Kind::OtherTopic, _) => found(Found::OtherTopic),
            (_, (Reading::Gone, _)) => {}
            (_, (Reading::Damaged(error), _)) => found(Found::Damaged(&key, error.to_string())),
            (kind, (Reading::Whole(object), _room)) => {
                if matches!(kind, Kind::Quarantine) {
                    read_aside(layout, &key, &object.body, &mut found);
                } else {
                    read_bronze(layout, &key, &object.body, &mut found);
                }
                found(Found::Object(size));
            }
        }
    }
    Ok(())
}

/// The digest of what a record becomes: the same for a record of Kafka and for its line.
pub(super) fn digest_of(layout: &Layout, received: &Received<'_>) -> u128 {
    digest(&admit(layout, received).body)
}

/// The digest of a line.
pub(super) fn digest(bytes: &[u8]) -> u128 {
    let mut first = [0; 16];
    first.copy_from_slice(&Sha256::digest(bytes)[..16]);
    u128::from_be_bytes(first)
}

/// Reads an object once there is room for it, which is held with it.
async fn fetch<'r>(
    store: &impl Get,
    Listed { key, size, .. }: &Listed,
    room: &'r Room,
) -> Result<(Reading, Option<SemaphorePermit<'r>>), StoreError> {
    let taken = room.take(*size).await;
    Ok((read(store, key).await?, taken))
}

fn read_bronze(layout: &Layout, key: &ObjectKey, body: &Bytes, found: &mut impl FnMut(Found<'_>)) {
    let lines = match read_stored(layout, key, body) {
        Ok(lines) => lines,
        Err(damage) => {
            found(Found::Damaged(key, damage.to_string()));
            // What is packed does not come apart.
            if layout.compression() == Compression::None {
                for line in body.split_inclusive(|&byte| byte == b'\n') {
                    read_alone(layout, line, found);
                }
            }
            return;
        }
    };
    // All lines of a segment are of one partition.
    let first = lines.iter().next();
    let Some(first) = first.and_then(|(_, line)| read_line(layout.version(), line).ok()) else {
        return;
    };
    for (offset, line) in lines.iter() {
        found(Found::Record(Stored {
            topic: &first.topic,
            partition: first.partition,
            offset,
            place: Place::Bronze(line),
        }));
    }
}

fn read_alone(layout: &Layout, line: &[u8], found: &mut impl FnMut(Found<'_>)) {
    if let Ok(read) = read_line(layout.version(), line) {
        found(Found::Record(Stored {
            topic: &read.topic,
            partition: read.partition,
            offset: read.offset,
            place: Place::Bronze(line),
        }));
    }
}

fn read_aside(layout: &Layout, key: &ObjectKey, body: &[u8], found: &mut impl FnMut(Found<'_>)) {
    let read = match read_quarantined(body) {
        Ok(read) => read,
        Err(error) => {
            let why = format!("it is no quarantined record: {error}");
            return found(Found::Damaged(key, why));
        }
    };
    let belongs = layout.quarantine_key(&read.topic, read.partition, read.offset, body);
    if *key != belongs && *key != belongs.beside(body) {
        found(Found::Damaged(
            key,
            format!("its bytes belong in {belongs}"),
        ));
    }
    let Some(offset) = read.offset else {
        return found(Found::Placeless);
    };
    let headers = read.headers();
    found(Found::Record(Stored {
        topic: &read.topic,
        partition: read.partition,
        offset,
        place: Place::Quarantine(read.reason, read.received(&headers)),
    }));
}

#[derive(Clone, Copy)]
enum Kind {
    Bronze,
    Quarantine,
    OtherTopic,
    /// The description, and the objects of other epochs under a history without one.
    Beside,
    Foreign,
}

/// What objects are by their keys.
struct Names<'a> {
    layout: &'a Layout,
    roots: Vec<String>,
}

impl<'a> Names<'a> {
    fn of(layout: &'a Layout, topics: &[&str]) -> Self {
        let roots = topics.iter().flat_map(|topic| {
            [
                layout.topic_root(topic),
                layout.quarantine_topic_root(topic),
            ]
        });
        Self {
            layout,
            roots: roots.collect(),
        }
    }

    fn kind_of(&self, key: &ObjectKey) -> Kind {
        let kind = match self.layout.name_of(key) {
            Name::Bronze { .. } => Kind::Bronze,
            Name::Quarantine { .. } => Kind::Quarantine,
            Name::Beside => return Kind::Beside,
            Name::Foreign => return Kind::Foreign,
        };
        let is_asked = |root: &String| key.as_str().starts_with(root.as_str());
        if self.roots.iter().any(is_asked) {
            kind
        } else {
            Kind::OtherTopic
        }
    }
}
