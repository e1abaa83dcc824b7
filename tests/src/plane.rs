//! The one-machine plane as the tests start it, and the tool's executable.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use lake::{Compression, Granularity, Layout, store::S3Store};
use plane::binaries;
use quotelake::up::{FeedSource, Options, Running, summary::Summary};
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::OnceCell;

/// The lake of the repository's bronze writer.
pub async fn lake(running: &Running) -> (S3Store, Layout) {
    let (_, proof) = running.proofs().next().unwrap();
    let root = proof.expected_under();
    let epoch = root
        .trim_start_matches("bronze/epoch=")
        .trim_end_matches('/');
    let layout = Layout::new(
        "bronze",
        Some(epoch),
        Granularity::SEGMENT,
        Compression::None,
    );
    let store = running.store().bucket("bronze-bucket").await.unwrap();
    (store, layout)
}

/// What a server on this machine answers to a GET.
///
/// # Errors
/// If it does not answer.
pub async fn get(url: &str) -> reqwest::Result<reqwest::Response> {
    // Fails when a provider is installed already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::get(url).await
}

/// What the proof of the bronze writer knows.
pub fn audit(summary: &Summary) -> &Value {
    &summary.proofs[0].judgement.details
}

/// The records that the bronze writer had to land.
pub fn records(summary: &Summary) -> u64 {
    summary.proofs[0].judgement.records
}

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
        database: None,
        faults: Vec::new(),
        feed: FeedSource::Recorded,
        times: quotelake::serve::Times::Now.into(),
        speed: 1.0,
        s3_credentials: None,
        finnhub_api_key: None,
    }
}
