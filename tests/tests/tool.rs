use std::{
    path::{Path, PathBuf},
    process::{Output, Stdio},
    time::Duration,
};

use lake::{
    Compression, Granularity, Layout, ObjectKey,
    store::{Credentials, Get, S3Settings, S3Store, list_all},
};
use pipeline_tests::{
    contents::contents,
    plane::{bin_dir, workspace},
};
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};

async fn up(data: &Path, arguments: &[&str]) -> Command {
    let bin_dir = bin_dir().await;
    let mut command = hearing_hang_up(&bin_dir.join("quotelake"));
    command
        .current_dir(workspace())
        .args(["up", "--data"])
        .arg(data)
        .args(arguments)
        .env_remove("FINNHUB_API_KEY")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    if !arguments.contains(&"--bin-dir") {
        command.arg("--bin-dir").arg(bin_dir);
    }
    command
}

/// A program that hears of a closed terminal also where these tests were started to outlive theirs, as by `nohup`: what a
/// process ignores its children ignore. Perl is there for the build.
fn hearing_hang_up(program: &Path) -> Command {
    let mut command = Command::new("perl");
    let default = r#"$SIG{HUP} = "DEFAULT"; exec { $ARGV[0] } @ARGV;"#;
    command.args(["-e", default]).arg(program);
    command
}

async fn outcome(command: &mut Command) -> Output {
    timeout(Duration::from_secs(90), command.output())
        .await
        .expect("an end within 90 s")
        .unwrap()
}

fn json_lines(output: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(output).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).expect(line))
        .collect()
}

fn data() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data");
    (folder, path)
}

#[tokio::test]
async fn up_for_a_time_ends_by_itself_and_proves_its_count() {
    let (_folder, data) = data();
    let output = outcome(&mut up(&data, &["--for", "8s", "--json"]).await).await;
    let lines = json_lines(&output.stdout);
    let summary = lines.last().unwrap();
    assert_eq!(output.status.code(), Some(0), "{summary}");
    assert_eq!(lines[0]["event"], "started");
    assert_eq!(summary["event"], "summary");
    assert_eq!(summary["exact"], true);
    assert_eq!(summary["counts"]["polled"], summary["audit"]["in_topics"]);
    assert!(
        summary["counts"]["polled"].as_u64().unwrap() >= 1,
        "{summary}"
    );
}

#[tokio::test]
async fn the_start_line_tells_an_s3_client_how_to_read_the_lake() {
    let (_folder, data) = data();
    let Running {
        mut tool, started, ..
    } = running(&data, &[]).await;
    let of = |name: &str| started[name].as_str().expect(name).to_owned();
    assert_eq!(of("s3_region"), "us-east-1");
    assert_eq!(started["s3_buckets"], serde_json::json!(["bronze-bucket"]));
    let bucket = S3Store::connect(S3Settings {
        bucket: "bronze-bucket".to_owned(),
        endpoint: Some(of("s3_endpoint")),
        credentials: Some(Credentials::new(
            of("s3_access_key"),
            of("s3_secret_key"),
            None,
            None,
            "test",
        )),
    })
    .await;
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        let keys = list_all(&bucket, "bronze/").await.unwrap();
        if let Some(key) = keys.first() {
            let read = bucket.get(key).await.unwrap().body;
            assert_eq!(
                read,
                std::fs::read(data.join("s3/bronze-bucket").join(key.as_str())).unwrap()
            );
            break;
        }
        assert!(Instant::now() < end, "an object within 60 s");
        sleep(Duration::from_millis(20)).await;
    }
    signal(tool.id().unwrap(), rustix::process::Signal::INT);
    tool.wait().await.unwrap();
}

#[tokio::test]
async fn without_a_terminal_the_lines_are_plain_and_the_last_ones_are_the_summary() {
    let (_folder, data) = data();
    let output = outcome(&mut up(&data, &["--for", "6s"]).await).await;
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(!text.contains('\u{1b}'), "no control sequences: {text:?}");
    let equality = text
        .lines()
        .find(|line| line.starts_with("polled "))
        .unwrap();
    assert!(
        equality.contains(" = published ") && equality.contains(" = bronze "),
        "{equality}"
    );
    assert!(text.contains("nothing lost, nothing doubled"), "{text}");
}

/// The processes that `pid` has started.
fn children(pid: u32) -> Vec<u32> {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    tasks
        .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("children")).ok())
        .flat_map(|list| {
            list.split_whitespace()
                .map(|pid| pid.parse().unwrap())
                .collect::<Vec<_>>()
        })
        .collect()
}

async fn are_gone(pids: &[u32]) -> bool {
    let end = Instant::now() + Duration::from_secs(15);
    while Instant::now() < end {
        if pids
            .iter()
            .all(|pid| !Path::new(&format!("/proc/{pid}")).exists())
        {
            return true;
        }
        sleep(Duration::from_millis(50)).await;
    }
    false
}

/// A tool at work.
struct Running {
    tool: Child,
    /// The first line that it prints.
    started: Value,
    functions: Vec<u32>,
    /// The last line that it prints.
    last: JoinHandle<String>,
}

/// Starts the tool and waits until it has several functions running and has published something.
async fn running(data: &Path, arguments: &[&str]) -> Running {
    let mut tool = up(data, &[&["--json"], arguments].concat())
        .await
        .spawn()
        .unwrap();
    let pid = tool.id().unwrap();
    let mut lines = BufReader::new(tool.stdout.take().unwrap()).lines();
    let mut started = Value::Null;
    let publishes = async {
        loop {
            let line = lines.next_line().await.unwrap().expect("a running tool");
            let event: Value = serde_json::from_str(&line).unwrap();
            if event["event"] == "started" {
                started = event;
                continue;
            }
            if event["published"].as_u64() > Some(0) {
                break;
            }
        }
    };
    timeout(Duration::from_secs(60), publishes).await.unwrap();
    let functions = children(pid);
    assert!(functions.len() >= 3, "{functions:?}");
    // Whoever reads no further must not block the tool.
    let last = tokio::spawn(async move {
        let mut last = String::new();
        while let Ok(Some(line)) = lines.next_line().await {
            last = line;
        }
        last
    });
    Running {
        tool,
        started,
        functions,
        last,
    }
}

fn signal(pid: u32, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    rustix::process::kill_process(pid, signal).unwrap();
}

#[tokio::test]
async fn ctrl_c_a_kill_and_a_closed_terminal_drain_and_leave_no_process() {
    use rustix::process::Signal;
    for sent in [Signal::INT, Signal::TERM, Signal::HUP] {
        let (_folder, data) = data();
        let Running {
            mut tool,
            functions,
            last,
            ..
        } = running(&data, &[]).await;
        signal(tool.id().unwrap(), sent);
        let status = timeout(Duration::from_secs(60), tool.wait()).await;
        let status = status.expect("an end within 60 s").unwrap();
        let last = last.await.unwrap();
        assert_eq!(status.code(), Some(0), "{sent:?}: {last}");
        let summary: Value = serde_json::from_str(&last).unwrap();
        assert_eq!(summary["exact"], true, "{sent:?}: {last}");
        assert!(are_gone(&functions).await, "{sent:?}");
    }
}

#[tokio::test]
async fn serve_and_trigger_end_when_the_terminal_is_closed() {
    let tool = bin_dir().await.join("quotelake");
    let start = |arguments: &[&str]| {
        let mut command = hearing_hang_up(&tool);
        command
            .current_dir(workspace())
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        let mut tool = command.spawn().unwrap();
        let lines = BufReader::new(tool.stdout.take().unwrap()).lines();
        (tool, lines)
    };
    let hang_up = async |tool: &mut Child| {
        signal(tool.id().unwrap(), rustix::process::Signal::HUP);
        let status = timeout(Duration::from_secs(60), tool.wait()).await;
        assert_eq!(status.unwrap().unwrap().code(), Some(0));
    };
    let (mut broker, mut lines) = start(&["serve", "broker"]);
    let mut brokers = String::new();
    while !brokers.starts_with("KafkaBootstrapServers=") {
        brokers = lines.next_line().await.unwrap().expect("the brokers");
    }
    let brokers = brokers.split_once('=').unwrap().1;
    // Nothing is published, so nothing is invoked there.
    let nowhere = "http://127.0.0.1:1";
    let arguments = ["--brokers", brokers, "--lambda-endpoint", nowhere];
    let (mut trigger, mut lines) = start(&[&["trigger", "--json"], &arguments[..]].concat());
    let started = timeout(Duration::from_secs(60), lines.next_line()).await;
    let started = started.unwrap().unwrap().expect("a start");
    assert!(started.contains("started"), "{started}");
    hang_up(&mut trigger).await;
    hang_up(&mut broker).await;
}

#[tokio::test]
async fn a_tool_under_nohup_outlives_its_terminal() {
    let mut tool = Command::new("nohup")
        .arg(bin_dir().await.join("quotelake"))
        .args(["serve", "market"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(tool.stdout.take().unwrap()).lines();
    lines.next_line().await.unwrap().expect("an address");
    let pid = tool.id().unwrap();
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let ignored = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .unwrap();
    let ignored = u64::from_str_radix(ignored.trim(), 16).unwrap();
    assert_eq!(ignored & 1, 1, "SIGHUP is the first signal: {status}");
    signal(pid, rustix::process::Signal::TERM);
    let status = timeout(Duration::from_secs(60), tool.wait()).await;
    assert_eq!(status.unwrap().unwrap().code(), Some(0));
}

#[tokio::test]
async fn ctrl_c_while_the_functions_start_kills_none_of_them() {
    let (_folder, data) = data();
    let mut tool = up(&data, &["--json"]).await.spawn().unwrap();
    let mut lines = BufReader::new(tool.stdout.take().unwrap()).lines();
    let mut next = async || timeout(Duration::from_secs(60), lines.next_line()).await;
    assert!(next().await.unwrap().unwrap().unwrap().contains("started"));
    let pid = tool.id().unwrap();
    let end = Instant::now() + Duration::from_secs(60);
    while children(pid).is_empty() {
        assert!(Instant::now() < end, "a function within 60 s");
        sleep(Duration::from_millis(1)).await;
    }
    signal(pid, rustix::process::Signal::INT);
    let mut summary = Value::Null;
    while let Some(line) = next().await.unwrap().unwrap() {
        summary = serde_json::from_str(&line).unwrap();
    }
    assert_eq!(summary["exact"], true, "{summary}");
    let said = summary.to_string();
    assert!(!said.contains("did not start"), "{said}");
}

/// Every file in `folder`, at any depth.
fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    entries
        .map(|entry| entry.unwrap().path())
        .flat_map(|path| {
            if path.is_dir() {
                files(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

#[tokio::test]
async fn a_killed_tool_leaves_no_function_and_no_half_object_behind() {
    let (_folder, data) = data();
    let Running {
        mut tool,
        functions,
        ..
    } = running(&data, &["--parameter", "LogLevel=error"]).await;
    let bucket = data.join("s3/bronze-bucket");
    let end = Instant::now() + Duration::from_secs(60);
    while lines(&bucket) < 30 {
        assert!(Instant::now() < end, "30 lines within 60 s");
        sleep(Duration::from_millis(1)).await;
    }
    tool.kill().await.unwrap();
    assert!(are_gone(&functions).await, "{functions:?}");
    let layout = Layout::new(
        "bronze",
        Some(&epoch(&bucket)),
        Granularity::SEGMENT,
        Compression::None,
    );
    let objects = files(&bucket).into_iter().map(|path| {
        let key = path.strip_prefix(&bucket).unwrap().to_str().unwrap();
        let body = std::fs::read(&path).unwrap();
        (ObjectKey::new(key), body.into())
    });
    // What a partition is marked with is no record.
    let objects =
        objects.filter(|(key, _): &(ObjectKey, _)| !key.as_str().starts_with(&layout.marks_root()));
    assert!(contents(&layout, &objects.collect()).lines.len() >= 30);
}

/// How many lines there are in the objects of a bucket.
fn lines(bucket: &Path) -> usize {
    let body = |path| std::fs::read(path).unwrap();
    let feeds = |body: Vec<u8>| body.iter().filter(|&&byte| byte == b'\n').count();
    files(bucket).into_iter().map(body).map(feeds).sum()
}

/// The one history in a bucket.
fn epoch(bucket: &Path) -> String {
    let folders = std::fs::read_dir(bucket.join("bronze")).unwrap();
    let names = folders.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let names: Vec<_> = names.collect();
    assert_eq!(names.len(), 1, "{names:?}");
    names[0].strip_prefix("epoch=").unwrap().to_owned()
}

#[tokio::test]
async fn what_can_not_start_is_one_sentence_and_exit_code_2() {
    let check = async |arguments: &[&str], expected: &str| {
        let (_folder, data) = data();
        let output = outcome(&mut up(&data, arguments).await).await;
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(expected), "{said}");
        assert_eq!(said.trim_end().lines().count(), 1, "{said}");
        assert!(!data.join("s3").exists(), "nothing half-written");
    };
    check(&["--template", "absent.yaml"], "absent.yaml").await;
    check(
        &["--brokers", "127.0.0.1:1"],
        "the brokers at 127.0.0.1:1 don't answer",
    )
    .await;
    check(&["--brokers", "nowhere"], "'nowhere' has no port").await;
    check(
        &["--s3-endpoint", "http://127.0.0.1:1"],
        "the store at http://127.0.0.1:1/",
    )
    .await;
    check(&["--speed", "0"], "speed").await;
    check(&["--feed", "live"], "set FINNHUB_API_KEY").await;
    check(&["--parameter", "NoSuch=1"], "NoSuch").await;
    check(&["--parameter", "CryptoSymbols=btc"], "CryptoSymbols").await;

    check(
        &["--bin-dir", "/nonexistent"],
        "the function binary /nonexistent/quote-poller is missing",
    )
    .await;

    let folder = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(workspace().join("template.yaml")).unwrap();
    let items = folder.path().join("template.yaml");
    let changed = text.replace(
        "FAILURE_RESPONSE: !If [NamesFailedItems, items, batch]",
        "FAILURE_RESPONSE: items",
    );
    assert_ne!(changed, text);
    std::fs::write(&items, changed).unwrap();
    check(
        &["--template", items.to_str().unwrap()],
        "which the trigger StockQuotesTrigger would ignore and so lose",
    )
    .await;

    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    check(&["--s3-port", &port], &format!("port {port} is in use")).await;
}

#[tokio::test]
async fn a_folder_of_somebody_else_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("thesis.tex"), "").unwrap();
    let output = outcome(&mut up(folder.path(), &["--for", "1s"]).await).await;
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("is not quotelake's"), "{said}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}
