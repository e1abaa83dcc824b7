//! The template is what its sources say, and a function's folder is a source by being there.

use std::{fs, path::Path};

use pipeline_tests::{documents::assert_written, plane::workspace, template::assemble};
use tempfile::TempDir;

/// A repository of these files.
fn repository(files: &[(&str, &str)]) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = root.path().join("functions").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    root
}

/// The sentence that assembling ends with.
fn refusal(files: &[(&str, &str)]) -> String {
    let root = repository(files);
    let root: &Path = root.path();
    let refused = std::panic::catch_unwind(|| assemble(root)).unwrap_err();
    *refused.downcast::<String>().unwrap()
}

#[test]
fn the_template_is_assembled_from_the_folders_of_the_functions() {
    assert_written("template.yaml", &assemble(workspace()));
}

#[test]
fn a_function_is_in_the_template_by_its_folder_after_those_that_are_named() {
    let root = repository(&[
        (
            "template.yaml",
            "Resources:\n  # include functions/writer/template/r.yaml\n\n  # include functions/*/template/r.yaml\n\n  Z:\n",
        ),
        ("bars/template/r.yaml", "# Rolls.\nBars:\n  A: 1\n"),
        ("writer/template/r.yaml", "Writer:\n\n  A: |\n    text\n"),
        ("without/Cargo.toml", ""),
    ]);
    assert_eq!(
        assemble(root.path()),
        "Resources:\n  Writer:\n\n    A: |\n      text\n\n  # Rolls.\n  Bars:\n    A: 1\n\n  Z:\n"
    );
}

#[test]
fn an_item_below_a_table_is_repeated_with_the_values_of_each_row() {
    let root = repository(&[
        (
            "template.yaml",
            "# include functions/p/template/r.yaml\n\nEnd: <aws.time>\n",
        ),
        (
            "p/template/r.yaml",
            "# for each of functions/p/template/t.yaml\n<name>P:\n  # Why.\n  <more>\n  T: <name>-<n>\n",
        ),
        (
            "p/template/t.yaml",
            "- {name: A, n: 1, more: \"\"}\n- name: B\n  n: 2\n  more: |\n    M:\n      N: 1\n",
        ),
    ]);
    assert_eq!(
        assemble(root.path()),
        "AP:\n  # Why.\n  T: A-1\n\nBP:\n  # Why.\n  M:\n    N: 1\n  T: B-2\n\nEnd: <aws.time>\n"
    );
}

#[test]
fn a_source_that_is_missing_or_unused_or_has_no_such_column_is_named() {
    let each = "# for each of functions/p/template/t.yaml\n- <nme>\n";
    let skeleton = ("template.yaml", "# include functions/p/template/r.yaml\n");
    for (files, expected) in [
        (&[skeleton][..], "functions/p/template/r.yaml is missing"),
        (
            &[skeleton, ("p/template/r.yaml", each)],
            "functions/p/template/t.yaml is missing",
        ),
        (
            &[
                skeleton,
                ("p/template/r.yaml", each),
                ("p/template/t.yaml", "- {name: A}"),
            ],
            "no column for <nme> in: - <nme>",
        ),
        (
            &[
                skeleton,
                ("p/template/r.yaml", each),
                ("p/template/t.yaml", "- {nme: A}\n- {name: A}"),
            ],
            "every row needs the columns of the first",
        ),
        (
            &[
                skeleton,
                ("p/template/r.yaml", ""),
                ("p/template/alarm.yaml", ""),
            ],
            "functions/p/template/alarm.yaml",
        ),
    ] {
        let refusal = refusal(files);
        assert!(refusal.contains(expected), "{refusal}");
    }
}
