use std::collections::{BTreeMap, HashSet};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use lake::{
    Kind, Layout, ObjectKey, Reason, Received, admit, identify, read_stored,
    store::{Get, StoreError},
};

use crate::reading::{self, Reading};

/// How a record stands in bronze, judged by today's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Its line is there, with the same bytes.
    InBronze,
    /// It can be a line, and its offset is free.
    Free,
    /// It can't be in bronze.
    Aside(Reason),
}

/// The standings of records by their positions.
pub(super) type Standings = BTreeMap<usize, Standing>;

/// Bronze objects that are read at once.
const CONCURRENT_GETS: usize = 8;

/// Reads the bronze objects that the records belong in, each once.
pub(super) async fn standings(
    store: &impl Get,
    layout: &Layout,
    records: impl IntoIterator<Item = (usize, Received<'_>)>,
) -> Result<Standings, StoreError> {
    let mut standings = Standings::new();
    let mut by_object: BTreeMap<ObjectKey, Wanted> = BTreeMap::new();
    for (position, received) in records {
        let admitted = admit(layout, &received);
        if let Kind::Quarantine(reason) = admitted.kind {
            standings.insert(position, Standing::Aside(reason));
            continue;
        }
        let wanted = by_object.entry(admitted.key).or_default();
        let lines = wanted.entry(received.offset).or_default();
        lines.push((position, admitted.body));
    }
    let read = stream::iter(by_object)
        .map(async |(key, wanted)| read(store, layout, &key, &wanted).await)
        .buffer_unordered(CONCURRENT_GETS);
    let read: Vec<Standings> = read.try_collect().await?;
    standings.extend(read.into_iter().flatten());
    Ok(standings)
}

/// The lines that an object is asked for, with the positions of their records, by offset.
type Wanted = BTreeMap<i64, Vec<(usize, Bytes)>>;

async fn read(
    store: &impl Get,
    layout: &Layout,
    key: &ObjectKey,
    wanted: &Wanted,
) -> Result<Standings, StoreError> {
    let all = |standing| -> Standings {
        let positions = wanted.values().flatten();
        positions.map(|&(at, _)| (at, standing)).collect()
    };
    let body = match reading::read(store, key).await? {
        Reading::Whole(object) => object.body,
        Reading::Gone => return Ok(all(Standing::Free)),
        Reading::Damaged(_) => return Ok(all(Standing::Aside(Reason::ObjectDamaged))),
    };
    let Ok(lines) = read_stored(layout, key, &body) else {
        return Ok(all(Standing::Aside(Reason::ObjectDamaged)));
    };
    let mut standings = all(Standing::Free);
    for (offset, stored) in lines.iter() {
        for (position, line) in wanted.get(&offset).into_iter().flatten() {
            let standing = if line == stored {
                Standing::InBronze
            } else {
                Standing::Aside(Reason::OffsetReused)
            };
            standings.insert(*position, standing);
        }
    }
    Ok(standings)
}

/// The positions of the records that go to bronze if they are brought: of several at one free place the first.
pub(super) fn fit(
    layout: &Layout,
    standings: &Standings,
    received: &[Option<Received<'_>>],
) -> Vec<usize> {
    let mut places = HashSet::new();
    let is_first = |at: &usize| {
        let record = received[*at].as_ref();
        let identity =
            record.and_then(|record| Some((record, identify(layout.version(), record).ok()?)));
        identity.is_some_and(|(record, identity)| {
            let place = identity.place(record);
            places.insert((layout.bronze_key(place), place.offset))
        })
    };
    let free = standings
        .iter()
        .filter(|(_, standing)| **standing == Standing::Free);
    free.map(|(at, _)| *at).filter(is_first).collect()
}
