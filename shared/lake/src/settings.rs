//! The settings that say where a lake lies, for every function that writes or reads it.

use ::settings::{Absent, Form, Lookup, Setting, SettingError, aws};

use crate::{SEGMENT_MAX, store::S3Settings};

/// Every one of them.
pub const SETTINGS: &[Setting] = &[BUCKET, PREFIX, EPOCH, ENDPOINT_URL_S3];

/// The bucket of the lake.
pub const BUCKET: Setting = Setting::new(
    "BRONZE_BUCKET",
    Absent::Required,
    Form::Text {
        range: "an S3 bucket's name",
        expects: "the name of an S3 bucket",
    },
    "where objects go",
);

/// The prefix of the bronze objects.
pub const PREFIX: Setting = Setting::new(
    "BRONZE_PREFIX",
    Absent::Required,
    Form::Text {
        range: PREFIX_RANGE,
        expects: "a key prefix such as 'bronze'",
    },
    "the key prefix of all bronze objects",
);

/// What a [`Prefix`] may be, for the documentation.
pub const PREFIX_RANGE: &str = "letters, digits, `-`, `_`, `=` between single slashes";

const EPOCH: Setting = Setting::new(
    "BRONZE_EPOCH",
    Absent::Means("none"),
    Form::Text {
        range: "at most 40 letters, digits, `-`, `_`",
        expects: "a name for this history of the topics, such as '1'",
    },
    "the history of the topics: a new name when a topic is recreated and its offsets start anew, or when \
     `BRONZE_GRANULARITY`, one of the `BRONZE_SEGMENT_…` or `BRONZE_COMPRESSION` changes",
);

const ENDPOINT_URL_S3: Setting = Setting::new(
    "AWS_ENDPOINT_URL_S3",
    Absent::Means("AWS"),
    Form::Url,
    "another place for S3 alone, in path style",
);

/// Reads where the store is.
///
/// # Errors
/// [`SettingError`] if the bucket is missing or wrong.
pub fn store(lookup: &Lookup<'_>) -> Result<S3Settings, SettingError> {
    let bucket: Bucket = BUCKET.read(lookup)?;
    let endpoint = ENDPOINT_URL_S3.text(lookup);
    Ok(S3Settings {
        bucket: bucket.0,
        endpoint: endpoint.or_else(|| aws::ENDPOINT_URL.text(lookup)),
        credentials: None,
    })
}

/// Reads the prefix of the bronze objects and the name of the topics' history, if it has one.
///
/// # Errors
/// [`SettingError`] for the first that is missing or wrong.
pub fn history(lookup: &Lookup<'_>) -> Result<(String, Option<String>), SettingError> {
    let prefix: Prefix = PREFIX.read(lookup)?;
    let epoch: Option<Epoch> = EPOCH.optional(lookup)?;
    Ok((prefix.0, epoch.map(|epoch| epoch.0)))
}

struct Bucket(String);

impl std::str::FromStr for Bucket {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let allowed =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
        if (3..=63).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err("not 3 to 63 lower-case letters, digits, dots and hyphens")
        }
    }
}

/// What the keys of many objects start with, without a slash at either end.
pub struct Prefix(pub String);

impl std::str::FromStr for Prefix {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let segment = |part: &str| {
            let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_=".contains(&byte);
            !part.is_empty() && part.bytes().all(allowed)
        };
        if text.split('/').all(segment) {
            Ok(Self(text.to_owned()))
        } else {
            Err("not letters, digits, '-', '_' and '=' between single slashes")
        }
    }
}

/// Whether two key prefixes are one, or one lies within the other: what lies beside bronze must not mix with it.
pub fn prefixes_overlap(one: &str, other: &str) -> bool {
    let is_within = |prefix: &str, other: &str| {
        let rest = prefix.strip_prefix(other);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    is_within(one, other) || is_within(other, one)
}

struct Epoch(String);

impl std::str::FromStr for Epoch {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        // A longer one is cut in keys, and the rules of the bucket would not find it.
        if text.len() <= SEGMENT_MAX && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(format!(
                "not at most {SEGMENT_MAX} letters, digits, '-' and '_'"
            ))
        }
    }
}
