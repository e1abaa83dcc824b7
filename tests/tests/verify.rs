mod topics;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Output, Stdio},
    time::Duration,
};

use bytes::Bytes;
use lake::{
    read_line,
    store::{Get, PutIf, list_all},
};
use pipeline_tests::plane::{audit, bin_dir, lake, options, workspace};
use plane::object_store::{ACCESS_KEY, SECRET_KEY};
use quotelake::up::Running;
use serde_json::Value;
use tokio::{
    process::Command,
    time::{Instant, sleep, timeout},
};

/// The tool with these arguments.
async fn quotelake(arguments: &[&str]) -> Command {
    let mut command = Command::new(bin_dir().await.join("quotelake"));
    command
        .current_dir(workspace())
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

async fn outcome(mut command: Command) -> (Option<i32>, Output) {
    let ended = timeout(Duration::from_secs(90), command.output());
    let output = ended.await.expect("an end within 90 s").unwrap();
    (output.status.code(), output)
}

/// Verifies as a person does: the exit code, and what is on stdout.
async fn verify(data: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let of_folder = ["verify", "--data", data.to_str().unwrap()];
    let (code, output) = outcome(quotelake(&[&of_folder, arguments].concat()).await).await;
    let said = [output.stdout, output.stderr].concat();
    (code, String::from_utf8(said).unwrap())
}

/// Every bronze object in `folder`, at any depth.
fn objects(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| {
            if path.is_dir() {
                objects(&path)
            } else {
                vec![path]
            }
        })
        .filter(|path| path.extension().is_some_and(|kind| kind == "ndjson"))
        .collect()
}

#[tokio::test]
async fn what_is_done_to_the_folder_of_a_run_after_its_end_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let path = data.to_str().unwrap();
    let bin_dir = bin_dir().await.to_str().unwrap();
    let up = [
        "up",
        "--for",
        "6s",
        "--json",
        "--data",
        path,
        "--bin-dir",
        bin_dir,
    ];
    let (code, output) = outcome(quotelake(&up).await).await;
    assert_eq!(code, Some(0), "{output:?}");
    let last = output
        .stdout
        .trim_ascii_end()
        .split(|&byte| byte == b'\n')
        .next_back();
    let summary: Value = serde_json::from_slice(last.unwrap()).unwrap();
    assert_eq!(summary["audit"]["compared"], summary["audit"]["in_topics"]);

    let (code, said) = verify(&data, &[]).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("exact: every record is in the store once"),
        "{said}"
    );
    let (code, said) = verify(&data, &["--json"]).await;
    let verdict: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((code, &verdict["exact"]), (Some(0), &Value::Bool(true)));
    assert_eq!(verdict["in_topics"], summary["audit"]["in_topics"]);

    let object = objects(&data.join("s3/bronze-bucket/bronze/epoch=1")).swap_remove(0);
    let body = fs::read_to_string(&object).unwrap();
    let first = read_line(lake::Version::Two, body.lines().next().unwrap().as_bytes()).unwrap();
    let place = format!("{}-{}@{}", first.topic, first.partition, first.offset);
    let name = object.file_name().unwrap().to_str().unwrap();

    fs::remove_file(&object).unwrap();
    let (code, said) = verify(&data, &[]).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains(&format!(" missing: {place}")), "{said}");

    let altered = body.replace(&*first.symbol, "OTHER");
    fs::write(&object, altered).unwrap();
    let (code, said) = verify(&data, &[]).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("1 damaged: ") && said.contains(name),
        "{said}"
    );

    fs::write(&object, &body).unwrap();
    let copy = object.with_file_name(name.replace(".000Z-", ".001Z-"));
    fs::copy(&object, &copy).unwrap();
    let (code, said) = verify(&data, &[]).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains(&format!(" doubled: {place}")), "{said}");
    assert!(said.contains(".001Z-"), "{said}");

    fs::remove_file(&copy).unwrap();
    fs::remove_dir_all(data.join("expected")).unwrap();
    let (code, said) = verify(&data, &[]).await;
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("it was cut off, so give --range"), "{said}");
    let (topic, partition, offset) = (&first.topic, first.partition, first.offset);
    let range = format!("{topic}-{partition}:{offset}-{offset}");
    let (code, said) = verify(&data, &["--range", &range]).await;
    assert_eq!(code, Some(0), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_is_not_kafkas_record_is_named_while_the_plane_runs() {
    let data = tempfile::tempdir().unwrap();
    let mut plane = Running::start(&options(&data).await).await.unwrap();
    let (store, layout) = lake(&plane).await;
    let end = Instant::now() + Duration::from_secs(60);
    let (key, object) = loop {
        assert!(Instant::now() < end, "an object within 60 s");
        tokio::select! {
            error = plane.failure() => panic!("{error}"),
            () = sleep(Duration::from_millis(100)) => {}
        }
        let keys = list_all(&store, &layout.topic_root("stock-quotes"))
            .await
            .unwrap();
        if let Some(key) = keys.into_iter().next() {
            let object = store.get(&key).await.unwrap();
            break (key, object);
        }
    };
    let line = object.body.split(|&byte| byte == b'\n').next().unwrap();
    let line = read_line(lake::Version::Two, line).unwrap();
    let (partition, offset) = (line.partition, line.offset);
    let range = format!("stock-quotes-{partition}:{offset}-{offset}");
    let endpoint = plane.store().endpoint();
    let arguments = [
        &[
            "verify",
            "--bucket",
            "bronze-bucket",
            "--epoch",
            "1",
            "--s3-endpoint",
            endpoint,
        ][..],
        &["--brokers", plane.cluster().brokers(), "--range", &range],
    ]
    .concat();
    let verify = async || {
        let mut command = quotelake(&arguments).await;
        command
            .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
            .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY);
        let (code, output) = outcome(command).await;
        (
            code,
            String::from_utf8([output.stdout, output.stderr].concat()).unwrap(),
        )
    };
    let (code, said) = verify().await;
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("1 compared with Kafka byte for byte"),
        "{said}"
    );

    let text = String::from_utf8(object.body.to_vec()).unwrap();
    let altered = Bytes::from(text.replacen("\"meta\"", "\"Meta\"", 1));
    assert_ne!(altered, object.body);
    store
        .put_if_match(&key, altered, &object.etag)
        .await
        .unwrap();
    let (code, said) = verify().await;
    assert_eq!(code, Some(1), "{said}");
    let place = format!("stock-quotes-{partition}@{offset}");
    assert!(
        said.contains(&format!("1 altered: {place}\nNOT EXACT")),
        "{said}"
    );
    let summary = plane.stop().await.unwrap();
    assert_eq!(audit(&summary)["altered"]["first"][0], place, "{summary}");
    assert!(
        !summary.is_exact(),
        "the last count of a run compares bytes too"
    );
}

#[tokio::test]
async fn what_can_not_be_verified_is_one_sentence_and_exit_code_2() {
    let check = async |data: &Path, arguments: &[&str], expected: &str| {
        let (code, said) = verify(data, arguments).await;
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains(expected), "{said}");
        assert_eq!(said.trim_end().lines().count(), 1, "{said}");
    };
    let folder = tempfile::tempdir().unwrap();
    let absent = folder.path().join("absent");
    check(&absent, &[], "run `quotelake up` first").await;
    assert!(!absent.exists());
    fs::write(folder.path().join("thesis.tex"), "").unwrap();
    check(folder.path(), &[], "no plane has started on it").await;
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);

    let nowhere = [
        "verify",
        "--bucket",
        "b",
        "--s3-endpoint",
        "http://127.0.0.1:1",
    ];
    let (code, output) = outcome(quotelake(&nowhere).await).await;
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("the store at http://127.0.0.1:1/b"), "{said}");
}

#[tokio::test]
async fn ctrl_c_ends_it_at_once() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", silent.local_addr().unwrap());
    let arguments = ["verify", "--bucket", "b", "--s3-endpoint", &endpoint];
    let mut tool = quotelake(&arguments).await.spawn().unwrap();
    let _asked = timeout(Duration::from_secs(60), silent.accept())
        .await
        .unwrap()
        .unwrap();
    let pid = i32::try_from(tool.id().unwrap()).unwrap();
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let ended = timeout(Duration::from_secs(5), tool.wait()).await;
    assert_eq!(ended.unwrap().unwrap().code(), Some(130));
}
