use std::{fs, path::PathBuf};

use lake::{
    Layout, ObjectKey,
    store::{List, StoreError},
};
use runtime::Environment;
use stream::{
    AccessError,
    topics::{TopicError, check_name},
};

use super::{Expected, KafkaTopics, Options, Progress, Verdict, VerifyError, verify};
use crate::{
    brokers::Brokers,
    data_folder::expected_file,
    lake_location::{LakeLocationError, OpenLake},
};

/// A lake to verify, and what is expected of it.
pub struct Target {
    lake: OpenLake,
    topics: Option<KafkaTopics>,
    expected: Vec<Expected>,
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
        cause: std::io::Error,
    },
    /// No topic is left.
    #[error("none of the topics is known at {0}: check --topic")]
    NoTopic(String),
}

impl Target {
    /// Finds the lake that the options name, and what it should hold: what is given, else what the brokers hold, else
    /// what its run has left.
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
        let location = || lake.location().to_owned();
        let expected = if !options.ranges.is_empty() {
            options.ranges.clone()
        } else if let Some(topics) = &topics {
            held(topics, lake.s3(), lake.layout(), &options.topics).await?
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
        let is_asked = |expected: &Expected| {
            options.topics.is_empty() || options.topics.contains(&expected.topic)
        };
        let expected: Vec<_> = expected.into_iter().filter(is_asked).collect();
        if expected.is_empty() {
            return Err(TargetError::NoTopic(location()));
        }
        Ok(Self {
            lake,
            topics,
            expected,
        })
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
        verify(
            store,
            layout,
            self.topics.as_ref(),
            &self.expected,
            progress,
        )
        .await
    }
}

/// All that the brokers hold of the given topics, else of those that the lake has.
async fn held(
    topics: &KafkaTopics,
    store: &impl List,
    layout: &Layout,
    asked: &[String],
) -> Result<Vec<Expected>, TargetError> {
    let found = if asked.is_empty() {
        let mut found = topics_under(store, &layout.root()).await?;
        found.extend(topics_under(store, &layout.quarantine_root()).await?);
        found.sort_unstable();
        found.dedup();
        found
    } else {
        asked.to_vec()
    };
    let mut expected = Vec::new();
    for topic in found {
        expected.extend(topics.all_of(&topic).await?);
    }
    Ok(expected)
}

/// The topics that have objects right under `root`, found in as many steps as there are topics.
async fn topics_under(store: &impl List, root: &str) -> Result<Vec<String>, StoreError> {
    let mut topics = Vec::new();
    let mut after = None;
    loop {
        let page = store.list(root, after.as_ref()).await?;
        let Some(first) = page.first() else {
            return Ok(topics);
        };
        let path = first.key.as_str().strip_prefix(root).unwrap_or_default();
        let Some((segment, _)) = path.split_once('/') else {
            after = Some(first.key.clone());
            continue;
        };
        if segment != "_quarantine" && check_name(segment).is_ok() {
            topics.push(segment.to_owned());
        }
        // The character that follows '/'.
        after = Some(ObjectKey::new(format!("{root}{segment}0")));
    }
}

#[cfg(test)]
mod tests {
    use lake::{
        Granularity,
        store::{MemoryStore, PutIf},
    };

    use super::*;

    #[tokio::test]
    async fn the_topics_of_a_lake_are_found_without_reading_it() {
        let store = MemoryStore::default();
        let layout = Layout::new(
            "bronze",
            Some("1"),
            Granularity::SEGMENT,
            lake::Compression::None,
        );
        for topic in ["a", "a-b", "a.b", "b"] {
            for number in 0..1_200 {
                let key = ObjectKey::new(format!("{}symbol=A/{number}", layout.topic_root(topic)));
                store.put_if_absent(&key, "".into()).await.unwrap();
            }
        }
        let aside = ObjectKey::new(format!("{}only-aside/x.json", layout.quarantine_root()));
        for key in [aside, layout.description_key()] {
            store.put_if_absent(&key, "".into()).await.unwrap();
        }
        let found = topics_under(&store, &layout.root()).await.unwrap();
        assert_eq!(found, ["a-b", "a.b", "a", "b"], "as their objects sort");
        let aside = topics_under(&store, &layout.quarantine_root())
            .await
            .unwrap();
        assert_eq!(aside, ["only-aside"]);
    }
}
