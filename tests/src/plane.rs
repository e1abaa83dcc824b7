//! The one-machine plane as the tests start it, and the tool's executable.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use quotelake::{
    binaries,
    up::{FeedSource, Options},
};
use tempfile::TempDir;

/// The repository.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The folder of the programs, which `cargo test --workspace` has built beside the tests.
pub fn bin_dir() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = binaries::beside_this_program().unwrap();
        for program in ["quotelake", "quote-poller", "bronze-writer"] {
            assert!(
                is_current(&folder, program).is_some_and(|current| current),
                "{program} is not built or older than its sources: run `cargo test --workspace`"
            );
        }
        folder
    })
}

/// Whether a program is newer than every source that cargo has noted for it; `None` if it is not built.
fn is_current(folder: &Path, program: &str) -> Option<bool> {
    let modified = |path: &Path| path.metadata().ok()?.modified().ok();
    let built = modified(&folder.join(program))?;
    let noted = std::fs::read_to_string(folder.join(format!("{program}.d"))).ok()?;
    let sources = noted.split_whitespace().skip(1);
    Some(
        sources
            .map(Path::new)
            .all(|source| modified(source).is_none_or(|changed| changed <= built)),
    )
}

/// The repository's pipeline on embedded parts, with its data in `data`.
pub fn options(data: &TempDir) -> Options {
    Options {
        template: workspace().join("template.yaml"),
        parameters: BTreeMap::new(),
        data: data.path().join("data"),
        bin_dir: Some(bin_dir().to_owned()),
        brokers: None,
        s3_endpoint: None,
        s3_port: 0,
        feed: FeedSource::Replay,
        speed: 1.0,
        s3_credentials: None,
        finnhub_api_key: None,
    }
}
