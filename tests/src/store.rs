//! What an object store adapter promises, as functions over the port.

use bytes::Bytes;
use futures::{
    TryStreamExt,
    future::{join, join_all},
};
use lake::{
    ObjectKey,
    store::{
        Credentials, DeleteIf, ETag, Get, List, Listed, PAGE, PutIf, S3Settings, S3Store,
        StoreError, list_all, list_folders, list_pages,
    },
};
use plane::object_store::{ACCESS_KEY, SECRET_KEY};

/// A client of `bucket` at `endpoint`, with the embedded store's credentials.
pub async fn client(endpoint: &str, bucket: &str) -> S3Store {
    S3Store::connect(S3Settings {
        bucket: bucket.to_owned(),
        endpoint: Some(endpoint.to_owned()),
        credentials: Some(Credentials::new(ACCESS_KEY, SECRET_KEY, None, None, "test")),
    })
    .await
}

/// Everything that the lake needs of a store.
pub trait Store: PutIf + Get + DeleteIf + List {}

impl<S: PutIf + Get + DeleteIf + List> Store for S {}

/// Tries every promise on an empty store, each under a prefix of its own.
pub async fn keeps_every_promise(store: &impl Store) {
    a_key_is_created_once(store).await;
    what_is_absent_is_not_found(store).await;
    a_swap_needs_the_present_version(store).await;
    bytes_come_back_as_they_went(store).await;
    a_listing_is_whole_and_in_order(store).await;
    a_listing_starts_after_any_key_and_is_in_the_order_of_bytes(store).await;
    a_listing_shows_the_version_that_a_read_gives(store).await;
    folders_are_listed_whole_in_order_and_without_what_is_below_them(store).await;
    folders_are_told_from_the_keys_between_them_and_go_with_their_last_object(store).await;
    what_has_not_changed_and_what_is_too_large_is_not_read(store).await;
    what_is_deleted_is_gone_and_may_be_created_anew(store).await;
    a_delete_needs_the_present_version(store).await;
    of_many_creators_one_wins(store).await;
    of_many_swaps_one_wins(store).await;
    of_a_swap_and_a_delete_one_wins(store).await;
}

fn key(name: &str) -> ObjectKey {
    ObjectKey::new(name)
}

async fn a_key_is_created_once(store: &impl Store) {
    let key = key("create/a");
    let etag = store
        .put_if_absent(&key, Bytes::from_static(b"one"))
        .await
        .unwrap();
    assert_eq!(
        store.put_if_absent(&key, Bytes::from_static(b"two")).await,
        Err(StoreError::AlreadyExists { key: key.clone() })
    );
    let object = store.get(&key).await.unwrap();
    assert_eq!(
        (object.body, object.etag),
        (Bytes::from_static(b"one"), etag)
    );
}

async fn what_is_absent_is_not_found(store: &impl Store) {
    let key = key("absent/a");
    let not_found = StoreError::NotFound { key: key.clone() };
    assert_eq!(store.get(&key).await, Err(not_found.clone()));
    let swap = store
        .put_if_match(&key, Bytes::from_static(b"x"), &ETag("\"0\"".to_owned()))
        .await;
    assert_eq!(swap, Err(not_found));
    assert_eq!(list_all(store, "absent/").await.unwrap(), []);
}

async fn a_swap_needs_the_present_version(store: &impl Store) {
    let key = key("swap/a");
    let first = store
        .put_if_absent(&key, Bytes::from_static(b"one"))
        .await
        .unwrap();
    let second = store
        .put_if_match(&key, Bytes::from_static(b"two"), &first)
        .await
        .unwrap();
    assert_ne!(first, second);
    assert_eq!(
        store
            .put_if_match(&key, Bytes::from_static(b"three"), &first)
            .await,
        Err(StoreError::Changed { key: key.clone() })
    );
    let object = store.get(&key).await.unwrap();
    assert_eq!(
        (object.body, object.etag),
        (Bytes::from_static(b"two"), second)
    );
}

async fn bytes_come_back_as_they_went(store: &impl Store) {
    let large: Vec<u8> = (0..1_000_003_u32)
        .map(|index| index.to_le_bytes()[0])
        .collect();
    let names = [
        "bytes/symbol=BTC%2FUSDT/date=2026-05-22/20260522T200005.123Z-p003-o0000000000000000902.ndjson",
        "bytes/lake_symbol=_BTC~2FUSDT/lake_date=2026-05-22/20260522T200005.123Z-p003-o0000000000000000902.ndjson",
        "bytes/symbol=../x",
        "bytes/symbol=/empty symbol",
        "bytes/a~b=c_d-e.f",
    ];
    for (name, body) in names.iter().zip([
        Vec::new(),
        b"\r\n".to_vec(),
        b"\0\xff\n".to_vec(),
        large,
        b"{}".to_vec(),
    ]) {
        let body = Bytes::from(body);
        store.put_if_absent(&key(name), body.clone()).await.unwrap();
        assert!(store.get(&key(name)).await.unwrap().body == body, "{name}");
    }
}

async fn what_has_not_changed_and_what_is_too_large_is_not_read(store: &impl Store) {
    let key = key("read/a");
    let first = Bytes::from_static(b"first");
    let not_found = StoreError::NotFound { key: key.clone() };
    let never = ETag("\"0\"".to_owned());
    assert_eq!(
        store.get_if_changed(&key, &never, 9).await,
        Err(not_found.clone())
    );
    let etag = store.put_if_absent(&key, first.clone()).await.unwrap();
    assert_eq!(store.get_if_changed(&key, &etag, 0).await, Ok(None));
    let second = Bytes::from_static(b"second");
    let later = store.put_if_match(&key, second.clone(), &etag).await;
    let later = later.unwrap();
    let changed = store.get_if_changed(&key, &etag, 6).await.unwrap().unwrap();
    assert_eq!((changed.body, &changed.etag), (second.clone(), &later));
    let too_large = StoreError::TooLarge {
        key: key.clone(),
        size: 6,
    };
    assert_eq!(store.get_within(&key, 5).await, Err(too_large.clone()));
    assert_eq!(store.get_if_changed(&key, &etag, 5).await, Err(too_large));
    assert_eq!(store.get_within(&key, 6).await.unwrap().body, second);
    store.delete_if_match(&key, &later).await.unwrap();
    assert_eq!(store.get_if_changed(&key, &later, 9).await, Err(not_found));
}

async fn a_listing_is_whole_and_in_order(store: &impl Store) {
    let names: Vec<_> = (0..1_003)
        .map(|index| key(&format!("list/{:02}/{index:04}", index % 7)))
        .collect();
    put_all(store, &names).await;
    store
        .put_if_absent(&key("listen/other"), Bytes::new())
        .await
        .unwrap();
    let mut sorted = names;
    sorted.sort();
    let pages: Vec<Vec<Listed>> = list_pages(store, "list/").try_collect().await.unwrap();
    let lengths: Vec<_> = pages.iter().map(Vec::len).collect();
    assert_eq!(lengths, [PAGE, 3]);
    assert_eq!(list_all(store, "list/").await.unwrap(), sorted);
    let from = sorted
        .iter()
        .position(|name| name.as_str() >= "list/03")
        .unwrap();
    let to = sorted
        .iter()
        .position(|name| name.as_str() >= "list/04")
        .unwrap();
    assert_eq!(list_all(store, "list/03").await.unwrap(), sorted[from..to]);
}

async fn put_all(store: &impl Store, names: &[ObjectKey]) {
    for some in names.chunks(64) {
        let puts = some
            .iter()
            .map(|name| store.put_if_absent(name, Bytes::from_static(b"x")));
        for put in join_all(puts).await {
            put.unwrap();
        }
    }
}

async fn a_listing_starts_after_any_key_and_is_in_the_order_of_bytes(store: &impl Store) {
    // '-' and '.' sort before '/', '0' after it, and a surrogate pair's UTF-8 after every other.
    let names = [
        "order/a-b",
        "order/a.b",
        "order/a/b",
        "order/a/c/d",
        "order/a0",
        "order/é",
        "order/\u{fb01}",
        "order/\u{1f600}",
    ];
    let mut listed = Vec::new();
    for (size, name) in names.iter().enumerate().rev() {
        let body = Bytes::from(vec![b'x'; size]);
        let etag = store.put_if_absent(&key(name), body).await.unwrap();
        let (key, size) = (key(name), size as u64);
        listed.insert(0, Listed { key, size, etag });
    }
    let after = async |after: &str| store.list("order/", Some(&key(after))).await.unwrap();
    assert_eq!(store.list("order/", None).await.unwrap(), listed);
    for (index, name) in names.iter().enumerate() {
        assert_eq!(after(name).await, listed[index + 1..], "after {name}");
    }
    assert_eq!(after("nothing").await, listed, "before the prefix");
    assert_eq!(after("order/a").await, listed, "an absent key");
    assert_eq!(after("order/a/").await, listed[2..], "a folder");
    assert_eq!(after("order/a/c").await, listed[3..], "a folder's name");
    assert_eq!(after("order/a/z").await, listed[4..], "past a folder's end");
    assert_eq!(after("orderly").await, [], "past the prefix");
    assert_eq!(store.list("order/a/", None).await.unwrap(), listed[2..4]);
    assert_eq!(store.list("order/a", None).await.unwrap(), listed[..5]);
    assert_eq!(store.list("order/x", None).await.unwrap(), []);
}

async fn a_listing_shows_the_version_that_a_read_gives(store: &impl Store) {
    let key = key("version/a");
    let listed = async || store.list("version/", None).await.unwrap().remove(0).etag;
    let first = Bytes::from_static(b"one");
    let first = store.put_if_absent(&key, first).await.unwrap();
    assert_eq!(listed().await, first);
    let second = Bytes::from_static(b"two");
    let second = store.put_if_match(&key, second, &first).await.unwrap();
    assert_eq!(listed().await, second);
    assert_eq!(store.get(&key).await.unwrap().etag, second);
    let unchanged = store.get_if_changed(&key, &listed().await, 9).await;
    assert_eq!(unchanged, Ok(None));
    store.delete_if_match(&key, &listed().await).await.unwrap();
    assert_eq!(store.list("version/", None).await, Ok(vec![]));
}

async fn folders_are_listed_whole_in_order_and_without_what_is_below_them(store: &impl Store) {
    // The objects of a_listing_is_whole_and_in_order: about 143 in each of seven folders.
    let of_list: Vec<_> = (0..7).map(|index| format!("list/{index:02}/")).collect();
    assert_eq!(list_folders(store, "list/").await.unwrap(), of_list);
    let both = list_folders(store, "list").await.unwrap();
    assert_eq!(both, ["list/", "listen/"]);
    assert_eq!(list_folders(store, "list/03").await.unwrap(), of_list[3..4]);
    assert_eq!(list_folders(store, "list/03/").await.unwrap(), [""; 0]);

    let folders: Vec<_> = (0..PAGE + 3)
        .map(|index| format!("folders/{index:04}/"))
        .collect();
    let objects = |folder: &String| [key(&format!("{folder}a")), key(&format!("{folder}b/c"))];
    let objects: Vec<_> = folders.iter().flat_map(objects).collect();
    put_all(store, &objects).await;
    let page = async |after: Option<&str>| store.folders("folders/", after).await.unwrap();
    assert_eq!(page(None).await, folders[..PAGE]);
    let last = folders[PAGE - 1].as_str();
    assert_eq!(page(Some(last)).await, folders[PAGE..]);
    assert_eq!(page(folders.last().map(String::as_str)).await, [""; 0]);
    assert_eq!(list_folders(store, "folders/").await.unwrap(), folders);

    // More objects than a page has, before, between and after two folders.
    let names = (0..PAGE + 3).map(|index| key(&format!("many/{:02}-{index}", index % 3)));
    let mut names: Vec<_> = names.collect();
    names.extend([key("many/01/x"), key("many/02/x")]);
    put_all(store, &names).await;
    let many = list_folders(store, "many/").await.unwrap();
    assert_eq!(many, ["many/01/", "many/02/"]);
    let all = (0..PAGE + 3).map(|index| key(&format!("flat/{index:04}")));
    let mut all: Vec<_> = all.collect();
    all.push(key("flat/z/x"));
    put_all(store, &all).await;
    assert_eq!(store.folders("flat/", None).await.unwrap(), ["flat/z/"]);
}

async fn folders_are_told_from_the_keys_between_them_and_go_with_their_last_object(
    store: &impl Store,
) {
    // In their order: '-' and '.' sort before '/', '0' after it.
    let names = [
        "between/a-/x",
        "between/a.x",
        "between/a/x",
        "between/a/y/z",
        "between/a0/x",
        "between/a00",
        "between/aa/x",
        "between/é/x",
        "between/\u{fb01}/x",
        "between/\u{1f600}/x",
    ]
    .map(key);
    put_all(store, &names).await;
    let mut folders = vec![
        "between/a-/",
        "between/a/",
        "between/a0/",
        "between/aa/",
        "between/é/",
        "between/\u{fb01}/",
        "between/\u{1f600}/",
    ];
    assert_eq!(list_folders(store, "between/").await.unwrap(), folders);
    let after = async |after: &str| store.folders("between/", Some(after)).await.unwrap();
    for (index, folder) in folders.iter().enumerate() {
        assert_eq!(after(folder).await, folders[index + 1..], "after {folder}");
    }
    assert_eq!(after("before").await, folders, "before the prefix");
    assert_eq!(after("between/a").await, folders, "a folder's name");
    assert_eq!(after("between/a/x").await, folders[2..], "within a folder");
    assert_eq!(after("between0").await, [""; 0], "past the prefix");
    let below = list_folders(store, "between/a/").await.unwrap();
    assert_eq!(below, ["between/a/y/"]);

    let delete = async |name: &str| {
        let etag = store.get(&key(name)).await.unwrap().etag;
        store.delete_if_match(&key(name), &etag).await.unwrap();
    };
    delete("between/a/x").await;
    assert_eq!(list_folders(store, "between/").await.unwrap(), folders);
    delete("between/a/y/z").await;
    delete("between/aa/x").await;
    // A reader that came to a folder that is gone goes on after it.
    assert_eq!(after("between/aa/").await, folders[4..]);
    folders.retain(|folder| !["between/a/", "between/aa/"].contains(folder));
    assert_eq!(list_folders(store, "between/").await.unwrap(), folders);
    assert_eq!(list_folders(store, "between/a/").await.unwrap(), [""; 0]);
}

async fn what_is_deleted_is_gone_and_may_be_created_anew(store: &impl Store) {
    let key = key("delete/a");
    let first = store
        .put_if_absent(&key, Bytes::from_static(b"one"))
        .await
        .unwrap();
    store.delete_if_match(&key, &first).await.unwrap();
    store.delete_if_match(&key, &first).await.unwrap();
    let not_found = StoreError::NotFound { key: key.clone() };
    assert_eq!(store.get(&key).await, Err(not_found.clone()));
    assert_eq!(list_all(store, "delete/").await.unwrap(), []);
    let swap = store
        .put_if_match(&key, Bytes::from_static(b"two"), &first)
        .await;
    assert_eq!(swap, Err(not_found));

    let second = store
        .put_if_absent(&key, Bytes::from_static(b"two"))
        .await
        .unwrap();
    let object = store.get(&key).await.unwrap();
    assert_eq!(
        (object.body, object.etag),
        (Bytes::from_static(b"two"), second)
    );
}

async fn a_delete_needs_the_present_version(store: &impl Store) {
    let key = key("delete/b");
    let first = store
        .put_if_absent(&key, Bytes::from_static(b"one"))
        .await
        .unwrap();
    let second = store
        .put_if_match(&key, Bytes::from_static(b"two"), &first)
        .await
        .unwrap();
    assert_eq!(
        store.delete_if_match(&key, &first).await,
        Err(StoreError::Changed { key: key.clone() })
    );
    let object = store.get(&key).await.unwrap();
    assert_eq!(
        (object.body, &object.etag),
        (Bytes::from_static(b"two"), &second)
    );
    store.delete_if_match(&key, &second).await.unwrap();
    let not_found = StoreError::NotFound { key: key.clone() };
    assert_eq!(store.get(&key).await, Err(not_found));
}

async fn of_many_creators_one_wins(store: &impl Store) {
    for round in 0..10 {
        let key = key(&format!("race/create/{round}"));
        let bodies: Vec<Bytes> = (0..16)
            .map(|writer| Bytes::from(format!("writer {writer}")))
            .collect();
        let outcomes = join_all(
            bodies
                .iter()
                .map(|body| store.put_if_absent(&key, body.clone())),
        )
        .await;
        let winners: Vec<_> = bodies
            .iter()
            .zip(&outcomes)
            .filter(|(_, outcome)| outcome.is_ok())
            .collect();
        assert_eq!(winners.len(), 1, "{outcomes:?}");
        assert_eq!(store.get(&key).await.unwrap().body, winners[0].0);
    }
}

async fn of_many_swaps_one_wins(store: &impl Store) {
    let key = key("race/swap");
    let mut etag = store
        .put_if_absent(&key, Bytes::from_static(b"start"))
        .await
        .unwrap();
    for round in 0..10 {
        let bodies: Vec<Bytes> = (0..16)
            .map(|writer| Bytes::from(format!("round {round} writer {writer}")))
            .collect();
        let outcomes = join_all(
            bodies
                .iter()
                .map(|body| store.put_if_match(&key, body.clone(), &etag)),
        )
        .await;
        let winners: Vec<_> = bodies
            .iter()
            .zip(&outcomes)
            .filter(|(_, outcome)| outcome.is_ok())
            .collect();
        assert_eq!(winners.len(), 1, "{outcomes:?}");
        let object = store.get(&key).await.unwrap();
        assert_eq!(object.body, winners[0].0);
        etag = object.etag;
    }
}

async fn of_a_swap_and_a_delete_one_wins(store: &impl Store) {
    for round in 0..20 {
        let key = key(&format!("race/delete/{round}"));
        let etag = store
            .put_if_absent(&key, Bytes::from_static(b"old"))
            .await
            .unwrap();
        let swap = store.put_if_match(&key, Bytes::from_static(b"new"), &etag);
        let delete = store.delete_if_match(&key, &etag);
        let (swapped, deleted) = join(swap, delete).await;
        assert!(
            swapped.is_ok() != deleted.is_ok(),
            "{swapped:?} {deleted:?}"
        );
        let left = store.get(&key).await.ok().map(|object| object.body);
        let new = swapped.is_ok().then(|| Bytes::from_static(b"new"));
        assert_eq!(left, new);
    }
}
