//! The folder that a plane keeps its objects and logs in, across its starts.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

/// The file that marks a folder as ours.
const MARKER: &str = "quotelake.json";

/// The marker while it is written.
const NEW_MARKER: &str = "quotelake.json.new";

/// The file that the plane on a folder holds locked.
const LOCK: &str = "lock";

/// Why a folder can't be used.
#[derive(Debug, thiserror::Error)]
pub enum DataFolderError {
    /// It holds something else.
    #[error("the folder {} is not quotelake's: it is not empty and has no readable {MARKER}; choose another with --data", .0.display())]
    NotOurs(PathBuf),
    /// Another plane runs on it.
    #[error("the folder {} is in use by another quotelake: stop that one, or choose another with --data", .0.display())]
    InUse(PathBuf),
    /// No plane has ever run on it.
    #[error("there is no data folder at {}: run `quotelake up` first, or name another with --data", .0.display())]
    Absent(PathBuf),
    /// A run has left nothing to go by.
    #[error("the folder {} says nothing readable of run {epoch} ({cause}): take another with --epoch", folder.display())]
    NoRun {
        /// The folder.
        folder: PathBuf,
        /// The run's number.
        epoch: String,
        /// The system's words.
        cause: io::Error,
    },
    /// The system refuses.
    #[error("the folder {} can't be used ({cause}): choose another with --data", folder.display())]
    Io {
        /// The folder.
        folder: PathBuf,
        /// The system's words.
        cause: io::Error,
    },
}

/// An open data folder; no other plane can open it while this lives.
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
    starts: u64,
    _lock: File,
}

#[derive(Serialize, Deserialize)]
struct Marker {
    /// How often a plane has started here.
    starts: u64,
}

impl DataFolder {
    /// Opens `path`, makes it if it does not exist, and counts this start.
    ///
    /// # Errors
    /// [`DataFolderError`]; nothing is written into a folder that is not ours.
    pub fn open(path: &Path) -> Result<Self, DataFolderError> {
        let failed = |cause| DataFolderError::Io {
            folder: path.to_owned(),
            cause,
        };
        fs::create_dir_all(path).map_err(failed)?;
        let marker = path.join(MARKER);
        let read = || read_marker(path, &marker);
        if read()?.is_none() && !holds_only_ours(path).map_err(failed)? {
            return Err(DataFolderError::NotOurs(path.to_owned()));
        }
        let lock = lock(path)?;
        // Again, because another start may have been counted meanwhile.
        let starts = read()?.map_or(0, |marker| marker.starts) + 1;
        let text = serde_json::to_vec(&Marker { starts }).map_err(|error| failed(error.into()))?;
        let written = path.join(NEW_MARKER);
        fs::write(&written, text).map_err(failed)?;
        fs::rename(&written, &marker).map_err(failed)?;
        Ok(Self {
            path: path.canonicalize().map_err(failed)?,
            starts,
            _lock: lock,
        })
    }

    /// Opens the folder of a plane that has ended, to look at what it has left.
    ///
    /// # Errors
    /// [`DataFolderError`]; nothing is written into a folder that is not ours.
    pub fn reopen(path: &Path) -> Result<Self, DataFolderError> {
        let read = || {
            read_marker(path, &path.join(MARKER))?
                .ok_or_else(|| DataFolderError::Absent(path.to_owned()))
        };
        read()?;
        let lock = lock(path)?;
        Ok(Self {
            path: path.to_owned(),
            starts: read()?.starts,
            _lock: lock,
        })
    }

    /// The name of this start's history: an embedded broker begins at offset 0 each time.
    pub fn epoch(&self) -> String {
        self.starts.to_string()
    }

    /// Where the object store keeps its buckets.
    pub fn objects(&self) -> PathBuf {
        self.path.join("s3")
    }

    /// Where the functions' output goes.
    pub fn logs(&self) -> PathBuf {
        self.path.join("logs")
    }

    /// Where the start with this history's name leaves what it expects of the store.
    pub(crate) fn run(&self, epoch: &str) -> PathBuf {
        self.path.join("runs").join(format!("{epoch}.json"))
    }

    pub(crate) fn failed(&self, cause: io::Error) -> DataFolderError {
        DataFolderError::Io {
            folder: self.path.clone(),
            cause,
        }
    }

    pub(crate) fn no_run(&self, epoch: String, cause: io::Error) -> DataFolderError {
        DataFolderError::NoRun {
            folder: self.path.clone(),
            epoch,
            cause,
        }
    }
}

fn lock(path: &Path) -> Result<File, DataFolderError> {
    let failed = |cause| DataFolderError::Io {
        folder: path.to_owned(),
        cause,
    };
    let lock = File::create(path.join(LOCK)).map_err(failed)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(DataFolderError::InUse(path.to_owned())),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// The marker of a folder; `None` if it has none.
fn read_marker(path: &Path, marker: &Path) -> Result<Option<Marker>, DataFolderError> {
    match fs::read(marker) {
        Ok(text) => match serde_json::from_slice(&text) {
            Ok(marker) => Ok(Some(marker)),
            Err(_) => Err(DataFolderError::NotOurs(path.to_owned())),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(DataFolderError::Io {
            folder: path.to_owned(),
            cause,
        }),
    }
}

/// Whether a folder without a marker has nothing in it but what a first start leaves that was cut off.
fn holds_only_ours(path: &Path) -> io::Result<bool> {
    for entry in fs::read_dir(path)? {
        let name = entry?.file_name();
        if name != LOCK && name != NEW_MARKER {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_start_is_a_new_epoch_and_has_the_folder_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data");
        let first = DataFolder::open(&path).unwrap();
        assert_eq!(first.epoch(), "1");
        let said = DataFolder::open(&path).unwrap_err().to_string();
        assert!(said.contains("is in use by another quotelake"), "{said}");
        drop(first);
        assert_eq!(DataFolder::open(&path).unwrap().epoch(), "2");
    }

    #[test]
    fn a_folder_is_looked_at_without_another_start_and_only_after_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data");
        let absent = DataFolder::reopen(&path).unwrap_err().to_string();
        assert!(absent.contains("there is no data folder at"), "{absent}");
        assert!(!path.exists());
        let running = DataFolder::open(&path).unwrap();
        let in_use = DataFolder::reopen(&path).unwrap_err().to_string();
        assert!(in_use.contains("is in use"), "{in_use}");
        drop(running);
        assert_eq!(DataFolder::reopen(&path).unwrap().epoch(), "1");
        assert_eq!(DataFolder::open(&path).unwrap().epoch(), "2");
    }

    #[test]
    fn a_folder_with_something_else_in_it_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("thesis.tex"), "").unwrap();
        let said = DataFolder::open(folder.path()).unwrap_err().to_string();
        assert!(said.contains("is not quotelake's"), "{said}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_first_start_that_was_cut_off_can_be_repeated() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(LOCK), "").unwrap();
        fs::write(folder.path().join(NEW_MARKER), "{").unwrap();
        assert_eq!(DataFolder::open(folder.path()).unwrap().epoch(), "1");
    }

    #[test]
    fn a_marker_of_another_program_is_not_ours() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(MARKER), r#"{"name":"other"}"#).unwrap();
        assert!(matches!(
            DataFolder::open(folder.path()),
            Err(DataFolderError::NotOurs(_))
        ));
    }
}
