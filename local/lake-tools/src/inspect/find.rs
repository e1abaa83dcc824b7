use std::{future::ready, pin::pin};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use jiff::Timestamp;
use lake::{
    Layout, Name, ObjectKey, Reason, read_quarantined, read_stored,
    store::{Get, List, Listed, StoreError},
};

use super::Coordinates;
use crate::{
    damaged::Damaged,
    listed::listed,
    reading::{Reading, read},
};

/// Where a record is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Its place; two where an offset was reused, none where it is nowhere.
    pub places: Vec<Place>,
    /// Objects that may hold it and can't be read.
    pub damaged: Damaged,
}

/// A place of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A line of a bronze object.
    Bronze {
        /// The object.
        key: ObjectKey,
        /// The line, without its line feed.
        line: String,
    },
    /// An object of its own.
    Quarantine {
        /// The object.
        key: ObjectKey,
        /// Why it is there.
        reason: Reason,
        /// The same in words.
        detail: String,
        /// All of the object.
        body: String,
    },
}

/// Objects that are read at once.
const CONCURRENT_GETS: usize = 8;

/// Looks for a record by its coordinates, in the objects whose key allows for it.
///
/// # Errors
/// [`StoreError`] if the store can't be read.
pub async fn find(
    store: &(impl Get + List),
    layout: &Layout,
    at: &Coordinates,
) -> Result<Found, StoreError> {
    let mut found = Found::default();
    let (bronze, segment) = (layout.topic_root(&at.topic), segment_suffix(layout, at));
    let aside = layout.quarantine_place(&at.topic, at.partition, Some(at.offset));
    for (prefix, suffix) in [(bronze, segment), (aside, ".json".to_owned())] {
        let objects = listed(store, &prefix)
            .try_filter(|listed| ready(listed.key.as_str().ends_with(&suffix)))
            .map(async |listed: Result<Listed, StoreError>| {
                let key = listed?.key;
                let reading = read(store, &key).await?;
                Ok((key, reading))
            })
            .buffered(CONCURRENT_GETS);
        let mut objects = pin!(objects);
        while let Some((key, reading)) = objects.try_next().await? {
            let place = match reading {
                Reading::Whole(object) => place_in(layout, &key, &object.body, at.offset),
                // Brought to bronze since it was listed.
                Reading::Gone => Ok(None),
                Reading::Damaged(error) => Err(error.to_string()),
            };
            match place {
                Ok(place) => found.places.extend(place),
                Err(cause) => found.damaged.add(&key, &cause),
            }
        }
    }
    Ok(found)
}

/// The record's place if it is in this object; the error is what is wrong with the object.
fn place_in(
    layout: &Layout,
    key: &ObjectKey,
    body: &Bytes,
    offset: i64,
) -> Result<Option<Place>, String> {
    let (key, text) = (key.clone(), |bytes: &[u8]| {
        String::from_utf8_lossy(bytes).trim_end().to_owned()
    });
    if matches!(layout.name_of(&key), Name::Quarantine { .. }) {
        let read = read_quarantined(body).map_err(|error| error.to_string())?;
        return Ok(Some(Place::Quarantine {
            key,
            reason: read.reason,
            detail: read.detail,
            body: text(body),
        }));
    }
    let lines = read_stored(layout, &key, body).map_err(|damage| damage.to_string())?;
    let line = lines.iter().find(|(at, _)| *at == offset);
    let line = line.map(|(_, line)| text(line));
    Ok(line.map(|line| Place::Bronze { key, line }))
}

/// What the key of the record's bronze object ends with, whatever its symbol and time.
fn segment_suffix(layout: &Layout, at: &Coordinates) -> String {
    let key = layout.bronze_key(lake::Place {
        topic: &at.topic,
        symbol: "A",
        time: Timestamp::UNIX_EPOCH,
        partition: at.partition,
        offset: at.offset,
    });
    let (_, file) = key.as_str().rsplit_once('/').unwrap_or_default();
    let (_, suffix) = file.split_once("-p").unwrap_or_default();
    format!("-p{suffix}")
}
