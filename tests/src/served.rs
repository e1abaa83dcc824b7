//! Stores that speak S3, each for one test.

use plane::object_store::ObjectStore;
use runtime::Environment;
use tempfile::TempDir;

use crate::ministack::{EXECUTABLE, Ministack};

/// A store that ends with this value.
pub enum Served {
    /// The plane's own, in a folder.
    Embedded(ObjectStore, TempDir),
    /// ministack's.
    Emulated(Ministack),
}

impl Served {
    /// Starts the plane's own.
    pub async fn embedded() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = ObjectStore::start(folder.path(), 0).await.unwrap();
        Self::Embedded(store, folder)
    }

    /// Starts ministack.
    pub async fn emulated() -> Self {
        let executable = Environment::of_process().secret(EXECUTABLE);
        let executable =
            executable.unwrap_or_else(|| panic!("set {EXECUTABLE} to ministack's executable"));
        Self::Emulated(Ministack::start(executable.into()).await)
    }

    /// Its endpoint.
    pub fn endpoint(&self) -> String {
        match self {
            Self::Embedded(store, _) => store.endpoint(),
            Self::Emulated(ministack) => ministack.endpoint(),
        }
    }
}
