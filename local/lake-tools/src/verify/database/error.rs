use lake::store::StoreError;
use stream::{AccessError, topics::TopicError};
use tables::{UpsertError, postgres::ReadError};

use crate::{
    database_location::DatabaseLocationError, lake_location::LakeLocationError, verify::VerifyError,
};

/// Why the tables could not be compared.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The database.
    #[error(transparent)]
    Database(#[from] UpsertError),
    /// A row of it.
    #[error(transparent)]
    Row(#[from] ReadError),
    /// The address of the database.
    #[error(transparent)]
    Location(#[from] DatabaseLocationError),
    /// The lake.
    #[error(transparent)]
    Lake(#[from] LakeLocationError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The brokers' addresses or credentials.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The topics.
    #[error(transparent)]
    Topic(#[from] TopicError),
    /// The ranges.
    #[error(transparent)]
    Ranges(#[from] VerifyError),
    /// Nothing has this topic.
    #[error(
        "neither the lake nor the tables nor the brokers that are given have anything of the topic '{0}': check --topic, --range and --epoch"
    )]
    NoTopic(String),
    /// A range of a topic that is not looked at.
    #[error(
        "the range of the topic '{0}' is of none that --topic names: add --topic {0}, or leave --topic out"
    )]
    OtherRange(String),
    /// An option of this proof, given to another.
    #[error("{0} is an option of the proof `database` alone: write `quotelake verify database`")]
    OnlyOfDatabase(&'static str),
}
