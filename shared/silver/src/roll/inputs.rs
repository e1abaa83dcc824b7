//! The bronze objects that bars are made of.

use std::collections::{BTreeMap, BTreeSet};

use lake::{
    Name, ObjectKey,
    store::{ETag, List, StoreError},
};
use market::bars::{DAY, HOUR, Interval, Rules};
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

    /// No objects.
    pub(crate) fn none(rules: Rules) -> Self {
        Self {
            list: Vec::new(),
            at: BTreeMap::new(),
            bucket: 0,
            rules,
        }
    }

    /// The start of the first bucket.
    pub(crate) fn first(&self) -> Option<i64> {
        self.list.first().map(|input| input.start)
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

    /// Those, and the ones beyond of these keys.
    pub(crate) fn of_hour_and(&self, hour: i64, late: &[String]) -> Vec<usize> {
        let beyond = late.iter().filter_map(|key| self.at.get(key).copied());
        let all: BTreeSet<usize> = self.of_hour(hour).chain(beyond).collect();
        all.into_iter().collect()
    }

    /// The hours of the range that have an object or bars.
    pub(crate) fn hours(&self, range: Range, held: &Held) -> BTreeSet<i64> {
        let mut hours: BTreeSet<i64> = held.hours().collect();
        for input in &self.list {
            let first = input.start - self.rules.lateness - HOUR;
            let mut hour = first.div_euclid(HOUR) * HOUR;
            while hour < input.start + self.bucket + self.rules.ahead {
                hours.insert(hour);
                hour += HOUR;
            }
        }
        hours.retain(|hour| (range.from..range.to).contains(hour));
        hours.retain(|&hour| {
            !self.of_hour(hour).is_empty() || held.unit(Interval::Minute, hour).is_some()
        });
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

    /// Whether every partition of the hour has come so far that nothing of the hour is on time any more.
    pub(crate) fn is_complete(&self, hour: i64, watermarks: &Watermarks) -> bool {
        let mark = watermarks.least(self.partitions(hour));
        mark.is_some_and(|mark| mark >= hour + HOUR + self.rules.lateness)
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

    /// A digest of all that the hour's bars follow from.
    pub(crate) fn digest(&self, hour: i64, is_complete: bool, late: &[String]) -> String {
        let mut hash = Sha256::new();
        let Rules { lateness, ahead } = self.rules;
        hash.update(format!("{SCHEMA} {lateness} {ahead} {is_complete}\n"));
        for at in self.of_hour_and(hour, late) {
            let Input { key, etag, .. } = &self.list[at];
            hash.update(format!("{key} {}\n", etag.0));
        }
        short(hash)
    }
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
    (from - rules.ahead, to + rules.lateness)
}

/// The stretches of time of the objects beyond the hours of the range that are known to have late records of them.
pub(crate) fn spans_of_late(bronze: &lake::Layout, range: Range, held: &Held) -> Vec<(i64, i64)> {
    let hours = held
        .hours()
        .filter(|hour| (range.from..range.to).contains(hour));
    let keys = hours.flat_map(|hour| held.late(hour));
    let buckets = keys.filter_map(|key| match bronze.name_of(&ObjectKey::new(key.clone())) {
        Name::Bronze { bucket, .. } => Some(bucket.as_microsecond()),
        _ => None,
    });
    buckets.map(|start| (start, start + 1)).collect()
}

/// The stretches in order, those that overlap or are less than a day apart as one.
fn merged(mut spans: Vec<(i64, i64)>) -> Vec<(i64, i64)> {
    spans.sort_unstable();
    let mut merged: Vec<(i64, i64)> = Vec::new();
    for (from, to) in spans {
        match merged.last_mut() {
            Some(last) if from <= last.1 + DAY => last.1 = last.1.max(to),
            _ => merged.push((from, to)),
        }
    }
    merged
}
