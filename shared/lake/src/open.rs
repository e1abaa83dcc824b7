use std::{
    collections::{HashMap, HashSet, VecDeque},
    hash::BuildHasher,
    sync::{Mutex, MutexGuard, PoisonError},
};

use foldhash::fast::RandomState;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::{
    Lines, ObjectKey,
    store::{ETag, OBJECT_MAX},
};

/// What a warm function remembers of the objects that it has written, so that growing one takes no read.
///
/// Its memory is bounded: the lines of the objects used last up to a number of bytes, and of the others that
/// they exist (a hash each, up to 65,536). What is forgotten costs a request, never a record.
pub struct OpenObjects {
    memory: Mutex<Memory>,
    limit: usize,
    /// A permit for each KiB of an object that is read to be grown.
    room: Semaphore,
}

/// What is known of an object before it is asked for.
#[derive(Debug)]
pub(crate) enum Known {
    /// Nothing; it is most likely new.
    Nothing,
    /// That it exists.
    Exists,
    /// All of it as a call before this one left it, at one version.
    Remembered(Stored),
    /// All of it as the store has just given it.
    Read(Stored),
}

/// An object's lines at one version.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) lines: Lines,
    pub(crate) etag: ETag,
}

/// The memory for lines unless told otherwise: 16 MiB.
pub const REMEMBERED_BYTES: usize = 16 << 20;

/// How many objects are known to exist at most; beyond that all are forgotten.
const SEEN_LIMIT: usize = 1 << 16;

/// How many bytes of lines are read at the same time to be grown, besides those that are remembered. An object takes
/// about twice its length in memory while it grows.
const ROOM: usize = OBJECT_MAX;

/// Objects with their last use.
type Objects = HashMap<ObjectKey, (Stored, u64), RandomState>;

#[derive(Default)]
struct Memory {
    objects: Objects,
    /// Keys in the order of their uses; the last use of a key is the one that counts.
    by_use: VecDeque<(u64, ObjectKey)>,
    uses: u64,
    bytes: usize,
    /// Hashes of keys: one that is taken for another costs a read.
    seen: HashSet<u64, RandomState>,
    hasher: RandomState,
}

impl Default for OpenObjects {
    fn default() -> Self {
        Self::new(REMEMBERED_BYTES)
    }
}

impl OpenObjects {
    /// Remembers up to `limit` bytes of lines.
    pub fn new(limit: usize) -> Self {
        Self {
            memory: Mutex::default(),
            limit,
            room: Semaphore::new(ROOM >> 10),
        }
    }

    /// The bytes of lines that are remembered now.
    pub fn bytes(&self) -> usize {
        self.lock().bytes
    }

    /// Takes out what is known of `key`.
    pub(crate) fn recall(&self, key: &ObjectKey) -> Known {
        let mut memory = self.lock();
        if let Some(stored) = memory.take(key) {
            return Known::Remembered(stored);
        }
        if memory.seen.contains(&memory.hasher.hash_one(key)) {
            Known::Exists
        } else {
            Known::Nothing
        }
    }

    pub(crate) fn remember(&self, key: &ObjectKey, stored: Stored) {
        let mut memory = self.lock();
        if memory.seen.len() >= SEEN_LIMIT {
            memory.seen.clear();
        }
        let hash = memory.hasher.hash_one(key);
        memory.seen.insert(hash);
        memory.bytes += stored.lines.memory();
        memory.uses += 1;
        let used = memory.uses;
        memory.by_use.push_back((used, key.clone()));
        if let Some((replaced, _)) = memory.objects.insert(key.clone(), (stored, used)) {
            memory.bytes -= replaced.lines.memory();
        }
        memory.shrink_to(self.limit);
    }

    /// Waits for room to read and grow an object of up to `bytes` bytes, [`OBJECT_MAX`] at most.
    pub(crate) async fn room(&self, bytes: usize) -> Option<SemaphorePermit<'_>> {
        let permits = bytes.min(ROOM).div_ceil(1 << 10);
        self.room
            .acquire_many(u32::try_from(permits).ok()?)
            .await
            .ok()
    }

    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    fn take(&mut self, key: &ObjectKey) -> Option<Stored> {
        let (stored, _) = self.objects.remove(key)?;
        self.bytes -= stored.lines.memory();
        Some(stored)
    }

    /// Forgets what was used longest ago, and the uses that no longer count.
    fn shrink_to(&mut self, limit: usize) {
        if self.by_use.len() > 2 * self.objects.len() + 64 {
            let objects = &self.objects;
            self.by_use
                .retain(|(used, key)| is_last_use(objects, *used, key));
        }
        while self.bytes > limit
            && let Some((used, key)) = self.by_use.pop_front()
        {
            if is_last_use(&self.objects, used, &key) {
                self.take(&key);
            }
        }
    }
}

fn is_last_use(objects: &Objects, used: u64, key: &ObjectKey) -> bool {
    objects.get(key).is_some_and(|(_, last)| *last == used)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(bytes: usize) -> Stored {
        let mut lines = Lines::builder(1, bytes);
        lines.push(0, &vec![b'x'; bytes]);
        Stored {
            lines: lines.build(),
            etag: ETag("1".to_owned()),
        }
    }

    #[test]
    fn memory_stays_within_its_limit_and_what_is_forgotten_is_known_to_exist() {
        let open = OpenObjects::new(10_000);
        let key = |index: usize| ObjectKey::new(format!("k{index}"));
        for index in 0..1_000 {
            open.remember(&key(index), stored(900));
            assert!(open.bytes() <= 10_000, "{}", open.bytes());
        }
        assert!(matches!(open.recall(&key(999)), Known::Remembered(_)));
        assert!(matches!(open.recall(&key(999)), Known::Exists));
        assert!(matches!(open.recall(&key(0)), Known::Exists));
        assert!(matches!(open.recall(&key(1_000)), Known::Nothing));
        for _ in 0..10_000 {
            open.remember(&key(998), stored(900));
        }
        assert!(
            open.lock().by_use.len() < 100,
            "uses that no longer count are forgotten"
        );
        open.remember(&key(5), stored(20_000));
        assert_eq!(open.bytes(), 0, "an object beyond the limit is not kept");
    }
}
