use std::{future::Future, iter::repeat_n, time::Duration};

use tokio::time::{Instant, sleep, timeout_at};

use crate::{
    Damage, Layout, Lines, ObjectKey,
    open::{Known, OpenObjects, Stored},
    store::{ETag, Get, PutIf, StoreError, pauses},
    stored::read_stored,
};

/// What became of lines that are all durable now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Merged {
    /// How many were not there before, as far as this call saw.
    pub added: usize,
    /// The offsets that are stored with other bytes; those stay.
    pub taken: Vec<i64>,
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
}

/// Grows the object `key` to the union of its lines with `lines`, and says what was new.
///
/// Creates it if it is absent; else reads it, unites by offset, and swaps it for the union if it still is what
/// was read. Another writer, a lost reply or a store that is down lead to another round, with back-off, until
/// `until`. Nothing is ever taken out of an object, so whatever the order, the repetition and the number of
/// writers, it ends as the union of all that they brought.
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
    let mut turn = None;
    let mut last = None;
    let mut after_failures = pauses();
    let mut among_writers = repeat_n(Duration::ZERO, ROUNDS_AT_ONCE).chain(pauses());
    loop {
        let step = match known {
            Known::Nothing => create(store, layout, (key, lines), until, requests).await,
            Known::Exists => {
                if turn.is_none() {
                    turn = timeout_at(until, open.turn_to_read()).await.ok().flatten();
                }
                read(store, layout, key, until, requests).await
            }
            Known::All(stored) => grow(store, layout, (key, lines), stored, until, requests).await,
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

/// How a round ends that has not failed.
enum Step {
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
                taken: Vec::new(),
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
    until: Instant,
    requests: &mut Requests,
) -> Result<Step, MergeError> {
    requests.gets += 1;
    let damaged = |damage| MergeError::Damaged {
        key: key.clone(),
        damage,
    };
    match in_time(key, until, store.get(key)).await {
        Ok(object) => match read_stored(layout, key, &object.body) {
            Ok(lines) => Ok(Step::Now(Known::All(stored(lines, object.etag)))),
            Err(damage) => Err(damaged(damage)),
        },
        Err(StoreError::Corrupt { cause, .. }) => {
            Err(damaged(Damage::Unreadable(cause.to_string())))
        }
        Err(StoreError::NotFound { .. }) => Ok(Step::Now(Known::Nothing)),
        Err(error) => Err(error.into()),
    }
}

async fn grow(
    store: &impl PutIf,
    layout: &Layout,
    (key, lines): (&ObjectKey, &Lines),
    present: Stored,
    until: Instant,
    requests: &mut Requests,
) -> Result<Step, MergeError> {
    let union = present.lines.union(lines);
    let merged = Merged {
        added: union.added,
        taken: union.taken,
    };
    let Some(all) = union.lines else {
        return Ok(Step::Done(merged, present));
    };
    requests.puts += 1;
    let put = store.put_if_match(key, layout.compression().pack(all.body()), &present.etag);
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

async fn in_time<T>(
    key: &ObjectKey,
    until: Instant,
    asked: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    let out_of_time = |_| Err(StoreError::OutOfTime { key: key.clone() });
    timeout_at(until, asked).await.unwrap_or_else(out_of_time)
}
