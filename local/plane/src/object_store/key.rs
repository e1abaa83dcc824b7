//! The keys that this store takes: those that are the path of a file in their bucket's folder.

use std::path::Path;

use s3s::{S3Result, s3_error};

/// Refuses a key that would be the path of another key's file or of one outside the bucket.
pub(super) fn check_key(key: &str) -> S3Result<()> {
    // A trailing slash names a folder, as browsers of S3 make them.
    let path = key.strip_suffix('/').unwrap_or(key);
    let is_path = path
        .split('/')
        .all(|part| !matches!(part, "" | "." | "..") && !part.contains('\0'));
    if is_path {
        return Ok(());
    }
    Err(s3_error!(
        InvalidArgument,
        "This store keeps a key as a path in its bucket: no part between slashes may be empty, '.' or '..'."
    ))
}

/// The longest file name of the usual file systems.
const FILE_NAME_MAX: usize = 255;

/// Whether no file can have this name.
pub(super) fn is_too_long(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name.len() > FILE_NAME_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_a_path_within_its_bucket() {
        for good in ["a", "a/b", "a/", "a/symbol=../..b/...", ".a", "é/ /%2F"] {
            assert!(check_key(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "/",
            "/a",
            "//",
            "a//b",
            "a//",
            ".",
            "..",
            "../other/x",
            "a/../b",
            "a/..",
            "a/./b",
            "../",
            "a\0b",
        ] {
            assert!(check_key(bad).is_err(), "{bad}");
        }
    }
}
