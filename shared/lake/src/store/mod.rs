//! The port to an object store, in the words of S3's conditional writes, and its adapters.

mod memory;
mod s3;

use std::{future::Future, time::Duration};

use backon::{BackoffBuilder, ExponentialBuilder};
use bytes::Bytes;
use cause::Cause;
use futures::{Stream, TryStreamExt, stream};
use tokio::time::{Instant, timeout_at};

pub use memory::MemoryStore;
pub use s3::{Credentials, S3Settings, S3Store};

use crate::ObjectKey;

/// A version of an object's bytes, as the store names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ETag(pub String);

/// An object's bytes and their version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// The bytes.
    pub body: Bytes,
    /// Their version.
    pub etag: ETag,
}

/// The capability to write on a condition that the store checks in the same step as it writes.
pub trait PutIf: Send + Sync {
    /// Writes `body` if `key` does not exist (`If-None-Match: *`).
    ///
    /// # Errors
    /// [`StoreError::AlreadyExists`] if it does; else any other. After [`StoreError::Unavailable`] the write may
    /// have happened.
    fn put_if_absent(
        &self,
        key: &ObjectKey,
        body: Bytes,
    ) -> impl Future<Output = Result<ETag, StoreError>> + Send;

    /// Writes `body` if `key` still has the version `etag` (`If-Match`).
    ///
    /// # Errors
    /// [`StoreError::Changed`] if it has another, [`StoreError::NotFound`] if it is gone; else any other.
    fn put_if_match(
        &self,
        key: &ObjectKey,
        body: Bytes,
        etag: &ETag,
    ) -> impl Future<Output = Result<ETag, StoreError>> + Send;
}

/// The largest object that is read, in bytes, packed or unpacked: 128 MiB. A bronze object never grows beyond.
pub const OBJECT_MAX: usize = 128 << 20;

/// The capability to read an object.
pub trait Get: Send + Sync {
    /// Reads `key` whole, if it has `most` bytes at most.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if it does not exist, [`StoreError::TooLarge`] if it has more bytes, of which none is kept
    /// in memory then; else any other.
    fn get_within(
        &self,
        key: &ObjectKey,
        most: usize,
    ) -> impl Future<Output = Result<Object, StoreError>> + Send;

    /// Reads `key` as [`Get::get_within`] does unless it still has the version `etag` (`If-None-Match`); `None` if it has.
    ///
    /// # Errors
    /// As [`Get::get_within`].
    fn get_if_changed(
        &self,
        key: &ObjectKey,
        etag: &ETag,
        most: usize,
    ) -> impl Future<Output = Result<Option<Object>, StoreError>> + Send;

    /// Reads `key` whole, up to [`OBJECT_MAX`].
    ///
    /// # Errors
    /// As [`Get::get_within`].
    fn get(&self, key: &ObjectKey) -> impl Future<Output = Result<Object, StoreError>> + Send {
        self.get_within(key, OBJECT_MAX)
    }
}

/// The capability to remove objects on a condition that the store checks in the same step as it removes.
pub trait DeleteIf: Send + Sync {
    /// Removes `key` if it still has the version `etag` (`If-Match`); that it is absent already is success.
    ///
    /// # Errors
    /// [`StoreError::Changed`] if it has another; else any other. After [`StoreError::Unavailable`] it may be
    /// removed.
    fn delete_if_match(
        &self,
        key: &ObjectKey,
        etag: &ETag,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// An object as a listing shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its key.
    pub key: ObjectKey,
    /// Its length in bytes.
    pub size: u64,
    /// Its version, in the form in which a read gives it.
    pub etag: ETag,
}

/// The most objects or folders of one page of a listing, as in S3.
pub const PAGE: usize = 1_000;

/// The capability to list objects.
pub trait List: Send + Sync {
    /// The page of up to [`PAGE`] objects whose keys start with `prefix` and sort after `after`, in the order of their
    /// keys' UTF-8 bytes. One with fewer is the last.
    ///
    /// # Errors
    /// [`StoreError::NoETag`] if the listing shows no versions; else any other.
    fn list(
        &self,
        prefix: &str,
        after: Option<&ObjectKey>,
    ) -> impl Future<Output = Result<Vec<Listed>, StoreError>> + Send;

    /// The page of up to [`PAGE`] folders directly below `prefix` that sort after `after`, in the order of their UTF-8
    /// bytes. It is empty only at the end.
    ///
    /// A folder is what a key starts with up to the first `/` behind `prefix`, that `/` included. Only folders with an
    /// object in them exist. What lies below them is not listed.
    ///
    /// # Errors
    /// Any [`StoreError`].
    fn folders(
        &self,
        prefix: &str,
        after: Option<&str>,
    ) -> impl Future<Output = Result<Vec<String>, StoreError>> + Send;
}

/// What sorts behind every key of a folder and before every folder after it: `0` follows `/`. Other text stays as it is.
fn past(folder: &str) -> String {
    match folder.strip_suffix('/') {
        Some(name) => format!("{name}0"),
        None => folder.to_owned(),
    }
}

/// Why the store did not do as asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// A create found the key taken (412).
    #[error("the object {key} exists already")]
    AlreadyExists {
        /// The object.
        key: ObjectKey,
    },
    /// A compare-and-swap or a delete found another version (412).
    #[error("the object {key} has changed meanwhile")]
    Changed {
        /// The object.
        key: ObjectKey,
    },
    /// Another writer was at the key in the same moment (409): try again.
    #[error("another writer was at the object {key} in the same moment")]
    Conflict {
        /// The object.
        key: ObjectKey,
    },
    /// There is no such object (404).
    #[error("there is no object {key}")]
    NotFound {
        /// The object.
        key: ObjectKey,
    },
    /// The store asks for fewer requests (503 `SlowDown`, 429).
    #[error("the store at {store} asks for fewer requests")]
    Throttled {
        /// The bucket and its endpoint.
        store: String,
    },
    /// No answer, or one that leaves the outcome open (5xx, time-out, connection lost).
    #[error("the store at {store} does not answer ({cause}): check the endpoint and the network")]
    Unavailable {
        /// The bucket and its endpoint.
        store: String,
        /// What was seen.
        #[source]
        cause: Cause,
    },
    /// The time was up before the store had answered; the write may have happened.
    #[error("there was no time left to write the object {key}")]
    OutOfTime {
        /// The object.
        key: ObjectKey,
    },
    /// The object's bytes are not those that the store has the checksum of: somebody changed them behind its back.
    #[error("the object {key} is not what was stored ({cause}): restore or remove it")]
    Corrupt {
        /// The object.
        key: ObjectKey,
        /// What was seen.
        #[source]
        cause: Cause,
    },
    /// The object is larger than what was asked for.
    #[error("the object {key} has {size} bytes, which is too many to read")]
    TooLarge {
        /// The object.
        key: ObjectKey,
        /// Its length in bytes, or that of its lines.
        size: usize,
    },
    /// The store writes whatever the condition says: two writers would take each other's records out.
    #[error(
        "the store ignores the condition {condition} of a PUT ({key}), without which records are lost: take one that keeps it, such as S3, MinIO or ministack"
    )]
    IgnoresConditions {
        /// The object that it was tried on.
        key: ObjectKey,
        /// The header.
        condition: &'static str,
    },
    /// An answer that names no version, so that nothing could be written on the condition of it.
    #[error(
        "the store at {store} answered for the object {key} without an ETag: take one that sends it"
    )]
    NoETag {
        /// The bucket and its endpoint.
        store: String,
        /// The object.
        key: ObjectKey,
    },
    /// The store does not know what was asked for (501).
    #[error(
        "the store at {store} does not implement a part of the request ({cause}): set AWS_REQUEST_CHECKSUM_CALCULATION and AWS_RESPONSE_CHECKSUM_VALIDATION to when_required"
    )]
    NotImplemented {
        /// The bucket and its endpoint.
        store: String,
        /// The store's words.
        #[source]
        cause: Cause,
    },
    /// The bucket does not exist.
    #[error("there is no bucket at {store}: create it, or set BRONZE_BUCKET to one that exists")]
    NoBucket {
        /// The bucket and its endpoint.
        store: String,
    },
    /// The credentials may not do this.
    #[error(
        "access to {store} is denied ({cause}): grant s3:PutObject, s3:GetObject and s3:ListBucket on it"
    )]
    Denied {
        /// The bucket and its endpoint.
        store: String,
        /// The store's words.
        #[source]
        cause: Cause,
    },
    /// Anything else that the store refuses.
    #[error("the store at {store} refuses: {cause}")]
    Refused {
        /// The bucket and its endpoint.
        store: String,
        /// The store's words.
        #[source]
        cause: Cause,
    },
}

impl StoreError {
    /// Whether the same request may succeed later without anybody's doing.
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Conflict { .. } | Self::Throttled { .. } | Self::Unavailable { .. }
        )
    }
}

/// Every object whose key starts with `prefix`, in order, a page at a time: no more than a page is held.
///
/// The stream ends with the first [`StoreError`].
pub fn list_pages<'a>(
    store: &'a impl List,
    prefix: &'a str,
) -> impl Stream<Item = Result<Vec<Listed>, StoreError>> + Send + 'a {
    stream::try_unfold(None, move |after: Option<ObjectKey>| async move {
        let page = store.list(prefix, after.as_ref()).await?;
        let last = page.last().map(|listed| listed.key.clone());
        Ok(last.map(|last| (page, Some(last))))
    })
}

/// Every key that starts with `prefix`, in order: for what is known to fit into memory, else [`list_pages`].
///
/// # Errors
/// Any [`StoreError`].
pub async fn list_all(store: &impl List, prefix: &str) -> Result<Vec<ObjectKey>, StoreError> {
    list_pages(store, prefix)
        .try_fold(Vec::new(), async |mut keys, page| {
            keys.extend(page.into_iter().map(|listed| listed.key));
            Ok(keys)
        })
        .await
}

/// Every folder directly below `prefix`, in order, as [`List::folders`] gives them a page at a time.
///
/// # Errors
/// Any [`StoreError`].
pub async fn list_folders(store: &impl List, prefix: &str) -> Result<Vec<String>, StoreError> {
    let mut folders: Vec<String> = Vec::new();
    loop {
        let page = store
            .folders(prefix, folders.last().map(String::as_str))
            .await?;
        if page.is_empty() {
            return Ok(folders);
        }
        folders.extend(page);
    }
}

/// The pauses before repetitions, without end: from 25 to 50 ms, then twice as long each time, up to 1 to 2 s. They are
/// random within that, so that writers that failed together do not come back together.
pub fn pauses() -> impl Iterator<Item = Duration> {
    ExponentialBuilder::new()
        .with_jitter()
        .with_min_delay(Duration::from_millis(25))
        .with_max_delay(Duration::from_secs(1))
        .without_max_times()
        .build()
}

/// What is asked of the store, up to `until`.
pub(crate) async fn in_time<T>(
    key: &ObjectKey,
    until: Instant,
    asked: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    let out_of_time = |_| Err(StoreError::OutOfTime { key: key.clone() });
    timeout_at(until, asked).await.unwrap_or_else(out_of_time)
}
