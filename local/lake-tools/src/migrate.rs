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
    postgres::{Access, Days, MigrateError as TablesError},
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
        "others hold locks on the tables, in {attempts} attempts ({cause}): what is done stays; run it again, with long queries ended"
    )]
    Locked {
        /// How often it was tried.
        attempts: usize,
        /// The last refusal.
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
    let mut database = connect(access).await?;
    if !database.lock(MIGRATING).await? {
        let database = access.to_string();
        return Err(MigrateError::Busy { database });
    }
    let mut pauses = PAUSES.iter();
    let applied = loop {
        match database.migrate().await {
            Err(TablesError::Database(cause)) => pause(&mut pauses, cause).await?,
            done => break done?,
        }
    };
    let version = database.version().await?.unwrap_or_default();
    let before = database.days().await?;
    let mut pauses = PAUSES.iter();
    let (ahead, keep) = (options.days_ahead, options.keep_days);
    while let Err(cause) = database.make_days(ahead, keep, options.days_since).await {
        pause(&mut pauses, cause).await?;
    }
    let after = database.days().await?;
    Ok(Migrated {
        database: access.to_string(),
        version,
        applied,
        days_made: without(&after, &before),
        days_dropped: without(&before, &after),
        days: after.len(),
    })
}

/// Waits before another attempt, if the cause may pass.
async fn pause(
    pauses: &mut std::slice::Iter<'_, Duration>,
    cause: UpsertError,
) -> Result<(), MigrateError> {
    match (cause, pauses.next()) {
        (UpsertError::Unavailable { .. }, Some(pause)) => {
            sleep(*pause).await;
            Ok(())
        }
        (UpsertError::Unavailable { cause, .. }, None) => {
            let (attempts, cause) = (PAUSES.len() + 1, cause.to_string());
            Err(MigrateError::Locked { attempts, cause })
        }
        (cause, _) => Err(cause.into()),
    }
}

fn without(days: &Days, others: &Days) -> Vec<String> {
    let days = days.iter().filter(|day| !others.contains(*day));
    days.map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests;
