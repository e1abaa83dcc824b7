use std::{
    fs::{self, DirBuilder},
    io,
    os::unix::{
        fs::{DirBuilderExt, MetadataExt, chown},
        process::CommandExt,
    },
    path::Path,
    process::{Command, Stdio},
};

use rustix::process::geteuid;

use super::PostgresError;

/// Who may run a server where this process is root's, in this order.
const OTHERS: [&str; 2] = ["postgres", "nobody"];

/// Whose a server's process is: PostgreSQL refuses to be root's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// The user and the group, where they are not this process's own.
    other: Option<(u32, u32)>,
}

impl Account {
    /// That of this process, or where that is root the user `postgres`, else `nobody`.
    ///
    /// # Errors
    /// [`PostgresError::NoAccount`].
    pub fn find() -> Result<Self, PostgresError> {
        if !geteuid().is_root() {
            return Ok(Self { other: None });
        }
        let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
        let other = OTHERS.iter().find_map(|name| ids(&users, name));
        other
            .map(|other| Self { other: Some(other) })
            .ok_or(PostgresError::NoAccount)
    }

    /// A program of this account, in the folder `/` and with an environment that says only where programs are.
    pub(super) fn command(self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command.env_clear().current_dir("/").env("LC_ALL", "C");
        command.env(
            "PATH",
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        );
        if let Some((user, group)) = self.other {
            command.uid(user).gid(group);
        }
        command
    }

    /// Makes a folder that only this account can read, unless it is there and is its own.
    ///
    /// # Errors
    /// [`PostgresError::NotOurs`], [`PostgresError::Io`].
    pub fn make_folder(self, folder: &Path) -> Result<(), PostgresError> {
        let failed = PostgresError::at(folder);
        match DirBuilder::new().mode(0o700).create(folder) {
            Ok(()) => self.give(folder),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let found = fs::symlink_metadata(folder).map_err(failed)?;
                // One of root's is what a start has left that was cut off between the two steps.
                match found.is_dir() && self.owns(found.uid()) {
                    true => self.give(folder),
                    false => Err(PostgresError::NotOurs(folder.to_owned())),
                }
            }
            Err(error) => Err(failed(error)),
        }
    }

    /// Makes a file or folder this account's.
    ///
    /// # Errors
    /// [`PostgresError::Io`].
    pub fn give(self, path: &Path) -> Result<(), PostgresError> {
        match self.other {
            Some((user, group)) => {
                chown(path, Some(user), Some(group)).map_err(PostgresError::at(path))
            }
            None => Ok(()),
        }
    }

    /// Whether a file or folder of this user is its own, or root's for it.
    pub(super) fn owns(self, user: u32) -> bool {
        let own = geteuid().as_raw();
        user == own || self.other.is_some_and(|(other, _)| user == other)
    }

    /// Whether it can get to what is in `folder`.
    pub(super) fn reaches(self, folder: &Path) -> bool {
        let mut command = self.command("/bin/sh");
        command.args(["-c", "cd \"$1\"", "sh"]).arg(folder);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    }
}

/// User and group of a name, in the format of `/etc/passwd`.
fn ids(users: &str, name: &str) -> Option<(u32, u32)> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next()? != name {
            return None;
        }
        let user = fields.nth(1)?.parse().ok()?;
        Some((user, fields.next()?.parse().ok()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_its_name() {
        let users = "root:x:0:0:root:/root:/bin/bash\npostgres:x:101:104:admin,,,:/var/lib/postgresql:/bin/bash\n";
        assert_eq!(ids(users, "postgres"), Some((101, 104)));
        assert_eq!(ids(users, "nobody"), None);
        assert_eq!(ids("postgres:x", "postgres"), None);
    }
}
