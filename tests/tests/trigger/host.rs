use std::{
    collections::BTreeMap,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

use lake::{Compression, Granularity, Layout};
use pipeline_tests::{
    contents::{contents, objects},
    plane::bin_dir,
    proxy::{Fault, Policy, Proxy},
    store::client,
};
use quotelake::{
    host::{Function, Host, HostSettings, OnTimeout},
    object_store::{ACCESS_KEY, ObjectStore, SECRET_KEY},
};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};

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
        metrics: Arc::new(|_| {}),
        on_timeout,
    };
    Host::new(vec![function], settings)
}

fn is_running(pid: Pid) -> bool {
    test_kill_process(pid).is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_that_was_left_running_writes_late_and_doubles_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let server = ObjectStore::start(&folder.path().join("objects"), 0)
        .await
        .unwrap();
    let store = client(&server.endpoint(), "bronze").await;
    store.create_bucket().await.unwrap();
    let proxy = Proxy::start(&server.endpoint()).await;
    let is_first = AtomicBool::new(true);
    // The layout is written down before the first line.
    proxy.set(Policy::By(Box::new(move |request| {
        if request.target.contains("symbol") && is_first.swap(false, Ordering::SeqCst) {
            Fault::Hold
        } else {
            Fault::Pass
        }
    })));
    let logs = folder.path().join("logs");
    let host = host(
        bin_dir().await,
        &logs,
        &proxy.endpoint(),
        OnTimeout::LeaveRunning,
    );
    let host = Arc::new(host);

    let value = base64_simd::STANDARD.encode_to_string(r#"{"symbol":"A","fetched_at":1779480005}"#);
    let event = serde_json::json!({"eventSource": "SelfManagedKafka", "records": {"t-0": [
        {"topic": "t", "partition": 0, "offset": 7, "timestamp": 1_779_480_000_123_i64, "value": value, "headers": []},
    ]}});
    let payload = Bytes::from(event.to_string());
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
