use std::{
    fmt::{self, Write},
    sync::Arc,
};

use jiff::{Timestamp, tz::TimeZone};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest, Sha256};

use crate::{Compression, Granularity};

/// An object's name in the store; cloning shares it. Only [`Layout`] makes one from records; a listing gives the others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey(Arc<str>);

impl ObjectKey {
    /// A name that a store gave or that a test chose.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into().into())
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where objects go and what they look like: everything of them that is not taken from their records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    root: String,
    granularity: Granularity,
    compression: Compression,
}

/// What of a record decides its object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// The topic's name.
    pub topic: &'a str,
    /// The symbol as the record has it.
    pub symbol: &'a str,
    /// The record's time.
    pub time: Timestamp,
    /// The partition.
    pub partition: i32,
    /// The offset.
    pub offset: i64,
}

/// The records that share an object: one symbol's of one time bucket and one offset segment of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Segment<'a> {
    bucket_ms: i64,
    start: i64,
    partition: i32,
    symbol: &'a str,
    topic: &'a str,
}

impl<'a> Segment<'a> {
    /// The topic's name.
    pub fn topic(&self) -> &'a str {
        self.topic
    }

    /// The partition.
    pub fn partition(&self) -> i32 {
        self.partition
    }
}

impl Layout {
    /// Objects under `prefix`; `epoch` starts a new history where offsets start again at 0.
    pub fn new(
        prefix: &str,
        epoch: Option<&str>,
        granularity: Granularity,
        compression: Compression,
    ) -> Self {
        let prefix = prefix.trim_matches('/');
        let root = match epoch {
            Some(epoch) => format!("{prefix}/epoch={}", segment(epoch, SEGMENT_MAX)),
            None => prefix.to_owned(),
        };
        Self {
            root,
            granularity,
            compression,
        }
    }

    /// How many records share an object.
    pub fn granularity(&self) -> Granularity {
        self.granularity
    }

    /// What bronze objects are packed with.
    pub fn compression(&self) -> Compression {
        self.compression
    }

    /// What every key of this layout starts with, up to and including the last `/`.
    pub fn root(&self) -> String {
        format!("{}/", self.root)
    }

    /// What the key of every bronze object of `topic` starts with.
    pub fn topic_root(&self, topic: &str) -> String {
        let mut root = String::with_capacity(self.root.len() + topic.len() + 2);
        self.push_topic_root(&mut root, topic);
        root
    }

    fn push_topic_root(&self, out: &mut String, topic: &str) {
        out.push_str(&self.root);
        out.push('/');
        push_segment(out, topic, TOPIC_MAX);
        out.push('/');
    }

    /// What the key of every quarantined record of this layout starts with.
    pub fn quarantine_root(&self) -> String {
        format!("{}/_quarantine/", self.root)
    }

    /// What the key of every quarantined record of `topic` starts with.
    pub fn quarantine_topic_root(&self, topic: &str) -> String {
        format!("{}{}/", self.quarantine_root(), segment(topic, TOPIC_MAX))
    }

    /// What the keys of the quarantine objects of one place start with; a record without an offset has `x`.
    pub fn quarantine_place(&self, topic: &str, partition: i32, offset: Option<i64>) -> String {
        let root = self.quarantine_topic_root(topic);
        let offset = offset.map_or_else(|| "x".to_owned(), |offset| format!("{offset:019}"));
        format!("{root}p{partition:03}-o{offset}-")
    }

    /// The object that says which layout this history has.
    pub fn description_key(&self) -> ObjectKey {
        ObjectKey::new(format!("{}/_layout.json", self.root))
    }

    /// The segment that a record belongs in: its time floored to the bucket, its offset to the segment.
    pub fn segment_of<'a>(&self, place: Place<'a>) -> Segment<'a> {
        let time_ms = place.time.as_millisecond();
        Segment {
            bucket_ms: time_ms - time_ms.rem_euclid(self.granularity.bucket_ms()),
            start: place.offset - place.offset.rem_euclid(self.granularity.segment()),
            partition: place.partition,
            symbol: place.symbol,
            topic: place.topic,
        }
    }

    /// A segment's object:
    /// `{root}/{topic}/symbol={symbol}/date={YYYY-MM-DD}/{bucket}-p{partition}-o{start}.ndjson[.zst]`.
    pub fn segment_key(&self, at: &Segment<'_>) -> ObjectKey {
        let bucket = Timestamp::from_millisecond(at.bucket_ms).unwrap_or(Timestamp::MIN);
        let time = TimeZone::UTC.to_datetime(bucket);
        let date = [
            (i64::from(time.year()), 4),
            (i64::from(time.month()), 2),
            (i64::from(time.day()), 2),
        ];
        let clock = [time.hour(), time.minute(), time.second()];

        // In one piece of memory and without format!: small objects have few records to share the cost of a key.
        let names = self.root.len() + at.topic.len() + at.symbol.len();
        let mut key = String::with_capacity(names + KEY_WITHOUT_NAMES);
        self.push_topic_root(&mut key, at.topic);
        key.push_str("symbol=");
        push_segment(&mut key, at.symbol, SEGMENT_MAX);
        for ((number, width), before) in date.into_iter().zip(["/date=", "-", "-"]) {
            key.push_str(before);
            push_number(&mut key, number, width);
        }
        for ((number, width), before) in date.into_iter().zip(["/", "", ""]) {
            key.push_str(before);
            push_number(&mut key, number, width);
        }
        for (number, before) in clock.into_iter().zip(["T", "", ""]) {
            key.push_str(before);
            push_number(&mut key, i64::from(number), 2);
        }
        key.push('.');
        push_number(&mut key, i64::from(time.millisecond()), 3);
        key.push_str("Z-p");
        push_number(&mut key, i64::from(at.partition), 3);
        key.push_str("-o");
        push_number(&mut key, at.start, 19);
        key.push_str(self.compression.extension());
        ObjectKey::new(key)
    }

    /// The bronze object that a record belongs in.
    pub fn bronze_key(&self, place: Place<'_>) -> ObjectKey {
        self.segment_key(&self.segment_of(place))
    }

    /// The quarantine object with these bytes: its place and 16 hex digits of their SHA-256, so that two records at one
    /// offset (a recreated topic) are both kept.
    pub fn quarantine_key(
        &self,
        topic: &str,
        partition: i32,
        offset: Option<i64>,
        body: &[u8],
    ) -> ObjectKey {
        let place = self.quarantine_place(topic, partition, offset);
        ObjectKey::new(format!("{place}{}.json", short_hash(body)))
    }
}

/// What stays as it is in a path segment: `~` is left out because it marks a shortened segment.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_');

/// The longest segment of a topic: Kafka's own limit.
const TOPIC_MAX: usize = 249;

/// The longest segment of a symbol or an epoch. S3 allows keys of 1,024 bytes, but an object store on a file system may
/// spell a whole key in one file name of at most 255.
pub const SEGMENT_MAX: usize = 40;

/// Room for what a key has beside root, topic and symbol.
const KEY_WITHOUT_NAMES: usize = 96;

/// Any text as one path segment of at most `max` bytes: percent-encoded, and where that is too long cut and
/// told apart by a hash.
fn segment(text: &str, max: usize) -> String {
    let mut segment = String::new();
    push_segment(&mut segment, text, max);
    segment
}

fn push_segment(out: &mut String, text: &str, max: usize) {
    let start = out.len();
    out.extend(utf8_percent_encode(text, KEPT));
    if out.len() - start > max {
        out.truncate(start + max - 17);
        // A cut inside of %XX leaves no half of it behind.
        let tail = out.len() - 2;
        if let Some(cut) = out[tail..].find('%') {
            out.truncate(tail + cut);
        }
        out.push('~');
        out.push_str(&short_hash(text.as_bytes()));
    }
}

/// Appends `number` as `{:0width$}` does; `width` is at most 20.
fn push_number(out: &mut String, number: i64, width: usize) {
    let Ok(mut rest) = u64::try_from(number) else {
        // Writing to a String can't fail.
        let _ = write!(out, "{number:0width$}");
        return;
    };
    let mut digits = [b'0'; 20];
    let mut start = digits.len();
    while rest > 0 || digits.len() - start < width {
        start -= 1;
        digits[start] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    out.push_str(str::from_utf8(&digits[start..]).unwrap_or_default());
}

fn short_hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes)[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests;
