//! The tables in PostgreSQL 13 or later, behind any pooler.

mod access;
mod cancel;
mod connect;
mod iam;
mod login;
#[cfg(feature = "migrate")]
mod migrate;
mod read;
mod refusal;
mod settings;
mod statement;
mod tls;
mod url;

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

use tokio::{
    sync::{Mutex, MutexGuard},
    time::{Instant, timeout_at},
};

pub use access::{Access, AccessError};
use connect::Connection;
#[cfg(feature = "migrate")]
pub use migrate::{Days, MigrateError, printed};
pub use read::{Database, ReadError};
pub use settings::{SETTINGS, keeps_history};
use statement::Batch;

use crate::{Row, Upsert, UpsertError, Upserted, schema};

/// The tables of a database, which one connection serves: a function's environment has one call at a time.
///
/// The first call connects. A connection that has died since is replaced and the statement sent again, once; so is a
/// statement that another transaction was in the way of.
pub struct PostgresTables {
    access: Access,
    keeps_history: bool,
    held: Mutex<Option<Connection>>,
    connections: AtomicU64,
}

impl PostgresTables {
    /// The tables of the database of `access`; without history only the latest quotes are kept. Nothing is connected.
    pub fn new(access: Access, keeps_history: bool) -> Self {
        Self {
            access,
            keeps_history,
            held: Mutex::default(),
            connections: AtomicU64::new(0),
        }
    }

    /// How many connections were opened so far.
    pub fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }

    /// Whether the tables have a version that this program can use. Connects, if nothing is connected.
    ///
    /// # Errors
    /// [`UpsertError`], never [`UpsertError::Refused`]: also if the tables are missing or too old.
    pub async fn check(&self, until: Instant) -> Result<(), UpsertError> {
        let mut held = self.turn(until).await?;
        let (connection, _) = self.connection(&mut held, until).await?;
        let asked = read::version(&connection.client);
        let Some(version) = connection.within(until, asked).await else {
            return Err(self.out_of_time(connection));
        };
        let version = version.map_err(|error| refusal::of_statement(&self.access, error))?;
        *held = Some(connection);
        schema::check(version).map_err(|error| refusal::of_schema(&self.access, error))
    }

    /// The connection that is held, for this call alone.
    async fn turn(
        &self,
        until: Instant,
    ) -> Result<MutexGuard<'_, Option<Connection>>, UpsertError> {
        let turn = timeout_at(until, self.held.lock()).await.ok();
        // Nothing is begun that can't be waited for.
        let turn = turn.filter(|_| Instant::now() < until);
        turn.ok_or_else(|| connect::out_of_time(&self.access))
    }

    /// A connection, taken from `held` so that a call that is dropped halfway leaves none behind; and whether it is new.
    async fn connection(
        &self,
        held: &mut Option<Connection>,
        until: Instant,
    ) -> Result<(Connection, bool), UpsertError> {
        if let Some(connection) = held.take().filter(|held| !held.is_closed()) {
            return Ok((connection, false));
        }
        let connection = Connection::open(&self.access, until).await?;
        self.connections.fetch_add(1, Ordering::Relaxed);
        Ok((connection, true))
    }

    fn out_of_time(&self, connection: Connection) -> UpsertError {
        connection.abandon();
        connect::out_of_time(&self.access)
    }
}

impl Upsert for PostgresTables {
    async fn upsert(&self, rows: &[Row], until: Instant) -> Result<Upserted, UpsertError> {
        if rows.is_empty() {
            return Ok(Upserted::default());
        }
        let batch = Batch::of(rows, self.keeps_history);
        let mut held = self.turn(until).await?;
        let mut is_repeated = false;
        loop {
            let (connection, is_new) = self.connection(&mut held, until).await?;
            let asked = batch.write(&connection.client);
            let Some(outcome) = connection.within(until, asked).await else {
                return Err(self.out_of_time(connection));
            };
            let error = match outcome {
                Ok(upserted) => {
                    *held = Some(connection);
                    return Ok(upserted);
                }
                Err(error) => error,
            };
            let is_lost = refusal::is_of_connection(&error);
            let again = refusal::is_of_another(&error) || (is_lost && !is_new);
            if !is_lost {
                *held = Some(connection);
            }
            if is_repeated || !again {
                return Err(refusal::of_statement(&self.access, error));
            }
            is_repeated = true;
        }
    }
}

impl fmt::Debug for PostgresTables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresTables")
            .field("database", &format_args!("{}", self.access))
            .field("keeps_history", &self.keeps_history)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
