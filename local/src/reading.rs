//! Reading objects that may be beyond reading.

use lake::{
    ObjectKey,
    store::{Get, Object, StoreError},
};

/// What a read of one object gives.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// The object.
    Whole(Object),
    /// It is not there, or not any more.
    Gone,
    /// Its bytes are not those that were stored.
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
        Err(error @ StoreError::Corrupt { .. }) => Ok(Reading::Damaged(error)),
        Err(error) => Err(error),
    }
}
