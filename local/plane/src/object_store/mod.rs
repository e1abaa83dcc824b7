//! An S3 server over a folder: s3s-fs, with conditional writes made atomic and listings by the page.

mod files;
mod key;
mod listing;
mod read;
mod version;

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use s3s::{auth::SimpleAuth, service::S3ServiceBuilder};
use tokio::{net::TcpListener, task::JoinSet, time::sleep};
use tokio_util::task::AbortOnDropHandle;

use files::Files;

/// The access key of the embedded store. The keys are the same at every start, so that a client is set up once; they
/// protect nothing, and the store listens on loopback alone.
pub const ACCESS_KEY: &str = "quotelake";

/// The secret key of the embedded store.
pub const SECRET_KEY: &str = "quotelake-local";

/// The region of the embedded store, for clients that need one.
pub const REGION: &str = "us-east-1";

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
        let files = Files::open(folder).map_err(unusable)?;
        let mut service = S3ServiceBuilder::new(files);
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
                        // An answer in two parts would wait 40 ms for the client's acknowledgement of the first.
                        let _ = socket.set_nodelay(true);
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

#[cfg(test)]
mod tests;
