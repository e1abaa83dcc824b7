//! Making the tables of quotes in a database, and bringing them to this program's version.
//!
//! The migrations are plain SQL (`shared/tables/migrations`), which `--print` gives without connecting to anything.

mod options;
mod outcome;
mod print;

use std::time::Duration;

use runtime::Environment;
use tables::{
    UpsertError,
    postgres::{Access, Database, Days, MigrateError as TablesError},
};
use tokio::time::sleep;

use crate::database_location::{DatabaseLocationError, connect};
pub use options::Options;
pub use outcome::Migrated;

/// Why the tables are not as this program needs them.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The address of the database.
    #[error(transparent)]
    Location(#[from] DatabaseLocationError),
    /// The database.
    #[error(transparent)]
    Database(#[from] UpsertError),
    /// The migrations.
    #[error(transparent)]
    Migrations(#[from] TablesError),
    /// Somebody else is at it.
    #[error("another `quotelake migrate` is at work on {database} for more than {} s: run it again once that has ended", MIGRATING.as_secs())]
    Busy {
        /// The database.
        database: String,
    },
    /// Writers or readers hold a lock.
    #[error(
        "others hold locks on the tables of {database}, in {attempts} attempts ({cause}): what is done stays; end long queries \
         (pg_stat_activity names them), and run it again"
    )]
    Locked {
        /// The database.
        database: String,
        /// How often it was tried.
        attempts: usize,
        /// The last refusal.
        cause: String,
    },
    /// The connection was cut each time.
    #[error(
        "the connection to the database at {database} was cut, in {attempts} attempts ({cause}): what is done stays; check that \
         it runs, and run it again"
    )]
    Cut {
        /// The database.
        database: String,
        /// How often it was tried.
        attempts: usize,
        /// What was seen the last time.
        cause: String,
    },
    /// Somebody's own table has one of the names.
    #[error(
        "the database at {database} has something of its own by a name of the tables ({cause}): rename that first, such as by \
         ALTER TABLE realtime_quotes RENAME TO realtime_quotes_before, or name another database"
    )]
    Taken {
        /// The database.
        database: String,
        /// What is there, in the database's words.
        cause: String,
    },
    /// The database refuses a statement.
    #[error(
        "the database at {database} refuses a statement ({cause}): mend that, and run it again; what is done stays"
    )]
    Refused {
        /// The database.
        database: String,
        /// Its words.
        cause: String,
    },
}

/// How long another one may take to migrate.
const MIGRATING: Duration = Duration::from_secs(120);

/// The pauses between attempts at what others hold locks on.
const PAUSES: [Duration; 6] = [
    Duration::from_millis(100),
    Duration::from_millis(300),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(10),
];

/// Runs `quotelake migrate`, and gives what it prints.
///
/// # Errors
/// [`MigrateError`]; what was done before it stays done, and the next run goes on.
pub async fn run(options: &Options, environment: &Environment) -> Result<String, MigrateError> {
    if options.print {
        return Ok(print::sql(options));
    }
    let access = options.database.access(environment)?;
    let migrated = migrate(&access, options).await?;
    Ok(migrated.text(options.json))
}

/// Brings the tables of a database to this program's version, and makes and drops days.
///
/// # Errors
/// [`MigrateError`].
pub async fn migrate(access: &Access, options: &Options) -> Result<Migrated, MigrateError> {
    let mut work = Work {
        access,
        applied: Vec::new(),
        before: None,
    };
    let mut database = work.connect().await?;
    let mut pauses = PAUSES.iter();
    loop {
        let cause = match work.attempt(&mut database, options).await {
            Err(MigrateError::Database(UpsertError::Unavailable { cause, .. })) => {
                cause.to_string()
            }
            done => return done.map_err(|error| meant(access, error)),
        };
        let passes = Passes::of(&cause);
        let pause = match (&passes, pauses.next()) {
            (Passes::Never, _) | (_, None) => return Err(passes.error(access, cause)),
            (_, Some(pause)) => pause,
        };
        sleep(*pause).await;
        if passes == Passes::Cut {
            match work.connect().await {
                Ok(connected) => database = connected,
                // The next attempt fails at once, and another pause follows.
                Err(MigrateError::Location(DatabaseLocationError::Silent { .. })) => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// What is done in several attempts.
struct Work<'a> {
    access: &'a Access,
    applied: Vec<i32>,
    /// The days of before.
    before: Option<Days>,
}

impl Work<'_> {
    /// A connection that has the lock of who migrates.
    async fn connect(&self) -> Result<Database, MigrateError> {
        let database = connect(self.access).await?;
        match database.lock(MIGRATING).await? {
            true => Ok(database),
            false => Err(MigrateError::Busy {
                database: self.access.to_string(),
            }),
        }
    }

    async fn attempt(
        &mut self,
        database: &mut Database,
        options: &Options,
    ) -> Result<Migrated, MigrateError> {
        let applied = database.migrate().await.map_err(|error| match error {
            TablesError::Database(error) => MigrateError::Database(error),
            error => error.into(),
        })?;
        self.applied.extend(applied);
        let version = database.version().await?.unwrap_or_default();
        let before = match &self.before {
            Some(before) => before,
            None => self.before.insert(database.days().await?),
        };
        let (ahead, keep) = (options.days_ahead, options.keep_days);
        database.make_days(ahead, keep, options.days_since).await?;
        let after = database.days().await?;
        Ok(Migrated {
            database: self.access.to_string(),
            version,
            applied: self.applied.clone(),
            days_made: without(&after, before),
            days_dropped: without(before, &after),
            days: after.len(),
        })
    }
}

/// Whether another attempt may do better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Passes {
    /// Once others are done.
    Locked,
    /// On another connection.
    Cut,
    /// It will not.
    Never,
}

impl Passes {
    /// By the code that the words end with; without one nothing was answered.
    ///
    /// Codes: PostgreSQL's appendix "PostgreSQL Error Codes".
    fn of(cause: &str) -> Self {
        match sqlstate(cause) {
            // A lock that is not given in time, a deadlock, a statement that was cancelled.
            Some("55P03" | "40P01" | "57014") => Self::Locked,
            // A server that stops, has crashed or is starting; 08 is of connections.
            None | Some("57P01" | "57P02" | "57P03") => Self::Cut,
            Some(code) if code.starts_with("08") => Self::Cut,
            Some(_) => Self::Never,
        }
    }

    fn error(self, access: &Access, cause: String) -> MigrateError {
        let (database, attempts) = (access.to_string(), PAUSES.len() + 1);
        match self {
            Self::Locked => MigrateError::Locked {
                database,
                attempts,
                cause,
            },
            Self::Cut => MigrateError::Cut {
                database,
                attempts,
                cause,
            },
            Self::Never if is_taken(&cause) => MigrateError::Taken { database, cause },
            Self::Never => MigrateError::Refused { database, cause },
        }
    }
}

/// A table, or a type or constraint, that is there already.
fn is_taken(cause: &str) -> bool {
    matches!(sqlstate(cause), Some("42P07" | "42710"))
}

fn sqlstate(cause: &str) -> Option<&str> {
    let (_, code) = cause.rsplit_once("SQLSTATE ")?;
    code.get(..5)
}

fn meant(access: &Access, error: MigrateError) -> MigrateError {
    match error {
        MigrateError::Database(UpsertError::Misconfigured { cause, .. })
            if is_taken(&cause.to_string()) =>
        {
            Passes::Never.error(access, cause.to_string())
        }
        MigrateError::Database(UpsertError::Misconfigured { cause, .. })
            if Passes::of(&cause.to_string()) == Passes::Locked =>
        {
            Passes::Locked.error(access, cause.to_string())
        }
        error => error,
    }
}

fn without(days: &Days, others: &Days) -> Vec<String> {
    let days = days.iter().filter(|day| !others.contains(*day));
    days.map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests;
