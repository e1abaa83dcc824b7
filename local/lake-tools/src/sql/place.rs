use std::{fs, path::PathBuf};

use super::{SqlError, Topic};

/// Where a lake lies, and which of its histories are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lake {
    /// Its folder or bucket.
    pub place: Place,
    /// One history of the topics; all without.
    pub epoch: Option<String>,
}

/// A folder, or a bucket on S3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The folder that has the folders `epoch=…`.
    Folder(PathBuf),
    /// The same on S3.
    S3 {
        /// The bucket.
        bucket: String,
        /// The prefix in it.
        prefix: String,
        /// Another endpoint than that of AWS.
        endpoint: Option<String>,
    },
}

/// What ends a text in some engine's language, or is a pattern in some engine's paths.
const ODD: &[char] = &[
    '*', '?', '[', ']', '{', '}', '\'', '"', '\\', '$', '`', '\n', '\r',
];

impl Lake {
    /// The lake at `place`.
    ///
    /// # Errors
    /// [`SqlError::OddPath`] if an engine would take a part of a path for a pattern.
    pub fn new(place: Place, epoch: Option<String>) -> Result<Self, SqlError> {
        let lake = Self { place, epoch };
        let texts = [
            lake.base("s3"),
            lake.endpoint().unwrap_or_default().to_owned(),
            lake.epoch.clone().unwrap_or_default(),
        ];
        let odd = texts.into_iter().find(|text| text.contains(ODD));
        odd.map_or(Ok(lake), |odd| Err(SqlError::OddPath(odd)))
    }

    /// The topics that have objects, where that can be seen: for others some engines refuse a view. All if none has any.
    pub(super) fn with_objects(&self, topics: Vec<Topic>) -> Vec<Topic> {
        if self.is_on_s3() {
            return topics;
        }
        let has_objects = |(topic, _): &Topic| self.has(&format!("lake_topic={topic}"));
        let found: Vec<Topic> = topics.iter().copied().filter(has_objects).collect();
        if found.is_empty() { topics } else { found }
    }

    /// Whether one of its histories has this folder. On S3 nothing is looked at.
    pub(super) fn has(&self, folder: &str) -> bool {
        let Place::Folder(path) = &self.place else {
            return true;
        };
        let histories = fs::read_dir(path).into_iter().flatten().flatten();
        histories
            .map(|history| history.path())
            .filter(|path| match &self.epoch {
                Some(epoch) => path.ends_with(format!("epoch={epoch}")),
                None => true,
            })
            .any(|path| path.join(folder).is_dir())
    }

    /// The folder of the epochs; on S3 with `scheme`, which engines name differently.
    pub(super) fn base(&self, scheme: &str) -> String {
        match &self.place {
            Place::Folder(path) => path.display().to_string(),
            Place::S3 { bucket, prefix, .. } => format!("{scheme}://{bucket}/{prefix}"),
        }
    }

    /// Below the base, the folder of a topic in each epoch: a pattern.
    pub(super) fn folders(&self, topic: &str) -> String {
        let epoch = self.epoch.as_deref().unwrap_or("*");
        format!("epoch={epoch}/lake_topic={topic}")
    }

    /// Below the base, the objects of a topic: a pattern, which leaves out whatever is no line.
    pub(super) fn objects(&self, topic: &str) -> String {
        format!("{}/*/*/*.ndjson*", self.folders(topic))
    }

    pub(super) fn endpoint(&self) -> Option<&str> {
        match &self.place {
            Place::S3 { endpoint, .. } => endpoint.as_deref(),
            Place::Folder(_) => None,
        }
    }

    pub(super) fn is_on_s3(&self) -> bool {
        matches!(self.place, Place::S3 { .. })
    }
}
