use std::{
    cmp::Reverse,
    env,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use super::{Account, PostgresError};

/// The programs that a server needs.
const NEEDED: [&str; 2] = ["initdb", "postgres"];

/// Folders with a folder for each version, in which the programs are in `bin`: Debian's, those of Homebrew (two kinds of
/// Mac), and of PostgreSQL's own packages for Red Hat's and SUSE's.
const BY_VERSION: [&str; 5] = [
    "/usr/lib/postgresql",
    "/opt/homebrew/opt",
    "/usr/local/opt",
    "/usr",
    "/Library/PostgreSQL",
];

/// Folders of programs.
const USUAL: [&str; 3] = [
    "/opt/homebrew/bin",
    "/usr/local/bin",
    "/usr/local/pgsql/bin",
];

/// PostgreSQL's programs of one version, in one folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Programs {
    folder: PathBuf,
    version: String,
}

impl Programs {
    /// Those of this machine: on `path` (as `PATH` has it), then where they usually are, the newest first, as far as `account`
    /// can run them. A database that is there already, in the folder that [`Home::of`](super::Home::of) finds, needs those of
    /// its version.
    ///
    /// # Errors
    /// [`PostgresError::NoPrograms`], [`PostgresError::OtherVersion`].
    pub fn find(
        account: Account,
        path: Option<&str>,
        database: Option<&Path>,
    ) -> Result<Self, PostgresError> {
        let on_path = path.map(env::split_paths).into_iter().flatten();
        let mut usual: Vec<_> = BY_VERSION
            .iter()
            .flat_map(|folder| versions(folder))
            .collect();
        usual.sort_by_key(|(version, _)| Reverse(*version));
        let usual = usual.into_iter().map(|(_, folder)| folder);
        let folders = on_path.chain(usual).chain(USUAL.map(PathBuf::from));
        Self::suited(
            folders.filter_map(|folder| Self::of(account, &folder)),
            database,
        )
        .and_then(|found| found.ok_or(PostgresError::NoPrograms))
    }

    /// Those in `folder` or its `bin`.
    ///
    /// # Errors
    /// [`PostgresError::NoProgramsIn`], [`PostgresError::OtherVersion`].
    pub fn find_in(
        account: Account,
        folder: &Path,
        database: Option<&Path>,
    ) -> Result<Self, PostgresError> {
        let folders = [folder.join("bin"), folder.to_owned()];
        Self::suited(
            folders
                .iter()
                .filter_map(|folder| Self::of(account, folder)),
            database,
        )
        .and_then(|found| found.ok_or_else(|| PostgresError::NoProgramsIn(folder.to_owned())))
    }

    /// The major version, such as `15`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The path of a program.
    pub fn path(&self, program: &str) -> PathBuf {
        self.folder.join(program)
    }

    /// The first of them that a database goes with.
    fn suited(
        mut programs: impl Iterator<Item = Self>,
        database: Option<&Path>,
    ) -> Result<Option<Self>, PostgresError> {
        let Some((folder, version)) =
            database.and_then(|folder| Some((folder, super::cluster::version(folder)?)))
        else {
            return Ok(programs.next());
        };
        let other = || PostgresError::OtherVersion {
            folder: folder.to_owned(),
            of: version.clone(),
        };
        let suited = programs.find(|programs| programs.version == version);
        suited.map(Some).ok_or_else(other)
    }

    fn of(account: Account, folder: &Path) -> Option<Self> {
        let folder = folder.canonicalize().ok()?;
        if !NEEDED.iter().all(|program| folder.join(program).is_file()) {
            return None;
        }
        let mut command = account.command(folder.join("postgres"));
        let output = command
            .arg("--version")
            .stdin(Stdio::null())
            .output()
            .ok()?;
        let version = major(&String::from_utf8_lossy(&output.stdout))?;
        Some(Self { folder, version })
    }
}

/// The folders of programs in a folder that has one for each version, with that.
fn versions(folder: &str) -> Vec<(u32, PathBuf)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let version = |name: &OsStr| {
        let name = name.to_str()?;
        let version = ["postgresql@", "pgsql-", ""]
            .iter()
            .find_map(|start| name.strip_prefix(start));
        version?.parse().ok()
    };
    let programs =
        entries.filter_map(|entry| Some((version(&entry.file_name())?, entry.path().join("bin"))));
    programs.collect()
}

/// `15` of `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`, `19` of `postgres (PostgreSQL) 19beta1`.
fn major(said: &str) -> Option<String> {
    let version = said.split_once("(PostgreSQL) ")?.1;
    let end = version.find(|letter: char| !letter.is_ascii_digit());
    let major = &version[..end.unwrap_or(version.len())];
    (!major.is_empty()).then(|| major.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_however_it_is_packed() {
        let read = |said: &str| major(&format!("postgres (PostgreSQL) {said}\n"));
        assert_eq!(
            read("15.18 (Debian 15.18-0+deb12u1)").as_deref(),
            Some("15")
        );
        assert_eq!(read("18.3").as_deref(), Some("18"));
        assert_eq!(read("19beta1").as_deref(), Some("19"));
        assert_eq!(read("devel"), None);
        assert_eq!(major("bash: no such file"), None);
    }

    #[test]
    fn a_folder_without_programs_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = Programs::find_in(Account::find().unwrap(), folder.path(), None).unwrap_err();
        let said = error.to_string();
        assert!(
            said.contains(&folder.path().display().to_string()),
            "{said}"
        );
        assert!(said.contains("initdb and postgres"), "{said}");
    }
}
