//! What is read of an object: its bytes with the version that they are.

use axum::http::{HeaderMap, header::ETAG};
use bytes::Bytes;
use futures::{TryStreamExt, stream};
use s3s::{
    S3Error, S3ErrorCode, S3Result,
    dto::{ETag, ETagCondition, GetObjectOutput, Range, StreamingBlob},
    s3_error,
};

use super::version::etag;

/// An object as it is read, whole: an edit by hand can't part the bytes from their version.
pub(super) struct Read {
    /// The MD5 of the bytes.
    pub(super) etag: ETag,
    bytes: Bytes,
    output: GetObjectOutput,
}

impl Read {
    /// Reads all of an answer without a range.
    pub(super) async fn all_of(mut output: GetObjectOutput) -> S3Result<Self> {
        let mut bytes = Vec::new();
        if let Some(mut body) = output.body.take() {
            while let Some(some) = body.try_next().await.map_err(unreadable)? {
                bytes.extend_from_slice(&some);
            }
        }
        Ok(Self {
            etag: etag(&bytes),
            bytes: bytes.into(),
            output,
        })
    }

    /// The answer with the bytes of `range`, or with all.
    pub(super) fn answer(self, range: Option<Range>) -> S3Result<GetObjectOutput> {
        let Self {
            etag,
            bytes,
            mut output,
        } = self;
        let bytes = match range {
            None => bytes,
            Some(range) => {
                let (of, all) = within(range, bytes.len())?;
                output.content_range = Some(of);
                bytes.slice(all)
            }
        };
        output.content_length = i64::try_from(bytes.len()).ok();
        output.e_tag = Some(etag);
        let one = stream::iter([Ok::<_, std::io::Error>(bytes)]);
        output.body = Some(StreamingBlob::wrap(one));
        Ok(output)
    }
}

/// A range of `length` bytes, in the words of `Content-Range` and as indices.
fn within(range: Range, length: usize) -> S3Result<(String, std::ops::Range<usize>)> {
    let range = range.check(length as u64).map_err(S3Error::from)?;
    let index = |at| usize::try_from(at).map_err(|error| s3_error!(error, InternalError));
    let (start, end) = (index(range.start)?, index(range.end)?);
    let words = format!("bytes {start}-{}/{length}", end.saturating_sub(1));
    Ok((words, start..end))
}

fn unreadable(error: s3s::StdError) -> S3Error {
    S3Error::with_source(S3ErrorCode::InternalError, error)
}

/// Tests the conditions of a GET or HEAD: 412 if the client wants another version, 304 if it has this one.
pub(super) fn meet(
    etag: &ETag,
    if_match: Option<&ETagCondition>,
    if_none_match: Option<&ETagCondition>,
) -> S3Result<()> {
    let is_of = |condition: &ETagCondition, is: fn(&ETag, &ETag) -> bool| match condition {
        ETagCondition::ETag(named) => is(named, etag),
        ETagCondition::Any => true,
    };
    if if_match.is_some_and(|condition| !is_of(condition, ETag::strong_cmp)) {
        return Err(s3_error!(
            PreconditionFailed,
            "The object has another version."
        ));
    }
    if if_none_match.is_some_and(|condition| is_of(condition, ETag::weak_cmp)) {
        return Err(not_modified(etag));
    }
    Ok(())
}

fn not_modified(etag: &ETag) -> S3Error {
    let mut error = s3_error!(NotModified);
    let mut headers = HeaderMap::new();
    if let Ok(etag) = etag.to_http_header() {
        headers.insert(ETAG, etag);
    }
    error.set_headers(headers);
    error
}
