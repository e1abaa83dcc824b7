use std::{
    io,
    path::{Path, PathBuf},
};

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum PostgresError {
    /// No programs anywhere.
    #[error(
        "there is no PostgreSQL on this machine: install it (`apt-get install postgresql`, `dnf install postgresql-server`, \
         `brew install postgresql`), or name a server by its postgres:// URL"
    )]
    NoPrograms,
    /// A folder that should have the programs.
    #[error(
        "there is no PostgreSQL in {}, or none that its user can run: name the folder that has its programs initdb and \
         postgres",
        .0.display()
    )]
    NoProgramsIn(PathBuf),
    /// The database was made by another major version.
    #[error(
        "the database in {} is PostgreSQL {of}'s, and none of the programs found is: install PostgreSQL {of}, or remove \
         the folder to begin a new database",
        folder.display()
    )]
    OtherVersion {
        /// The folder.
        folder: PathBuf,
        /// The major version.
        of: String,
    },
    /// PostgreSQL refuses to run as root, and there is nobody else.
    #[error(
        "PostgreSQL does not run as root, and this machine has no user `postgres` or `nobody`: run this as another user"
    )]
    NoAccount,
    /// A folder that somebody else has made in the place of ours.
    #[error("the folder {} belongs to another user: remove it", .0.display())]
    NotOurs(PathBuf),
    /// The system refuses.
    #[error("{what} ({cause}): make room or leave, and start again")]
    Io {
        /// What can't be done.
        what: String,
        /// The system's words.
        cause: io::Error,
    },
    /// A program did not do what it should.
    #[error("PostgreSQL's {program} has ended: {said}")]
    Ended {
        /// The program.
        program: &'static str,
        /// Its last words.
        said: String,
    },
    /// The server takes no connections.
    #[error("PostgreSQL takes no connections after {seconds} s: see {}", log.display())]
    Silent {
        /// How long it was waited for.
        seconds: u64,
        /// The server's log.
        log: PathBuf,
    },
}

impl PostgresError {
    pub(super) fn io(what: impl Into<String>, cause: io::Error) -> Self {
        let what = what.into();
        Self::Io { what, cause }
    }

    /// For what is done to a path.
    pub(super) fn at(path: &Path) -> impl Fn(io::Error) -> Self {
        move |cause| Self::io(format!("{} can't be used", path.display()), cause)
    }
}
