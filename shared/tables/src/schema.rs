//! The tables as SQL, and which version of them a program needs.
//!
//! A database's version is in `refinery_schema_history`, which `quotelake migrate` writes.

/// One step that brings the tables to its version, in plain SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Migration {
    /// The version that the tables have after it.
    pub version: i32,
    /// What it makes, as in its file's name.
    pub name: &'static str,
    /// The statements; it runs in a transaction.
    pub sql: &'static str,
}

/// Every step, in order.
pub const MIGRATIONS: [Migration; 3] = [
    Migration {
        version: 1,
        name: "quotes",
        sql: include_str!("../migrations/V1__quotes.sql"),
    },
    Migration {
        version: 2,
        name: "days",
        sql: include_str!("../migrations/V2__days.sql"),
    },
    Migration {
        version: 3,
        name: "roles",
        sql: include_str!("../migrations/V3__roles.sql"),
    },
];

/// The version that this program needs. Later ones keep what it uses.
pub const NEEDED: i32 = MIGRATIONS[MIGRATIONS.len() - 1].version;

/// Why the tables can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// No migration has run.
    #[error("the database has no quotes' tables")]
    Missing,
    /// Migrations are missing.
    #[error("the database's tables have version {0}, and this program needs {NEEDED}")]
    TooOld(i32),
}

/// Whether tables of `version` will do, `None` being none at all. A newer version than [`NEEDED`] does.
///
/// # Errors
/// [`SchemaError`].
pub fn check(version: Option<i32>) -> Result<(), SchemaError> {
    match version {
        None => Err(SchemaError::Missing),
        Some(version) if version < NEEDED => Err(SchemaError::TooOld(version)),
        Some(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn every_file_of_the_folder_is_a_migration_and_versions_have_no_gap() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
        let mut files: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect();
        files.sort_unstable();
        let named: Vec<_> = MIGRATIONS
            .iter()
            .map(|migration| format!("V{}__{}.sql", migration.version, migration.name))
            .collect();
        assert_eq!(named, files);
        let versions: Vec<_> = MIGRATIONS
            .iter()
            .map(|migration| migration.version)
            .collect();
        assert_eq!(versions, Vec::from_iter(1..=NEEDED));
    }

    #[test]
    fn older_tables_are_refused_by_their_version_and_newer_ones_do() {
        assert_eq!(
            check(None).unwrap_err().to_string(),
            "the database has no quotes' tables"
        );
        assert_eq!(
            check(Some(NEEDED - 1)).unwrap_err().to_string(),
            format!(
                "the database's tables have version {}, and this program needs {NEEDED}",
                NEEDED - 1
            )
        );
        assert_eq!(check(Some(NEEDED)), Ok(()));
        assert_eq!(check(Some(NEEDED + 7)), Ok(()));
    }
}
