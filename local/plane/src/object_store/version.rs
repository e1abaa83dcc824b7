//! The version of an object: the MD5 of its bytes, whoever wrote them.

use std::{
    collections::HashMap,
    fs::{File, Metadata},
    io::{self, Read},
    os::unix::fs::MetadataExt,
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use runtime::clock::now;
use s3s::{
    crypto::{Checksum, Md5},
    dto::ETag,
};

/// The version of these bytes.
pub(super) fn etag(bytes: &[u8]) -> ETag {
    strong(&Md5::checksum(bytes))
}

fn strong(digest: &[u8]) -> ETag {
    ETag::Strong(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The versions of files as they were last read, by inode: a listing reads a file only once it has changed.
#[derive(Debug, Default)]
pub(super) struct Versions(Mutex<HashMap<u64, (Stamp, [u8; 16])>>);

/// What stays the same only if a file's bytes do: the system sets the time of its last change, and nobody else can.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    device: u64,
    size: u64,
    changed: Duration,
}

/// A file as it was when it was looked at.
#[derive(Debug)]
pub(super) struct Looked {
    pub(super) etag: ETag,
    pub(super) size: u64,
    pub(super) modified: SystemTime,
}

/// How old a change must be to be told from a later one: a system's clock of files may tick only every second.
const TICK: Duration = Duration::from_secs(2);

impl Versions {
    /// Looks at a file, and reads it unless it is as it was.
    ///
    /// # Errors
    /// What the file system says.
    pub(super) fn look(&self, path: &Path) -> io::Result<Looked> {
        self.look_at(path, now().into())
    }

    fn look_at(&self, path: &Path, now: SystemTime) -> io::Result<Looked> {
        let mut file = File::open(path)?;
        let metadata = file.metadata()?;
        let modified = metadata.modified()?;
        let (inode, stamp) = (metadata.ino(), stamp(&metadata));
        let known = self.known().get(&inode).copied();
        if let Some((known, digest)) = known
            && Some(known) == stamp
        {
            return Ok(Looked {
                etag: strong(&digest),
                size: known.size,
                modified,
            });
        }
        let (digest, size) = read(&mut file)?;
        let is_old = |stamp: &Stamp| UNIX_EPOCH + stamp.changed + TICK < now;
        if let Some(stamp) = stamp.filter(is_old) {
            self.known().insert(inode, (stamp, digest));
        }
        Ok(Looked {
            etag: strong(&digest),
            size,
            modified,
        })
    }

    fn known(&self) -> MutexGuard<'_, HashMap<u64, (Stamp, [u8; 16])>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `None` for a file that was changed before 1970.
fn stamp(metadata: &Metadata) -> Option<Stamp> {
    let seconds = u64::try_from(metadata.ctime()).ok()?;
    let nanoseconds = u32::try_from(metadata.ctime_nsec()).ok()?;
    Some(Stamp {
        device: metadata.dev(),
        size: metadata.len(),
        changed: Duration::new(seconds, nanoseconds),
    })
}

/// The digest and the number of a file's bytes.
fn read(file: &mut File) -> io::Result<([u8; 16], u64)> {
    let mut digest = Md5::new();
    let mut size = 0;
    let mut some = vec![0; 64 * 1_024];
    loop {
        let length = match file.read(&mut some) {
            Ok(0) => return Ok((digest.finalize(), size)),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        digest.update(&some[..length]);
        size += length as u64;
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, FileTimes};

    use super::*;

    #[test]
    fn a_file_is_read_again_once_it_has_changed_even_in_the_same_moment() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let versions = Versions::default();
        for round in 0..100 {
            let bytes = format!("{round:03}");
            fs::write(&path, &bytes).unwrap();
            let looked = versions.look(&path).unwrap();
            assert_eq!((looked.etag, looked.size), (etag(bytes.as_bytes()), 3));
        }
        assert!(versions.known().is_empty(), "all of it is too young");
    }

    #[test]
    fn an_old_file_is_read_once_until_it_is_edited_under_its_old_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "one").unwrap();
        let modified = fs::metadata(&path).unwrap().modified().unwrap();
        let versions = Versions::default();
        let look = || {
            let later = SystemTime::from(now()) + 2 * TICK;
            versions.look_at(&path, later).unwrap()
        };
        assert_eq!(look().etag, etag(b"one"));
        for (_, digest) in versions.known().values_mut() {
            *digest = [0; 16];
        }
        assert_eq!(look().etag, strong(&[0; 16]), "it is not read");
        let before = fs::metadata(&path).unwrap();
        // The clock of files ticks every few milliseconds.
        while stamp(&fs::metadata(&path).unwrap()) == stamp(&before) {
            fs::write(&path, "two").unwrap();
        }
        let file = File::options().write(true).open(&path).unwrap();
        file.set_times(FileTimes::new().set_modified(modified))
            .unwrap();
        let looked = look();
        assert_eq!((looked.etag, looked.modified), (etag(b"two"), modified));
    }
}
