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
        GetBucketLocationInput, GetBucketLocationOutput, GetObjectInput, GetObjectOutput,
        HeadBucketInput, HeadBucketOutput, HeadObjectInput, HeadObjectOutput, ListBucketsInput,
        ListBucketsOutput, ListObjectsV2Input, ListObjectsV2Output, PutObjectInput,
        PutObjectOutput,
    },
    s3_error,
};
use s3s_fs::FileSystem;
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::{
    key::{check_key, is_too_long},
    listing::answer,
    read::{Read, meet},
    version::Versions,
};

/// The buckets. s3s-fs tests a PUT's condition first and writes later; one turn a key makes the two one step. The
/// conditions of a DELETE, a GET and a HEAD are tested here. An absent object under `If-Match` is 404, as in S3.
///
/// An object is written beside the buckets and renamed to its place, so there is never half of one, whenever
/// this process is killed. Its version is the MD5 of the bytes that are there now, whoever wrote them: a file that was
/// edited by hand is another version. s3s-fs would keep the version that it wrote in a file beside the object, and
/// believe that; it is removed wherever it would be read.
pub(super) struct Files {
    root: PathBuf,
    files: Arc<FileSystem>,
    turns: Vec<Arc<Mutex<()>>>,
    versions: Arc<Versions>,
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
            versions: Arc::default(),
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
        let answer = self.head(request_of(request, head)).await?;
        Ok(answer.output.e_tag)
    }

    /// The answer to a HEAD without conditions. The caller has the turn at the key.
    async fn head(
        &self,
        request: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        let (bucket, key) = (&request.input.bucket, &request.input.key);
        self.expect_object(bucket, key).await?;
        remove(&self.beside(bucket, key).version).await?;
        self.files.head_object(request).await
    }

    /// 404 for a folder: only the objects in it have keys.
    async fn expect_object(&self, bucket: &str, key: &str) -> S3Result<()> {
        let path = self.root.join(bucket).join(key);
        match tokio::fs::metadata(&path).await {
            Ok(metadata) if metadata.is_dir() => Err(s3_error!(NoSuchKey)),
            _ => Ok(()),
        }
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
        check_key(&key)?;
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
            remove(&beside.version).await?;
            let written = files.put_object(request).await?;
            // Whoever reads it first will try again.
            let _ = remove(&beside.version).await;
            Ok(written)
        })
        .await
    }

    async fn delete_object(
        &self,
        request: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        let (bucket, key) = (&request.input.bucket, &request.input.key);
        check_key(key)?;
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
        mut request: S3Request<GetObjectInput>,
    ) -> S3Result<S3Response<GetObjectOutput>> {
        let input = &mut request.input;
        let range = input.range.take();
        let (if_match, if_none_match) = (input.if_match.take(), input.if_none_match.take());
        let (bucket, key) = (&input.bucket, &input.key);
        check_key(key)?;
        let _turn = self.turn(bucket, key).await;
        self.expect_object(bucket, key).await?;
        remove(&self.beside(bucket, key).version).await?;
        let whole = self.files.get_object(request).await?.output;
        let read = Read::all_of(whole).await?;
        meet(&read.etag, if_match.as_ref(), if_none_match.as_ref())?;
        Ok(S3Response::new(read.answer(range)?))
    }

    async fn head_object(
        &self,
        mut request: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        let input = &mut request.input;
        let (if_match, if_none_match) = (input.if_match.take(), input.if_none_match.take());
        check_key(&input.key)?;
        let _turn = self.turn(&input.bucket, &input.key).await;
        let answer = self.head(request).await?;
        if let Some(etag) = &answer.output.e_tag {
            meet(etag, if_match.as_ref(), if_none_match.as_ref())?;
        }
        Ok(answer)
    }

    async fn get_bucket_location(
        &self,
        request: S3Request<GetBucketLocationInput>,
    ) -> S3Result<S3Response<GetBucketLocationOutput>> {
        self.files.get_bucket_location(request).await
    }

    async fn list_objects_v2(
        &self,
        mut request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        let is_encoded = request.input.encoding_type.take().is_some();
        let delimiter = request.input.delimiter.as_deref();
        let mut answer = if matches!(delimiter, None | Some("" | "/")) {
            let folder = self.root.join(&request.input.bucket);
            let versions = Arc::clone(&self.versions);
            S3Response::new(answer::list(folder, versions, request.input).await?)
        } else {
            // Another delimiter is for people who look around: the whole bucket is walked.
            self.files.list_objects_v2(request).await?
        };
        if is_encoded {
            answer::encode(&mut answer.output);
        }
        Ok(answer)
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
