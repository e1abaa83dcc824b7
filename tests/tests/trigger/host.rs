use std::{collections::BTreeMap, path::Path};

use lake::{
    Coordinates, coordinates,
    store::{Credentials, Get, S3Settings, S3Store, list_all},
};
use pipeline_tests::plane::bin_dir;
use quotelake::{
    host::{Function, Host, HostSettings, OnTimeout},
    object_store::{ACCESS_KEY, ObjectStore, SECRET_KEY},
};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinSet,
};

use super::*;

/// A way to the store that holds the first request until it is let go.
struct HeldRequest {
    endpoint: String,
    arrived: oneshot::Receiver<()>,
    let_go: oneshot::Sender<()>,
    answered: oneshot::Receiver<String>,
    _proxy: AbortOnDropHandle<()>,
}

impl HeldRequest {
    async fn start(store: &ObjectStore) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let store = store.endpoint().replace("http://", "");
        let (arrive, arrived) = oneshot::channel();
        let (let_go, is_let_go) = oneshot::channel();
        let (answer, answered) = oneshot::channel();
        let proxy = tokio::spawn(async move {
            let (mut client, _) = listener.accept().await.unwrap();
            let first = {
                let store = store.clone();
                async move {
                    let request = whole_request(&mut client).await;
                    arrive.send(()).unwrap();
                    is_let_go.await.unwrap();
                    let mut server = TcpStream::connect(store).await.unwrap();
                    server.write_all(&request).await.unwrap();
                    let mut reply = vec![0; 4_096];
                    let length = server.read(&mut reply).await.unwrap();
                    answer
                        .send(String::from_utf8_lossy(&reply[..length]).into_owned())
                        .unwrap();
                }
            };
            let mut connections = JoinSet::new();
            connections.spawn(first);
            loop {
                let (mut client, _) = listener.accept().await.unwrap();
                let mut server = TcpStream::connect(&store).await.unwrap();
                connections.spawn(async move {
                    // Either end may close first.
                    let _ = copy_bidirectional(&mut client, &mut server).await;
                });
            }
        });
        Self {
            endpoint,
            arrived,
            let_go,
            answered,
            _proxy: AbortOnDropHandle::new(proxy),
        }
    }
}

/// Reads until the body's one line is there, to its end.
async fn whole_request(client: &mut TcpStream) -> Vec<u8> {
    let mut request = Vec::new();
    loop {
        client.read_buf(&mut request).await.unwrap();
        let text = String::from_utf8_lossy(&request);
        if text.contains("_kafka") && text.ends_with('\n') {
            return request;
        }
    }
}

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
    let store = S3Store::connect(S3Settings {
        bucket: "bronze".to_owned(),
        endpoint: Some(server.endpoint()),
        credentials: Some(Credentials::new(ACCESS_KEY, SECRET_KEY, None, None, "test")),
    })
    .await;
    store.create_bucket().await.unwrap();
    let way = HeldRequest::start(&server).await;
    let logs = folder.path().join("logs");
    let host = host(
        bin_dir().await,
        &logs,
        &way.endpoint,
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
    way.arrived.await.unwrap();
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
        (&answer["written"], &answer["merged"]),
        (&1.into(), &0.into())
    );
    let before = list_all(&store, "").await.unwrap();
    way.let_go.send(()).unwrap();
    let reply = way.answered.await.unwrap();
    assert!(reply.starts_with("HTTP/1.1 412"), "{reply}");

    let after = list_all(&store, "").await.unwrap();
    assert_eq!((before.len(), &after), (1, &before));
    let line = store.get(&after[0]).await.unwrap().body;
    let Coordinates { offset, .. } = coordinates(&line).unwrap();
    assert_eq!(offset, 7);
    assert!(is_running(pid));
    host.end().await;
    assert!(!is_running(pid));
}
