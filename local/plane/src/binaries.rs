//! The function binaries: built from the workspace beside the template, found beside this tool.

use std::{
    io,
    path::{Path, PathBuf},
    process::Stdio,
};

use tokio::process::Command;

/// Why there are no binaries to run.
#[derive(Debug, thiserror::Error)]
pub enum BinariesError {
    /// Cargo is not there.
    #[error(
        "cargo can't be run ({0}): install Rust from rustup.rs, or give --bin-dir with the built functions"
    )]
    NoCargo(io::Error),
    /// The build failed; cargo has said why.
    #[error("building the functions failed ({0}): see cargo's messages above")]
    Build(std::process::ExitStatus),
    /// A binary is missing.
    #[error("the function binary {} is missing: build it with `cargo build --bins`, or give --bin-dir", .0.display())]
    Missing(PathBuf),
    /// This tool can't find itself.
    #[error(
        "the folder of this program can't be found ({0}): give --bin-dir with the built functions"
    )]
    NoFolder(io::Error),
}

/// What `cargo run` and `cargo test` tell a program about its package. Build scripts watch some of these, and
/// would run again.
const SET_BY_CARGO: [&str; 17] = [
    "CARGO_CRATE_NAME",
    "CARGO_MANIFEST_DIR",
    "CARGO_MANIFEST_PATH",
    "CARGO_PKG_AUTHORS",
    "CARGO_PKG_DESCRIPTION",
    "CARGO_PKG_HOMEPAGE",
    "CARGO_PKG_LICENSE",
    "CARGO_PKG_LICENSE_FILE",
    "CARGO_PKG_NAME",
    "CARGO_PKG_README",
    "CARGO_PKG_REPOSITORY",
    "CARGO_PKG_RUST_VERSION",
    "CARGO_PKG_VERSION",
    "CARGO_PKG_VERSION_MAJOR",
    "CARGO_PKG_VERSION_MINOR",
    "CARGO_PKG_VERSION_PATCH",
    "CARGO_PKG_VERSION_PRE",
];

/// Builds every binary of the workspace in `workspace`, in the profile that this tool was built in, and gives
/// the folder that they are in.
///
/// # Errors
/// [`BinariesError`].
pub async fn build(workspace: &Path) -> Result<PathBuf, BinariesError> {
    let folder = beside_this_program()?;
    let mut cargo = Command::new("cargo");
    // All members at once, so that every dependency has the features it has in `cargo run` and `cargo test`.
    cargo
        .args(["build", "--quiet", "--workspace", "--bins"])
        .current_dir(workspace);
    if let Some(profile) = profile(&folder) {
        cargo.args(["--profile", profile]);
    }
    if let Some(target) = folder.parent() {
        cargo.arg("--target-dir").arg(target);
    }
    for name in SET_BY_CARGO {
        cargo.env_remove(name);
    }
    let status = cargo
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .status()
        .await
        .map_err(BinariesError::NoCargo)?;
    if !status.success() {
        return Err(BinariesError::Build(status));
    }
    Ok(folder)
}

/// The folder of this executable; a test's is one below the binaries'.
///
/// # Errors
/// [`BinariesError::NoFolder`].
pub fn beside_this_program() -> Result<PathBuf, BinariesError> {
    let program = std::env::current_exe().map_err(BinariesError::NoFolder)?;
    let mut folder = program.parent().unwrap_or(Path::new(".")).to_owned();
    if folder.ends_with("deps") {
        folder.pop();
    }
    Ok(folder)
}

/// The profile whose folder this is, if it is not that of `cargo build`: Cargo names the folder after it.
fn profile(folder: &Path) -> Option<&str> {
    let name = folder.file_name()?.to_str()?;
    (name != "debug").then_some(name)
}

/// The path of `name` in `folder`.
///
/// # Errors
/// [`BinariesError::Missing`].
pub fn find(folder: &Path, name: &str) -> Result<PathBuf, BinariesError> {
    let path = folder.join(name);
    // A name that leads elsewhere is no binary's.
    let is_of_folder = path.file_name() == Some(name.as_ref());
    if is_of_folder && path.is_file() {
        Ok(path)
    } else {
        Err(BinariesError::Missing(path))
    }
}
