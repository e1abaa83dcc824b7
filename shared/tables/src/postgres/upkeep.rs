use std::{collections::BTreeSet, fmt::Write, time::Duration};

use jiff::civil::Date;
use refinery::Migration;
use tokio::time::{Instant, sleep};

use super::{Database, refusal};
use crate::{UpsertError, schema::MIGRATIONS};

/// The days (UTC) that have a partition.
pub type Days = BTreeSet<Date>;

/// Whatever else takes advisory locks in the database takes others: `quotelak` in ASCII.
const LOCK: i64 = 0x7175_6f74_656c_616b;

/// The pause between two questions for the lock.
const PAUSE: Duration = Duration::from_millis(100);

impl Database {
    /// Takes the lock of whoever changes the schema, which ends with this connection; false if another has it for longer than
    /// `patience`. From then on a statement that waits for a lock of the tables for 5 seconds ends as unavailable.
    ///
    /// # Errors
    /// [`UpsertError`].
    pub async fn lock(&self, patience: Duration) -> Result<bool, UpsertError> {
        let client = &self.connection.client;
        let refuse = |error| refusal::of_statement(&self.access, error);
        let until = Instant::now() + patience;
        let ask = format!("SELECT pg_try_advisory_lock({LOCK})");
        loop {
            let answer = client.query_typed(&ask, &[]).await.map_err(refuse)?;
            let is_taken = answer
                .first()
                .is_some_and(|row| row.try_get(0).unwrap_or(false));
            if is_taken {
                break;
            }
            if Instant::now() >= until {
                return Ok(false);
            }
            sleep(PAUSE).await;
        }
        client
            .batch_execute("SET lock_timeout = '5s'")
            .await
            .map_err(refuse)?;
        Ok(true)
    }

    /// The days of the history that have a partition.
    ///
    /// # Errors
    /// [`UpsertError`].
    pub async fn days(&self) -> Result<Days, UpsertError> {
        let statement = "SELECT to_date(right(relname, 8), 'YYYYMMDD') FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid \
                         WHERE inhparent = 'realtime_quotes'::regclass AND relname ~ '^realtime_quotes_[0-9]{8}$'";
        let rows = self.connection.client.query_typed(statement, &[]).await;
        let days = rows.and_then(|rows| rows.iter().map(|row| row.try_get(0)).collect());
        days.map_err(|error| refusal::of_statement(&self.access, error))
    }
}

/// Every migration as one script for `psql`, with what `quotelake migrate` would record of them, in one transaction.
pub fn printed() -> String {
    let mut sql = String::from(
        "BEGIN;\n\n\
         CREATE TABLE refinery_schema_history (\n    \
         version int4 PRIMARY KEY, name varchar(255), applied_on varchar(255), checksum varchar(255));\n\n",
    );
    for step in MIGRATIONS {
        let (version, name) = (step.version, step.name);
        let text = step.sql.trim_end();
        // Writing to a string can't fail, and the name is one.
        let _ = writeln!(sql, "-- V{version}__{name}.sql\n{text}\n");
        if let Ok(migration) = Migration::unapplied(&format!("V{version}__{name}"), step.sql) {
            let checksum = migration.checksum();
            let _ = writeln!(
                sql,
                "INSERT INTO refinery_schema_history VALUES ({version}, '{name}', \
                 to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), '{checksum}');\n"
            );
        }
    }
    sql.push_str("COMMIT;\n");
    sql
}
