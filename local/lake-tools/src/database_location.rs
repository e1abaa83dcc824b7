//! Where the tables of quotes are: a database by its URL.

use std::{fs, io, path::PathBuf};

use clap::Args;
use runtime::Environment;
use secrets::Secret;
use tables::postgres::{Access, AccessError};

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
