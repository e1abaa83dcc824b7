use std::{fmt::Display, pin::pin};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use jiff::Timestamp;
use lake::{
    Layout, Name, ObjectKey, Reason, read_line, read_quarantined, read_stored, spelled_text,
    store::{Get, List, Listed, StoreError},
};

use super::{Contents, Counts};
use crate::{
    listed::listed,
    reading::{Reading, Room, read},
};

/// What of a lake is looked at, and how.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// This topic alone.
    pub topic: Option<String>,
    /// This symbol alone, and no quarantine.
    pub symbol: Option<String>,
    /// The listing alone.
    pub keys_only: bool,
}

/// Objects that are read at once.
const CONCURRENT_GETS: usize = 32;

/// Their bytes that are in memory at once, in KiB.
const IN_MEMORY: u32 = 128 << 10;

/// Counts what is selected. Of the objects nothing is kept but the counts, and the names of those that are damaged.
///
/// # Errors
/// [`StoreError`] if the store can't be read.
pub async fn inspect(
    store: &(impl Get + List),
    layout: &Layout,
    selection: &Selection,
) -> Result<Contents, StoreError> {
    let symbol = selection.symbol.as_deref();
    let segment = symbol.map(|symbol| layout.symbol_segment(symbol));
    let mut contents = Contents {
        keys_only: selection.keys_only,
        ..Contents::default()
    };
    let memory = Room::of(IN_MEMORY);
    for prefix in prefixes(layout, selection.topic.as_deref(), symbol) {
        let seen = listed(store, &prefix)
            .map(async |listed: Result<Listed, StoreError>| {
                let listed = listed?;
                let name = layout.name_of(&listed.key);
                if !is_selected(&name, segment.as_deref()) {
                    return Ok(Seen::Nothing);
                }
                if selection.keys_only {
                    return Ok(by_name(layout, &name, &listed));
                }
                let _room = memory.take(listed.size).await;
                by_object(store, layout, &name, &listed).await
            })
            .buffer_unordered(CONCURRENT_GETS);
        let mut seen = pin!(seen);
        while let Some(seen) = seen.try_next().await? {
            contents.add(seen);
        }
    }
    contents.damaged.named.sort();
    Ok(contents)
}

/// Where the selected objects are.
fn prefixes(layout: &Layout, topic: Option<&str>, symbol: Option<&str>) -> Vec<String> {
    let Some(topic) = topic else {
        return vec![layout.root()];
    };
    match symbol {
        Some(symbol) => vec![layout.symbol_root(topic, symbol)],
        None => vec![
            layout.topic_root(topic),
            layout.quarantine_topic_root(topic),
        ],
    }
}

fn is_selected(name: &Name<'_>, wanted: Option<&str>) -> bool {
    match name {
        Name::Bronze { symbol, .. } => wanted.is_none_or(|wanted| wanted == *symbol),
        Name::Quarantine { .. } | Name::Foreign => wanted.is_none(),
        Name::Beside => false,
    }
}

/// What an object adds to the counts.
enum Seen {
    Bronze {
        topic: String,
        symbol: String,
        counts: Counts,
    },
    Quarantine {
        topic: String,
        reason: Option<Reason>,
        bytes: u64,
    },
    Damaged {
        key: ObjectKey,
        cause: String,
    },
    Nothing,
}

const FOREIGN: &str = "its key is none that a writer makes";

fn by_name(layout: &Layout, name: &Name<'_>, listed: &Listed) -> Seen {
    let text = |segment| spelled_text(layout.version(), segment);
    match name {
        Name::Bronze {
            topic,
            symbol,
            bucket,
            ..
        } => Seen::Bronze {
            topic: text(topic),
            symbol: text(symbol),
            counts: counts(listed.size, 0, Some(*bucket)),
        },
        Name::Quarantine { topic } => Seen::Quarantine {
            topic: text(topic),
            reason: None,
            bytes: listed.size,
        },
        Name::Foreign => damaged(&listed.key, &FOREIGN),
        Name::Beside => Seen::Nothing,
    }
}

async fn by_object(
    store: &(impl Get + List),
    layout: &Layout,
    name: &Name<'_>,
    listed: &Listed,
) -> Result<Seen, StoreError> {
    let key = &listed.key;
    if !matches!(name, Name::Bronze { .. } | Name::Quarantine { .. }) {
        return Ok(by_name(layout, name, listed));
    }
    let body = match read(store, key).await? {
        Reading::Whole(object) => object.body,
        // Brought to bronze since it was listed.
        Reading::Gone => return Ok(Seen::Nothing),
        Reading::Damaged(error) => return Ok(damaged(key, &error)),
    };
    if matches!(name, Name::Bronze { .. }) {
        return Ok(bronze(layout, key, &body));
    }
    Ok(match read_quarantined(&body) {
        Ok(read) => Seen::Quarantine {
            topic: read.topic,
            reason: Some(read.reason),
            bytes: body.len() as u64,
        },
        Err(error) => damaged(key, &error),
    })
}

fn bronze(layout: &Layout, key: &ObjectKey, body: &Bytes) -> Seen {
    let lines = match read_stored(layout, key, body) {
        Ok(lines) => lines,
        Err(damage) => return damaged(key, &damage),
    };
    let mut counts = counts(body.len() as u64, lines.len() as u64, None);
    let mut of = (String::new(), String::new());
    for read in lines
        .iter()
        .filter_map(|(_, line)| read_line(layout.version(), line).ok())
    {
        counts.add_time(read.time);
        if of.0.is_empty() {
            of = (read.topic.into_owned(), read.symbol.into_owned());
        }
    }
    let (topic, symbol) = of;
    Seen::Bronze {
        topic,
        symbol,
        counts,
    }
}

fn counts(bytes: u64, records: u64, time: Option<Timestamp>) -> Counts {
    Counts {
        objects: 1,
        records,
        bytes,
        first: time,
        last: time,
    }
}

fn damaged(key: &ObjectKey, cause: &dyn Display) -> Seen {
    Seen::Damaged {
        key: key.clone(),
        cause: cause.to_string(),
    }
}

impl Contents {
    fn add(&mut self, seen: Seen) {
        match seen {
            Seen::Bronze {
                topic,
                symbol,
                counts,
            } => {
                let symbols = self.bronze.entry(topic).or_default();
                let of = symbols.entry(symbol).or_default();
                *of = of.and(&counts);
            }
            Seen::Quarantine {
                topic,
                reason,
                bytes,
            } => {
                let reasons = self.quarantine.entry(topic).or_default();
                let of = reasons.entry(reason).or_default();
                of.records += 1;
                of.bytes += bytes;
            }
            Seen::Damaged { key, cause } => self.damaged.add(&key, &cause),
            Seen::Nothing => {}
        }
    }
}
