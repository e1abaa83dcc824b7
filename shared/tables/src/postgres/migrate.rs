use cause::innermost;
use jiff::civil::Date;
use refinery::{Migration, Runner, error::Kind};
use tokio_postgres::types::{ToSql, Type};

use super::{Database, refusal};
use crate::{UpsertError, schema::MIGRATIONS};

const OWNER: &str = "connect as the owner of the database, who may make tables and roles";

/// Why the tables are not of the newest version.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The database refuses.
    #[error(transparent)]
    Database(#[from] UpsertError),
    /// The database has had migrations that this program does not know, or knows as others.
    #[error(
        "the database's migrations are not this program's ({0}): use a program as new as they are"
    )]
    Others(#[source] Box<refinery::Error>),
}

impl Database {
    /// Brings the tables to the newest version, each migration in a transaction of its own, and tells the versions that
    /// this took: none if they were there.
    ///
    /// # Errors
    /// [`MigrateError`]; what was done before it stays, and the next call goes on there.
    pub async fn migrate(&mut self) -> Result<Vec<i32>, MigrateError> {
        let steps: Result<Vec<_>, _> = MIGRATIONS
            .iter()
            .map(|step| {
                Migration::unapplied(&format!("V{}__{}", step.version, step.name), step.sql)
            })
            .collect();
        let steps = steps.map_err(|error| MigrateError::Others(Box::new(error)))?;
        // A program that is newer than the tables and one that is older both work on them.
        let runner = Runner::new(&steps).set_abort_missing(false);
        let done = runner.run_async(&mut self.connection.client).await;
        let done = done.map_err(|error| self.meant(error))?;
        Ok(done
            .applied_migrations()
            .iter()
            .map(Migration::version)
            .collect())
    }

    /// Makes a partition for each day (UTC) from `since` or today to `ahead` days after today, moves rows of other days out
    /// of the default one, and drops days that ended over `keep` days ago: the procedure `quotelake_days`.
    ///
    /// # Errors
    /// [`UpsertError`]; what was done before it stays, and the next call goes on there.
    pub async fn make_days(
        &self,
        ahead: u16,
        keep: Option<u16>,
        since: Option<Date>,
    ) -> Result<(), UpsertError> {
        let (ahead, keep) = (i32::from(ahead), keep.map(i32::from));
        let call = "CALL quotelake_days($1, $2, $3)";
        let days: [(&(dyn ToSql + Sync), Type); 3] = [
            (&ahead, Type::INT4),
            (&keep, Type::INT4),
            (&since, Type::DATE),
        ];
        let called = self.connection.client.query_typed(call, &days).await;
        called
            .map(drop)
            .map_err(|error| refusal::of_statement(&self.access, error))
    }

    fn meant(&self, error: refinery::Error) -> MigrateError {
        let Kind::Connection(_, source) = error.kind() else {
            return MigrateError::Others(Box::new(error));
        };
        let refused = source.downcast_ref::<tokio_postgres::Error>();
        let meant = match refused.and_then(tokio_postgres::Error::as_db_error) {
            Some(refused) => refusal::of_database(&self.access, refused),
            None => refusal::unavailable(&self.access, innermost(&**source).into()),
        };
        MigrateError::Database(match meant {
            // A migration has no rows that could be wrong.
            UpsertError::Refused { cause, .. } => refusal::unavailable(&self.access, cause),
            UpsertError::Misconfigured {
                database, cause, ..
            } => UpsertError::Misconfigured {
                database,
                cause,
                remedy: OWNER.to_owned(),
            },
            meant => meant,
        })
    }
}
