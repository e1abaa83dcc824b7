//! Listing a bucket: its folder walked in the order of the keys, no further than a page needs.

pub(super) mod answer;

use std::{
    cmp::Reverse, collections::BinaryHeap, fs, io, ops::ControlFlow, path::Path, time::SystemTime,
};

/// What to list.
#[derive(Clone, Copy, Debug)]
struct Query<'a> {
    /// Only keys that start with it.
    prefix: &'a str,
    /// Only keys that sort after it, by their bytes; "" for all.
    after: &'a str,
    /// At most so many objects.
    limit: usize,
}

/// A part of a listing, in the order of the keys' bytes.
#[derive(Debug, Default)]
struct Page {
    /// The objects.
    objects: Vec<Listed>,
    /// Whether there are more.
    is_truncated: bool,
}

/// An object of a listing.
#[derive(Debug)]
struct Listed {
    key: String,
    size: u64,
    modified: SystemTime,
}

/// Lists the bucket in `folder`. A page costs one look at each folder between its first and its last object, and
/// at those above them; an object or folder that vanishes meanwhile is left out.
///
/// # Errors
/// What the file system says if a folder can't be read.
fn page(folder: &Path, query: Query<'_>) -> io::Result<Page> {
    page_by(|folder| fs::read_dir(folder), folder, query)
}

fn page_by(
    open: impl FnMut(&Path) -> io::Result<fs::ReadDir>,
    folder: &Path,
    query: Query<'_>,
) -> io::Result<Page> {
    let page = Page::default();
    let mut walk = Walk { open, query, page };
    if query.limit > 0 {
        // Breaks off where the page is full.
        let _ = walk.visit(folder, "")?;
    }
    Ok(walk.page)
}

struct Walk<'a, F> {
    open: F,
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
            let flow = if key.ends_with('/') {
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
        let Some(metadata) = unless_gone(fs::metadata(path))? else {
            return Ok(ControlFlow::Continue(()));
        };
        if self.page.objects.len() == self.query.limit {
            self.page.is_truncated = true;
            return Ok(ControlFlow::Break(()));
        }
        self.page.objects.push(Listed {
            key,
            size: metadata.len(),
            modified: metadata.modified()?,
        });
        Ok(ControlFlow::Continue(()))
    }
}

impl Query<'_> {
    fn wants(&self, key: &str) -> bool {
        key.starts_with(self.prefix) && key > self.after
    }

    /// Whether a key that starts with `root` can be wanted.
    fn reaches_into(&self, root: &str) -> bool {
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
