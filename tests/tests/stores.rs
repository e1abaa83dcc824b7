use lake::store::{Credentials, MemoryStore, S3Settings, S3Store, StoreError};
use pipeline_tests::store;
use quotelake::object_store::{ACCESS_KEY, ObjectStore, SECRET_KEY};

async fn client(endpoint: &str, bucket: &str) -> S3Store {
    S3Store::connect(S3Settings {
        bucket: bucket.to_owned(),
        endpoint: Some(endpoint.to_owned()),
        credentials: Some(Credentials::new(ACCESS_KEY, SECRET_KEY, None, None, "test")),
    })
    .await
}

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
async fn objects_survive_a_restart_of_the_embedded_store() {
    use lake::{
        ObjectKey,
        store::{Get, PutIf},
    };

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
async fn a_store_that_refuses_or_is_gone_says_so_by_name() {
    use lake::{ObjectKey, store::PutIf};

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
