//! Listing a bucket: its folder walked in the order of the keys, no further than a page needs.

pub(super) mod answer;

use std::{
    cmp::Reverse, collections::BinaryHeap, fs, io, ops::ControlFlow, path::Path, time::SystemTime,
};

use s3s::dto::ETag;

use super::version::{Looked, Versions};

/// What to list.
#[derive(Clone, Copy, Debug)]
struct Query<'a> {
    /// Only keys that start with it.
    prefix: &'a str,
    /// Only keys that sort after it, by their bytes; "" for all.
    after: &'a str,
    /// At most so many objects and folders.
    limit: usize,
    /// Whether the keys with a '/' behind the prefix are listed as one folder for all that are the same up to there.
    by_folder: bool,
}

/// A part of a listing, in the order of the keys' bytes.
#[derive(Debug, Default)]
struct Page {
    /// The objects.
    objects: Vec<Listed>,
    /// The folders; each ends in '/' and has an object in it.
    folders: Vec<String>,
    /// Whether there are more.
    is_truncated: bool,
}

/// An object of a listing.
#[derive(Debug)]
struct Listed {
    key: String,
    etag: ETag,
    size: u64,
    modified: SystemTime,
}

/// Lists the bucket in `folder`. A page costs one look at each folder between its first and its last object, and
/// at those above them; an object or folder that vanishes meanwhile is left out. A folder that is listed as one costs
/// a look as deep as its first object.
///
/// # Errors
/// What the file system says if a folder can't be read.
fn page(folder: &Path, versions: &Versions, query: Query<'_>) -> io::Result<Page> {
    page_by(|folder| fs::read_dir(folder), folder, versions, query)
}

fn page_by(
    open: impl FnMut(&Path) -> io::Result<fs::ReadDir>,
    folder: &Path,
    versions: &Versions,
    query: Query<'_>,
) -> io::Result<Page> {
    let mut walk = Walk {
        open,
        versions,
        query,
        page: Page::default(),
    };
    if query.limit > 0 {
        // Breaks off where the page is full.
        let _ = walk.visit(folder, "")?;
    }
    Ok(walk.page)
}

struct Walk<'a, F> {
    open: F,
    versions: &'a Versions,
    query: Query<'a>,
    page: Page,
}

impl<F: FnMut(&Path) -> io::Result<fs::ReadDir>> Walk<'_, F> {
    /// Goes through `folder`, whose objects' keys start with `root`.
    fn visit(&mut self, folder: &Path, root: &str) -> io::Result<ControlFlow<()>> {
        // Sorted only as far as the page reaches.
        let mut rest = BinaryHeap::from(self.entries(folder, root)?);
        while let Some(Reverse(key)) = rest.pop() {
            let path = folder.join(&key[root.len()..]);
            let flow = if self.query.is_folder(&key) {
                self.add_folder(&path, key)?
            } else if key.ends_with('/') {
                self.visit(&path, &key)?
            } else {
                self.add(&path, key)?
            };
            if flow.is_break() {
                return Ok(flow);
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// The wanted keys right in `folder`; a folder's ends in '/', so that it sorts where its objects do.
    fn entries(&mut self, folder: &Path, root: &str) -> io::Result<Vec<Reverse<String>>> {
        let mut entries = Vec::new();
        let Some(listing) = unless_gone((self.open)(folder))? else {
            return Ok(entries);
        };
        for entry in listing {
            let entry = entry?;
            let Some(kind) = unless_gone(entry.file_type())? else {
                continue;
            };
            // A name that is no text is not of this store's making.
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            let slash = if kind.is_dir() { "/" } else { "" };
            let key = format!("{root}{name}{slash}");
            if (kind.is_dir() && self.query.reaches_into(&key))
                || (kind.is_file() && self.query.wants(&key))
            {
                entries.push(Reverse(key));
            }
        }
        Ok(entries)
    }

    fn add(&mut self, path: &Path, key: String) -> io::Result<ControlFlow<()>> {
        if self.is_full() {
            // Not read: it is only asked whether it is there.
            self.page.is_truncated = unless_gone(fs::metadata(path))?.is_some();
            return Ok(self.flow());
        }
        if let Some(looked) = unless_gone(self.versions.look(path))? {
            let Looked {
                etag,
                size,
                modified,
            } = looked;
            self.page.objects.push(Listed {
                key,
                etag,
                size,
                modified,
            });
        }
        Ok(ControlFlow::Continue(()))
    }

    fn add_folder(&mut self, path: &Path, key: String) -> io::Result<ControlFlow<()>> {
        if self.holds_object(path)? {
            if self.is_full() {
                self.page.is_truncated = true;
            } else {
                self.page.folders.push(key);
            }
        }
        Ok(self.flow())
    }

    /// Whether there is an object below `folder`. A deleted object leaves its folder behind.
    fn holds_object(&mut self, folder: &Path) -> io::Result<bool> {
        let Some(listing) = unless_gone((self.open)(folder))? else {
            return Ok(false);
        };
        for entry in listing {
            let entry = entry?;
            let Some(kind) = unless_gone(entry.file_type())? else {
                continue;
            };
            let is_text = entry.file_name().to_str().is_some();
            if is_text && (kind.is_file() || kind.is_dir() && self.holds_object(&entry.path())?) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn is_full(&self) -> bool {
        self.page.objects.len() + self.page.folders.len() == self.query.limit
    }

    fn flow(&self) -> ControlFlow<()> {
        if self.page.is_truncated {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

impl Query<'_> {
    fn wants(&self, key: &str) -> bool {
        key.starts_with(self.prefix) && key > self.after
    }

    /// Whether `key` is a folder that is listed as one.
    fn is_folder(&self, key: &str) -> bool {
        self.by_folder
            && key.len() > self.prefix.len()
            && key.starts_with(self.prefix)
            && key.ends_with('/')
    }

    /// Whether a key that starts with `root` can be wanted.
    fn reaches_into(&self, root: &str) -> bool {
        if self.is_folder(root) {
            return root > self.after;
        }
        (root.starts_with(self.prefix) || self.prefix.starts_with(root))
            && (root > self.after || self.after.starts_with(root))
    }
}

fn unless_gone<T>(outcome: io::Result<T>) -> io::Result<Option<T>> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
