//! The store as a client of AWS's SDK finds it, and a person in its folder.

use std::{fs, fs::FileTimes};

use aws_sdk_s3::{
    Client,
    config::{BehaviorVersion, Builder, Credentials, Region},
    error::SdkError,
    operation::get_object::GetObjectOutput,
    primitives::ByteStream,
};
use tempfile::TempDir;

use super::*;

const BUCKET: &str = "lake";

struct Served {
    client: Client,
    folder: TempDir,
    store: ObjectStore,
}

/// A store with one empty bucket.
async fn served() -> Served {
    let folder = tempfile::tempdir().unwrap();
    let store = ObjectStore::start(folder.path(), 0).await.unwrap();
    let client = client(&store.endpoint(), ACCESS_KEY, SECRET_KEY);
    client.create_bucket().bucket(BUCKET).send().await.unwrap();
    Served {
        client,
        folder,
        store,
    }
}

fn client(endpoint: &str, access_key: &str, secret_key: &str) -> Client {
    let config = Builder::new()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(REGION))
        .credentials_provider(Credentials::new(access_key, secret_key, None, None, "test"))
        .endpoint_url(endpoint)
        .force_path_style(true)
        .http_client(aws_smithy_http_client::Builder::new().build_http());
    Client::from_conf(config.build())
}

impl Served {
    /// Where the object's file is.
    fn file(&self, key: &str) -> PathBuf {
        self.folder.path().join(BUCKET).join(key)
    }

    /// Writes an object, and gives its version.
    async fn put(&self, key: &str, body: &'static [u8]) -> String {
        let put = self.client.put_object().bucket(BUCKET).key(key);
        let put = put.body(ByteStream::from_static(body)).send().await;
        put.unwrap().e_tag.unwrap()
    }

    /// Reads an object unless it is still this version: its bytes and version, else the status.
    async fn get_unless(&self, key: &str, etag: &str) -> Result<(Vec<u8>, String), u16> {
        let get = self.client.get_object().bucket(BUCKET).key(key);
        read(get.if_none_match(etag).send().await).await
    }

    /// The status of a HEAD under `If-None-Match`.
    async fn head_unless(&self, key: &str, etag: &str) -> u16 {
        let head = self.client.head_object().bucket(BUCKET).key(key);
        status(head.if_none_match(etag).send().await)
    }
}

async fn read<E>(answer: Result<GetObjectOutput, SdkError<E>>) -> Result<(Vec<u8>, String), u16> {
    match answer {
        Ok(object) => {
            let etag = object.e_tag.unwrap();
            Ok((object.body.collect().await.unwrap().to_vec(), etag))
        }
        failed => Err(status(failed)),
    }
}

fn status<T, E>(answer: Result<T, SdkError<E>>) -> u16 {
    match answer {
        Ok(_) => 200,
        Err(error) => error.raw_response().expect("an answer").status().as_u16(),
    }
}

#[tokio::test]
async fn a_conditional_get_is_304_while_the_bytes_are_the_same() {
    let store = served().await;
    let etag = store.put("a/b", b"one").await;
    let other = format!("\"{}\"", "0".repeat(32));
    for _ in 0..2 {
        assert_eq!(store.get_unless("a/b", &etag).await, Err(304));
        assert_eq!(store.head_unless("a/b", &etag).await, 304);
        let read = store.get_unless("a/b", &other).await;
        assert_eq!(read, Ok((b"one".to_vec(), etag.clone())));
    }
    assert_eq!(store.get_unless("a/b", "*").await, Err(304));
    let get = store.client.get_object().bucket(BUCKET).key("a/b");
    assert_eq!(status(get.clone().if_match(&etag).send().await), 200);
    assert_eq!(status(get.if_match(&other).send().await), 412);
    let second = store.put("a/b", b"two").await;
    assert_ne!(second, etag);
    let read = store.get_unless("a/b", &etag).await;
    assert_eq!(read, Ok((b"two".to_vec(), second)));
}

#[tokio::test]
async fn an_object_edited_by_hand_is_another_version() {
    let store = served().await;
    let file = store.file("a/b");
    let edits: [(&str, &[u8]); 4] = [
        ("shorter", b"on"),
        ("longer", b"ones"),
        ("emptied", b""),
        ("as long", b"ONE"),
    ];
    for (edit, bytes) in edits {
        let etag = store.put("a/b", b"one").await;
        let written = fs::metadata(&file).unwrap().modified().unwrap();
        fs::write(&file, bytes).unwrap();
        // Nor does the time of the file tell.
        let file = fs::File::options().write(true).open(&file).unwrap();
        file.set_times(FileTimes::new().set_modified(written))
            .unwrap();
        assert_eq!(store.head_unless("a/b", &etag).await, 200, "{edit}");
        let (read, now) = store.get_unless("a/b", &etag).await.unwrap();
        assert_eq!(read, bytes, "{edit}");
        assert_ne!(now, etag, "{edit}");
        assert_eq!(store.get_unless("a/b", &now).await, Err(304), "{edit}");
        let swap = store.client.put_object().bucket(BUCKET).key("a/b");
        let swap = swap.body(ByteStream::from_static(b"three"));
        let stale = swap.if_match(&etag).send().await;
        assert_eq!(status(stale), 412, "{edit}");
        let delete = store.client.delete_object().bucket(BUCKET).key("a/b");
        assert_eq!(status(delete.if_match(&etag).send().await), 412, "{edit}");
    }
}

#[tokio::test]
async fn an_object_put_back_by_hand_is_its_version_again() {
    let store = served().await;
    let etag = store.put("a/b", b"one").await;
    fs::remove_file(store.file("a/b")).unwrap();
    assert_eq!(store.get_unless("a/b", &etag).await, Err(404));
    assert_eq!(store.head_unless("a/b", &etag).await, 404);
    fs::write(store.file("a/b"), b"one").unwrap();
    assert_eq!(store.get_unless("a/b", &etag).await, Err(304));
}

#[tokio::test]
async fn a_version_that_an_earlier_release_kept_beside_is_not_believed() {
    let store = served().await;
    store.put("a/b", b"two").await;
    let kept = store
        .folder
        .path()
        .join(".bucket-bGFrZQ.object-YS9i.internal.json");
    assert!(!kept.exists());
    let old = "0".repeat(32);
    for _ in 0..2 {
        fs::write(&kept, format!(r#"{{"e_tag":"{old}"}}"#)).unwrap();
        let (read, etag) = store.get_unless("a/b", &old).await.unwrap();
        assert_eq!(read, b"two");
        assert_ne!(etag, format!("\"{old}\""));
    }
}

#[tokio::test]
async fn a_part_of_an_object_is_read_with_the_version_of_the_whole() {
    let store = served().await;
    let etag = store.put("a", b"0123456789").await;
    for (range, part, content) in [
        ("bytes=0-0", "0", "bytes 0-0/10"),
        ("bytes=2-4", "234", "bytes 2-4/10"),
        ("bytes=7-", "789", "bytes 7-9/10"),
        ("bytes=7-99", "789", "bytes 7-9/10"),
        ("bytes=-2", "89", "bytes 8-9/10"),
    ] {
        let get = store.client.get_object().bucket(BUCKET).key("a");
        let read = get.range(range).send().await.unwrap();
        assert_eq!(read.content_range.as_deref(), Some(content), "{range}");
        assert_eq!(read.e_tag.as_deref(), Some(&*etag), "{range}");
        assert_eq!(read.body.collect().await.unwrap().to_vec(), part.as_bytes());
    }
    let get = store.client.get_object().bucket(BUCKET).key("a");
    assert_eq!(status(get.range("bytes=10-").send().await), 416);
}

#[tokio::test]
async fn a_key_can_not_leave_the_folder_of_its_bucket() {
    let store = served().await;
    let other = store.folder.path().join("other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("there"), b"secret").unwrap();
    let absolute = other.join("there").display().to_string();
    for key in [
        "../other/x",
        "../other/there",
        "a/../../other/there",
        &absolute,
        "/x",
        "a//b",
        "./a",
    ] {
        let put = store.client.put_object().bucket(BUCKET).key(key);
        let put = put.body(ByteStream::from_static(b"x")).send().await;
        assert_eq!(status(put), 400, "PUT {key}");
        assert_eq!(store.get_unless(key, "\"0\"").await, Err(400), "GET {key}");
        assert_eq!(store.head_unless(key, "\"0\"").await, 400, "HEAD {key}");
        let delete = store.client.delete_object().bucket(BUCKET).key(key);
        assert_eq!(status(delete.send().await), 400, "DELETE {key}");
    }
    assert_eq!(fs::read(other.join("there")).unwrap(), b"secret");
    assert_eq!(fs::read_dir(&other).unwrap().count(), 1);
    assert_eq!(fs::read_dir(store.file("")).unwrap().count(), 0);
    for delimiter in [None, Some("/".to_owned())] {
        let list = store.client.list_objects_v2().bucket(BUCKET);
        let list = list.prefix("../other/").set_delimiter(delimiter);
        assert_eq!(list.send().await.unwrap().contents().len(), 0);
    }
}

#[tokio::test]
async fn a_folder_of_objects_is_no_object() {
    let store = served().await;
    store.put("a/b/c", b"x").await;
    for key in ["a", "a/b", "a/", "a/b/"] {
        assert_eq!(store.get_unless(key, "\"0\"").await, Err(404), "{key}");
        assert_eq!(store.head_unless(key, "\"0\"").await, 404, "{key}");
    }
}

#[tokio::test]
async fn a_listing_is_encoded_for_who_asks() {
    use aws_sdk_s3::types::EncodingType;
    let store = served().await;
    let key = "symbol=BTC%2FUSDT/a b+c.json";
    store.put(key, b"x").await;
    let list = store.client.list_objects_v2().bucket(BUCKET);
    let plain = list.clone().send().await.unwrap();
    assert_eq!(plain.contents()[0].key(), Some(key));
    let list = list.encoding_type(EncodingType::Url);
    let encoded = list.clone().send().await.unwrap();
    let expected = "symbol%3DBTC%252FUSDT/a%20b%2Bc.json";
    assert_eq!(encoded.contents()[0].key(), Some(expected));
    assert_eq!(encoded.encoding_type(), Some(&EncodingType::Url));
    let folders = list.delimiter("/").send().await.unwrap();
    let folder = folders.common_prefixes()[0].prefix();
    assert_eq!(folder, Some("symbol%3DBTC%252FUSDT/"));
}

#[tokio::test]
async fn only_its_own_keys_open_the_store() {
    let store = served().await;
    let endpoint = store.store.endpoint();
    for (access_key, secret_key, expected) in [
        (ACCESS_KEY, SECRET_KEY, 200),
        (ACCESS_KEY, "wrong", 403),
        ("test", "test", 403),
    ] {
        let list = client(&endpoint, access_key, secret_key).list_objects_v2();
        assert_eq!(status(list.bucket(BUCKET).send().await), expected);
    }
}
