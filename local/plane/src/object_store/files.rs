//! The buckets in their folder: s3s-fs behind one turn a key, and the listing.

use std::{
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use async_trait::async_trait;
use s3s::{
    S3, S3Request, S3Response, S3Result,
    dto::{
        CreateBucketInput, CreateBucketOutput, DeleteObjectInput, DeleteObjectOutput, ETag,
        GetObjectInput, GetObjectOutput, HeadBucketInput, HeadBucketOutput, HeadObjectInput,
        HeadObjectOutput, ListBucketsInput, ListBucketsOutput, ListObjectsV2Input,
        ListObjectsV2Output, Object, PutObjectInput, PutObjectOutput, Timestamp,
    },
    s3_error,
};
use s3s_fs::FileSystem;
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::listing::{self, Listed, Page, Query};

/// The buckets. s3s-fs tests a PUT's condition first and writes later; one turn a key makes the two one step. A
/// DELETE's condition is tested here. An absent object under `If-Match` is 404, as in S3.
///
/// An object is written beside the buckets and renamed to its place, so there is never half of one, whenever
/// this process is killed. Its version follows in a file of its own: where that is missing, s3s-fs takes the
/// version from the bytes, so it is removed before what it belongs to.
pub(super) struct Files {
    root: PathBuf,
    files: Arc<FileSystem>,
    turns: Vec<Arc<Mutex<()>>>,
}

impl Files {
    /// The buckets in `root`; what a killed process left unfinished there is removed. The error is the reason in
    /// the system's words.
    pub(super) fn open(root: &Path) -> Result<Self, String> {
        let files = FileSystem::new(root).map_err(|error| format!("{error:?}"))?;
        Ok(Self {
            root: root.canonicalize().map_err(|error| error.to_string())?,
            files: Arc::new(files),
            turns: (0..256).map(|_| Arc::default()).collect(),
        })
    }

    /// Waits for the turn at a key. Keys that share one wait for each other, which is right and rare.
    async fn turn(&self, bucket: &str, key: &str) -> OwnedMutexGuard<()> {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one((bucket, key));
        let index = usize::try_from(hash % 256).unwrap_or_default();
        Arc::clone(&self.turns[index]).lock_owned().await
    }

    /// The version of an object; 404 if it is absent. The caller has the turn at it.
    async fn version<T: Sync>(
        &self,
        request: &S3Request<T>,
        bucket: String,
        key: String,
    ) -> S3Result<Option<ETag>> {
        let head = HeadObjectInput {
            bucket,
            key,
            ..HeadObjectInput::default()
        };
        let answer = self.files.head_object(request_of(request, head)).await?;
        Ok(answer.output.e_tag)
    }

    /// Where s3s-fs keeps an object's version and its attributes.
    fn beside(&self, bucket: &str, key: &str) -> Beside {
        let base64 = |text: &str| base64_simd::URL_SAFE_NO_PAD.encode_to_string(text);
        let (bucket, key) = (base64(bucket), base64(key));
        let path = |what| {
            let name = format!(".bucket-{bucket}.object-{key}.{what}.json");
            self.root.join(name)
        };
        Beside {
            version: path("internal"),
            attributes: path("metadata"),
        }
    }
}

struct Beside {
    version: PathBuf,
    attributes: PathBuf,
}

#[async_trait]
impl S3 for Files {
    async fn put_object(
        &self,
        request: S3Request<PutObjectInput>,
    ) -> S3Result<S3Response<PutObjectOutput>> {
        let (bucket, key) = (request.input.bucket.clone(), request.input.key.clone());
        let beside = self.beside(&bucket, &key);
        if is_too_long(&beside.attributes) {
            return Err(s3_error!(
                KeyTooLongError,
                "This store keeps a key in one file name."
            ));
        }
        let turn = self.turn(&bucket, &key).await;
        if request.input.if_match.is_some() {
            self.version(&request, bucket, key).await?;
        }
        let files = Arc::clone(&self.files);
        to_the_end(turn, async move {
            if request.input.if_none_match.is_none() {
                remove(&beside.version).await?;
            }
            files.put_object(request).await
        })
        .await
    }

    async fn delete_object(
        &self,
        request: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        let (bucket, key) = (&request.input.bucket, &request.input.key);
        let beside = self.beside(bucket, key);
        let turn = self.turn(bucket, key).await;
        if let Some(condition) = &request.input.if_match {
            let version = self.version(&request, bucket.clone(), key.clone()).await?;
            let is_met = match condition.as_etag() {
                Some(expected) => version.is_some_and(|version| expected.strong_cmp(&version)),
                None => condition.is_any(),
            };
            if !is_met {
                return Err(s3_error!(
                    PreconditionFailed,
                    "The object has another version."
                ));
            }
        }
        let files = Arc::clone(&self.files);
        to_the_end(turn, async move {
            remove(&beside.version).await?;
            remove(&beside.attributes).await?;
            files.delete_object(request).await
        })
        .await
    }

    async fn get_object(
        &self,
        request: S3Request<GetObjectInput>,
    ) -> S3Result<S3Response<GetObjectOutput>> {
        // The object and its version are two files.
        let _turn = self.turn(&request.input.bucket, &request.input.key).await;
        self.files.get_object(request).await
    }

    async fn head_object(
        &self,
        request: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        let _turn = self.turn(&request.input.bucket, &request.input.key).await;
        self.files.head_object(request).await
    }

    async fn list_objects_v2(
        &self,
        mut request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        // Keys go out as they are; a client decodes them only if the answer names an encoding.
        request.input.encoding_type = None;
        if request.input.delimiter.is_some() {
            // For people who look around: the whole bucket is walked.
            return self.files.list_objects_v2(request).await;
        }
        let input = request.input;
        let folder = self.root.join(&input.bucket);
        if !folder.is_dir() {
            return Err(s3_error!(NoSuchBucket));
        }
        let limit = usize::try_from(input.max_keys.unwrap_or(MAX_KEYS).min(MAX_KEYS))
            .map_err(|_| s3_error!(InvalidArgument, "max-keys is below 0."))?;
        let prefix = input.prefix.clone().unwrap_or_default();
        // A continuation token is the last key of the page before.
        let after = input
            .continuation_token
            .as_ref()
            .or(input.start_after.as_ref());
        let after = after.cloned().unwrap_or_default();
        let walk = move || {
            let query = Query {
                prefix: &prefix,
                after: &after,
                limit,
            };
            listing::page(&folder, query)
        };
        let page = tokio::task::spawn_blocking(walk)
            .await
            .map_err(|error| s3_error!(error, InternalError))?
            .map_err(|error| s3_error!(error, InternalError))?;
        Ok(S3Response::new(answer(input, page)))
    }

    async fn create_bucket(
        &self,
        request: S3Request<CreateBucketInput>,
    ) -> S3Result<S3Response<CreateBucketOutput>> {
        self.files.create_bucket(request).await
    }

    async fn head_bucket(
        &self,
        request: S3Request<HeadBucketInput>,
    ) -> S3Result<S3Response<HeadBucketOutput>> {
        self.files.head_bucket(request).await
    }

    async fn list_buckets(
        &self,
        request: S3Request<ListBucketsInput>,
    ) -> S3Result<S3Response<ListBucketsOutput>> {
        self.files.list_buckets(request).await
    }
}

/// The most objects of a page, as in S3.
const MAX_KEYS: i32 = 1_000;

fn answer(asked: ListObjectsV2Input, page: Page) -> ListObjectsV2Output {
    let object = |listed: Listed| Object {
        key: Some(listed.key),
        size: i64::try_from(listed.size).ok(),
        last_modified: Some(Timestamp::from(listed.modified)),
        ..Object::default()
    };
    let last = page.objects.last().map(|listed| listed.key.clone());
    ListObjectsV2Output {
        name: Some(asked.bucket),
        prefix: asked.prefix,
        start_after: asked.start_after,
        max_keys: Some(asked.max_keys.unwrap_or(MAX_KEYS)),
        key_count: i32::try_from(page.objects.len()).ok(),
        is_truncated: Some(page.is_truncated),
        next_continuation_token: last.filter(|_| page.is_truncated),
        continuation_token: asked.continuation_token,
        contents: Some(page.objects.into_iter().map(object).collect()),
        ..ListObjectsV2Output::default()
    }
}

/// Does `work` with the turn at a key, even if the client goes away meanwhile: an object is not parted from its
/// version.
async fn to_the_end<T: Send + 'static>(
    turn: OwnedMutexGuard<()>,
    work: impl Future<Output = S3Result<T>> + Send + 'static,
) -> S3Result<T> {
    let work = tokio::spawn(async move {
        let _turn = turn;
        work.await
    });
    work.await
        .map_err(|error| s3_error!(error, InternalError))?
}

async fn remove(path: &Path) -> S3Result<()> {
    match tokio::fs::remove_file(path).await {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(s3_error!(error, InternalError))
        }
        _ => Ok(()),
    }
}

/// The longest file name of the usual file systems.
const FILE_NAME_MAX: usize = 255;

fn is_too_long(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name.len() > FILE_NAME_MAX)
}

fn request_of<T, U>(like: &S3Request<T>, input: U) -> S3Request<U> {
    S3Request {
        input,
        method: like.method.clone(),
        uri: like.uri.clone(),
        headers: like.headers.clone(),
        extensions: Default::default(),
        credentials: like.credentials.clone(),
        region: like.region.clone(),
        service: like.service.clone(),
        trailing_headers: None,
    }
}
