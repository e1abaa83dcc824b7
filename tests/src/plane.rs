//! The one-machine plane as the tests start it, and the tool's executable.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use quotelake::{
    binaries,
    up::{FeedSource, Options},
};
use tempfile::TempDir;
use tokio::sync::OnceCell;

/// The repository.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The folder of the programs: cargo builds those of a test's own package only, so the first caller builds all.
pub async fn bin_dir() -> &'static Path {
    static BUILT: OnceCell<PathBuf> = OnceCell::const_new();
    let built = BUILT.get_or_init(async || binaries::build(workspace()).await.unwrap());
    built.await
}

/// The repository's pipeline on embedded parts, with its data in `data`.
pub async fn options(data: &TempDir) -> Options {
    Options {
        template: workspace().join("template.yaml"),
        parameters: BTreeMap::new(),
        data: data.path().join("data"),
        bin_dir: Some(bin_dir().await.to_owned()),
        brokers: None,
        s3_endpoint: None,
        s3_port: 0,
        faults: Vec::new(),
        feed: FeedSource::Replay,
        speed: 1.0,
        s3_credentials: None,
        finnhub_api_key: None,
    }
}
