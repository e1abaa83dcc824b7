//! Reading objects that may be beyond reading.

use bytes::Bytes;
use lake::{
    ObjectKey,
    store::{Get, List, StoreError},
};

/// What a read of one object gives.
pub(crate) enum Reading {
    /// Its bytes.
    Body(Bytes),
    /// It is not there, or not any more.
    Gone,
    /// The store answers, but not with this object: its bytes are not those that were written, say.
    Damaged(StoreError),
}

/// Reads an object. One that does not come is damaged if the store does answer otherwise.
///
/// # Errors
/// [`StoreError`] if the store can't be read.
pub(crate) async fn read(
    store: &(impl Get + List),
    key: &ObjectKey,
) -> Result<Reading, StoreError> {
    let mut last = match get(store, key).await {
        Err(error) if error.is_transient() => get(store, key).await,
        read => read,
    };
    if let Err(error) = &last
        && error.is_transient()
    {
        store.list(key.as_str(), None).await?;
        last = Ok(Reading::Damaged(error.clone()));
    }
    last
}

async fn get(store: &impl Get, key: &ObjectKey) -> Result<Reading, StoreError> {
    match store.get(key).await {
        Ok(object) => Ok(Reading::Body(object.body)),
        Err(StoreError::NotFound { .. }) => Ok(Reading::Gone),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use lake::store::{Listed, MemoryStore, Object};

    use super::*;

    /// A store that gives no object, and no listing either if it is down.
    struct Broken {
        is_down: bool,
    }

    fn unavailable() -> StoreError {
        StoreError::Unavailable {
            store: "s".to_owned(),
            cause: "checksum mismatch".to_owned(),
        }
    }

    impl Get for Broken {
        async fn get(&self, _: &ObjectKey) -> Result<Object, StoreError> {
            Err(unavailable())
        }
    }

    impl List for Broken {
        async fn list(&self, _: &str, _: Option<&ObjectKey>) -> Result<Vec<Listed>, StoreError> {
            if self.is_down {
                return Err(unavailable());
            }
            Ok(Vec::new())
        }
    }

    #[tokio::test]
    async fn an_object_that_does_not_come_is_damaged_only_if_the_store_answers() {
        let key = ObjectKey::new("k");
        let up = read(&Broken { is_down: false }, &key).await;
        assert!(matches!(up, Ok(Reading::Damaged(_))));
        let down = read(&Broken { is_down: true }, &key).await;
        assert_eq!(down.err(), Some(unavailable()));
        let absent = read(&MemoryStore::default(), &key).await;
        assert!(matches!(absent, Ok(Reading::Gone)));
    }
}
