//! How far each partition of a topic has come, as rollers have seen it in bronze.

use std::collections::BTreeMap;

use bytes::Bytes;
use lake::{
    ObjectKey,
    store::{Get, PutIf, StoreError},
};
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

/// For each partition the start of the newest time bucket in bronze, in microseconds since 1970. It only grows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Watermarks(BTreeMap<i32, i64>);

impl Watermarks {
    /// What a roller has seen: a bucket of a partition.
    pub fn see(&mut self, partition: i32, bucket: i64) {
        let known = self.0.entry(partition).or_insert(bucket);
        *known = bucket.max(*known);
    }

    /// The least of these partitions; `None` of none, or if one was never seen.
    pub fn least(&self, partitions: impl IntoIterator<Item = i32>) -> Option<i64> {
        let marks = partitions
            .into_iter()
            .map(|partition| self.0.get(&partition).copied());
        marks
            .reduce(|least, mark| Some(least?.min(mark?)))
            .flatten()
    }

    /// The newest bucket of any partition.
    pub fn newest(&self) -> Option<i64> {
        self.0.values().copied().max()
    }

    /// Both.
    pub fn merge(&mut self, other: &Self) {
        for (&partition, &bucket) in &other.0 {
            self.see(partition, bucket);
        }
    }

    /// Reads what was recorded; nothing if nothing was, or if it can't be read: it is made again from bronze.
    ///
    /// # Errors
    /// Any [`StoreError`] but that it is absent.
    pub async fn read(store: &impl Get, key: &ObjectKey) -> Result<Self, StoreError> {
        match store.get(key).await {
            Ok(object) => Ok(serde_json::from_slice(&object.body).unwrap_or_default()),
            Err(StoreError::NotFound { .. }) => Ok(Self::default()),
            Err(error) => Err(error),
        }
    }

    /// Records what was seen beside what is recorded.
    ///
    /// # Errors
    /// Any [`StoreError`] but a lost race and a transient one, after which it tries again, without end.
    pub async fn record(
        &self,
        store: &(impl PutIf + Get),
        key: &ObjectKey,
    ) -> Result<(), StoreError> {
        for pause in lake::store::pauses() {
            let (recorded, etag) = match store.get(key).await {
                Ok(object) => (
                    serde_json::from_slice(&object.body).unwrap_or_default(),
                    Some(object.etag),
                ),
                Err(StoreError::NotFound { .. }) => (Self::default(), None),
                Err(error) if error.is_transient() => {
                    sleep(pause).await;
                    continue;
                }
                Err(error) => return Err(error),
            };
            let mut merged = recorded.clone();
            merged.merge(self);
            if merged == recorded {
                return Ok(());
            }
            let body = Bytes::from(serde_json::to_vec(&merged).unwrap_or_default());
            let put = match &etag {
                Some(etag) => store.put_if_match(key, body, etag).await,
                None => store.put_if_absent(key, body).await,
            };
            match put {
                Ok(_) => return Ok(()),
                Err(
                    StoreError::Changed { .. }
                    | StoreError::AlreadyExists { .. }
                    | StoreError::NotFound { .. },
                ) => {}
                Err(error) if error.is_transient() => {}
                Err(error) => return Err(error),
            }
            sleep(pause).await;
        }
        Ok(())
    }
}
