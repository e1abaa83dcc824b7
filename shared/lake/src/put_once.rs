use bytes::Bytes;
use tokio::time::{Instant, sleep, timeout_at};

use crate::{
    Admitted, ObjectKey, Requests,
    store::{Get, PutIf, StoreError, pauses},
};

/// How an object came to be in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Landed {
    /// By this call.
    Written,
    /// It was there, with the same bytes: an earlier delivery, or a reply that was lost.
    AlreadyThere,
    /// The key is taken by other bytes, and stays as it is.
    TakenByOther,
}

/// Writes `body` at `key` unless the key is taken, and says what is there.
///
/// An unknown outcome (a lost reply, a store that is down) is tried again with back-off until `until`.
///
/// # Errors
/// The last [`StoreError`] if it is not transient or the time is up; the object may then be written or not.
pub async fn put_once(
    store: &(impl PutIf + Get),
    key: &ObjectKey,
    body: &Bytes,
    until: Instant,
) -> Result<Landed, StoreError> {
    let mut last = StoreError::OutOfTime { key: key.clone() };
    for pause in pauses() {
        match timeout_at(until, put_or_compare(store, key, body)).await {
            Ok(Err(error)) if error.is_transient() => last = error,
            // Vanished between the refusal and the read: go round again.
            Ok(Err(error @ StoreError::NotFound { .. })) => last = error,
            Ok(outcome) => return outcome,
            Err(_) => return Err(last),
        }
        if Instant::now() + pause >= until {
            break;
        }
        sleep(pause).await;
    }
    Err(last)
}

/// Writes a quarantine object, and says how many requests that took. Its key is a hash of its bytes, so other bytes at it
/// are damage: it goes beside them then, under the whole hash.
///
/// # Errors
/// As [`put_once`]; [`StoreError::Corrupt`] if other bytes are at both keys.
pub async fn land_aside(
    store: &(impl PutIf + Get),
    aside: &Admitted,
    until: Instant,
) -> Result<Requests, StoreError> {
    let mut requests = Requests::default();
    for key in [&aside.key, &aside.key.beside(&aside.body)] {
        requests.puts += 1;
        match put_once(store, key, &aside.body, until).await? {
            Landed::Written => return Ok(requests),
            Landed::AlreadyThere => {
                requests.gets += 1;
                return Ok(requests);
            }
            Landed::TakenByOther => {
                requests.gets += 1;
                tracing::error!(%key, "the quarantine object is not what was stored: remove it");
            }
        }
    }
    Err(StoreError::Corrupt {
        key: aside.key.clone(),
        cause: "other bytes are at a name that is their hash".into(),
    })
}

async fn put_or_compare(
    store: &(impl PutIf + Get),
    key: &ObjectKey,
    body: &Bytes,
) -> Result<Landed, StoreError> {
    match store.put_if_absent(key, body.clone()).await {
        Ok(_) => Ok(Landed::Written),
        Err(StoreError::AlreadyExists { .. }) => match store.get(key).await {
            Ok(present) if present.body == *body => Ok(Landed::AlreadyThere),
            Ok(_) | Err(StoreError::Corrupt { .. } | StoreError::TooLarge { .. }) => {
                Ok(Landed::TakenByOther)
            }
            Err(error) => Err(error),
        },
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicU32, Ordering},
        time::Duration,
    };

    use super::*;
    use crate::{
        Compression, Granularity, Layout, Received, admit,
        store::{ETag, MemoryStore, Object},
    };

    /// Applies every write; loses the reply of the first `lost` of them.
    struct LosesReplies {
        store: MemoryStore,
        lost: AtomicU32,
    }

    impl PutIf for LosesReplies {
        async fn put_if_absent(&self, key: &ObjectKey, body: Bytes) -> Result<ETag, StoreError> {
            let reply = self.store.put_if_absent(key, body).await;
            let lose = |left: u32| left.checked_sub(1);
            match self
                .lost
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, lose)
            {
                Ok(_) => Err(StoreError::Unavailable {
                    store: "s".into(),
                    cause: "reset".into(),
                }),
                Err(_) => reply,
            }
        }

        async fn put_if_match(
            &self,
            key: &ObjectKey,
            body: Bytes,
            etag: &ETag,
        ) -> Result<ETag, StoreError> {
            self.store.put_if_match(key, body, etag).await
        }
    }

    impl Get for LosesReplies {
        async fn get_within(&self, key: &ObjectKey, most: usize) -> Result<Object, StoreError> {
            self.store.get_within(key, most).await
        }

        async fn get_if_changed(
            &self,
            key: &ObjectKey,
            etag: &ETag,
            most: usize,
        ) -> Result<Option<Object>, StoreError> {
            self.store.get_if_changed(key, etag, most).await
        }
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(5)
    }

    #[tokio::test(start_paused = true)]
    async fn a_lost_reply_is_found_to_be_written() {
        let store = LosesReplies {
            store: MemoryStore::default(),
            lost: AtomicU32::new(2),
        };
        let (key, body) = (ObjectKey::new("k"), Bytes::from_static(b"b"));
        assert_eq!(
            put_once(&store, &key, &body, soon()).await,
            Ok(Landed::AlreadyThere)
        );
        assert_eq!(store.store.objects().len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_store_that_stays_down_is_given_up_at_the_deadline() {
        let store = LosesReplies {
            store: MemoryStore::default(),
            lost: AtomicU32::new(u32::MAX),
        };
        let (key, body) = (ObjectKey::new("k"), Bytes::from_static(b"b"));
        let until = soon();
        let error = put_once(&store, &key, &body, until).await.unwrap_err();
        assert!(error.is_transient() && Instant::now() <= until, "{error}");
    }

    #[tokio::test]
    async fn a_damaged_quarantine_object_has_the_record_beside_it() {
        let layout = Layout::new("b", None, Granularity::SEGMENT, Compression::None);
        let received = Received {
            topic: "t",
            value: Some(b"{"),
            ..Received::default()
        };
        let aside = admit(&layout, &received);
        let store = MemoryStore::default();
        for damaged in 0..2 {
            for puts in [damaged + 1, damaged + 1] {
                assert_eq!(land_aside(&store, &aside, soon()).await.unwrap().puts, puts);
            }
            let objects = store.objects();
            let sound =
                |(key, body): (&ObjectKey, &Bytes)| (*body == aside.body).then(|| key.clone());
            let key = objects.iter().find_map(sound).unwrap();
            store.remove(&key);
            store.put_if_absent(&key, Bytes::new()).await.unwrap();
        }
        let error = land_aside(&store, &aside, soon()).await.unwrap_err();
        assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
    }

    #[tokio::test]
    async fn other_bytes_at_the_key_are_never_overwritten() {
        let store = MemoryStore::default();
        let key = ObjectKey::new("k");
        let put =
            async |body: &'static str| put_once(&store, &key, &Bytes::from(body), soon()).await;
        assert_eq!(put("one").await, Ok(Landed::Written));
        assert_eq!(put("one").await, Ok(Landed::AlreadyThere));
        assert_eq!(put("two").await, Ok(Landed::TakenByOther));
        assert_eq!(store.objects()[&key], "one");
    }
}
