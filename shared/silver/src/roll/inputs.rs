//! The bronze objects that bars are made of.

use std::collections::{BTreeMap, BTreeSet};

use lake::{
    Name, ObjectKey,
    store::{ETag, List, PAGE, StoreError},
};
use market::bars::{DAY, HOUR, Rules};
use sha2::{Digest, Sha256};

use super::{Of, Range, held::Held};
use crate::{SCHEMA, Unit, Watermarks, layout::utc_date};

/// A bronze object of the symbol.
#[derive(Clone, Debug)]
pub(crate) struct Input {
    pub(crate) key: ObjectKey,
    pub(crate) etag: ETag,
    /// The start of its time bucket, in microseconds since 1970.
    start: i64,
    partition: i32,
}

/// The objects of some stretches of time, in order of their buckets.
pub(crate) struct Inputs {
    list: Vec<Input>,
    at: BTreeMap<String, usize>,
    /// The length of a time bucket.
    bucket: i64,
    rules: Rules,
}

impl Inputs {
    /// Lists the objects whose buckets overlap one of the stretches of time.
    pub(crate) async fn list(
        store: &impl List,
        bronze: &lake::Layout,
        of: &Of,
        spans: Vec<(i64, i64)>,
        rules: Rules,
    ) -> Result<Self, StoreError> {
        let bucket = bronze.granularity().bucket_ms() * 1_000;
        let names = bronze.names();
        let root = format!(
            "{}{}{}/{}{}/",
            bronze.root(),
            names.topic,
            of.topic,
            names.symbol,
            of.symbol
        );
        let mut found = BTreeMap::new();
        for (from, to) in merged(spans) {
            let first = utc_date(from.saturating_sub(bucket));
            let first = ObjectKey::new(format!("{root}{}{first}", names.date));
            let mut after = Some(first);
            while let Some(from) = after.take() {
                let page = store.list(&root, Some(&from)).await?;
                let is_last = page.len() < PAGE;
                for listed in page {
                    let Name::Bronze {
                        bucket, partition, ..
                    } = bronze.name_of(&listed.key)
                    else {
                        after = Some(listed.key);
                        continue;
                    };
                    let start = bucket.as_microsecond();
                    if start >= to {
                        after = None;
                        break;
                    }
                    after = Some(listed.key.clone());
                    let input = Input {
                        key: listed.key,
                        etag: listed.etag,
                        start,
                        partition,
                    };
                    found.insert((start, input.key.clone()), input);
                }
                if is_last {
                    break;
                }
            }
        }
        let list: Vec<Input> = found.into_values().collect();
        let at = list.iter().enumerate();
        Ok(Self {
            at: at
                .map(|(at, input)| (input.key.as_str().to_owned(), at))
                .collect(),
            list,
            bucket,
            rules,
        })
    }

    /// The start of the first bucket, and the end of the last.
    pub(crate) fn first_and_last(&self) -> Option<(i64, i64)> {
        let (first, last) = self.list.first().zip(self.list.last())?;
        Some((first.start, last.start + self.bucket))
    }

    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    pub(crate) fn get(&self, at: usize) -> &Input {
        &self.list[at]
    }

    /// The version that was read, which may be newer than the listed one.
    pub(crate) fn set_version(&mut self, at: usize, etag: ETag) {
        self.list[at].etag = etag;
    }

    /// The objects that may hold records of the hour that are not late.
    pub(crate) fn of_hour(&self, hour: i64) -> std::ops::Range<usize> {
        let from = hour - self.rules.ahead - self.bucket;
        let to = hour + HOUR + self.rules.lateness;
        let start = self.list.partition_point(|input| input.start <= from);
        start..self.list.partition_point(|input| input.start < to)
    }

    /// Whether the object is behind all that may hold records of the hour that are not late.
    pub(crate) fn is_beyond(&self, at: usize, hour: i64) -> bool {
        self.list[at].start >= hour + HOUR + self.rules.lateness
    }

    /// Whether the object's bucket begins after those of all these objects.
    pub(crate) fn is_after(&self, at: usize, bronze: &lake::Layout, keys: &[String]) -> bool {
        let mut buckets = keys.iter().filter_map(|key| bucket_of(bronze, key));
        buckets.all(|start| start < self.list[at].start)
    }

    /// Those, and the ones beyond of these keys.
    pub(crate) fn of_hour_and(&self, hour: i64, late: &[String]) -> Vec<usize> {
        let beyond = late.iter().filter_map(|key| self.at.get(key).copied());
        let all: BTreeSet<usize> = self.of_hour(hour).chain(beyond).collect();
        all.into_iter().collect()
    }

    /// The hours of the range that have an object or bars.
    pub(crate) fn hours(&self, range: Range, held: &Held) -> BTreeSet<i64> {
        let of_range = |hour: &i64| (range.from..range.to).contains(hour);
        let mut hours: BTreeSet<i64> = held.hours().filter(of_range).collect();
        for input in &self.list {
            let first = input.start - self.rules.lateness - HOUR;
            let first = (first.div_euclid(HOUR) * HOUR).max(range.from);
            let end = input.start + self.bucket + self.rules.ahead;
            let mut hour = first;
            while hour < end.min(range.to) {
                if !self.of_hour(hour).is_empty() {
                    hours.insert(hour);
                }
                hour += HOUR;
            }
        }
        hours
    }

    /// The partitions of the hour's objects.
    pub(crate) fn partitions(&self, hour: i64) -> Vec<i32> {
        let partitions = self.list[self.of_hour(hour)]
            .iter()
            .map(|input| input.partition);
        let partitions: BTreeSet<i32> = partitions.collect();
        partitions.into_iter().collect()
    }

    /// Whether every partition of the hour has come so far that nothing of the hour is on time any more. An hour without an object has
    /// late records alone, whose partition has.
    pub(crate) fn is_over(&self, hour: i64, watermarks: &Watermarks) -> bool {
        let partitions = self.partitions(hour);
        let mark = watermarks.least(partitions.iter().copied());
        partitions.is_empty() || mark.is_some_and(|mark| mark >= hour + HOUR + self.rules.lateness)
    }

    pub(crate) fn is_damaged(
        &self,
        hour: i64,
        late: &[String],
        damaged: &BTreeMap<ObjectKey, String>,
    ) -> bool {
        let mut objects = self.of_hour_and(hour, late).into_iter();
        objects.any(|at| damaged.contains_key(&self.list[at].key))
    }

    pub(crate) fn show(&self, watermarks: &mut Watermarks) {
        for input in &self.list {
            watermarks.see(input.partition, input.start);
        }
    }

    /// How many objects have a time bucket in the hour or the one before it, which expire before those after it.
    pub(crate) fn objects_of(&self, hour: i64) -> usize {
        let before = hour - HOUR - self.bucket;
        let start = self.list.partition_point(|input| input.start <= before);
        let end = self.list.partition_point(|input| input.start < hour + HOUR);
        end.saturating_sub(start)
    }

    /// How many of those, and of the objects of these keys, there are.
    pub(crate) fn left_of(&self, hour: i64, late: &[String]) -> usize {
        let late = late.iter().filter(|key| self.at.contains_key(*key));
        self.objects_of(hour) + late.count()
    }

    /// A digest of the versions of the hour's objects, and of the rules.
    pub(crate) fn versions(&self, hour: i64, late: &[String]) -> String {
        let mut hash = Sha256::new();
        let Rules { lateness, ahead } = self.rules;
        hash.update(format!("{SCHEMA} {lateness} {ahead}\n"));
        for at in self.of_hour_and(hour, late) {
            let Input { key, etag, .. } = &self.list[at];
            hash.update(format!("{key} {}\n", etag.0));
        }
        short(hash)
    }
}

/// What the digest of an hour with a damaged object ends with, so that it is looked at each time, and named.
pub(crate) const DAMAGED: &str = "!";

/// A digest of all that an hour's bars follow from.
pub(crate) fn hour_digest(versions: &str, is_over: bool) -> String {
    short(Sha256::new().chain_update(format!("{versions} {is_over}\n")))
}

/// A digest of all that a day's bar follows from.
pub(crate) fn day_digest<'a>(
    hours: impl IntoIterator<Item = (i64, &'a Unit)>,
    is_complete: bool,
) -> String {
    let mut hash = Sha256::new();
    hash.update(format!("{SCHEMA} {is_complete}\n"));
    for (hour, unit) in hours {
        hash.update(format!("{hour} {}\n", unit.digest));
    }
    short(hash)
}

fn short(hash: Sha256) -> String {
    let bytes = hash.finalize();
    bytes
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The stretch of time of the objects that an hour, or more of them, is made of.
pub(crate) fn span(from: i64, to: i64, rules: Rules) -> (i64, i64) {
    (
        from.saturating_sub(rules.ahead),
        to.saturating_add(rules.lateness),
    )
}

/// The stretches of time of the objects beyond these hours that are known to have late records of them.
pub(crate) fn spans_of_late(
    bronze: &lake::Layout,
    held: &Held,
    is_of: impl Fn(&i64) -> bool,
) -> Vec<(i64, i64)> {
    let keys = held.hours().filter(is_of).flat_map(|hour| held.late(hour));
    let buckets = keys.filter_map(|key| bucket_of(bronze, key));
    buckets.map(|start| (start, start + 1)).collect()
}

fn bucket_of(bronze: &lake::Layout, key: &str) -> Option<i64> {
    match bronze.name_of(&ObjectKey::new(key)) {
        Name::Bronze { bucket, .. } => Some(bucket.as_microsecond()),
        _ => None,
    }
}

/// The stretches in order, those that overlap or are less than a day apart as one.
fn merged(mut spans: Vec<(i64, i64)>) -> Vec<(i64, i64)> {
    spans.sort_unstable();
    let mut merged: Vec<(i64, i64)> = Vec::new();
    for (from, to) in spans {
        match merged.last_mut() {
            Some(last) if from <= last.1.saturating_add(DAY) => last.1 = last.1.max(to),
            _ => merged.push((from, to)),
        }
    }
    merged
}
