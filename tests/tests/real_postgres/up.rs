//! `quotelake up` with a database of its own.

use std::{fs, path::Path, process::Stdio, time::Duration};

use pipeline_tests::{
    plane::{bin_dir, options, workspace},
    real_postgres::{Postgres, programs, versions},
};
use quotelake::up::{Database, DatabaseSource, Options, Running};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
    time::{Instant, sleep},
};
use tokio_postgres::NoTls;

/// How long anything may take that a run does.
const PATIENCE: Duration = Duration::from_secs(60);

async fn rows(url: &str) -> i64 {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    let counted = "SELECT COUNT(*) FROM realtime_quotes";
    client.query_one(counted, &[]).await.unwrap().get(0)
}

async fn with_rows(options: &Options, more_than: i64) -> (Running, i64) {
    let running = Running::start(options).await.unwrap();
    let url = running.database().unwrap().database.clone();
    let end = Instant::now() + PATIENCE;
    loop {
        let found = rows(&url).await;
        if found > more_than {
            return (running, found);
        }
        assert!(Instant::now() < end, "{found} rows");
        sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/run postgres"]
async fn a_run_keeps_its_quotes_in_a_database_that_the_next_one_finds() {
    for version in versions() {
        let data = tempfile::tempdir().unwrap();
        let options = Options {
            database: Some(Database {
                source: DatabaseSource::Programs(programs(&version)),
                authority: None,
                password: None,
                path: None,
            }),
            ..options(&data).await
        };
        let (running, first) = with_rows(&options, 0).await;
        let summary = running.stop().await.unwrap();
        assert!(summary.is_success(), "{summary}");
        assert!(summary.counts.rows_written > 0, "{summary}");
        let proven = |function: &str| summary.proofs.iter().any(|of| of.function == function);
        assert!(proven("QuoteUpserter"), "{summary}");
        let (running, _) = with_rows(&options, first).await;
        let pid = server(data.path());
        drop(running);
        assert!(test_kill_process(pid).is_err(), "the server runs");
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL: .ci/run postgres"]
async fn a_run_that_is_killed_takes_its_server_with_it_and_does_not_hold_up_the_next() {
    for version in versions() {
        let data = tempfile::tempdir().unwrap();
        for _ in 0..2 {
            let mut command = Command::new(bin_dir().await.join("quotelake"));
            command
                .current_dir(workspace())
                .args(["up", "--json", "--data"]);
            command
                .arg(data.path().join("data"))
                .arg("--bin-dir")
                .arg(bin_dir().await);
            command.arg("--postgres").arg(programs(&version));
            command
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .kill_on_drop(true);
            let mut tool = command.spawn().unwrap();
            let mut lines = BufReader::new(tool.stdout.take().unwrap()).lines();
            let line = tokio::time::timeout(PATIENCE, lines.next_line()).await;
            let line = line.unwrap().unwrap().expect("the run starts");
            let started: Value = serde_json::from_str(&line).unwrap();
            let url = started["database"].as_str().unwrap();
            assert!(rows(url).await >= 0);
            // The next starts while the server of this one still ends.
            tool.kill().await.unwrap();
        }
        let pid = server(data.path());
        let end = Instant::now() + PATIENCE;
        while test_kill_process(pid).is_ok() {
            assert!(Instant::now() < end, "the server runs");
            sleep(Duration::from_millis(50)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/run postgres"]
async fn runs_of_two_data_folders_on_one_database_are_both_exact() {
    let server = Postgres::start(&versions().remove(0));
    let url = server.create_database("of_two").await;
    let mut before = 0;
    for _ in 0..2 {
        let data = tempfile::tempdir().unwrap();
        let options = Options {
            database: Some(Database {
                source: DatabaseSource::Url(url.clone()),
                authority: None,
                password: None,
                path: None,
            }),
            ..options(&data).await
        };
        let running = Running::start(&options).await.unwrap();
        let end = Instant::now() + PATIENCE;
        while rows(&url).await <= before {
            assert!(Instant::now() < end, "no row");
            sleep(Duration::from_millis(100)).await;
        }
        let summary = running.stop().await.unwrap();
        assert!(summary.is_success(), "{summary}");
        before = rows(&url).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/run postgres"]
async fn a_second_interrupt_ends_a_proof_that_a_lock_holds_up() {
    let data = tempfile::tempdir().unwrap();
    let mut command = Command::new(bin_dir().await.join("quotelake"));
    command.current_dir(workspace()).args(["up", "--json"]);
    command.arg("--data").arg(data.path().join("data"));
    command.arg("--bin-dir").arg(bin_dir().await);
    command
        .arg("--postgres")
        .arg(programs(&versions().remove(0)));
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    let mut tool = command.spawn().unwrap();
    let mut lines = BufReader::new(tool.stdout.take().unwrap()).lines();
    let line = tokio::time::timeout(PATIENCE, lines.next_line()).await;
    let started: Value = serde_json::from_str(&line.unwrap().unwrap().unwrap()).unwrap();
    let url = started["database"].as_str().unwrap();
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    let end = Instant::now() + PATIENCE;
    while rows(url).await == 0 {
        assert!(Instant::now() < end, "no row");
        sleep(Duration::from_millis(100)).await;
    }
    let folder = "SELECT current_setting('data_directory')";
    let folder: String = client.query_one(folder, &[]).await.unwrap().get(0);
    let server = server_of(Path::new(&folder));
    let pid = Pid::from_raw(i32::try_from(tool.id().unwrap()).unwrap()).unwrap();
    kill_process(pid, Signal::INT).unwrap();
    client
        .batch_execute("BEGIN; LOCK TABLE realtime_quotes, latest_quotes IN ACCESS EXCLUSIVE MODE")
        .await
        .unwrap();
    // Somebody waits for the lock: the proof, or the last batch before it.
    let waits = "SELECT COUNT(*) FROM pg_locks WHERE NOT granted";
    while client.query_one(waits, &[]).await.unwrap().get::<_, i64>(0) == 0 {
        assert!(Instant::now() < end, "nobody waits");
        sleep(Duration::from_millis(50)).await;
    }
    kill_process(pid, Signal::INT).unwrap();
    let ended = tokio::time::timeout(PATIENCE, tool.wait()).await;
    assert_eq!(ended.unwrap().unwrap().code(), Some(130));
    assert!(test_kill_process(server).is_err(), "the server runs");
}

/// The process of the server of a run's data, as its lock file names it.
fn server(data: &Path) -> Pid {
    server_of(&data.join("data/postgres/data"))
}

/// The process of the server whose folder this is.
fn server_of(data: &Path) -> Pid {
    let text = fs::read_to_string(data.join("postmaster.pid")).unwrap();
    Pid::from_raw(text.lines().next().unwrap().trim().parse().unwrap()).unwrap()
}
