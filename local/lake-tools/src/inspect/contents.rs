use std::collections::BTreeMap;

use jiff::Timestamp;
use lake::Reason;

use crate::damaged::Damaged;

/// What is in a lake.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// Whether only the listing was read: no records, no reasons, and buckets for times.
    pub keys_only: bool,
    /// Bronze by topic and symbol.
    pub bronze: BTreeMap<String, BTreeMap<String, Counts>>,
    /// Quarantine by topic and reason, which only the objects say.
    pub quarantine: BTreeMap<String, BTreeMap<Option<Reason>, Aside>>,
    /// What is in neither, because it can't be read.
    pub damaged: Damaged,
}

/// Bronze objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// How many.
    pub objects: u64,
    /// Their lines.
    pub records: u64,
    /// Their length in the store.
    pub bytes: u64,
    /// The earliest time of a record, or of a bucket, whose time is its start.
    pub first: Option<Timestamp>,
    /// The latest one.
    pub last: Option<Timestamp>,
}

/// Quarantine objects, of a record each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Aside {
    /// How many.
    pub records: u64,
    /// Their length in the store.
    pub bytes: u64,
}

impl Counts {
    /// Counts a time.
    pub(super) fn add_time(&mut self, time: Timestamp) {
        self.first = Some(self.first.map_or(time, |first| first.min(time)));
        self.last = Some(self.last.map_or(time, |last| last.max(time)));
    }

    /// Both together.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        self.objects += other.objects;
        self.records += other.records;
        self.bytes += other.bytes;
        other.first.into_iter().for_each(|time| self.add_time(time));
        other.last.into_iter().for_each(|time| self.add_time(time));
        self
    }

    /// All together.
    pub fn all<'a>(counts: impl IntoIterator<Item = &'a Self>) -> Self {
        counts.into_iter().fold(Self::default(), Self::and)
    }
}
