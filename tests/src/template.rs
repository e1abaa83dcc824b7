//! Assembles `template.yaml` from `functions/template.yaml` and the fragments in `functions/*/template/`.
//!
//! The sources are the template's own text with two kinds of lines that stand for other text:
//!
//! - `# include functions/NAME/template/FILE.yaml`, in `functions/template.yaml`: the text of that file, indented as the
//!   line is. With `*` for the name it is the file of every function that no other such line names, by name.
//! - `# for each of functions/NAME/template/TABLE.yaml`: the item below, once for each row of the table. `<column>` is
//!   the row's value. A placeholder alone on its line takes a value of several lines, or of none.
//!
//! The empty lines below what is included or repeated come after each copy. A function without a file is not in that
//! place, so a new function needs no line of `functions/template.yaml`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use regex::{Captures, Regex};
use saphyr::{LoadableYamlNode, Scalar, Yaml};

/// The file that everything is included in.
const SKELETON: &str = "functions/template.yaml";
const INCLUDE: &str = "# include ";
const REPEAT: &str = "# for each of ";

/// A row of a table: value by column.
pub type Row = BTreeMap<String, String>;

/// The template of the repository at `root`.
///
/// # Panics
/// With a sentence about the source, if a file is missing or is used by no line, or a placeholder has no column.
pub fn assemble(root: &Path) -> String {
    let fragments = fragments(root);
    let skeleton = read(root, SKELETON);
    let (text, mut used) = with_includes(&skeleton, &fragments);
    let text = with_rows(&text, &mut |table| {
        used.insert(table.to_owned());
        let text = fragments.get(table);
        rows(table, text.unwrap_or_else(|| panic!("{table} is missing")))
    });
    let unused = fragments.keys().find(|path| !used.contains(*path));
    assert_eq!(unused, None, "no line of {SKELETON} includes this file");
    text
}

/// The text of every file `functions/NAME/template/FILE.yaml`, by its path from `root`.
///
/// # Panics
/// If a file can't be read.
pub fn fragments(root: &Path) -> BTreeMap<String, String> {
    let mut fragments = BTreeMap::new();
    for function in names(&root.join("functions")) {
        let folder = format!("functions/{function}/template");
        for file in names(&root.join(&folder)) {
            let path = format!("{folder}/{file}");
            let text = read(root, &path);
            fragments.insert(path, text);
        }
    }
    fragments
}

/// The rows of the table at `path`, whose content is `text`: a list of mappings that all have the same members.
///
/// # Panics
/// If it is not.
pub fn rows(path: &str, text: &str) -> Vec<Row> {
    let documents = Yaml::load_from_str(text).unwrap_or_else(|error| panic!("{path}: {error}"));
    let list = documents.first().and_then(Yaml::as_sequence);
    let list = list.unwrap_or_else(|| panic!("{path} has to be a list"));
    let rows: Vec<Row> = list.iter().map(|item| row(path, item)).collect();
    for row in &rows {
        assert!(
            row.keys().eq(rows[0].keys()),
            "{path}: every row needs the columns of the first: {row:?}"
        );
    }
    rows
}

fn row(path: &str, item: &Yaml) -> Row {
    let members = item
        .as_mapping()
        .unwrap_or_else(|| panic!("{path}: a row has to be a mapping: {item:?}"));
    let text = |value: &Yaml| match value {
        Yaml::Value(Scalar::String(text)) => text.trim_end().to_owned(),
        Yaml::Value(Scalar::Integer(number)) => number.to_string(),
        other => panic!("{path}: a value has to be a text or a whole number: {other:?}"),
    };
    members
        .iter()
        .map(|(column, value)| (text(column), text(value)))
        .collect()
}

/// The skeleton with what it includes, and the paths of that.
fn with_includes(
    skeleton: &str,
    fragments: &BTreeMap<String, String>,
) -> (String, BTreeSet<String>) {
    let included = skeleton
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix(INCLUDE));
    let named: BTreeSet<&str> = included.filter(|path| !path.contains('*')).collect();
    let (mut text, mut used) = (String::new(), BTreeSet::new());
    let mut lines = skeleton.lines().peekable();
    while let Some(line) = lines.next() {
        let Some(path) = line.trim_start().strip_prefix(INCLUDE) else {
            push(&mut text, "", line);
            continue;
        };
        let mut below = String::new();
        while lines.next_if(|line| line.is_empty()).is_some() {
            below.push('\n');
        }
        for path in matching(path, &named, fragments) {
            for included in fragments[path].lines() {
                push(&mut text, indentation(line), included);
            }
            text.push_str(&below);
            used.insert(path.to_owned());
        }
    }
    (text, used)
}

fn matching<'f>(
    pattern: &'f str,
    named: &BTreeSet<&str>,
    fragments: &'f BTreeMap<String, String>,
) -> Vec<&'f str> {
    let Some((before, after)) = pattern.split_once('*') else {
        assert!(fragments.contains_key(pattern), "{pattern} is missing");
        return vec![pattern];
    };
    let paths = fragments.keys().map(String::as_str);
    paths
        .filter(|path| path.starts_with(before) && path.ends_with(after) && !named.contains(path))
        .collect()
}

/// The text with each item below a line about a table repeated for the rows that `rows_of` the table gives.
fn with_rows(text: &str, rows_of: &mut dyn FnMut(&str) -> Vec<Row>) -> String {
    let mut assembled = String::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let Some(table) = line.trim_start().strip_prefix(REPEAT) else {
            push(&mut assembled, "", line);
            continue;
        };
        let deeper = format!("{} ", indentation(line));
        let mut item: Vec<&str> = lines.next().into_iter().collect();
        while let Some(line) = lines.next_if(|line| line.is_empty() || line.starts_with(&deeper)) {
            item.push(line);
        }
        for row in rows_of(table) {
            for line in &item {
                push_filled(&mut assembled, line, &row);
            }
        }
    }
    assembled
}

/// Appends a line of an item with the values of a row.
fn push_filled(text: &mut String, line: &str, row: &Row) {
    let placeholder = Regex::new("<([a-z_]+)>").unwrap();
    let value = |found: &Captures| -> String {
        let value = row.get(&found[1]);
        let value = value.unwrap_or_else(|| panic!("no column for {} in: {line}", &found[0]));
        value.clone()
    };
    match placeholder.captures(line) {
        Some(found) if found[0] == *line.trim_start() => {
            for part in value(&found).lines() {
                push(text, indentation(line), part);
            }
        }
        _ => push(text, "", &placeholder.replace_all(line, value)),
    }
}

fn push(text: &mut String, indentation: &str, line: &str) {
    if !line.is_empty() {
        text.push_str(indentation);
    }
    text.push_str(line);
    text.push('\n');
}

fn indentation(line: &str) -> &str {
    &line[..line.len() - line.trim_start().len()]
}

/// What is in a folder, sorted; nothing where there is none.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort_unstable();
    names
}

fn read(root: &Path, path: &str) -> String {
    fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}
