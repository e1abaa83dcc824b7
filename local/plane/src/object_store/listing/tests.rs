use std::collections::BTreeSet;

use proptest::{collection::vec, prelude::*};
use tempfile::TempDir;

use super::*;
use crate::object_store::version::etag;

fn folder_with<'a>(keys: impl IntoIterator<Item = &'a String>) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for key in keys {
        let path = folder.path().join(key);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, key).unwrap();
    }
    folder
}

fn keys_of(page: &Page) -> Vec<String> {
    page.objects
        .iter()
        .map(|listed| listed.key.clone())
        .collect()
}

/// Text of few letters, among them those that sort around '/', so that keys share prefixes.
fn text() -> impl Strategy<Value = String> {
    "[ab0.é/-]{0,6}"
}

/// Keys that a folder can hold: no empty or dotted part, none that is another's folder.
fn keys() -> impl Strategy<Value = BTreeSet<String>> {
    vec("[ab0-][ab0.é-]{0,2}(/[ab0-][ab0.é-]{0,2}){0,3}", 0..40).prop_map(|keys| {
        let keys: BTreeSet<String> = keys.into_iter().collect();
        let is_folder = |key: &String| {
            let root = format!("{key}/");
            keys.iter().any(|other| other.starts_with(&root))
        };
        keys.iter().filter(|key| !is_folder(key)).cloned().collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_page_is_what_a_sorted_list_of_the_keys_gives(
        keys in keys(), prefix in text(), after in text(), limit in 0_usize..8,
    ) {
        let folder = folder_with(&keys);
        let wanted: Vec<&String> = keys
            .iter()
            .filter(|key| key.starts_with(&prefix) && **key > after)
            .collect();
        let query = Query { prefix: &prefix, after: &after, limit, by_folder: false };
        let page = page(folder.path(), &Versions::default(), query).unwrap();
        let expected: Vec<_> = wanted.iter().take(limit).map(|key| (*key).clone()).collect();
        prop_assert_eq!(keys_of(&page), expected);
        prop_assert_eq!(page.is_truncated, limit > 0 && wanted.len() > limit);
        for listed in page.objects {
            prop_assert_eq!(listed.size, listed.key.len() as u64);
            prop_assert_eq!(listed.etag, etag(listed.key.as_bytes()));
        }
    }

    #[test]
    fn a_page_by_folder_shows_what_is_below_one_as_one(
        keys in keys(), prefix in text(), after in text(), limit in 0_usize..8,
    ) {
        let folder = folder_with(&keys);
        fs::create_dir_all(folder.path().join("empty/empty")).unwrap();
        let one = |key: &String| {
            let rest = key.strip_prefix(&prefix)?;
            let end = rest.find('/').map_or(key.len(), |end| prefix.len() + end + 1);
            Some(key[..end].to_owned())
        };
        let shown: BTreeSet<String> = keys.iter().filter_map(one).collect();
        let wanted: Vec<_> = shown.into_iter().filter(|one| *one > after).collect();
        let query = Query { prefix: &prefix, after: &after, limit, by_folder: true };
        let page = page(folder.path(), &Versions::default(), query).unwrap();
        let (folders, objects): (Vec<_>, Vec<_>) =
            wanted.iter().take(limit).cloned().partition(|one| one.ends_with('/'));
        prop_assert_eq!(keys_of(&page), objects);
        prop_assert_eq!(page.folders, folders);
        prop_assert_eq!(page.is_truncated, limit > 0 && wanted.len() > limit);
    }

    #[test]
    fn page_after_page_gives_every_key_once(keys in keys(), limit in 1_usize..8) {
        let folder = folder_with(&keys);
        let (mut seen, mut after) = (Vec::new(), String::new());
        loop {
            let query = Query { prefix: "", after: &after, limit, by_folder: false };
            let page = page(folder.path(), &Versions::default(), query).unwrap();
            seen.extend(keys_of(&page));
            if !page.is_truncated {
                break;
            }
            after = seen.last().unwrap().clone();
        }
        prop_assert_eq!(seen, keys.into_iter().collect::<Vec<_>>());
    }
}

#[test]
fn a_page_reads_no_folder_that_it_does_not_list() {
    let keys: Vec<String> = (0..50)
        .flat_map(|symbol| (0..20).map(move |date| format!("bronze/{symbol:02}/{date:02}/object")))
        .collect();
    let folder = folder_with(&keys);
    let folders_read = |prefix, after, limit, by_folder| {
        let mut read = 0;
        let open = |path: &Path| {
            read += 1;
            fs::read_dir(path)
        };
        let query = Query {
            prefix,
            after,
            limit,
            by_folder,
        };
        let page = page_by(open, folder.path(), &Versions::default(), query).unwrap();
        (page.objects.len() + page.folders.len(), read)
    };
    // The bucket, bronze and a symbol above ten dates, and the eleventh to see that there is more.
    assert_eq!(folders_read("", "", 10, false), (10, 3 + 11));
    // The date of the object before too.
    let after = "bronze/25/03/object";
    assert_eq!(folders_read("", after, 10, false), (10, 3 + 12));
    assert_eq!(folders_read("bronze/49/19/", "", 10, false), (1, 4));
    assert_eq!(folders_read("silver/", "", 10, false), (0, 1));
    assert_eq!(folders_read("", "bronze/49/19/object", 10, false), (0, 4));
    // The bucket and bronze, and of each symbol as deep as its first object.
    assert_eq!(folders_read("bronze/", "", 10, true), (10, 2 + 2 * 11));
    assert_eq!(
        folders_read("bronze/", "bronze/39/", 10, true),
        (10, 2 + 2 * 10)
    );
}

#[test]
fn an_empty_folder_is_no_object_and_an_absent_bucket_an_empty_page() {
    let folder = folder_with(&["a/b".to_owned()]);
    fs::create_dir_all(folder.path().join("c/d")).unwrap();
    let query = Query {
        prefix: "",
        after: "",
        limit: 10,
        by_folder: false,
    };
    let versions = Versions::default();
    let whole = page(folder.path(), &versions, query).unwrap();
    assert_eq!(keys_of(&whole), ["a/b"]);
    let absent = page(&folder.path().join("absent"), &versions, query).unwrap();
    assert!(absent.objects.is_empty());
}
