use std::borrow::Cow;

use bytes::Bytes;
use jiff::Timestamp;
use serde::Deserialize;

use crate::{
    Defect, Layout, Lines, ObjectKey, Place, Received, Version,
    compression::Unpackable,
    content::{read_members, usable_time},
    store::OBJECT_MAX,
};

/// Why an object is none that a writer of this layout has made: it was edited, cut, or replaced.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// Its bytes don't unpack, or are not those that were stored.
    #[error("{0}")]
    Unreadable(String),
    /// It has more bytes than there is room for, packed or unpacked.
    #[error("it has {0} bytes, more than an object of ours ever has")]
    TooLarge(usize),
    /// It ends in the middle of a line, or has none.
    #[error("it ends without a line feed")]
    Cut,
    /// A line is no bronze line.
    #[error("line {number} is no bronze line: {cause}")]
    NotALine {
        /// From 1.
        number: usize,
        /// What is wrong with it.
        cause: LineDefect,
    },
    /// A line's offset is not above that of the line before.
    #[error("line {number} is out of order: its offset {offset} is not above the one before")]
    OutOfOrder {
        /// From 1.
        number: usize,
        /// The offset.
        offset: i64,
    },
    /// A line belongs in another object.
    #[error("line {number} belongs in {belongs}")]
    Elsewhere {
        /// From 1.
        number: usize,
        /// Where.
        belongs: ObjectKey,
    },
}

/// Why a line is no bronze line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineDefect {
    /// Its value is none.
    #[error(transparent)]
    Value(#[from] Defect),
    /// It has no coordinates.
    #[error("it has no member '_kafka' with topic, partition and offset")]
    NoCoordinates,
    /// It has no time.
    #[error("it has no usable time")]
    NoTime,
    /// It ends otherwise than the writer ends a line, such as with a carriage return.
    #[error("it does not end with a brace and a line feed")]
    NoEnd,
}

impl From<Unpackable> for Damage {
    fn from(unpackable: Unpackable) -> Self {
        match unpackable {
            Unpackable::NotZstd(_) => Self::Unreadable(unpackable.to_string()),
            Unpackable::TooLong(bytes) => Self::TooLarge(bytes),
        }
    }
}

impl Layout {
    /// A bronze object's lines as they were before they were packed, not checked: for readers that take the lines apart
    /// themselves. They have [`OBJECT_MAX`] bytes at most.
    ///
    /// # Errors
    /// [`Damage::Unreadable`] or [`Damage::TooLarge`].
    pub fn unpack(&self, object: &Bytes) -> Result<Bytes, Damage> {
        Ok(self.compression().unpack(object, OBJECT_MAX)?)
    }
}

/// Reads a bronze object and checks that every line of it belongs there.
///
/// # Errors
/// [`Damage`], the first one found.
pub fn read_stored(layout: &Layout, key: &ObjectKey, object: &Bytes) -> Result<Lines, Damage> {
    read_within(layout, key, object, OBJECT_MAX)
}

/// The same, for lines of at most `most` bytes; longer ones are [`Damage::TooLarge`] without being unpacked.
pub(crate) fn read_within(
    layout: &Layout,
    key: &ObjectKey,
    object: &Bytes,
    most: usize,
) -> Result<Lines, Damage> {
    let body = layout.compression().unpack(object, most)?;
    if body.last() != Some(&b'\n') {
        return Err(Damage::Cut);
    }
    let mut lines = Lines::over(body.clone());
    let mut first: Option<StoredLine<'_>> = None;
    for (index, line) in body.split_inclusive(|&byte| byte == b'\n').enumerate() {
        let number = index + 1;
        let not_a_line = |cause| Damage::NotALine { number, cause };
        if !line.ends_with(b"}\n") {
            return Err(not_a_line(LineDefect::NoEnd));
        }
        let read = read_line(layout.version(), line).map_err(not_a_line)?;
        let segment = layout.segment_of(read.place());
        let belongs = match &first {
            None => layout.segment_key(&segment) == *key,
            Some(first) => segment == layout.segment_of(first.place()),
        };
        if !belongs {
            let belongs = layout.segment_key(&segment);
            return Err(Damage::Elsewhere { number, belongs });
        }
        let offset = read.offset;
        if !lines.mark(offset, line.len()) {
            return Err(Damage::OutOfOrder { number, offset });
        }
        first.get_or_insert(read);
    }
    Ok(lines)
}

/// What a bronze line says of its record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredLine<'a> {
    /// The topic's name.
    pub topic: Cow<'a, str>,
    /// The partition.
    pub partition: i32,
    /// The offset.
    pub offset: i64,
    /// The symbol.
    pub symbol: Cow<'a, str>,
    /// When the value was fetched, as it says itself; else Kafka's timestamp.
    pub time: Timestamp,
    /// Kafka's timestamp in milliseconds since the epoch, where it has one.
    pub timestamp: Option<i64>,
    /// The line up to its member `_kafka`.
    before: &'a [u8],
}

impl StoredLine<'_> {
    /// Where the line belongs.
    pub fn place(&self) -> Place<'_> {
        Place {
            topic: &self.topic,
            symbol: &self.symbol,
            time: self.time,
            partition: self.partition,
            offset: self.offset,
        }
    }

    /// The record that the line is of, without key and headers; its value is made in `value`. It has the symbol that the
    /// writer added where it had none. `None` if `_kafka` is not where the writer puts it, so that somebody edited the line.
    pub fn received<'a>(&'a self, value: &'a mut Vec<u8>) -> Option<Received<'a>> {
        let before = self.before.trim_ascii_end().strip_suffix(b":")?;
        let members = before.trim_ascii_end().strip_suffix(b"\"_kafka\"")?;
        let members = members.trim_ascii_end();
        value.clear();
        value.extend_from_slice(members.strip_suffix(b",").unwrap_or(members));
        value.push(b'}');
        Some(Received {
            topic: &self.topic,
            partition: self.partition,
            offset: self.offset,
            timestamp: self.timestamp,
            value: Some(value),
            ..Received::default()
        })
    }
}

/// Reads a bronze line.
///
/// # Errors
/// [`LineDefect`].
pub fn read_line(version: Version, line: &[u8]) -> Result<StoredLine<'_>, LineDefect> {
    #[derive(Deserialize)]
    struct Kafka<'a> {
        #[serde(borrow)]
        topic: Cow<'a, str>,
        partition: i32,
        offset: i64,
        timestamp: Option<i64>,
    }
    let (content, kafka) = read_members(version, line)?;
    let kafka = kafka.ok_or(LineDefect::NoCoordinates)?;
    // A part of the line, whose addresses tell where.
    let before = kafka.as_ptr().addr() - line.as_ptr().addr();
    let kafka: Kafka<'_> = serde_json::from_str(kafka).map_err(|_| LineDefect::NoCoordinates)?;
    let of_kafka = || usable_time(version, kafka.timestamp?);
    let time = content.time.or_else(of_kafka).ok_or(LineDefect::NoTime)?;
    Ok(StoredLine {
        topic: kafka.topic,
        partition: kafka.partition,
        offset: kafka.offset,
        symbol: content.symbol,
        time,
        timestamp: kafka.timestamp,
        before: line.get(..before).unwrap_or_default(),
    })
}
