use std::path::PathBuf;

use lake::store::StoreError;
use runtime::SettingError;
use stream::{AccessError, embedded::EmbeddedError, publish::ProducerError, topics::TopicError};

use crate::{
    binaries::BinariesError, data_folder::DataFolderError, object_store::ObjectStoreError,
    replay::ReplayError, template::TemplateError, trigger::TriggersError, verify::VerifyError,
};

/// Why the plane did not start or can't go on.
#[derive(Debug, thiserror::Error)]
pub enum UpError {
    /// The data folder.
    #[error(transparent)]
    DataFolder(#[from] DataFolderError),
    /// The function binaries.
    #[error(transparent)]
    Binaries(#[from] BinariesError),
    /// The template.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The embedded broker.
    #[error(transparent)]
    Embedded(#[from] EmbeddedError),
    /// The brokers' addresses or credentials.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The brokers or a topic.
    #[error(transparent)]
    Topic(#[from] TopicError),
    /// The embedded store.
    #[error(transparent)]
    ObjectStore(#[from] ObjectStoreError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The last count.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// The replay.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// A live feed without a key.
    #[error("--feed live needs a Finnhub key: set FINNHUB_API_KEY (finnhub.io gives one free)")]
    NoFinnhubKey,
    /// Faults of providers that are not the replay's.
    #[error("--fault goes with the replay only: leave out --fault or --feed live")]
    LiveFaults,
    /// A template that nothing can be run from.
    #[error("{} has no function with {what}: nothing would happen", template.display())]
    Idle {
        /// The template.
        template: PathBuf,
        /// What is missing.
        what: &'static str,
    },
    /// A function's environment in the template is one that it would not start with.
    #[error("{function} in {}: {error}", template.display())]
    Setting {
        /// The template.
        template: PathBuf,
        /// The function.
        function: String,
        /// What is wrong with its environment.
        error: Box<SettingError>,
    },
    /// A trigger would take a list of failures for success.
    #[error(
        "{function} names failed items (FAILURE_RESPONSE=items), which the trigger {trigger} would ignore and so lose: \
         give that FunctionResponseTypes: [ReportBatchItemFailures]"
    )]
    ItemsIgnored {
        /// The function.
        function: String,
        /// The trigger.
        trigger: String,
    },
    /// A schedule's job names no topic.
    #[error("the input of the schedule {schedule} in {} names no topic: add a member \"topic\"", template.display())]
    NoTopic {
        /// The template.
        template: PathBuf,
        /// The schedule.
        schedule: String,
    },
    /// A trigger's on-failure topic.
    #[error(transparent)]
    Producer(#[from] ProducerError),
    /// The Kafka triggers.
    #[error(transparent)]
    Triggers(#[from] TriggersError),
}
