use std::{
    env, fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use super::{Account, PostgresError, cluster};

/// The file in a data folder with the random name of its home elsewhere.
const NAME: &str = "postgres-home";

/// The file in a home elsewhere with the path of its data folder.
const DATA_FOLDER: &str = "data-folder";

/// The folder of a server's database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    /// The folder.
    pub folder: PathBuf,
    /// Whether it had to be elsewhere than in the folder that was asked for, because the account can't get there.
    pub is_elsewhere: bool,
}

impl Home {
    /// `postgres` in `data`; where `account` can't get there, a folder of the system's for temporary files, the same at each
    /// start.
    ///
    /// That one is named by the data folder's inode and by a random name in the data folder, so neither a new data folder nor
    /// a copy finds it. The home of a data folder that is gone is removed when a data folder with its inode takes its place
    /// at its path, which proves that it is gone; any other is left to the system, or to whoever knows better.
    ///
    /// # Errors
    /// [`PostgresError`].
    pub fn of(data: &Path, account: Account) -> Result<Self, PostgresError> {
        if account.reaches(data) {
            return Ok(Self {
                folder: data.join("postgres"),
                is_elsewhere: false,
            });
        }
        let found = fs::metadata(data).map_err(PostgresError::at(data))?;
        let name = name_in(data)?;
        let inode = format!("quotelake-postgres-{}-{}-", found.dev(), found.ino());
        let folder = env::temp_dir().join(format!("{inode}{name}"));
        remove_forerunners(data, &inode, &folder, account);
        account.make_folder(&folder)?;
        let file = folder.join(DATA_FOLDER);
        fs::write(&file, data.as_os_str().as_encoded_bytes()).map_err(PostgresError::at(&file))?;
        Ok(Self {
            folder,
            is_elsewhere: true,
        })
    }
}

/// The random name in a data folder; it is made if there is none.
fn name_in(data: &Path) -> Result<String, PostgresError> {
    let file = data.join(NAME);
    let failed = PostgresError::at(&file);
    let name = match fs::read_to_string(&file) {
        Ok(name) => name,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(failed(error)),
    };
    if !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(name);
    }
    let name = cluster::random().map_err(&failed)?;
    let new = data.join(format!("{NAME}.new"));
    let written = fs::write(&new, &name).and_then(|()| fs::rename(&new, &file));
    written.map_err(&failed)?;
    Ok(name)
}

/// Removes the homes of data folders that were at `data` before this one, with its inode.
fn remove_forerunners(data: &Path, inode: &str, own: &Path, account: Account) {
    for entry in fs::read_dir(env::temp_dir())
        .into_iter()
        .flatten()
        .flatten()
    {
        let home = entry.path();
        if home == own
            || !entry
                .file_name()
                .as_encoded_bytes()
                .starts_with(inode.as_bytes())
        {
            continue;
        }
        let is_ours = fs::symlink_metadata(&home)
            .is_ok_and(|found| found.is_dir() && account.owns(found.uid()));
        let is_of_this_path = || {
            fs::read(home.join(DATA_FOLDER))
                .is_ok_and(|path| path == data.as_os_str().as_encoded_bytes())
        };
        if is_ours && is_of_this_path() && !cluster::has_server(&home) {
            // What can't be removed harms nobody.
            let _ = fs::remove_dir_all(&home);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs::Permissions, os::unix::fs::PermissionsExt};

    use super::*;

    /// A folder that is its maker's alone, which for root's server is another.
    fn data() -> tempfile::TempDir {
        let data = tempfile::tempdir().unwrap();
        fs::set_permissions(data.path(), Permissions::from_mode(0o700)).unwrap();
        data
    }

    #[test]
    fn a_folder_that_the_account_cannot_reach_is_replaced_by_the_same_one_each_time() {
        let account = Account::find().unwrap();
        let data = data();
        let home = Home::of(data.path(), account).unwrap();
        assert_eq!(Home::of(data.path(), account).unwrap(), home);
        match home.is_elsewhere {
            true => fs::remove_dir_all(home.folder).unwrap(),
            false => assert_eq!(home.folder, data.path().join("postgres")),
        }
    }

    #[test]
    fn a_new_data_folder_with_the_inode_of_one_that_is_gone_begins_anew() {
        let account = Account::find().unwrap();
        let data = data();
        let old = Home::of(data.path(), account).unwrap();
        if !old.is_elsewhere {
            return;
        }
        fs::write(old.folder.join("kept"), "").unwrap();
        // What `rm -rf` leaves: the same inode, without what was in the folder.
        fs::remove_file(data.path().join(NAME)).unwrap();
        let new = Home::of(data.path(), account).unwrap();
        assert_ne!(new.folder, old.folder);
        assert!(!old.folder.exists(), "the old home is left");
        assert!(!new.folder.join("kept").exists());
        fs::remove_dir_all(new.folder).unwrap();
    }

    #[test]
    fn the_home_of_a_data_folder_at_another_path_is_left() {
        let account = Account::find().unwrap();
        let data = data();
        let old = Home::of(data.path(), account).unwrap();
        if !old.is_elsewhere {
            return;
        }
        fs::write(old.folder.join(DATA_FOLDER), "/elsewhere").unwrap();
        fs::remove_file(data.path().join(NAME)).unwrap();
        let new = Home::of(data.path(), account).unwrap();
        assert!(old.folder.exists());
        for home in [old, new] {
            fs::remove_dir_all(home.folder).unwrap();
        }
    }
}
