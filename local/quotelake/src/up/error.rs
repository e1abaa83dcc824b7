use std::path::PathBuf;

use lake::store::StoreError;
use lake_tools::{database_location::DatabaseLocationError, migrate::MigrateError};
use market_server::MarketError;
use plane::{
    PlaneError, binaries::BinariesError, data_folder::DataFolderError,
    object_store::ObjectStoreError, postgres::PostgresError,
};
use runtime::SettingError;
use sam_template::TemplateError;
use stream::{AccessError, embedded::EmbeddedError, topics::TopicError};

use crate::pipeline::ItemsIgnored;

/// Why the pipeline did not start or can't go on.
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
    /// The run's own database.
    #[error(transparent)]
    Postgres(#[from] PostgresError),
    /// The run's own database, by itself.
    #[error("PostgreSQL has ended: {} says why; start again, what is in it is kept", .0.display())]
    PostgresEnded(PathBuf),
    /// Where a database is.
    #[error(transparent)]
    DatabaseLocation(DatabaseLocationError),
    /// The database does not answer.
    #[error(
        "the database at {database} does not answer ({cause}): check --postgres, and that it runs"
    )]
    DatabaseSilent {
        /// Its address and name.
        database: String,
        /// What was seen.
        cause: String,
    },
    /// The database's tables.
    #[error(transparent)]
    Migrate(MigrateError),
    /// The functions, their triggers and URLs.
    #[error(transparent)]
    Plane(#[from] PlaneError),
    /// A proof that came to no judgement.
    #[error("the proof of {function} can't be made: {cause}")]
    Proof {
        /// The function.
        function: String,
        /// What keeps it.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The recorded market.
    #[error(transparent)]
    Market(#[from] MarketError),
    /// A live feed without a key.
    #[error("--feed live needs a Finnhub key: set FINNHUB_API_KEY (finnhub.io gives one free)")]
    NoFinnhubKey,
    /// Faults of providers that are not the recorded market's.
    #[error("--fault goes with the recorded market only: leave out --fault or --feed live")]
    LiveFaults,
    /// A template that nothing can be run from.
    #[error(
        "{} has no function with an enabled Kafka trigger or schedule, or with a URL: nothing would happen",
        .0.display()
    )]
    Idle(PathBuf),
    /// A function's environment in the template is one that it would not start with.
    #[error("{function} in the template: {error}")]
    Setting {
        /// The function.
        function: String,
        /// What is wrong with its environment.
        #[source]
        error: Box<SettingError>,
    },
    /// A function's environment in the template names a database that it would not start with.
    #[error("{function} in the template: {error}")]
    Database {
        /// The function.
        function: String,
        /// What is wrong with its environment.
        #[source]
        error: Box<tables::postgres::AccessError>,
    },
    /// A trigger would take a list of failures for success.
    #[error(transparent)]
    ItemsIgnored(#[from] ItemsIgnored),
}

/// Other commands name the database by another option.
impl From<DatabaseLocationError> for UpError {
    fn from(error: DatabaseLocationError) -> Self {
        match error {
            DatabaseLocationError::Silent { database, cause } => {
                Self::DatabaseSilent { database, cause }
            }
            error => Self::DatabaseLocation(error),
        }
    }
}

impl From<MigrateError> for UpError {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::Location(error) => error.into(),
            error => Self::Migrate(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_that_is_silent_is_told_by_the_option_that_named_it() {
        let silent = DatabaseLocationError::Silent {
            database: "localhost:5432/quotes".to_owned(),
            cause: "refused".to_owned(),
        };
        let said = UpError::from(MigrateError::Location(silent)).to_string();
        assert!(said.contains("check --postgres"), "{said}");
        assert!(!said.contains("--database"), "{said}");
    }
}
