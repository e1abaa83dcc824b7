use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::{ETag, Get, List, Object, PutIf, StoreError};
use crate::ObjectKey;

/// A store in memory, with S3's conditions: for tests, benches and what needs no disk.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<BTreeMap<ObjectKey, Bytes>>);

impl MemoryStore {
    /// Every object, by key.
    pub fn objects(&self) -> BTreeMap<ObjectKey, Bytes> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<ObjectKey, Bytes>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn etag(body: &[u8]) -> ETag {
    ETag(
        Sha256::digest(body)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect(),
    )
}

impl PutIf for MemoryStore {
    async fn put_if_absent(&self, key: &ObjectKey, body: Bytes) -> Result<ETag, StoreError> {
        let mut objects = self.lock();
        if objects.contains_key(key) {
            return Err(StoreError::AlreadyExists { key: key.clone() });
        }
        let etag = etag(&body);
        objects.insert(key.clone(), body);
        Ok(etag)
    }

    async fn put_if_match(
        &self,
        key: &ObjectKey,
        body: Bytes,
        expected: &ETag,
    ) -> Result<ETag, StoreError> {
        let mut objects = self.lock();
        let Some(present) = objects.get_mut(key) else {
            return Err(StoreError::NotFound { key: key.clone() });
        };
        if etag(present) != *expected {
            return Err(StoreError::Changed { key: key.clone() });
        }
        let etag = etag(&body);
        *present = body;
        Ok(etag)
    }
}

impl Get for MemoryStore {
    async fn get(&self, key: &ObjectKey) -> Result<Object, StoreError> {
        let objects = self.lock();
        let body = objects
            .get(key)
            .ok_or_else(|| StoreError::NotFound { key: key.clone() })?;
        Ok(Object {
            body: body.clone(),
            etag: etag(body),
        })
    }
}

impl List for MemoryStore {
    async fn list(
        &self,
        prefix: &str,
        after: Option<&ObjectKey>,
    ) -> Result<Vec<ObjectKey>, StoreError> {
        let start = match after {
            Some(after) if after.as_str() >= prefix => Bound::Excluded(after.clone()),
            _ => Bound::Included(ObjectKey::new(prefix)),
        };
        Ok(self
            .lock()
            .range((start, Bound::Unbounded))
            .map(|(key, _)| key)
            .take_while(|key| key.as_str().starts_with(prefix))
            .take(1_000)
            .cloned()
            .collect())
    }
}
