//! The folder that a plane keeps its objects and logs in, across its starts.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use stream::OffsetRange;

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
    /// No plane has ever started on it.
    #[error("the folder {} is not there, or no plane has started on it: run `quotelake up` first, or choose another with --data", .0.display())]
    Absent(PathBuf),
    /// Another plane runs on it.
    #[error("the folder {} is in use by another quotelake: stop that one, or choose another with --data", .0.display())]
    InUse(PathBuf),
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
    marker: Marker,
    lock: File,
}

#[derive(Debug, Serialize, Deserialize)]
struct Marker {
    /// How often a plane has started here.
    starts: u64,
    /// The last start's epoch, where that is not its number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    epoch: Option<String>,
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
        let lock = File::create(path.join(LOCK)).map_err(failed)?;
        alone(path, &lock)?;
        // Again, because another start may have been counted meanwhile.
        let starts = read()?.map_or(0, |marker| marker.starts) + 1;
        let epoch = None;
        let marker = Marker { starts, epoch };
        marker.write(path).map_err(failed)?;
        Ok(Self {
            path: path.canonicalize().map_err(failed)?,
            marker,
            lock,
        })
    }

    /// Opens the folder that a plane has left, with the epoch of its last start; nothing is written.
    ///
    /// # Errors
    /// [`DataFolderError`].
    pub fn look(path: &Path) -> Result<Self, DataFolderError> {
        let failed = |cause| DataFolderError::Io {
            folder: path.to_owned(),
            cause,
        };
        let absent = || DataFolderError::Absent(path.to_owned());
        let marker = path.join(MARKER);
        read_marker(path, &marker)?.ok_or_else(absent)?;
        let lock = File::open(path.join(LOCK)).map_err(failed)?;
        alone(path, &lock)?;
        // Again, because another start may have been counted meanwhile.
        let marker = read_marker(path, &marker)?.ok_or_else(absent)?;
        Ok(Self {
            path: path.canonicalize().map_err(failed)?,
            marker,
            lock,
        })
    }

    /// The name of this start's history: an embedded broker begins at offset 0 each time. It is the start's number, or what
    /// [`Self::name_epoch`] has made it.
    pub fn epoch(&self) -> String {
        let Marker { starts, epoch } = &self.marker;
        epoch.clone().unwrap_or_else(|| starts.to_string())
    }

    /// Gives this start's history another name, which [`Self::look`] finds too: where what is written is not in the folder
    /// alone, other folders' starts have the same numbers.
    ///
    /// # Errors
    /// [`DataFolderError::Io`].
    pub fn name_epoch(&mut self, epoch: String) -> Result<(), DataFolderError> {
        self.marker.epoch = Some(epoch);
        self.marker
            .write(&self.path)
            .map_err(|cause| DataFolderError::Io {
                folder: self.path.clone(),
                cause,
            })
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the object store keeps its buckets.
    pub fn objects(&self) -> PathBuf {
        self.path.join("s3")
    }

    /// Where the functions' output goes.
    pub fn logs(&self) -> PathBuf {
        self.path.join("logs")
    }

    /// Leaves for `quotelake verify` which offsets the lake under `root` should hold: embedded brokers are gone by then.
    ///
    /// # Errors
    /// [`DataFolderError::Io`].
    pub fn write_expected(
        &self,
        root: &str,
        expected: &[OffsetRange],
    ) -> Result<(), DataFolderError> {
        let path = expected_file(&self.path, root);
        let write = || {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::write(&path, serde_json::to_vec(expected)?)
        };
        write().map_err(|cause| DataFolderError::Io {
            folder: self.path.clone(),
            cause,
        })
    }
}

impl Drop for DataFolder {
    fn drop(&mut self) {
        // A child that is being started at this moment has the file open too. What can't be unlocked is so when it is closed.
        let _ = self.lock.unlock();
    }
}

impl Marker {
    /// Puts it into a folder, in place of the last.
    fn write(&self, folder: &Path) -> io::Result<()> {
        let written = folder.join(NEW_MARKER);
        fs::write(&written, serde_json::to_vec(self)?)?;
        fs::rename(&written, folder.join(MARKER))
    }
}

/// The file in a data folder that says what the lake under `root` should hold. It is in the folder whatever `root` is.
pub fn expected_file(folder: &Path, root: &str) -> PathBuf {
    let mut path = folder.join("expected");
    for part in root.split('/') {
        match part {
            "." => path.push("%2E"),
            ".." => path.push("%2E%2E"),
            part => path.push(part),
        }
    }
    path.join("offsets.json")
}

/// Takes the lock, for as long as the file is open.
fn alone(path: &Path, lock: &File) -> Result<(), DataFolderError> {
    match lock.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(DataFolderError::InUse(path.to_owned())),
        Err(TryLockError::Error(cause)) => Err(DataFolderError::Io {
            folder: path.to_owned(),
            cause,
        }),
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
    fn an_epoch_that_was_named_is_that_start_s_alone() {
        let folder = tempfile::tempdir().unwrap();
        let mut first = DataFolder::open(folder.path()).unwrap();
        first.name_epoch("mi5zk3ab".to_owned()).unwrap();
        assert_eq!(first.epoch(), "mi5zk3ab");
        drop(first);
        let look = DataFolder::look(folder.path()).unwrap();
        assert_eq!(look.epoch(), "mi5zk3ab");
        drop(look);
        assert_eq!(DataFolder::open(folder.path()).unwrap().epoch(), "2");
    }

    #[test]
    fn a_look_counts_no_start_and_has_the_folder_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data");
        let said = DataFolder::look(&path).unwrap_err().to_string();
        assert!(said.contains("run `quotelake up` first"), "{said}");
        assert!(!path.exists());
        let plane = DataFolder::open(&path).unwrap();
        let in_use = DataFolder::look(&path).unwrap_err();
        assert!(matches!(in_use, DataFolderError::InUse(_)), "{in_use}");
        drop(plane);
        for _ in 0..2 {
            assert_eq!(DataFolder::look(&path).unwrap().epoch(), "1");
        }
        let look = DataFolder::look(&path).unwrap();
        let in_use = DataFolder::open(&path).unwrap_err();
        assert!(matches!(in_use, DataFolderError::InUse(_)), "{in_use}");
        drop(look);
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
    fn what_is_expected_is_written_in_the_folder_whatever_the_root() {
        let file = |root| expected_file(Path::new("/data"), root);
        let inside = Path::new("/data/expected");
        assert_eq!(
            file("bronze/epoch=1"),
            inside.join("bronze/epoch=1/offsets.json")
        );
        assert_eq!(file("../../x"), inside.join("%2E%2E/%2E%2E/x/offsets.json"));
        assert_eq!(file("/etc/x/"), inside.join("etc/x/offsets.json"));
        assert_eq!(file(""), inside.join("offsets.json"));
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
