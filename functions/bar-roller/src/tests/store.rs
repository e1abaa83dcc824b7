//! A store in memory that asks for fewer requests.

use std::sync::{Mutex, MutexGuard};

use super::{Bytes, ETag, Get, List, Listed, MemoryStore, Object, ObjectKey, PutIf, StoreError};

/// What it refuses: requests for keys or prefixes with a part, so many of each.
#[derive(Default)]
pub(super) struct Faulty {
    pub(super) memory: MemoryStore,
    refusals: Mutex<Refusals>,
}

#[derive(Default)]
struct Refusals {
    left: Vec<(String, usize)>,
    refused: usize,
}

impl Faulty {
    pub(super) fn refuse(&self, part: &str, times: usize) {
        self.refusals().left.push((part.to_owned(), times));
    }

    /// How many requests it has refused.
    pub(super) fn refused(&self) -> usize {
        self.refusals().refused
    }

    fn refusals(&self) -> MutexGuard<'_, Refusals> {
        self.refusals.lock().unwrap()
    }

    fn take(&self, asked: &str) -> Result<(), StoreError> {
        let Refusals { left, refused } = &mut *self.refusals();
        let found = left
            .iter_mut()
            .find(|(part, left)| asked.contains(&**part) && *left > 0);
        let Some((_, left)) = found else {
            return Ok(());
        };
        *left -= 1;
        *refused += 1;
        let store = "memory".to_owned();
        Err(StoreError::Throttled { store })
    }
}

impl PutIf for Faulty {
    async fn put_if_absent(&self, key: &ObjectKey, body: Bytes) -> Result<ETag, StoreError> {
        self.take(key.as_str())?;
        self.memory.put_if_absent(key, body).await
    }

    async fn put_if_match(
        &self,
        key: &ObjectKey,
        body: Bytes,
        etag: &ETag,
    ) -> Result<ETag, StoreError> {
        self.take(key.as_str())?;
        self.memory.put_if_match(key, body, etag).await
    }
}

impl Get for Faulty {
    async fn get_within(&self, key: &ObjectKey, most: usize) -> Result<Object, StoreError> {
        self.take(key.as_str())?;
        self.memory.get_within(key, most).await
    }

    async fn get_if_changed(
        &self,
        key: &ObjectKey,
        etag: &ETag,
        most: usize,
    ) -> Result<Option<Object>, StoreError> {
        self.take(key.as_str())?;
        self.memory.get_if_changed(key, etag, most).await
    }
}

impl List for Faulty {
    async fn list(
        &self,
        prefix: &str,
        after: Option<&ObjectKey>,
    ) -> Result<Vec<Listed>, StoreError> {
        self.take(prefix)?;
        self.memory.list(prefix, after).await
    }

    async fn folders(&self, prefix: &str, after: Option<&str>) -> Result<Vec<String>, StoreError> {
        self.take(prefix)?;
        self.memory.folders(prefix, after).await
    }
}
