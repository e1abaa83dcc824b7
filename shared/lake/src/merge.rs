use std::{iter::repeat_n, time::Duration};

use tokio::time::{Instant, sleep, timeout_at};

use crate::{
    Damage, Layout, Lines, ObjectKey,
    open::{Known, OpenObjects, Stored},
    store::{ETag, Get, OBJECT_MAX, PutIf, StoreError, in_time, pauses},
    stored::read_within,
};

/// What became of lines that are all durable now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Merged {
    /// How many were not there before, as far as this call saw.
    pub added: usize,
    /// The offsets that are stored with other bytes; those stay.
    pub taken: Vec<i64>,
    /// The offsets that are not stored, because the object would become too large with them.
    pub no_room: Vec<i64>,
}

/// Requests sent to the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Requests {
    /// PUTs, whatever came of them.
    pub puts: u64,
    /// GETs.
    pub gets: u64,
}

/// Why some of the lines may not be durable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The object is none of ours any more; it stays as it is.
    #[error(
        "the bronze object {key} is damaged ({damage}): restore or remove it, then run `quotelake replay`"
    )]
    Damaged {
        /// The object.
        key: ObjectKey,
        /// What is wrong with it.
        damage: Damage,
    },
    /// The object is too large to be read and grown; it stays as it is.
    #[error(
        "the bronze object {key} has no room for more: its {bytes} bytes of lines are beyond {OBJECT_MAX}; take fewer offsets or a shorter time for each object, in a new epoch"
    )]
    TooLarge {
        /// The object.
        key: ObjectKey,
        /// How long its lines are.
        bytes: usize,
    },
}

/// Grows the object `key` to the union of its lines with `lines`, and says what was new.
///
/// Creates it if it is absent; else reads it, unites by offset, and swaps it for the union if it still is what
/// was read. Where nothing is new, the store has shown in this call that it holds all of it. Another writer, a lost
/// reply or a store that is down lead to another round, with back-off, until `until`. Nothing is ever taken out of an
/// object, so whatever the order, the repetition and the number of writers, it ends as the union of all that they brought.
///
/// # Errors
/// [`MergeError`]; the lines may then be there or not, and bringing them again is right.
pub async fn merge(
    store: &(impl PutIf + Get),
    layout: &Layout,
    open: &OpenObjects,
    (key, lines): (&ObjectKey, &Lines),
    until: Instant,
    requests: &mut Requests,
) -> Result<Merged, MergeError> {
    let mut known = open.recall(key);
    // Held as long as what was read is.
    let mut room = None;
    let mut needed = USUAL;
    let mut last = None;
    let mut after_failures = pauses();
    let mut among_writers = repeat_n(Duration::ZERO, ROUNDS_AT_ONCE).chain(pauses());
    loop {
        if matches!(known, Known::Exists) && room.is_none() {
            room = timeout_at(until, open.room(needed)).await.ok().flatten();
            if room.is_none() {
                break;
            }
        }
        let was_read = matches!(known, Known::Read(_));
        let step = match known {
            Known::Nothing => create(store, layout, (key, lines), until, requests).await,
            Known::Exists => read(store, layout, key, needed, until, requests).await,
            Known::Remembered(stored) | Known::Read(stored) => match unite(&stored, lines) {
                (merged, Some(all)) => {
                    let grown = (merged, all, &stored.etag);
                    swap(store, layout, key, grown, until, requests).await
                }
                (merged, None) if was_read => Ok(Step::Done(merged, stored)),
                (_, None) => confirm(store, key, stored, until, requests).await,
            },
        };
        let pause = match step {
            Ok(Step::Done(merged, stored)) => {
                // A full segment never grows.
                if stored.lines.len()
                    < usize::try_from(layout.granularity().segment()).unwrap_or(usize::MAX)
                {
                    open.remember(key, stored);
                }
                return Ok(merged);
            }
            // Another writer was faster, and has made progress.
            Ok(Step::Now(now)) => {
                known = now;
                among_writers.next()
            }
            Ok(Step::NeedsRoom(bytes)) => {
                known = Known::Exists;
                (room, needed) = (None, bytes);
                Some(Duration::ZERO)
            }
            Err(MergeError::Store(error)) if error.is_transient() => {
                known = Known::Exists;
                last = Some(error);
                after_failures.next()
            }
            Err(error) => return Err(error),
        };
        let Some(pause) = pause.filter(|&pause| Instant::now() + pause < until) else {
            break;
        };
        sleep(pause).await;
    }
    let last = last.unwrap_or_else(|| StoreError::OutOfTime { key: key.clone() });
    Err(last.into())
}

/// How often another writer may be faster before there is a pause.
const ROUNDS_AT_ONCE: usize = 4;

/// What an object is given room for before its length is known: 8 MiB of lines.
const USUAL: usize = 8 << 20;

/// How a round ends that has not failed.
enum Step {
    /// The object has so many bytes, more than there was room for.
    NeedsRoom(usize),
    /// The lines are in the object, which is this now.
    Done(Merged, Stored),
    /// The object is not what was thought.
    Now(Known),
}

async fn create(
    store: &impl PutIf,
    layout: &Layout,
    (key, lines): (&ObjectKey, &Lines),
    until: Instant,
    requests: &mut Requests,
) -> Result<Step, MergeError> {
    requests.puts += 1;
    let put = store.put_if_absent(key, layout.compression().pack(lines.body()));
    match in_time(key, until, put).await {
        Ok(etag) => {
            let merged = Merged {
                added: lines.len(),
                ..Merged::default()
            };
            Ok(Step::Done(merged, stored(lines.clone(), etag)))
        }
        Err(StoreError::AlreadyExists { .. }) => Ok(Step::Now(Known::Exists)),
        Err(error) => Err(error.into()),
    }
}

async fn read(
    store: &impl Get,
    layout: &Layout,
    key: &ObjectKey,
    most: usize,
    until: Instant,
    requests: &mut Requests,
) -> Result<Step, MergeError> {
    requests.gets += 1;
    let damaged = |damage| MergeError::Damaged {
        key: key.clone(),
        damage,
    };
    let larger = |bytes| {
        if bytes <= OBJECT_MAX && bytes > most {
            return Ok(Step::NeedsRoom(bytes));
        }
        let key = key.clone();
        Err(MergeError::TooLarge { key, bytes })
    };
    match in_time(key, until, store.get_within(key, most)).await {
        Ok(object) => match read_within(layout, key, &object.body, most) {
            Ok(lines) => Ok(Step::Now(Known::Read(stored(lines, object.etag)))),
            Err(Damage::TooLarge(bytes)) => larger(bytes),
            Err(damage) => Err(damaged(damage)),
        },
        Err(StoreError::TooLarge { size, .. }) => larger(size),
        Err(StoreError::Corrupt { cause, .. }) => {
            Err(damaged(Damage::Unreadable(cause.to_string())))
        }
        Err(StoreError::NotFound { .. }) => Ok(Step::Now(Known::Nothing)),
        Err(error) => Err(error.into()),
    }
}

/// Asks whether an object is still what was remembered of it. Nothing new was brought, so no write would show it.
async fn confirm(
    store: &impl Get,
    key: &ObjectKey,
    remembered: Stored,
    until: Instant,
    requests: &mut Requests,
) -> Result<Step, MergeError> {
    requests.gets += 1;
    // Of an object that has changed no more than the answer's head is read: the next round has room for it.
    let asked = store.get_if_changed(key, &remembered.etag, 0);
    match in_time(key, until, asked).await {
        Ok(None) => Ok(Step::Now(Known::Read(remembered))),
        Ok(Some(_)) | Err(StoreError::TooLarge { .. }) => Ok(Step::Now(Known::Exists)),
        Err(StoreError::NotFound { .. }) => Ok(Step::Now(Known::Nothing)),
        Err(error) => Err(error.into()),
    }
}

/// What bringing `lines` to `present` comes to, and all lines then if any is new.
fn unite(present: &Stored, lines: &Lines) -> (Merged, Option<Lines>) {
    let union = present.lines.union(lines);
    let mut merged = Merged {
        added: union.added,
        taken: union.taken,
        no_room: Vec::new(),
    };
    if let Some(all) = &union.lines
        && all.body().len() > OBJECT_MAX
    {
        merged.added = 0;
        merged.no_room = present.lines.lacks(lines);
        return (merged, None);
    }
    (merged, union.lines)
}

/// Writes all lines if the object still has the version that they were united from.
async fn swap(
    store: &impl PutIf,
    layout: &Layout,
    key: &ObjectKey,
    (merged, all, etag): (Merged, Lines, &ETag),
    until: Instant,
    requests: &mut Requests,
) -> Result<Step, MergeError> {
    requests.puts += 1;
    let put = store.put_if_match(key, layout.compression().pack(all.body()), etag);
    match in_time(key, until, put).await {
        Ok(etag) => Ok(Step::Done(merged, stored(all, etag))),
        Err(StoreError::Changed { .. }) => Ok(Step::Now(Known::Exists)),
        Err(StoreError::NotFound { .. }) => Ok(Step::Now(Known::Nothing)),
        Err(error) => Err(error.into()),
    }
}

fn stored(lines: Lines, etag: ETag) -> Stored {
    Stored { lines, etag }
}
