//! A disk that is really full: a file system in memory that only the server sees, and that ends with it.

use std::{
    fs::File,
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
};

/// The tables' folder in the database's.
const TABLES: &str = "data/base";

/// Mounts the disk over the tables' folder, with what is in it, in name spaces of its own, for which nobody has to be root;
/// then becomes `$@` as a user who is not root there, as PostgreSQL wants it.
const MOUNTED: &str = r#"
set -e
tables=$1 size=$2
shift 2
rm -rf "$tables.copy"
cp -a "$tables" "$tables.copy"
mount -t tmpfs -o "size=$size,mode=0700" tmpfs "$tables"
cp -a "$tables.copy/." "$tables"
: >"$tables/ballast"
rm -rf "$tables.copy"
exec unshare --user --map-user=1000 --map-group=1000 "$@"
"#;

/// A small disk.
pub(super) struct Disk {
    tables: PathBuf,
    size: u64,
}

impl Disk {
    /// One of so many bytes for the server of a folder.
    pub(super) fn new(folder: &Path, size: u64) -> Self {
        let tables = folder.join(TABLES);
        Self { tables, size }
    }

    /// The words before those of the server.
    pub(super) fn wrapper(&self) -> Vec<String> {
        let words = ["/usr/bin/unshare", "--user", "--map-root-user", "--mount"];
        let shell = ["/bin/sh", "-c", MOUNTED, "sh"];
        let words = words.into_iter().chain(shell).map(str::to_owned);
        let own = [self.tables.display().to_string(), self.size.to_string()];
        words.chain(own).collect()
    }

    pub(super) fn fill(&self, server: u32) {
        let mut file = self.ballast(server);
        let mut size = 1 << 20;
        while size > 0 {
            match file.write(&vec![0; size]) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => size /= 2,
                Err(error) => panic!("the disk can't be filled: {error}"),
            }
        }
    }

    pub(super) fn empty(&self, server: u32) {
        self.ballast(server).set_len(0).unwrap();
    }

    /// A file on the disk, by the way to it that is not the server's alone. It is there, since a user that is none of the
    /// server's name space could not make it.
    fn ballast(&self, server: u32) -> File {
        let tables = self.tables.strip_prefix("/").unwrap();
        let root = PathBuf::from(format!("/proc/{server}/root"));
        let path = root.join(tables).join("ballast");
        File::options().append(true).open(path).unwrap()
    }
}
