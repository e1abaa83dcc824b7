//! An S3 server over a folder: s3s-fs, with conditional writes made atomic.

use std::{
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher},
    io,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use s3s::{
    S3, S3Request, S3Response, S3Result,
    auth::SimpleAuth,
    dto::{
        CreateBucketInput, CreateBucketOutput, DeleteObjectInput, DeleteObjectOutput,
        GetObjectInput, GetObjectOutput, HeadBucketInput, HeadBucketOutput, HeadObjectInput,
        HeadObjectOutput, ListBucketsInput, ListBucketsOutput, ListObjectsV2Input,
        ListObjectsV2Output, PutObjectInput, PutObjectOutput,
    },
    s3_error,
    service::S3ServiceBuilder,
};
use s3s_fs::FileSystem;
use tokio::{net::TcpListener, sync::Mutex, task::JoinSet, time::sleep};
use tokio_util::task::AbortOnDropHandle;

/// The access key of the embedded store; it is on loopback and has nothing to protect.
pub const ACCESS_KEY: &str = "quotelake";

/// The secret key of the embedded store.
pub const SECRET_KEY: &str = "quotelake-local";

/// Why the store did not start.
#[derive(Debug, thiserror::Error)]
pub enum ObjectStoreError {
    /// The port is taken.
    #[error("port {port} is in use: choose another with --s3-port, or leave it out for a free one")]
    PortInUse {
        /// The port.
        port: u16,
    },
    /// The folder can't be used.
    #[error("the folder {} can't hold the object store ({cause})", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// The system's words.
        cause: String,
    },
    /// The server can't listen.
    #[error("the object store can't listen on loopback: {0}")]
    Listen(#[from] io::Error),
}

/// A running server; it ends with this value.
pub struct ObjectStore {
    address: SocketAddr,
    _server: AbortOnDropHandle<()>,
}

impl ObjectStore {
    /// Serves the buckets in `folder` on loopback; port 0 is a free one.
    ///
    /// # Errors
    /// [`ObjectStoreError`].
    pub async fn start(folder: &Path, port: u16) -> Result<Self, ObjectStoreError> {
        let unusable = |cause: String| ObjectStoreError::Folder {
            folder: folder.to_owned(),
            cause,
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .await
            .map_err(|error| match error.kind() {
                io::ErrorKind::AddrInUse => ObjectStoreError::PortInUse { port },
                _ => ObjectStoreError::Listen(error),
            })?;
        std::fs::create_dir_all(folder).map_err(|error| unusable(error.to_string()))?;
        let files = FileSystem::new(folder).map_err(|error| unusable(format!("{error:?}")))?;
        let mut service = S3ServiceBuilder::new(OneWriterPerKey::new(files));
        service.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        let service = service.build();

        let address = listener.local_addr()?;
        let server = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                tokio::select! {
                    accepted = listener.accept() => {
                        let Ok((socket, _)) = accepted else {
                            // Out of file handles, say: others may close theirs.
                            sleep(Duration::from_millis(100)).await;
                            continue;
                        };
                        let service = service.clone();
                        connections.spawn(async move {
                            // A connection that breaks is the client's to notice.
                            let _ = auto::Builder::new(TokioExecutor::new())
                                .serve_connection(TokioIo::new(socket), service)
                                .await;
                        });
                    }
                    Some(_) = connections.join_next() => {}
                }
            }
        });
        Ok(Self {
            address,
            _server: AbortOnDropHandle::new(server),
        })
    }

    /// The endpoint, for path-style requests.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// s3s-fs tests a condition first and writes later; one lock a key makes the two one step. An absent object
/// under `If-Match` is 404, as in S3.
struct OneWriterPerKey {
    files: FileSystem,
    locks: Arc<[Mutex<()>]>,
}

impl OneWriterPerKey {
    fn new(files: FileSystem) -> Self {
        Self {
            files,
            locks: (0..256).map(|_| Mutex::new(())).collect(),
        }
    }

    /// Keys that share a lock wait for each other, which is right and rare.
    fn lock(&self, bucket: &str, key: &str) -> &Mutex<()> {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one((bucket, key));
        let index = usize::try_from(hash % 256).unwrap_or_default();
        &self.locks[index]
    }
}

#[async_trait]
impl S3 for OneWriterPerKey {
    async fn put_object(
        &self,
        request: S3Request<PutObjectInput>,
    ) -> S3Result<S3Response<PutObjectOutput>> {
        let (bucket, key) = (request.input.bucket.clone(), request.input.key.clone());
        if sidecar_length(&bucket, &key) > FILE_NAME_MAX {
            return Err(s3_error!(
                KeyTooLongError,
                "This store keeps a key in one file name."
            ));
        }
        let _turn = self.lock(&bucket, &key).lock().await;
        if request.input.if_match.is_some() {
            let head = HeadObjectInput {
                bucket,
                key,
                ..HeadObjectInput::default()
            };
            if self
                .files
                .head_object(request_of(&request, head))
                .await
                .is_err()
            {
                return Err(s3_error!(NoSuchKey, "The specified key does not exist."));
            }
        }
        self.files.put_object(request).await
    }

    async fn delete_object(
        &self,
        request: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        let _turn = self
            .lock(&request.input.bucket, &request.input.key)
            .lock()
            .await;
        self.files.delete_object(request).await
    }

    async fn get_object(
        &self,
        request: S3Request<GetObjectInput>,
    ) -> S3Result<S3Response<GetObjectOutput>> {
        // The object and its version are two files.
        let _turn = self
            .lock(&request.input.bucket, &request.input.key)
            .lock()
            .await;
        self.files.get_object(request).await
    }

    async fn head_object(
        &self,
        request: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        let _turn = self
            .lock(&request.input.bucket, &request.input.key)
            .lock()
            .await;
        self.files.head_object(request).await
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        self.files.list_objects_v2(request).await
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

/// The longest file name of the usual file systems.
const FILE_NAME_MAX: usize = 255;

/// The length of the file name that s3s-fs keeps an object's attributes under: bucket and key in Base64.
fn sidecar_length(bucket: &str, key: &str) -> usize {
    let base64 = |text: &str| (text.len() * 4).div_ceil(3);
    ".bucket-.object-.metadata.json".len() + base64(bucket) + base64(key)
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
