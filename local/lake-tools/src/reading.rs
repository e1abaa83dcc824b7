//! Reading objects that may be beyond reading.

use lake::{
    ObjectKey,
    store::{Get, Object, StoreError},
};
use tokio::sync::{Semaphore, SemaphorePermit};

/// What a read of one object gives.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// The object.
    Whole(Object),
    /// It is not there, or not any more.
    Gone,
    /// Its bytes are not those that were stored, or more than any object of ours has.
    Damaged(StoreError),
}

/// Reads an object.
///
/// # Errors
/// [`StoreError`] if the store can't be read.
pub(crate) async fn read(store: &impl Get, key: &ObjectKey) -> Result<Reading, StoreError> {
    match store.get(key).await {
        Ok(object) => Ok(Reading::Whole(object)),
        Err(StoreError::NotFound { .. }) => Ok(Reading::Gone),
        Err(error @ (StoreError::Corrupt { .. } | StoreError::TooLarge { .. })) => {
            Ok(Reading::Damaged(error))
        }
        Err(error) => Err(error),
    }
}

/// The memory for objects that are read at the same time.
pub(crate) struct Room {
    left: Semaphore,
    kib: u32,
}

impl Room {
    /// Room for so many KiB.
    pub(crate) fn of(kib: u32) -> Self {
        Self {
            left: Semaphore::new(kib as usize),
            kib,
        }
    }

    /// Waits until an object of `bytes` bytes may be in memory; one beyond the limit is there alone.
    pub(crate) async fn take(&self, bytes: u64) -> Option<SemaphorePermit<'_>> {
        let kib = u32::try_from(bytes / 1_024).unwrap_or(self.kib);
        // It is never closed.
        self.left.acquire_many(kib.clamp(1, self.kib)).await.ok()
    }
}
