//! Files of the repository that are written from the code, and compared with it otherwise.

use std::{fs, path::Path};

use runtime::Environment;

use crate::plane::workspace;

/// The variable that asks for the files to be written instead of compared.
pub const WRITE: &str = "QUOTELAKE_WRITE";

/// Compares `text` with the file at `path` in the repository, or writes it there where [`WRITE`] is set.
///
/// # Panics
/// If they differ, with the first line that does; or if the file can't be read or written.
pub fn assert_written(path: impl AsRef<Path>, text: &str) {
    let path = workspace().join(path);
    let name = path.display();
    if Environment::of_process().secret(WRITE).is_some() {
        fs::write(&path, text).unwrap_or_else(|error| panic!("{name}: {error}"));
        return;
    }
    let written = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
    if written == text {
        return;
    }
    let (line, is, should_be) = first_difference(&written, text);
    panic!(
        "{name}:{line} is not what the code says: write the file with {WRITE}=1\n  is        {is:?}\n  should be {should_be:?}"
    );
}

/// `document` with `text` between the line that begins with `<!-- NAME: ` and the next `<!-- end -->`.
///
/// # Panics
/// If the document has no such lines.
pub fn with_section(document: &str, name: &str, text: &str) -> String {
    let begin = format!("<!-- {name}: ");
    let at = document
        .find(&begin)
        .unwrap_or_else(|| panic!("no line begins with {begin}"));
    let start = document[at..].find('\n').unwrap() + at + 1;
    let end = document[start..]
        .find("<!-- end -->")
        .unwrap_or_else(|| panic!("{name} has no end"));
    [&document[..start], text, &document[start + end..]].concat()
}

/// The number of the first line that differs, and both lines; `None` is the end of a text.
fn first_difference<'t>(one: &'t str, other: &'t str) -> (usize, Option<&'t str>, Option<&'t str>) {
    let (mut one, mut other) = (one.split('\n'), other.split('\n'));
    let mut number = 0;
    loop {
        number += 1;
        let lines = (one.next(), other.next());
        if lines.0 != lines.1 || lines.0.is_none() {
            return (number, lines.0, lines.1);
        }
    }
}
