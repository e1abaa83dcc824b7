use lake::{
    Layout, ObjectKey, described,
    store::{Credentials, List, S3Settings, S3Store, StoreError},
};
use runtime::Environment;
use stream::topics::{TopicError, check_name};

use super::{Expected, KafkaTopics, Options, Progress, Verdict, VerifyError, verify};
use crate::{
    data_folder::{DataFolder, DataFolderError},
    object_store::{ACCESS_KEY, ObjectStore, ObjectStoreError, SECRET_KEY},
    up::Run,
};

/// A lake to verify, and what is expected of it.
pub struct Target {
    store: S3Store,
    layout: Layout,
    topics: Option<KafkaTopics>,
    expected: Vec<Expected>,
    /// The store ends with them.
    _embedded: Option<(ObjectStore, DataFolder)>,
}

/// Why there is nothing to verify.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// The data folder.
    #[error(transparent)]
    DataFolder(#[from] DataFolderError),
    /// The embedded store.
    #[error(transparent)]
    ObjectStore(#[from] ObjectStoreError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The brokers or a topic.
    #[error(transparent)]
    Topic(#[from] TopicError),
    /// A history that was never written, or is not there.
    #[error("there is no lake at {root}: check the bucket, --prefix and --epoch")]
    NoLake {
        /// Its root.
        root: String,
    },
    /// A run that was killed has not counted its topics.
    #[error(
        "the run was cut off before it had counted its topics: give their offsets with --range"
    )]
    CutOff,
    /// Nothing says how far the topics go.
    #[error(
        "nothing says which offsets the lake at {root} should hold: give --brokers, or --range"
    )]
    NoOffsets {
        /// Its root.
        root: String,
    },
    /// No topic is left.
    #[error("none of the topics is known at {root}: check --topic")]
    NoTopic {
        /// The lake's root.
        root: String,
    },
}

impl Target {
    /// Finds the lake that the options name.
    ///
    /// # Errors
    /// [`TargetError`].
    pub async fn open(options: &Options, environment: &Environment) -> Result<Self, TargetError> {
        let topics = match &options.brokers {
            Some(brokers) => Some(KafkaTopics::connect(brokers).await?),
            None => None,
        };
        let lake = match &options.bucket {
            Some(bucket) => Lake::of_bucket(bucket, options, environment).await?,
            None => Lake::of_folder(options, environment).await?,
        };
        let root = lake.layout.root();
        let expected = match (&topics, lake.run) {
            _ if !options.ranges.is_empty() => options.ranges.clone(),
            (_, Some(Run { expected, .. })) => expected.ok_or(TargetError::CutOff)?,
            (Some(topics), None) => {
                held(topics, &lake.store, &lake.layout, &options.topics).await?
            }
            (None, None) => return Err(TargetError::NoOffsets { root }),
        };
        let is_asked = |expected: &Expected| {
            options.topics.is_empty() || options.topics.contains(&expected.topic)
        };
        let expected: Vec<_> = expected.into_iter().filter(is_asked).collect();
        if expected.is_empty() {
            return Err(TargetError::NoTopic { root });
        }
        Ok(Self {
            store: lake.store,
            layout: lake.layout,
            topics,
            expected,
            _embedded: lake.embedded,
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
        let Self {
            store,
            layout,
            topics,
            expected,
            ..
        } = self;
        verify(store, layout, topics.as_ref(), expected, progress).await
    }
}

struct Lake {
    store: S3Store,
    layout: Layout,
    run: Option<Run>,
    embedded: Option<(ObjectStore, DataFolder)>,
}

impl Lake {
    async fn of_bucket(
        bucket: &str,
        options: &Options,
        environment: &Environment,
    ) -> Result<Self, TargetError> {
        let endpoint = options.s3_endpoint.as_deref();
        let store = connect(bucket, endpoint, environment).await;
        let layout = described(&store, &options.prefix, options.epoch.as_deref()).await?;
        let layout = layout.ok_or_else(|| {
            let epoch = options.epoch.as_ref();
            let epoch = epoch.map_or_else(String::new, |epoch| format!("/epoch={epoch}"));
            TargetError::NoLake {
                root: format!("{bucket}/{}{epoch}/", options.prefix),
            }
        })?;
        Ok(Self {
            store,
            layout,
            run: None,
            embedded: None,
        })
    }

    async fn of_folder(options: &Options, environment: &Environment) -> Result<Self, TargetError> {
        let folder = DataFolder::reopen(&options.data)?;
        let run = Run::read(&folder, options.epoch.as_deref())?;
        let (store, embedded) = match &run.s3_endpoint {
            Some(endpoint) => (
                connect(&run.bucket, Some(endpoint), environment).await,
                None,
            ),
            None => {
                let server = ObjectStore::start(&folder.objects(), 0).await?;
                let credentials = (ACCESS_KEY.to_owned(), SECRET_KEY.to_owned());
                let store = at(&run.bucket, &server.endpoint(), credentials).await;
                (store, Some((server, folder)))
            }
        };
        // The root has the epoch in it.
        let layout = described(&store, &run.root, None).await?;
        let layout = layout.ok_or_else(|| TargetError::NoLake {
            root: format!("{}/{}", run.bucket, run.root),
        })?;
        Ok(Self {
            store,
            layout,
            run: Some(run),
            embedded,
        })
    }
}

async fn connect(bucket: &str, endpoint: Option<&str>, environment: &Environment) -> S3Store {
    let Some(endpoint) = endpoint else {
        return S3Store::connect(S3Settings {
            bucket: bucket.to_owned(),
            endpoint: None,
            credentials: None,
        })
        .await;
    };
    let access_key = environment.secret("AWS_ACCESS_KEY_ID");
    let given = access_key.zip(environment.secret("AWS_SECRET_ACCESS_KEY"));
    // What the emulators take.
    let credentials = given.unwrap_or_else(|| ("test".to_owned(), "test".to_owned()));
    at(bucket, endpoint, credentials).await
}

async fn at(bucket: &str, endpoint: &str, (access, secret): (String, String)) -> S3Store {
    let credentials = Credentials::new(access, secret, None, None, "quotelake");
    S3Store::connect(S3Settings {
        bucket: bucket.to_owned(),
        endpoint: Some(endpoint.to_owned()),
        credentials: Some(credentials),
    })
    .await
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
