use std::{fs, os::unix::fs::PermissionsExt};

use stream::{consume::TopicConsumer, embedded::EmbeddedBroker, publish::KafkaPublisher};
use tokio::time::timeout;

use super::*;
use crate::object_store::ObjectStore;

/// A host of one function whose process is this shell script.
fn host(folder: &std::path::Path, script: &str) -> Host {
    let binary = folder.join("function");
    fs::write(&binary, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&binary, fs::Permissions::from_mode(0o755)).unwrap();
    let function = Function {
        name: "Function".to_owned(),
        binary,
        timeout: Duration::from_secs(5),
        memory_mb: 128,
        reserved_concurrency: None,
        environment: BTreeMap::new(),
    };
    let settings = HostSettings {
        service_environment: BTreeMap::new(),
        logs: folder.join("logs"),
        metrics: Arc::new(|_, _| {}),
        on_timeout: OnTimeout::Kill,
    };
    Host::new(vec![function], settings)
}

/// What the script says last before it ends.
async fn said(host: &Host) -> String {
    match host.invoke("Function", Bytes::new()).await.unwrap_err() {
        InvokeError::InitFailed { said, .. } => said,
        other => panic!("{other}"),
    }
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_function_inherits_nothing_but_its_standard_streams() {
    let folder = tempfile::tempdir().unwrap();
    // Everything that the tool has open while functions start, clients of librdkafka among it.
    let _store = ObjectStore::start(&folder.path().join("s3"), 0)
        .await
        .unwrap();
    let broker = EmbeddedBroker::start().unwrap();
    broker.create_topic("t", 1).unwrap();
    let publisher = KafkaPublisher::new(broker.cluster()).unwrap();
    publisher.connect(Duration::from_secs(10)).await.unwrap();
    let consumer = TopicConsumer::subscribe(broker.cluster(), "t", "g").unwrap();
    let joined = timeout(Duration::from_secs(30), consumer.join()).await;
    joined.expect("a member within 30 s").unwrap();
    // The third is that of ls itself, on the folder.
    let host = host(folder.path(), "exec ls -m /proc/self/fd >&2");
    assert_eq!(said(&host).await, "0, 1, 2, 3");
}

#[tokio::test]
async fn a_log_is_in_its_folder_whatever_the_functions_name() {
    let folder = tempfile::tempdir().unwrap();
    let mut host = host(folder.path(), "echo begun >&2");
    let mut function = host.functions.remove("Function").unwrap();
    function.name = "../../x".to_owned();
    host.functions.insert("Function".to_owned(), function);
    assert_eq!(said(&host).await, "begun");
    let log = folder.path().join("logs/..%2F..%2Fx.log");
    assert_eq!(fs::read_to_string(log).unwrap(), "begun\n");
}
