use std::{fs, io, path::PathBuf};

use lake::store::StoreError;
use plane::{brokers::Brokers, data_folder::expected_file};
use runtime::Environment;
use sam_template::TemplateError;
use stream::{AccessError, OffsetRange, topics::TopicError};

use super::{
    KafkaTopics, Options, Progress, Verdict, VerifyError,
    held::{Held, held},
    verify,
};
use crate::lake_location::{LakeLocationError, OpenLake};

/// A lake to verify, and what is expected of it.
pub struct Target {
    lake: OpenLake,
    topics: Option<KafkaTopics>,
    held: Held,
}

/// Why there is nothing to verify.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// The lake.
    #[error(transparent)]
    Lake(#[from] LakeLocationError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The brokers' addresses or credentials.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The brokers or a topic.
    #[error(transparent)]
    Topic(#[from] TopicError),
    /// Nothing says how far the topics go.
    #[error("nothing says which offsets the lake at {0} should hold: give --brokers, or --range")]
    NoOffsets(String),
    /// The run that wrote the lake has not said how far its topics went.
    #[error(
        "the run that wrote {location} has not left what its topics held in {} ({cause}): it was cut off, so give --range",
        file.display()
    )]
    CutOff {
        /// Where the objects are.
        location: String,
        /// The file that it should have written.
        file: PathBuf,
        /// What is wrong with that.
        cause: io::Error,
    },
    /// No topic is left.
    #[error("none of the topics is known at {0}: check --topic")]
    NoTopic(String),
    /// Nothing says which topics the lake should hold.
    #[error(
        "{} can't be read ({reason}), so nothing says which topics to verify: name them by --topic, or give --template",
        path.display()
    )]
    NoTemplate {
        /// The template.
        path: PathBuf,
        /// The system's word.
        reason: io::Error,
    },
    /// The lake has a topic that the brokers don't have.
    #[error(
        "the brokers at {brokers} have no topic '{topic}', of which the lake has records: check --brokers, or name the \
         topics to verify by --topic"
    )]
    Gone {
        /// The bootstrap servers.
        brokers: String,
        /// The topic.
        topic: String,
    },
    /// The template has a topic that the user may not look at.
    #[error("{0}; template.yaml has that topic: name those to verify by --topic")]
    NotYours(TopicError),
    /// Something in the template is wrong.
    #[error(transparent)]
    Template(TemplateError),
    /// The brokers have no topic of the template, and the lake is empty.
    #[error(
        "the brokers at {brokers} have none of the topics {}: check --brokers and --template, or name others by --topic",
        topics.join(", ")
    )]
    NoneHeld {
        /// The bootstrap servers.
        brokers: String,
        /// The topics of the template.
        topics: Vec<String>,
    },
}

impl From<TemplateError> for TargetError {
    fn from(error: TemplateError) -> Self {
        match error {
            TemplateError::Unreadable { path, reason } => Self::NoTemplate { path, reason },
            wrong @ TemplateError::Wrong { .. } => Self::Template(wrong),
        }
    }
}

impl Target {
    /// Finds the lake that the options name, and what it should hold: the ranges that are given, else what the brokers
    /// hold, else what its run has left.
    ///
    /// # Errors
    /// [`TargetError`].
    pub async fn open(options: &Options, environment: &Environment) -> Result<Self, TargetError> {
        let lake = options.lake.open(environment).await?;
        let topics = match &options.brokers {
            Some(brokers) => {
                let brokers = Brokers::new(brokers, environment);
                Some(KafkaTopics::connect(&brokers.cluster().await?).await?)
            }
            None => None,
        };
        let held = match &topics {
            Some(topics) if options.ranges.is_empty() => held(options, topics, &lake).await?,
            _ => Held {
                expected: given(options, &lake)?,
                absent: Vec::new(),
            },
        };
        Ok(Self { lake, topics, held })
    }

    /// Verifies it.
    ///
    /// # Errors
    /// [`VerifyError`].
    pub async fn verify(
        &self,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<Verdict, VerifyError> {
        let (store, layout) = (self.lake.s3(), self.lake.layout());
        let (topics, expected) = (self.topics.as_ref(), &self.held.expected);
        let mut verdict = verify(store, layout, topics, expected, progress).await?;
        verdict.absent.clone_from(&self.held.absent);
        Ok(verdict)
    }
}

/// The ranges that are given, else what the folder's run has left, of the topics that are asked for.
fn given(options: &Options, lake: &OpenLake) -> Result<Vec<OffsetRange>, TargetError> {
    let location = || lake.location().to_owned();
    let mut expected = if !options.ranges.is_empty() {
        options.ranges.clone()
    } else if let Some(folder) = options.lake.folder() {
        let file = expected_file(folder, &lake.layout().root());
        let read = || Ok(serde_json::from_slice(&fs::read(&file)?)?);
        read().map_err(|cause| TargetError::CutOff {
            location: location(),
            file: file.clone(),
            cause,
        })?
    } else {
        return Err(TargetError::NoOffsets(location()));
    };
    expected.retain(|of| options.topics.is_empty() || options.topics.contains(&of.topic));
    if expected.is_empty() {
        return Err(TargetError::NoTopic(location()));
    }
    Ok(expected)
}
