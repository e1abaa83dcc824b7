use std::{
    fmt::{self, Write},
    sync::Arc,
};

use jiff::{Timestamp, tz::TimeZone};

use crate::{
    Compression, Granularity, Version,
    path_segment::{hash, push_segment, segment, short_hash},
};

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
    version: Version,
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
    /// Objects under `prefix` in the current version; `epoch` starts a new history where offsets start again at 0.
    pub fn new(
        prefix: &str,
        epoch: Option<&str>,
        granularity: Granularity,
        compression: Compression,
    ) -> Self {
        let prefix = prefix.trim_matches('/');
        let root = match epoch {
            Some(epoch) => {
                let epoch = segment(Version::CURRENT, epoch, SEGMENT_MAX);
                format!("{prefix}/epoch={epoch}")
            }
            None => prefix.to_owned(),
        };
        Self {
            root,
            version: Version::CURRENT,
            granularity,
            compression,
        }
    }

    /// The same in another version.
    #[must_use]
    pub fn in_version(self, version: Version) -> Self {
        Self { version, ..self }
    }

    /// How records become lines and keys.
    pub fn version(&self) -> Version {
        self.version
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
        out.push_str(self.names().topic);
        push_segment(self.version, out, topic, TOPIC_MAX);
        out.push('/');
    }

    /// What the key of every bronze object of `topic` and `symbol` starts with.
    pub fn symbol_root(&self, topic: &str, symbol: &str) -> String {
        let mut root = self.topic_root(topic);
        self.push_symbol(&mut root, symbol);
        root.push('/');
        root
    }

    /// How a key spells `topic`, behind what [`crate::Names::topic`] begins with.
    pub fn topic_segment(&self, topic: &str) -> String {
        segment(self.version, topic, TOPIC_MAX)
    }

    /// How a key spells `symbol`, behind what [`crate::Names::symbol`] begins with.
    pub fn symbol_segment(&self, symbol: &str) -> String {
        segment(self.version, symbol, SEGMENT_MAX)
    }

    fn push_symbol(&self, out: &mut String, symbol: &str) {
        out.push_str(self.names().symbol);
        push_segment(self.version, out, symbol, SEGMENT_MAX);
    }

    /// The object that says which record a partition had first of the span of offsets that begins at `start`.
    pub fn mark_key(&self, topic: &str, partition: i32, start: i64) -> ObjectKey {
        let topic = self.topic_segment(topic);
        let root = self.marks_root();
        ObjectKey::new(format!("{root}{topic}/p{partition:03}-o{start:019}.json"))
    }

    /// What the key of every such object starts with.
    pub fn marks_root(&self) -> String {
        format!("{}/_partitions/", self.root)
    }

    /// What the key of every quarantined record of this layout starts with.
    pub fn quarantine_root(&self) -> String {
        format!("{}/_quarantine/", self.root)
    }

    /// What the key of every quarantined record of `topic` starts with.
    pub fn quarantine_topic_root(&self, topic: &str) -> String {
        let topic = self.topic_segment(topic);
        format!("{}{topic}/", self.quarantine_root())
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
    /// `{root}/lake_topic={topic}/lake_symbol=_{symbol}/lake_date={YYYY-MM-DD}/{bucket}-p{partition}-o{start}.ndjson[.zst]`.
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
        self.push_symbol(&mut key, at.symbol);
        key.push('/');
        for ((number, width), before) in date.into_iter().zip([self.names().date, "-", "-"]) {
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

impl ObjectKey {
    /// The key beside this one, of a quarantine object with these bytes, where the object at this one was damaged: with all
    /// of the hash.
    pub fn beside(&self, body: &[u8]) -> Self {
        let place = self.0.rfind('-').map_or(&*self.0, |end| &self.0[..=end]);
        Self::new(format!("{place}{}.json", hash(body)))
    }
}

/// The longest segment of a topic: Kafka's own limit.
const TOPIC_MAX: usize = 249;

/// The longest segment of a symbol or an epoch. S3 allows keys of 1,024 bytes, but an object store on a file system may
/// spell a whole key in one file name of at most 255.
pub const SEGMENT_MAX: usize = 40;

/// Room for what a key has beside root, topic and symbol.
const KEY_WITHOUT_NAMES: usize = 112;

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

#[cfg(test)]
mod tests;
