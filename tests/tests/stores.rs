use lake::{
    ObjectKey,
    store::{Credentials, Get, MemoryStore, PutIf, S3Settings, S3Store, StoreError, list_all},
};
use pipeline_tests::{
    served::Served,
    store::{self, client},
};
use plane::object_store::{ACCESS_KEY, ObjectStore};

#[tokio::test]
async fn the_store_in_memory_keeps_every_promise() {
    store::keeps_every_promise(&MemoryStore::default()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_embedded_store_keeps_every_promise() {
    let folder = tempfile::tempdir().unwrap();
    let server = ObjectStore::start(folder.path(), 0).await.unwrap();
    let lake = client(&server.endpoint(), "bronze").await;
    lake.create_bucket().await.unwrap();
    lake.create_bucket().await.unwrap();
    store::keeps_every_promise(&lake).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs ministack: .ci/run emulator"]
async fn the_emulators_store_keeps_every_promise() {
    let ministack = Served::emulated().await;
    let lake = client(&ministack.endpoint(), "bronze").await;
    lake.create_bucket().await.unwrap();
    store::keeps_every_promise(&lake).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_survive_a_restart_of_the_embedded_store() {
    let folder = tempfile::tempdir().unwrap();
    let key = ObjectKey::new("a/b");
    let etag = {
        let server = ObjectStore::start(folder.path(), 0).await.unwrap();
        let lake = client(&server.endpoint(), "bronze").await;
        lake.create_bucket().await.unwrap();
        lake.put_if_absent(&key, "kept".into()).await.unwrap()
    };
    let server = ObjectStore::start(folder.path(), 0).await.unwrap();
    let lake = client(&server.endpoint(), "bronze").await;
    let object = lake.get(&key).await.unwrap();
    assert_eq!((object.body, object.etag), ("kept".into(), etag));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_store_leaves_is_a_whole_object_or_none() {
    let folder = tempfile::tempdir().unwrap();
    let key = ObjectKey::new("a/b");
    let old = {
        let server = ObjectStore::start(folder.path(), 0).await.unwrap();
        let lake = client(&server.endpoint(), "bronze").await;
        lake.create_bucket().await.unwrap();
        lake.put_if_absent(&key, "old".into()).await.unwrap()
    };
    // Killed while a body came in, and right after another took its place.
    let unfinished = folder.path().join(".tmp.7.internal.part");
    std::fs::write(&unfinished, "hal").unwrap();
    std::fs::write(folder.path().join("bronze/a/b"), "new").unwrap();

    let server = ObjectStore::start(folder.path(), 0).await.unwrap();
    let lake = client(&server.endpoint(), "bronze").await;
    assert!(!unfinished.exists());
    assert_eq!(list_all(&lake, "").await.unwrap(), vec![key.clone()]);
    let object = lake.get(&key).await.unwrap();
    assert_eq!(object.body, "new");
    assert_eq!(
        lake.put_if_match(&key, "lost update".into(), &old).await,
        Err(StoreError::Changed { key: key.clone() })
    );
    lake.put_if_match(&key, "newer".into(), &object.etag)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_refuses_or_is_gone_says_so_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let server = ObjectStore::start(folder.path(), 0).await.unwrap();
    let endpoint = server.endpoint();
    let key = ObjectKey::new("a");

    let wrong_key = S3Store::connect(S3Settings {
        bucket: "bronze".to_owned(),
        endpoint: Some(endpoint.clone()),
        credentials: Some(Credentials::new(ACCESS_KEY, "wrong", None, None, "test")),
    });
    let refused = wrong_key
        .await
        .put_if_absent(&key, "x".into())
        .await
        .unwrap_err();
    assert!(matches!(refused, StoreError::Denied { .. }), "{refused}");

    drop(server);
    let gone = client(&endpoint, "bronze")
        .await
        .put_if_absent(&key, "x".into())
        .await
        .unwrap_err();
    assert!(matches!(gone, StoreError::Unavailable { .. }), "{gone}");
    assert!(gone.to_string().contains(&endpoint), "{gone}");
}
