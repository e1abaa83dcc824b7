use std::{
    collections::{BTreeMap, btree_map::Entry},
    ops::Bound,
    sync::{Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;

use super::{DeleteIf, ETag, Get, List, Listed, Object, PAGE, PutIf, StoreError, past};
use crate::ObjectKey;

/// A store in memory, with S3's conditions: for tests, benches and what needs no disk.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<Contents>);

#[derive(Debug, Default)]
struct Contents {
    objects: BTreeMap<ObjectKey, Version>,
    /// How many writes there have been; an object's version is the number of its last one.
    writes: u64,
}

#[derive(Debug)]
struct Version {
    body: Bytes,
    write: u64,
}

impl Version {
    fn etag(&self) -> ETag {
        ETag(format!("\"{}\"", self.write))
    }
}

impl MemoryStore {
    /// Every object, by key.
    pub fn objects(&self) -> BTreeMap<ObjectKey, Bytes> {
        self.lock()
            .objects
            .iter()
            .map(|(key, version)| (key.clone(), version.body.clone()))
            .collect()
    }

    /// Removes `key`, whatever its version, as somebody does who knows of no condition.
    pub fn remove(&self, key: &ObjectKey) {
        self.lock().objects.remove(key);
    }

    fn lock(&self) -> MutexGuard<'_, Contents> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PutIf for MemoryStore {
    async fn put_if_absent(&self, key: &ObjectKey, body: Bytes) -> Result<ETag, StoreError> {
        let Contents { objects, writes } = &mut *self.lock();
        let Entry::Vacant(absent) = objects.entry(key.clone()) else {
            return Err(StoreError::AlreadyExists { key: key.clone() });
        };
        *writes += 1;
        let write = *writes;
        Ok(absent.insert(Version { body, write }).etag())
    }

    async fn put_if_match(
        &self,
        key: &ObjectKey,
        body: Bytes,
        expected: &ETag,
    ) -> Result<ETag, StoreError> {
        let Contents { objects, writes } = &mut *self.lock();
        match objects.get_mut(key) {
            None => Err(StoreError::NotFound { key: key.clone() }),
            Some(present) if present.etag() != *expected => {
                Err(StoreError::Changed { key: key.clone() })
            }
            Some(present) => {
                *writes += 1;
                let write = *writes;
                *present = Version { body, write };
                Ok(present.etag())
            }
        }
    }
}

impl Get for MemoryStore {
    async fn get_within(&self, key: &ObjectKey, most: usize) -> Result<Object, StoreError> {
        let contents = self.lock();
        let version = contents
            .objects
            .get(key)
            .ok_or_else(|| StoreError::NotFound { key: key.clone() })?;
        if version.body.len() > most {
            return Err(StoreError::TooLarge {
                key: key.clone(),
                size: version.body.len(),
            });
        }
        Ok(Object {
            body: version.body.clone(),
            etag: version.etag(),
        })
    }

    async fn get_if_changed(
        &self,
        key: &ObjectKey,
        etag: &ETag,
        most: usize,
    ) -> Result<Option<Object>, StoreError> {
        let present = self.lock().objects.get(key).map(Version::etag);
        if present.as_ref() == Some(etag) {
            return Ok(None);
        }
        self.get_within(key, most).await.map(Some)
    }
}

impl DeleteIf for MemoryStore {
    async fn delete_if_match(&self, key: &ObjectKey, expected: &ETag) -> Result<(), StoreError> {
        let objects = &mut self.lock().objects;
        if let Some(present) = objects.get(key)
            && present.etag() != *expected
        {
            return Err(StoreError::Changed { key: key.clone() });
        }
        objects.remove(key);
        Ok(())
    }
}

impl List for MemoryStore {
    async fn list(
        &self,
        prefix: &str,
        after: Option<&ObjectKey>,
    ) -> Result<Vec<Listed>, StoreError> {
        let start = match after {
            Some(after) if after.as_str() >= prefix => Bound::Excluded(after.clone()),
            _ => Bound::Included(ObjectKey::new(prefix)),
        };
        Ok(self
            .lock()
            .objects
            .range((start, Bound::Unbounded))
            .take_while(|(key, _)| key.as_str().starts_with(prefix))
            .take(PAGE)
            .map(|(key, version)| Listed {
                key: key.clone(),
                size: version.body.len() as u64,
                etag: version.etag(),
            })
            .collect())
    }

    async fn folders(&self, prefix: &str, after: Option<&str>) -> Result<Vec<String>, StoreError> {
        let objects = &self.lock().objects;
        let after = after.unwrap_or_default();
        let mut from = past(after).max(prefix.to_owned());
        let mut folders = Vec::new();
        while folders.len() < PAGE {
            let mut keys = objects
                .range(ObjectKey::new(from)..)
                .map(|(key, _)| key.as_str())
                .take_while(|key| key.starts_with(prefix));
            let folder = keys.find_map(|key| {
                let end = key[prefix.len()..].find('/')?;
                Some(&key[..=prefix.len() + end])
            });
            let Some(folder) = folder else {
                break;
            };
            from = past(folder);
            if folder > after {
                folders.push(folder.to_owned());
            }
        }
        Ok(folders)
    }
}
