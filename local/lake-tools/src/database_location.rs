//! Where the tables of quotes are: a database by its URL.

use std::{fs, io, path::PathBuf, time::Duration};

use clap::Args;
use runtime::Environment;
use secrets::Secret;
use tables::{
    UpsertError,
    postgres::{Access, AccessError, Database, PostgresTables},
};
use tokio::time::Instant;

/// The options that name a database.
#[derive(Clone, Debug, Default, Args)]
pub struct DatabaseLocation {
    /// The database with the tables, such as `postgres://USER@HOST:5432/NAME`, or `postgres://USER@/NAME?host=/FOLDER` for a
    /// socket. A password that is not in it is taken from `DATABASE_PASSWORD`.
    #[arg(long, value_name = "URL")]
    pub database: Option<String>,
    /// The authorities of its certificate, a file in PEM [default: the system's roots].
    #[arg(long, value_name = "FILE", requires = "database")]
    pub database_ca: Option<PathBuf>,
}

/// Why no database can be named.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseLocationError {
    /// None is.
    #[error(
        "no database is named: give --database, such as postgres://quotelake@localhost:5432/quotelake"
    )]
    None,
    /// The URL.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The database.
    #[error(transparent)]
    Refused(UpsertError),
    /// It does not answer.
    #[error(
        "the database at {database} does not answer ({cause}): check --database, and that it runs"
    )]
    Silent {
        /// Its address and name.
        database: String,
        /// What was seen.
        cause: String,
    },
    /// The file of authorities.
    #[error("the file {} can't be read ({cause}): check --database-ca", file.display())]
    Authority {
        /// The file.
        file: PathBuf,
        /// The system's word.
        cause: io::Error,
    },
}

impl DatabaseLocation {
    /// Whether one is named.
    pub fn is_given(&self) -> bool {
        self.database.is_some()
    }

    /// How to get at it; nothing is connected.
    ///
    /// # Errors
    /// [`DatabaseLocationError`].
    pub fn access(&self, environment: &Environment) -> Result<Access, DatabaseLocationError> {
        let url = self.database.as_ref().ok_or(DatabaseLocationError::None)?;
        let authority = match &self.database_ca {
            None => None,
            Some(file) => Some(fs::read_to_string(file).map_err(|cause| {
                DatabaseLocationError::Authority {
                    file: file.clone(),
                    cause,
                }
            })?),
        };
        let password = environment.secret("DATABASE_PASSWORD").map(Secret::from);
        Ok(Access::of_url(url, password, authority)?.named("quotelake"))
    }
}

/// How long it may take to connect.
const PATIENCE: Duration = Duration::from_secs(15);

/// A connection to the database of `access`.
///
/// # Errors
/// [`DatabaseLocationError`].
pub async fn connect(access: &Access) -> Result<Database, DatabaseLocationError> {
    let connected = Database::connect(access, Instant::now() + PATIENCE).await;
    connected.map_err(DatabaseLocationError::of)
}

/// The tables of the database of `access`, as a function fills them, if their version will do.
///
/// # Errors
/// [`DatabaseLocationError`].
pub async fn tables(
    access: Access,
    keeps_history: bool,
) -> Result<PostgresTables, DatabaseLocationError> {
    let tables = PostgresTables::new(access, keeps_history);
    let checked = tables.check(Instant::now() + PATIENCE).await;
    checked.map_err(DatabaseLocationError::of)?;
    Ok(tables)
}

impl DatabaseLocationError {
    fn of(error: UpsertError) -> Self {
        match error {
            UpsertError::Unavailable { database, cause } => Self::Silent {
                database,
                cause: cause.to_string(),
            },
            UpsertError::OutOfTime { database } => Self::Silent {
                database,
                cause: format!("in {} s", PATIENCE.as_secs()),
            },
            error => Self::Refused(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_named_or_a_sentence_says_how() {
        let environment = Environment::default();
        let access = |location: DatabaseLocation| location.access(&environment);
        let said = access(DatabaseLocation::default()).unwrap_err().to_string();
        assert!(said.contains("give --database"), "{said}");
        let location = DatabaseLocation {
            database: Some("postgres://a@localhost/b".to_owned()),
            database_ca: Some("/nowhere/ca.pem".into()),
        };
        let said = access(location.clone()).unwrap_err().to_string();
        assert!(
            said.contains("/nowhere/ca.pem") && said.contains("--database-ca"),
            "{said}"
        );
        let location = DatabaseLocation {
            database_ca: None,
            ..location
        };
        assert_eq!(access(location).unwrap().to_string(), "localhost:5432/b");
    }
}
