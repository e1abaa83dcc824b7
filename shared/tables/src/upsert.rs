use std::future::Future;

use cause::Cause;
use tokio::time::Instant;

use crate::Row;

/// The capability to bring rows into the tables.
pub trait Upsert: Send + Sync {
    /// Brings `rows` in, all in one transaction: a row whose coordinates are in the history already stays as it is, and
    /// the latest quotes become the maximum of what they were and of `rows`.
    ///
    /// # Errors
    /// [`UpsertError`]: then none of the rows is in, or, after [`UpsertError::Unavailable`] and
    /// [`UpsertError::OutOfTime`], perhaps all are. Bringing them again is safe.
    fn upsert(
        &self,
        rows: &[Row],
        until: Instant,
    ) -> impl Future<Output = Result<Upserted, UpsertError>> + Send;
}

/// What a transaction changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Upserted {
    /// How many rows are new in the history; 0 where it is switched off.
    pub history: u64,
    /// How many rows of the latest quotes are new or another.
    pub latest: u64,
}

/// Why rows are not in the tables.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UpsertError {
    /// The database takes the rows for wrong (SQLSTATE of class 22 or 23, or 54000): no retry helps, other rows may go. Not
    /// what no row can help: the database's encoding, a column or a key that somebody has added, a partition that is missing.
    #[error("the database refuses a value of the rows ({cause}, SQLSTATE {sqlstate})")]
    Refused {
        /// Five characters, as Postgres names them.
        sqlstate: String,
        /// The database's words.
        #[source]
        cause: Cause,
    },
    /// No answer, or one that another try may change: the rows may be in.
    #[error(
        "the database at {database} does not take the rows ({cause}): they are brought again; check that it runs and has free connections"
    )]
    Unavailable {
        /// Its address and name.
        database: String,
        /// What was seen.
        #[source]
        cause: Cause,
    },
    /// The time was up before the database had answered: the rows may be in.
    #[error("the time was up before the database at {database} had taken the rows")]
    OutOfTime {
        /// Its address and name.
        database: String,
    },
    /// The database can't be used as it is set up: password, certificate, database and its encoding, schema or
    /// privileges.
    #[error("the database at {database} can't be used ({cause}): {remedy}")]
    Misconfigured {
        /// Its address and name.
        database: String,
        /// What was seen.
        #[source]
        cause: Cause,
        /// What to do about it.
        remedy: String,
    },
}

impl UpsertError {
    /// Whether the rows themselves are refused, so that fewer of them may go through.
    pub fn is_of_rows(&self) -> bool {
        matches!(self, Self::Refused { .. })
    }
}
