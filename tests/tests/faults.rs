use std::time::Duration;

use bytes::Bytes;
use futures::future::join_all;
use lake::{
    Landed, ObjectKey, put_once,
    store::{Get, PutIf, S3Store, StoreError, list_all},
};
use pipeline_tests::{
    proxy::{Fault, Policy, Proxy},
    store::{self, client},
};
use plane::object_store::ObjectStore;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

/// The embedded store, one client that goes through the proxy and one that does not.
struct Rig {
    folder: TempDir,
    proxy: Proxy,
    faulty: S3Store,
    direct: S3Store,
    _server: ObjectStore,
}

impl Rig {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = ObjectStore::start(folder.path(), 0).await.unwrap();
        let proxy = Proxy::start(&server.endpoint()).await;
        let direct = client(&server.endpoint(), "bronze").await;
        direct.create_bucket().await.unwrap();
        Self {
            faulty: client(&proxy.endpoint(), "bronze").await,
            folder,
            proxy,
            direct,
            _server: server,
        }
    }

    /// What a PUT through the proxy says, and what is then in the store.
    async fn put(&self, policy: Policy, body: Bytes) -> (Result<(), StoreError>, Option<Bytes>) {
        self.proxy.set(policy);
        let said = self.faulty.put_if_absent(&key(), body).await.map(|_| ());
        let there = self.direct.get(&key()).await.ok();
        (said, there.map(|object| object.body))
    }
}

fn key() -> ObjectKey {
    ObjectKey::new("a/b")
}

const BODY: Bytes = Bytes::from_static(b"body");

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_does_nothing_changes_no_promise_of_a_store() {
    let rig = Rig::start().await;
    store::keeps_every_promise(&rig.faulty).await;
    let counts = rig.proxy.counts();
    assert!(counts.requests["PUT"] > 1_000 && counts.requests["GET"] > 10);
    assert_eq!(counts.faults.into_keys().collect::<Vec<_>>(), [Fault::Pass]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_put_whose_reply_is_lost_is_in_the_store_and_its_repetition_finds_it_taken() {
    let rig = Rig::start().await;
    let (said, there) = rig.put(Policy::First(1, Fault::DropReply), BODY).await;
    assert_eq!(said, Err(StoreError::AlreadyExists { key: key() }));
    assert_eq!(there, Some(BODY));
    assert_eq!(rig.proxy.count(Fault::DropReply), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_put_whose_replies_are_all_lost_is_in_the_store_and_of_unknown_outcome() {
    let rig = Rig::start().await;
    let (said, there) = rig.put(Policy::Always(Fault::DropReply), BODY).await;
    assert!(
        matches!(said, Err(StoreError::Unavailable { .. })),
        "{said:?}"
    );
    assert_eq!(there, Some(BODY));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_put_that_never_arrives_is_not_in_the_store() {
    let rig = Rig::start().await;
    let (said, there) = rig.put(Policy::Always(Fault::DropRequest), BODY).await;
    assert!(
        matches!(said, Err(StoreError::Unavailable { .. })),
        "{said:?}"
    );
    assert_eq!(there, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_put_that_is_cut_in_the_middle_leaves_nothing_in_the_folder() {
    let rig = Rig::start().await;
    let body = Bytes::from(vec![b'x'; 4_000_000]);
    let (said, there) = rig.put(Policy::Always(Fault::CutRequest), body).await;
    assert!(
        matches!(said, Err(StoreError::Unavailable { .. })),
        "{said:?}"
    );
    assert_eq!(there, None);
    // The server finds out a moment after the client.
    let end = Instant::now() + Duration::from_secs(10);
    let names = || {
        let entries = std::fs::read_dir(rig.folder.path()).unwrap();
        entries
            .map(|entry| entry.unwrap().file_name())
            .collect::<Vec<_>>()
    };
    while names() != ["bronze"] {
        assert!(Instant::now() < end, "{:?}", names());
        sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_asks_for_fewer_requests_is_asked_again_and_then_named() {
    let rig = Rig::start().await;
    let (said, there) = rig.put(Policy::Always(Fault::Refuse), BODY).await;
    assert!(
        matches!(said, Err(StoreError::Throttled { .. })),
        "{said:?}"
    );
    assert_eq!(there, None);
    let (said, there) = rig.put(Policy::First(1, Fault::Refuse), BODY).await;
    assert_eq!((said, there), (Ok(()), Some(BODY)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_of_two_seconds_is_waited_out() {
    let rig = Rig::start().await;
    rig.faulty
        .put_if_absent(&ObjectKey::new("before"), BODY)
        .await
        .unwrap();
    rig.proxy.set(Policy::Down);
    let until = Instant::now() + Duration::from_secs(30);
    let landing = {
        let store = rig.faulty.clone();
        tokio::spawn(async move { put_once(&store, &key(), &BODY, until).await })
    };
    sleep(Duration::from_secs(2)).await;
    assert!(!landing.is_finished());
    rig.proxy.set(Policy::Always(Fault::Pass));
    assert_eq!(landing.await.unwrap(), Ok(Landed::Written));
    assert_eq!(rig.direct.get(&key()).await.unwrap().body, BODY);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_hundred_puts_through_every_fault_each_lands_once() {
    let faults = [
        Fault::DropReply,
        Fault::DropRequest,
        Fault::CutRequest,
        Fault::Refuse,
    ];
    let rig = Rig::start().await;
    rig.proxy.set(Policy::By(Box::new(move |request| {
        let turn = usize::try_from(request.number / 3).unwrap();
        if request.number.is_multiple_of(3) {
            faults[turn % faults.len()]
        } else {
            Fault::Pass
        }
    })));
    let until = Instant::now() + Duration::from_secs(60);
    let keys: Vec<_> = (0..100)
        .map(|index| ObjectKey::new(format!("many/{index:03}")))
        .collect();
    let landings = keys.iter().map(async |key| {
        let body = Bytes::from(key.to_string());
        put_once(&rig.faulty, key, &body, until).await
    });
    for landed in join_all(landings).await {
        assert_ne!(landed.unwrap(), Landed::TakenByOther);
    }
    assert_eq!(list_all(&rig.direct, "many/").await.unwrap(), keys);
    for key in &keys {
        assert_eq!(rig.direct.get(key).await.unwrap().body, key.to_string());
    }
    for fault in faults {
        assert!(rig.proxy.count(fault) > 0, "{fault:?}");
    }
}
