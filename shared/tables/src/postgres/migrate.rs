use std::{collections::BTreeSet, time::Duration};

use cause::innermost;
use jiff::civil::Date;
use refinery::{Migration, Runner, error::Kind};
use tokio::time::{Instant, sleep};
use tokio_postgres::types::{ToSql, Type};

use super::{Database, refusal};
use crate::{
    UpsertError,
    schema::{self, MIGRATIONS},
};

const DAYS: &str = "SELECT to_date(right(relname, 8), 'YYYYMMDD') FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid \
                    WHERE inhparent = 'realtime_quotes'::regclass AND relname ~ '^realtime_quotes_[0-9]{8}$'";

const OWNER: &str = "connect as the owner of the database, who may make tables and roles";

const OTHER: &str =
    "name a database of PostgreSQL 13 or later that has no other tables of these names";

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

/// The days (UTC) that have a partition of their own.
pub type Days = BTreeSet<Date>;

/// The key of the lock of who migrates: "quotelak" in ASCII.
const LOCK: i64 = 0x7175_6f74_656c_616b;

const LOCK_TIMEOUT: &str = "SET lock_timeout = '5s'";

/// The pause between two looks at a lock.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// Every migration with the record of it that [`Database::migrate`] makes, for somebody who runs them by hand. On a database
/// that has some the first statement fails.
pub fn printed() -> String {
    let mut text = "CREATE TABLE refinery_schema_history(version INT4 PRIMARY KEY, name VARCHAR(255), applied_on \
                    VARCHAR(255), checksum VARCHAR(255));\n"
        .to_owned();
    for step in steps().into_iter().flatten() {
        let (version, name, checksum) = (step.version(), step.name(), step.checksum());
        let sql = step.sql().unwrap_or_default();
        text.push_str(&format!(
            "\nBEGIN;\n\n{sql}\nINSERT INTO refinery_schema_history (version, name, applied_on, checksum)\n    VALUES \
             ({version}, '{name}', to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), '{checksum}');\n\n\
             COMMIT;\n"
        ));
    }
    text
}

fn steps() -> Result<Vec<Migration>, refinery::Error> {
    let step = |step: &schema::Migration| {
        Migration::unapplied(&format!("V{}__{}", step.version, step.name), step.sql)
    };
    MIGRATIONS.iter().map(step).collect()
}

impl Database {
    /// Brings the tables to the newest version, each migration in a transaction of its own, and tells the versions that
    /// this took: none if they were there.
    ///
    /// # Errors
    /// [`MigrateError`]; what was done before it stays, and the next call goes on there.
    pub async fn migrate(&mut self) -> Result<Vec<i32>, MigrateError> {
        let steps = steps().map_err(|error| MigrateError::Others(Box::new(error)))?;
        self.check_encoding().await?;
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

    /// Takes the lock of who migrates, which the connection holds to its end; `false` if another still has it after `patience`.
    /// Not behind a pooler, whose connections outlive its clients'. A statement that then waits for another lock for 5 seconds
    /// ends with an error, so that it holds up no writer that waits behind it.
    ///
    /// # Errors
    /// [`UpsertError`].
    pub async fn lock(&self, patience: Duration) -> Result<bool, UpsertError> {
        let end = Instant::now() + patience;
        loop {
            let asked = self
                .connection
                .client
                .query_typed("SELECT pg_try_advisory_lock($1)", &[(&LOCK, Type::INT8)]);
            let answer = asked
                .await
                .and_then(|rows| rows.first().map_or(Ok(false), |row| row.try_get(0)));
            let is_ours = answer.map_err(|error| refusal::of_statement(&self.access, error))?;
            if is_ours {
                let limited = self.connection.client.batch_execute(LOCK_TIMEOUT).await;
                limited.map_err(|error| refusal::of_statement(&self.access, error))?;
                return Ok(true);
            }
            if Instant::now() + LOOK_AGAIN > end {
                return Ok(false);
            }
            sleep(LOOK_AGAIN).await;
        }
    }

    /// The days that have a partition of their own.
    ///
    /// # Errors
    /// [`UpsertError`].
    pub async fn days(&self) -> Result<Days, UpsertError> {
        let rows = self.connection.client.query_typed(DAYS, &[]).await;
        let days = rows.and_then(|rows| rows.iter().map(|row| row.try_get(0)).collect());
        days.map_err(|error| refusal::of_statement(&self.access, error))
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
                database,
                cause,
                remedy,
            } => UpsertError::Misconfigured {
                database,
                cause,
                remedy: match &*remedy {
                    refusal::ALTERED => OTHER.to_owned(),
                    _ => OWNER.to_owned(),
                },
            },
            meant => meant,
        })
    }
}
