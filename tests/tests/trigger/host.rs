use std::{
    collections::BTreeMap,
    path::Path,
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
};

use lake::{Compression, Granularity, Layout, store::S3Store};
use pipeline_tests::{
    contents::{contents, objects},
    plane::bin_dir,
    proxy::{Fault, Policy, Proxy},
    store::client,
};
use plane::{
    async_invoke,
    host::{Function, Host, HostSettings, OnTimeout},
    object_store::{ACCESS_KEY, ObjectStore, SECRET_KEY},
};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use sam_template::EventInvokeConfig;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::*;

fn host(bin_dir: &Path, logs: &Path, endpoint: &str, on_timeout: OnTimeout) -> Host {
    let text = |pairs: &[(&str, &str)]| {
        let pairs = pairs.iter();
        let owned = pairs.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        owned.collect::<BTreeMap<_, _>>()
    };
    let function = Function {
        name: "writer".to_owned(),
        binary: bin_dir.join("bronze-writer"),
        timeout: Duration::from_secs(3),
        memory_mb: 128,
        reserved_concurrency: Some(1),
        environment: text(&[("BRONZE_BUCKET", "bronze"), ("BRONZE_PREFIX", "bronze")]),
    };
    let settings = HostSettings {
        service_environment: text(&[
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY),
            ("AWS_SECRET_ACCESS_KEY", SECRET_KEY),
            ("AWS_ENDPOINT_URL_S3", endpoint),
        ]),
        logs: logs.to_owned(),
        metrics: Arc::new(|_, _| {}),
        on_timeout,
    };
    Host::new(vec![function], settings)
}

/// A batch of one record.
fn event() -> Bytes {
    let value = base64_simd::STANDARD.encode_to_string(r#"{"symbol":"A","fetched_at":1779480005}"#);
    let event = serde_json::json!({"eventSource": "SelfManagedKafka", "records": {"t-0": [
        {"topic": "t", "partition": 0, "offset": 7, "timestamp": 1_779_480_000_123_i64, "value": value, "headers": []},
    ]}});
    Bytes::from(event.to_string())
}

fn hold_the_first_line(proxy: &Proxy) {
    let is_first = AtomicBool::new(true);
    // The layout is written down before the first line.
    proxy.set(Policy::By(Box::new(move |request| {
        if request.target.contains("symbol") && is_first.swap(false, Ordering::SeqCst) {
            Fault::Hold
        } else {
            Fault::Pass
        }
    })));
}

fn is_running(pid: Pid) -> bool {
    test_kill_process(pid).is_ok()
}

/// An embedded store with a bucket, its own client, and a proxy in front of it that holds the first line.
async fn held_store(folder: &TempDir) -> (ObjectStore, S3Store, Proxy) {
    let server = ObjectStore::start(&folder.path().join("objects"), 0)
        .await
        .unwrap();
    let store = client(&server.endpoint(), "bronze").await;
    store.create_bucket().await.unwrap();
    let proxy = Proxy::start(&server.endpoint()).await;
    hold_the_first_line(&proxy);
    (server, store, proxy)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_that_was_left_running_writes_late_and_doubles_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, store, proxy) = held_store(&folder).await;
    let logs = folder.path().join("logs");
    let host = host(
        bin_dir().await,
        &logs,
        &proxy.endpoint(),
        OnTimeout::LeaveRunning,
    );
    let host = Arc::new(host);

    let payload = event();
    let first = {
        let (host, payload) = (Arc::clone(&host), payload.clone());
        tokio::spawn(async move { host.invoke("writer", payload).await })
    };
    proxy.held(0).await;
    let pid = Pid::from_raw(i32::try_from(host.busy("writer")[0]).unwrap()).unwrap();
    // Its own deadline would make it answer in time.
    kill_process(pid, Signal::STOP).unwrap();

    let throttled = host.invoke("writer", payload.clone()).await;
    let expected = InvokeError::Throttled {
        function: "writer".to_owned(),
        limit: 1,
    };
    assert_eq!(throttled, Err(expected), "while the first runs");
    let timed_out = first.await.unwrap();
    assert!(
        matches!(timed_out, Err(InvokeError::TimedOut { .. })),
        "{timed_out:?}"
    );

    // The retry takes the place of the first, whose process still is there.
    let answer = host.invoke("writer", payload).await.unwrap();
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    assert_eq!(
        (&answer["added"], &answer["already_there"]),
        (&1.into(), &0.into())
    );
    let layout = Layout::new("bronze", None, Granularity::SEGMENT, Compression::None);
    let before = objects(&store, &layout).await;
    proxy.let_go();
    until("the late reply", || proxy.counts().late_replies.len() == 1).await;
    assert_eq!(
        proxy.counts().late_replies,
        [("412".to_owned(), 1)].into(),
        "the late PUT changes nothing"
    );
    let after = objects(&store, &layout).await;
    assert_eq!(before, after);
    let lines = contents(&layout, &after).lines;
    assert!(lines.keys().eq([&("t".to_owned(), 0, 7)]), "{lines:?}");
    assert!(is_running(pid));
    host.end().await;
    assert!(!is_running(pid));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_comes_twice_to_a_function_of_one_runs_twice_and_never_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, _, proxy) = held_store(&folder).await;
    let host = host(
        bin_dir().await,
        &folder.path().join("logs"),
        &proxy.endpoint(),
        OnTimeout::Kill,
    );

    let (stats, stop) = (Stats::default(), CancellationToken::new());
    let (throttles, answers) = (AtomicU32::new(0), Mutex::new(Vec::new()));
    let deliver = || {
        async_invoke::deliver(
            "writer",
            EventInvokeConfig::default(),
            &stop,
            &stats,
            || async {
                let outcome = host.invoke("writer", event()).await;
                match &outcome {
                    Ok(answer) => answers.lock().unwrap().push(answer.clone()),
                    Err(InvokeError::Throttled { .. }) => {
                        throttles.fetch_add(1, Ordering::SeqCst);
                    }
                    Err(error) => panic!("{error}"),
                }
                outcome
            },
        )
    };
    let let_go = async {
        proxy.held(0).await;
        until("the throttle", || throttles.load(Ordering::SeqCst) > 0).await;
        proxy.let_go();
    };
    tokio::join!(deliver(), deliver(), let_go);

    let added = answers.into_inner().unwrap().into_iter().map(|answer| {
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        answer["added"].as_u64().unwrap()
    });
    assert_eq!(added.collect::<Vec<_>>(), [1, 0], "one after the other");
    assert_eq!(stats.snapshot().troubles, 0);
    host.end().await;
}

/// The state of a process as Linux tells it, such as `S` for sleeping and `T` for stopped.
#[cfg(target_os = "linux")]
fn state(pid: u32) -> Option<char> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    status.rsplit_once(") ")?.1.chars().next()
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn between_invocations_a_process_is_frozen_and_goes_on_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, _, proxy) = held_store(&folder).await;
    let logs = folder.path().join("logs");
    let host = host(bin_dir().await, &logs, &proxy.endpoint(), OnTimeout::Kill);
    let host = Arc::new(host);
    let first = {
        let host = Arc::clone(&host);
        tokio::spawn(async move { host.invoke("writer", event()).await })
    };
    proxy.held(0).await;
    let [pid] = host.busy("writer")[..] else {
        panic!("one process is busy");
    };
    assert_ne!(state(pid), Some('T'), "at work");
    proxy.let_go();
    first.await.unwrap().unwrap();
    until("the freeze", || state(pid) == Some('T')).await;

    // The same process finds the line that it remembers: it asks no more than whether the object has changed.
    let before = proxy.counts().requests;
    let answer = host.invoke("writer", event()).await.unwrap();
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    assert_eq!(
        (&answer["already_there"], &answer["gets"]),
        (&1.into(), &1.into())
    );
    let after = proxy.counts().requests;
    assert_eq!(
        (after["PUT"], after["GET"]),
        (before["PUT"], before["GET"] + 1)
    );
    until("the next freeze", || state(pid) == Some('T')).await;
    host.end().await;
    assert_eq!(state(pid), None, "a frozen process ends with the host");
}
