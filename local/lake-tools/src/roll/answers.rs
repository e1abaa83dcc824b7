//! How long a store is waited for that does not answer.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use lake::{
    ObjectKey,
    store::{ETag, Get, List, Listed, Object, PutIf, StoreError, pauses},
};
use tokio::time::{Instant, sleep, sleep_until};

/// How long one question is asked again.
const ASKED: Duration = Duration::from_mins(1);

/// How long a roll goes on without any answer.
pub(crate) const SILENCE: Duration = Duration::from_mins(5);

/// Asks again while the error is transient, up to a minute.
///
/// # Errors
/// The last one.
pub(crate) async fn ask<T, E>(
    is_transient: impl Fn(&E) -> bool,
    mut question: impl AsyncFnMut() -> Result<T, E>,
) -> Result<T, E> {
    let until = Instant::now() + ASKED;
    let mut pauses = pauses();
    loop {
        let error = match question().await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        let pause = pauses.next().filter(|_| is_transient(&error));
        match pause.filter(|&pause| Instant::now() + pause < until) {
            Some(pause) => sleep(pause).await,
            None => return Err(error),
        }
    }
}

/// A store, and when it has answered last.
pub(crate) struct Answering<S> {
    store: S,
    last: Mutex<Instant>,
}

impl<S> Answering<S> {
    pub(crate) fn new(store: S) -> Self {
        Self {
            store,
            last: Mutex::new(Instant::now()),
        }
    }

    #[cfg(test)]
    pub(crate) fn inner(&self) -> &S {
        &self.store
    }

    /// Ends once the store has not answered for [`SILENCE`].
    pub(crate) async fn silence(&self) {
        loop {
            let due = *self.last.lock().unwrap_or_else(PoisonError::into_inner) + SILENCE;
            if due <= Instant::now() {
                return;
            }
            sleep_until(due).await;
        }
    }

    fn heard<T>(&self, answer: Result<T, StoreError>) -> Result<T, StoreError> {
        if answer
            .as_ref()
            .err()
            .is_none_or(|error| !error.is_transient())
        {
            *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        }
        answer
    }
}

impl<S: PutIf> PutIf for Answering<S> {
    async fn put_if_absent(&self, key: &ObjectKey, body: Bytes) -> Result<ETag, StoreError> {
        self.heard(self.store.put_if_absent(key, body).await)
    }

    async fn put_if_match(
        &self,
        key: &ObjectKey,
        body: Bytes,
        etag: &ETag,
    ) -> Result<ETag, StoreError> {
        self.heard(self.store.put_if_match(key, body, etag).await)
    }
}

impl<S: Get> Get for Answering<S> {
    async fn get_within(&self, key: &ObjectKey, most: usize) -> Result<Object, StoreError> {
        self.heard(self.store.get_within(key, most).await)
    }

    async fn get_if_changed(
        &self,
        key: &ObjectKey,
        etag: &ETag,
        most: usize,
    ) -> Result<Option<Object>, StoreError> {
        self.heard(self.store.get_if_changed(key, etag, most).await)
    }
}

impl<S: List> List for Answering<S> {
    async fn list(
        &self,
        prefix: &str,
        after: Option<&ObjectKey>,
    ) -> Result<Vec<Listed>, StoreError> {
        self.heard(self.store.list(prefix, after).await)
    }

    async fn folders(&self, prefix: &str, after: Option<&str>) -> Result<Vec<String>, StoreError> {
        self.heard(self.store.folders(prefix, after).await)
    }
}
