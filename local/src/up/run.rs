//! What a run of the plane leaves for `quotelake verify`: the embedded brokers are gone with it.

use std::{fs, io};

use serde::{Deserialize, Serialize};

use crate::{
    data_folder::{DataFolder, DataFolderError},
    verify::Expected,
};

/// Where a run's objects are, and which offsets they have to hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// The bucket.
    pub bucket: String,
    /// What every key starts with.
    pub root: String,
    /// The store's endpoint, if it is not the embedded one.
    pub s3_endpoint: Option<String>,
    /// The offsets; `None` until the run has ended by itself.
    pub expected: Option<Vec<Expected>>,
}

impl Run {
    /// Writes it into the folder of the plane, over what the same run has written before.
    ///
    /// # Errors
    /// [`DataFolderError::Io`].
    pub(super) fn write(&self, folder: &DataFolder) -> Result<(), DataFolderError> {
        let path = folder.run(&folder.epoch());
        let write = || {
            if let Some(runs) = path.parent() {
                fs::create_dir_all(runs)?;
            }
            let new = path.with_extension("new");
            fs::write(&new, serde_json::to_vec(self)?)?;
            fs::rename(&new, &path)
        };
        write().map_err(|cause| folder.failed(cause))
    }

    /// Reads what the run with this number has left, or the last one.
    ///
    /// # Errors
    /// [`DataFolderError::NoRun`] if it has left nothing.
    pub fn read(folder: &DataFolder, epoch: Option<&str>) -> Result<Self, DataFolderError> {
        let epoch = epoch.map_or_else(|| folder.epoch(), str::to_owned);
        let read =
            || serde_json::from_slice(&fs::read(folder.run(&epoch))?).map_err(io::Error::from);
        read().map_err(|cause| folder.no_run(epoch.clone(), cause))
    }
}
