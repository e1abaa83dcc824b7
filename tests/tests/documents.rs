//! The documents say what the template and the code do.

use std::{collections::BTreeSet, fmt::Write as _, fs, path::Path};

use pipeline_tests::{
    documents::{assert_written, with_section},
    plane::workspace,
};
use sam_template::Declared;

mod settings;

fn text(file: &str) -> String {
    let path = workspace().join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The rows of the table under the heading `## {section}` of docs/configure.md, cell by cell.
fn rows(section: &str) -> Vec<Vec<String>> {
    let configure = text("docs/configure.md");
    let heading = format!("\n## {section}\n");
    let (_, after) = configure.split_once(&heading).expect("the section");
    let section = after.split("\n## ").next().unwrap_or_default();
    let lines = section.lines().filter(|line| line.starts_with("| "));
    let cells = |line: &str| -> Vec<String> {
        let inner = line.trim_matches('|');
        inner
            .split(" | ")
            .map(|cell| cell.trim().to_owned())
            .collect()
    };
    lines.skip(1).map(cells).collect()
}

/// What stands between backquotes in a cell.
fn code(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

#[test]
fn the_tables_of_parameters_and_variables_are_those_of_the_template_and_the_code() {
    let declared = sam_template::declared(&text("template.yaml")).unwrap();
    let configure = text("docs/configure.md");
    let written = with_section(&configure, "parameters", &table(&declared));
    let written = with_section(&written, "variables", &settings::table());
    assert_written("docs/configure.md", &written);
}

#[test]
fn the_guide_to_the_alarms_has_the_pages_of_the_functions() {
    let folders = fs::read_dir(workspace().join("functions")).unwrap();
    let pages = folders.map(|folder| folder.unwrap().path().join("operate.md"));
    let mut pages: Vec<_> = pages.filter(|page| page.exists()).collect();
    pages.sort();
    let pages = pages.iter().map(|page| fs::read_to_string(page).unwrap());
    let pages = pages.collect::<Vec<_>>().join("\n");
    let guide = text("docs/operate.md");
    let written = with_section(&guide, "functions", &pages);
    assert_written("docs/operate.md", &written);
}

fn table(declared: &[Declared]) -> String {
    let mut table = "| parameter | default | range | meaning |\n|---|---|---|---|\n".to_owned();
    for parameter in declared {
        let default = match parameter.default.as_deref() {
            None => "required".to_owned(),
            Some("") => "empty".to_owned(),
            Some(default) => format!("`{default}`"),
        };
        let (name, allowed) = (&parameter.name, parameter.allowed.replace('|', "\\|"));
        let meaning = parameter.description.replace('|', "\\|");
        writeln!(table, "| `{name}` | {default} | {allowed} | {meaning} |").unwrap();
    }
    table
}

/// Gives every source file that is not only for tests.
pub(crate) fn sources(folder: &Path, take: &mut impl FnMut(&str)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let for_tests = ["tests", "benches", "conformance", "target"].contains(&&*name);
        if path.is_dir() && !for_tests {
            sources(&path, take);
        } else if path.extension().is_some_and(|extension| extension == "rs") && !for_tests {
            take(&fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn every_variable_of_the_tool_the_tests_and_the_scripts_is_documented_and_no_other() {
    let name = regex::Regex::new("QUOTELAKE_[A-Z_]+").unwrap();
    let names = |text: &str| -> BTreeSet<String> {
        let found = name.find_iter(text).map(|found| found.as_str().to_owned());
        found.collect()
    };
    let mut read = BTreeSet::new();
    for folder in [".ci", "functions", "local", "localstack", "shared", "tests"] {
        programs(&workspace().join(folder), &mut |text| {
            read.extend(names(text));
        });
    }
    let tables = [
        "Variables of the functions",
        "Variables of the tool and the tests",
    ];
    let rows = tables.iter().flat_map(|table| rows(table));
    let documented: BTreeSet<_> = rows.flat_map(|row| names(&row[0])).collect();
    assert_eq!(read, documented, "read by a program, and documented");
}

/// Gives every source file and script.
fn programs(folder: &Path, take: &mut impl FnMut(&str)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let extension = path.extension().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            programs(&path, take);
        } else if ["", "rs", "py", "sh"].contains(&&*extension) {
            take(&fs::read_to_string(&path).unwrap_or_default());
        }
    }
}

#[test]
fn what_the_guide_waits_for_in_the_logs_is_what_the_functions_write() {
    let deploy = text("docs/deploy.md");
    let wait = deploy.lines().find(|line| line.starts_with("sam logs"));
    let (_, awaited) = wait
        .and_then(|line| line.split_once('#'))
        .expect("what to wait for");
    let mut written = String::new();
    for folder in ["functions", "shared/runtime"] {
        sources(&workspace().join(folder), &mut |source| {
            written.push_str(source.split("#[cfg(test)]").next().unwrap_or_default());
        });
    }
    let awaited: Vec<_> = awaited.split('"').skip(1).step_by(2).collect();
    assert!(!awaited.is_empty());
    for text in awaited {
        assert!(written.contains(&format!("\"{text}\"")), "{text}");
    }
}

#[test]
fn a_changed_secret_is_fetched_as_often_as_the_guide_says() {
    let operate = text("docs/operate.md");
    let (_, section) = operate
        .split_once("\n## Change a secret\n")
        .expect("the section");
    let section = section.split("\n## ").next().unwrap_or_default();
    let words = section.split_whitespace().collect::<Vec<_>>().join(" ");
    let often = regex::Regex::new("at most ([^.,]*)").unwrap();
    let often: Vec<_> = often
        .captures_iter(&words)
        .map(|found| found[1].to_owned())
        .collect();
    // Finnhub's key and Kafka's credentials are both a `Key`.
    assert_eq!(often, ["once a minute"; 2]);
    let key = text("shared/secrets/src/key.rs");
    assert!(key.contains("const RENEWAL: Duration = Duration::from_mins(1);"));
}

#[test]
fn every_member_of_a_job_is_documented_and_no_other() {
    // Serde's refusal of an unknown member lists the known ones.
    let job = r#"{"feed":"binance","symbols":"A","topic":"t","?":1}"#;
    let polls = quote_poller::Job::parse(job).unwrap_err().to_string();
    let job = r#"{"topic":"t","?":1}"#;
    let rolls = bar_roller::Job::parse(job).unwrap_err().to_string();
    for (refused, section) in [(polls, "The job"), (rolls, "The roller's job")] {
        let (_, known) = refused.split_once("expected one of ").expect("the list");
        let known = known.split(" at line").next().unwrap_or_default();
        let known: BTreeSet<_> = code(known).into_iter().collect();
        let rows = rows(section);
        let documented: BTreeSet<_> = rows.iter().flat_map(|row| code(&row[0])).collect();
        assert_eq!(known, documented);
    }
}
