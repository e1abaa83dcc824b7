//! docs/adding-a-function.md, followed to the letter: its blocks are written to the files that it names, built, and run.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use pipeline_tests::{
    plane::{bin_dir, get, options, workspace},
    template::assemble,
};
use quotelake::up::{Options, Running};
use serde_json::Value;
use tokio::{
    process::Command,
    time::{Instant, sleep},
};

const FUNCTION: &str = "functions/market-clock";

/// The files of the page: each named in the last line before its block, with the block.
fn files_of_the_page() -> Vec<(PathBuf, String)> {
    let page = fs::read_to_string(workspace().join("docs/adding-a-function.md")).unwrap();
    let mut files = Vec::new();
    let mut before = "";
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let named = before
            .split('`')
            .find(|part| part.starts_with("functions/") && part.contains('.'));
        if let (Some(name), true) = (named, line.starts_with("```")) {
            let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            files.push((PathBuf::from(name), block.join("\n") + "\n"));
        }
        if !line.trim().is_empty() {
            before = line;
        }
    }
    files
}

/// A clone of the repository as far as the function needs it.
fn clone_to(folder: &Path) {
    for shared in ["shared", "Cargo.lock", "clippy.toml"] {
        symlink(workspace().join(shared), folder.join(shared)).unwrap();
    }
    let manifest = fs::read_to_string(workspace().join("Cargo.toml")).unwrap();
    let members = manifest.split_once("members = [").unwrap().1;
    let (members, _) = members.split_once(']').unwrap();
    assert!(members.contains("\"functions/*\""), "a folder is a member");
    let only_functions = manifest.replacen(members, "\"functions/*\"", 1);
    fs::write(folder.join("Cargo.toml"), only_functions).unwrap();
    // Cargo writes the new function into it.
    fs::remove_file(folder.join("Cargo.lock")).unwrap();
    fs::copy(workspace().join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_made_by_the_page_is_built_and_runs_in_up() {
    let folder = tempfile::tempdir().unwrap();
    clone_to(folder.path());
    let files = files_of_the_page();
    assert!(files.len() >= 3, "{files:?}");
    for (path, text) in &files {
        assert!(
            path.starts_with(FUNCTION),
            "outside of its folder: {path:?}"
        );
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let built = build(folder.path()).await;

    let programs = folder.path().join("programs");
    fs::create_dir(&programs).unwrap();
    for name in ["bronze-writer", "quote-poller"] {
        symlink(bin_dir().await.join(name), programs.join(name)).unwrap();
    }
    symlink(built.join("market-clock"), programs.join("market-clock")).unwrap();
    // The folders of functions, this one among them, are what the template is assembled from.
    for source in ["template.yaml", "bronze-writer", "quote-poller"] {
        let source = Path::new("functions").join(source);
        symlink(workspace().join(&source), folder.path().join(source)).unwrap();
    }
    let template = folder.path().join("template.yaml");
    fs::write(&template, assemble(folder.path())).unwrap();

    let data = tempfile::tempdir().unwrap();
    let options = Options {
        template,
        bin_dir: Some(programs),
        ..options(&data).await
    };
    let mut running = Running::start(&options).await.unwrap();
    let url = running.plane().urls()["MarketClock"].clone();
    let answer: Value = get(&url).await.unwrap().json().await.unwrap();
    assert_eq!(answer["venue"], "XNAS", "{answer}");
    assert!(answer["session"].is_string(), "{answer}");
    let end = Instant::now() + Duration::from_secs(60);
    let emitted = |running: &Running| {
        let counts = running.stats().snapshot();
        let clock = counts.functions.get("MarketClock").cloned();
        clock.is_some_and(|of| of.metrics.contains_key("ExchangeOpen"))
    };
    while !emitted(&running) {
        assert!(Instant::now() < end, "no metric");
        tokio::select! {
            error = running.failure() => panic!("{error}"),
            () = sleep(Duration::from_millis(50)) => {}
        }
    }
    let summary = running.stop().await.unwrap();
    assert!(summary.is_exact(), "{summary}");
    assert_eq!(summary.unverified, ["MarketClock"]);
}

/// Builds the function, in a target folder that is kept from one run to the next.
async fn build(folder: &Path) -> PathBuf {
    let target = workspace().join("target/adding-a-function");
    let status = Command::new("cargo")
        .args(["build", "--quiet", "--bin", "market-clock", "--target-dir"])
        .arg(&target)
        .current_dir(folder)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .status();
    assert!(status.await.unwrap().success(), "the page's code is built");
    target.join("debug")
}
