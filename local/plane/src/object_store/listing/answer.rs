//! The answers to a client that lists a bucket.

use std::{path::PathBuf, sync::Arc};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::{
    S3Result,
    dto::{CommonPrefix, EncodingType, ListObjectsV2Input, ListObjectsV2Output, Object, Timestamp},
    s3_error,
};

use super::{super::version::Versions, Listed, Page, Query, page};

/// The most objects of a page, as in S3.
const MAX_KEYS: i32 = 1_000;

/// What stands for itself in an encoded key, as in S3.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A page of the bucket in `folder`, of every key in its order, or of objects and folders if the delimiter is '/'.
pub(in super::super) async fn list(
    folder: PathBuf,
    versions: Arc<Versions>,
    asked: ListObjectsV2Input,
) -> S3Result<ListObjectsV2Output> {
    if !folder.is_dir() {
        return Err(s3_error!(NoSuchBucket));
    }
    let limit = usize::try_from(asked.max_keys.unwrap_or(MAX_KEYS).min(MAX_KEYS))
        .map_err(|_| s3_error!(InvalidArgument, "max-keys is below 0."))?;
    let prefix = asked.prefix.clone().unwrap_or_default();
    let by_folder = asked.delimiter.as_deref() == Some("/");
    // A continuation token is the last key or folder of the page before.
    let after = asked
        .continuation_token
        .as_ref()
        .or(asked.start_after.as_ref());
    let after = after.cloned().unwrap_or_default();
    let walk = move || {
        let query = Query {
            prefix: &prefix,
            after: &after,
            limit,
            by_folder,
        };
        page(&folder, &versions, query)
    };
    let page = tokio::task::spawn_blocking(walk)
        .await
        .map_err(|error| s3_error!(error, InternalError))?
        .map_err(|error| s3_error!(error, InternalError))?;
    Ok(answer(asked, page))
}

fn answer(asked: ListObjectsV2Input, page: Page) -> ListObjectsV2Output {
    let object = |listed: Listed| Object {
        key: Some(listed.key),
        e_tag: Some(listed.etag),
        size: i64::try_from(listed.size).ok(),
        last_modified: Some(Timestamp::from(listed.modified)),
        ..Object::default()
    };
    let last_object = page.objects.last().map(|listed| &listed.key);
    let last = last_object.max(page.folders.last()).cloned();
    let folder = |prefix| CommonPrefix {
        prefix: Some(prefix),
    };
    let count = page.objects.len() + page.folders.len();
    ListObjectsV2Output {
        name: Some(asked.bucket),
        prefix: asked.prefix,
        delimiter: asked.delimiter,
        start_after: asked.start_after,
        max_keys: Some(asked.max_keys.unwrap_or(MAX_KEYS)),
        key_count: i32::try_from(count).ok(),
        is_truncated: Some(page.is_truncated),
        next_continuation_token: last.filter(|_| page.is_truncated),
        continuation_token: asked.continuation_token,
        contents: Some(page.objects.into_iter().map(object).collect()),
        common_prefixes: Some(page.folders.into_iter().map(folder).collect()),
        ..ListObjectsV2Output::default()
    }
}

/// Encodes the keys as a client has asked: many decode them whatever the answer says.
pub(in super::super) fn encode(answer: &mut ListObjectsV2Output) {
    let objects = answer.contents.iter_mut().flatten();
    let prefixes = answer.common_prefixes.iter_mut().flatten();
    let texts = [
        &mut answer.prefix,
        &mut answer.delimiter,
        &mut answer.start_after,
    ];
    let keys = objects.map(|object| &mut object.key);
    let prefixes = prefixes.map(|prefix| &mut prefix.prefix);
    for text in keys.chain(prefixes).chain(texts).flatten() {
        *text = utf8_percent_encode(text, ENCODED).to_string();
    }
    answer.encoding_type = Some(EncodingType::from_static(EncodingType::URL));
}
