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
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
};

use tokio::{
    sync::{Mutex, MutexGuard},
    time::{Instant, timeout_at},
};
use tokio_postgres::{Client, Error};

pub use access::{Access, AccessError};
use connect::Connection;
#[cfg(feature = "migrate")]
pub use migrate::{Days, MigrateError, printed};
pub use read::{Database, ReadError};
pub use settings::{SETTINGS, keeps_history};
use statement::Batch;

use crate::{Row, Upsert, UpsertError, Upserted};

/// The tables of a database, which one connection serves: a function's environment has one call at a time.
///
/// The first call connects, and asks for the database's encoding and the tables' version. A connection that has died since is replaced and the statement sent again, once; so is a
/// statement that another transaction was in the way of.
pub struct PostgresTables {
    access: Access,
    keeps_history: bool,
    held: Mutex<Option<Connection>>,
    /// Whether the database was found to have what is needed.
    is_checked: AtomicBool,
    connections: AtomicU64,
}

/// What became of a batch on a connection that works.
type Written = Result<Upserted, UpsertError>;

impl PostgresTables {
    /// The tables of the database of `access`; without history only the latest quotes are kept. Nothing is connected.
    pub fn new(access: Access, keeps_history: bool) -> Self {
        Self {
            access,
            keeps_history,
            held: Mutex::default(),
            is_checked: AtomicBool::new(false),
            connections: AtomicU64::new(0),
        }
    }

    /// How many connections were opened so far.
    pub fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }

    /// Whether the database has an encoding and the tables have a version that this program can use. Connects, if nothing is
    /// connected.
    ///
    /// # Errors
    /// [`UpsertError`], never [`UpsertError::Refused`]: also if the tables are missing or too old.
    pub async fn check(&self, until: Instant) -> Result<(), UpsertError> {
        let mut held = self.turn(until).await?;
        let (connection, _) = self.connection(&mut held, until).await?;
        let asked = read::make(&connection.client);
        let Some(make) = connection.within(until, asked).await else {
            return Err(self.out_of_time(connection));
        };
        let make = make.map_err(|error| refusal::of_statement(&self.access, error))?;
        *held = Some(connection);
        make.check(&self.access)?;
        self.is_checked.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Writes `batch`; the first time only to a database that has what is needed.
    async fn write(&self, batch: &Batch<'_>, client: &Client) -> Result<Written, Error> {
        if !self.is_checked.load(Ordering::Relaxed) {
            if let Err(error) = read::make(client).await?.check(&self.access) {
                return Ok(Err(error));
            }
            self.is_checked.store(true, Ordering::Relaxed);
        }
        batch.write(client).await.map(Ok)
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
            let asked = self.write(&batch, &connection.client);
            let Some(outcome) = connection.within(until, asked).await else {
                return Err(self.out_of_time(connection));
            };
            let error = match outcome {
                Ok(written) => {
                    *held = Some(connection);
                    return written;
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
