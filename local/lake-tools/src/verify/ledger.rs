use std::{collections::BTreeMap, ops::Range};

use lake::Reason;

use super::{
    OffsetRange, VerifyError,
    bits::{Bits, PAGE, page_at},
    runs::Runs,
    verdict::Verdict,
};

/// What the topics and the store hold of the expected offsets, in less than a byte a record.
#[derive(Default)]
pub(super) struct Ledger {
    topics: BTreeMap<String, BTreeMap<i32, Partition>>,
    /// Whether every offset of every partition is expected.
    is_open: bool,
}

/// The part of one partition.
pub(super) struct Partition {
    expected: Range<i64>,
    /// The offsets that Kafka can tell of: what it does not have of these was never there, or is compacted away.
    told: Range<i64>,
    /// The first offset that Kafka still has or will have; 0 where it was not asked.
    low: i64,
    pages: BTreeMap<i64, Box<Page>>,
}

/// The part of [`PAGE`] offsets.
#[derive(Clone)]
pub(super) struct Page {
    pub(super) kafka: Bits,
    pub(super) bronze: Bits,
    pub(super) quarantine: Bits,
    pub(super) doubled: Bits,
    pub(super) reused: Bits,
    /// Those in quarantine whose bytes the store does not tell.
    illegible: Bits,
    /// The sum of the digests of Kafka's records; that of the store's is equal if all the digests are, in any order.
    in_kafka: u128,
    in_store: u128,
}

impl Ledger {
    pub(super) fn of(expected: &[OffsetRange]) -> Result<Self, VerifyError> {
        let mut ledger = Self::default();
        for OffsetRange {
            topic,
            partition,
            offsets,
        } in expected
        {
            let of_partition = Partition {
                expected: offsets.clone(),
                told: 0..0,
                low: 0,
                pages: BTreeMap::new(),
            };
            let partitions = ledger.topics.entry(topic.clone()).or_default();
            if partitions.insert(*partition, of_partition).is_some() {
                return Err(VerifyError::Twice {
                    topic: topic.clone(),
                    partition: *partition,
                });
            }
        }
        Ok(ledger)
    }

    /// One that expects whatever comes.
    pub(super) fn open() -> Self {
        Self {
            is_open: true,
            ..Self::default()
        }
    }

    /// The topics of which something is expected.
    pub(super) fn topics(&self) -> impl Iterator<Item = &str> {
        self.topics.keys().map(String::as_str)
    }

    /// Every partition in its order.
    pub(super) fn partitions(&self) -> impl Iterator<Item = (&str, i32, &Partition)> {
        self.topics.iter().flat_map(|(topic, partitions)| {
            let partitions = partitions.iter();
            partitions.map(|(&number, partition)| (topic.as_str(), number, partition))
        })
    }

    /// The partition, if `offset` of it is expected.
    pub(super) fn expecting(
        &mut self,
        topic: &str,
        partition: i32,
        offset: i64,
    ) -> Option<&mut Partition> {
        if self.is_open && !self.knows(topic, partition) {
            let partitions = self.topics.entry(topic.to_owned()).or_default();
            partitions.insert(partition, Partition::open());
        }
        let partition = self.topics.get_mut(topic)?.get_mut(&partition)?;
        partition.expected.contains(&offset).then_some(partition)
    }

    fn knows(&self, topic: &str, partition: i32) -> bool {
        let partitions = self.topics.get(topic);
        partitions.is_some_and(|partitions| partitions.contains_key(&partition))
    }

    /// Says which offsets Kafka can tell of, and from which one on it holds anything.
    pub(super) fn tell(&mut self, topic: &str, partition: i32, told: Range<i64>, low: i64) {
        let partitions = self.topics.get_mut(topic);
        if let Some(partition) = partitions.and_then(|topic| topic.get_mut(&partition)) {
            (partition.told, partition.low) = (told, low);
        }
    }
}

impl Partition {
    fn open() -> Self {
        Self {
            expected: i64::MIN..i64::MAX,
            told: i64::MIN..i64::MAX,
            low: 0,
            pages: BTreeMap::new(),
        }
    }

    pub(super) fn expected(&self) -> &Range<i64> {
        &self.expected
    }

    /// The pages that anything was found of, by their numbers.
    pub(super) fn pages(&self) -> impl Iterator<Item = (i64, &Page)> {
        self.pages.iter().map(|(&number, page)| (number, &**page))
    }

    /// Of a page, the offsets that Kafka can tell of.
    pub(super) fn told(&self, number: i64) -> Bits {
        Bits::within(number, &self.told)
    }

    /// Whether the store has a record aside.
    pub(super) fn is_aside(&self, offset: i64) -> bool {
        let page = self.pages.get(&offset.div_euclid(PAGE));
        let place = usize::try_from(offset.rem_euclid(PAGE)).unwrap_or_default();
        page.is_some_and(|page| page.quarantine.contains(place))
    }

    /// A record that Kafka has.
    pub(super) fn record(&mut self, offset: i64, digest: u128) {
        let (page, place) = self.at(offset);
        if page.kafka.insert(place) {
            page.in_kafka = page.in_kafka.wrapping_add(digest);
        }
    }

    /// A line that the store has.
    pub(super) fn line(&mut self, offset: i64, digest: u128) {
        let (page, place) = self.at(offset);
        if !page.bronze.insert(place) {
            page.doubled.insert(place);
        }
        page.stored(place, digest);
    }

    /// A record that the store has aside; one that it does not tell the bytes of has no digest.
    pub(super) fn aside(&mut self, offset: i64, reason: Reason, digest: Option<u128>) {
        let (page, place) = self.at(offset);
        if reason == Reason::OffsetReused {
            page.reused.insert(place);
        } else if !page.quarantine.insert(place) {
            page.doubled.insert(place);
        }
        match digest {
            Some(digest) => page.stored(place, digest),
            None => {
                page.illegible.insert(place);
            }
        }
    }

    /// Adds what was found to a verdict, but for what needs a second look.
    pub(super) fn judge(&self, topic: &str, number: i32, verdict: &mut Verdict) {
        let mut missing = Runs::default();
        let mut next = self.expected.start;
        for (index, page) in self.pages() {
            let Range { start, end } = page_at(index);
            self.untouched(next..start, &mut missing);
            next = end;
            let (expected, required) = self.required(index, page);
            let stored = page.stored_anywhere();
            verdict.in_bronze += (required & page.bronze).count();
            verdict.in_quarantine += (required & stored & !page.bronze).count();
            verdict.compacted += (expected & stored & !required).count();
            let comparable = required & page.kafka & stored & !page.illegible & !page.reused;
            verdict.compared += comparable.count();
            missing.push(start, required & !stored);
        }
        self.untouched(next..self.expected.end, &mut missing);
        for run in missing.runs {
            verdict.missing.add_offsets(topic, number, &run);
            let expired = run.end.min(self.low) - run.start;
            verdict.expired += u64::try_from(expired).unwrap_or(0);
        }
        verdict.in_topics = verdict.in_bronze + verdict.in_quarantine + verdict.missing.total;
        let each = |of: fn(&Page) -> Bits| {
            let mut runs = Runs::default();
            for (index, page) in self.pages() {
                runs.push(page_at(index).start, of(page));
            }
            runs.runs
        };
        for run in each(|page| page.doubled) {
            verdict.doubled.add_offsets(topic, number, &run);
        }
        for run in each(|page| page.bronze & page.quarantine) {
            verdict.in_both.add_offsets(topic, number, &run);
        }
        for run in each(|page| page.reused) {
            verdict.reused.add_offsets(topic, number, &run);
        }
    }

    /// Which offsets of a page are expected, and which of these have to be in the store.
    fn required(&self, index: i64, page: &Page) -> (Bits, Bits) {
        let expected = Bits::within(index, &self.expected);
        let told = Bits::within(index, &self.told);
        (expected, expected & (page.kafka | !told))
    }

    /// The offsets of pages of which nothing was found are missing where Kafka can't tell of them.
    fn untouched(&self, gap: Range<i64>, missing: &mut Runs) {
        let gap = gap.start.max(self.expected.start)..gap.end.min(self.expected.end);
        let told = self.told.start.max(gap.start)..self.told.end.min(gap.end);
        let parts = if told.is_empty() {
            [gap, 0..0]
        } else {
            [gap.start..told.start, told.end..gap.end]
        };
        for part in parts.into_iter().filter(|part| !part.is_empty()) {
            missing.push_run(part);
        }
    }

    fn at(&mut self, offset: i64) -> (&mut Page, usize) {
        let page = self.pages.entry(offset.div_euclid(PAGE)).or_default();
        let place = usize::try_from(offset.rem_euclid(PAGE)).unwrap_or_default();
        (page, place)
    }
}

impl Default for Page {
    fn default() -> Self {
        Self {
            kafka: Bits::NONE,
            bronze: Bits::NONE,
            quarantine: Bits::NONE,
            doubled: Bits::NONE,
            reused: Bits::NONE,
            illegible: Bits::NONE,
            in_kafka: 0,
            in_store: 0,
        }
    }
}

impl Page {
    /// Whether every record that Kafka has is once in the store, with the same bytes.
    pub(super) fn is_alike(&self) -> bool {
        self.in_kafka == self.in_store
    }

    /// Whether the difference may be another than that of bytes.
    pub(super) fn is_odd(&self) -> bool {
        let odd = self.doubled | self.reused | self.illegible | (self.bronze & self.quarantine);
        !(odd | (self.kafka & !self.stored_anywhere())).is_empty()
    }

    fn stored_anywhere(&self) -> Bits {
        self.bronze | self.quarantine | self.reused
    }

    /// Only what Kafka has too is comparable.
    fn stored(&mut self, place: usize, digest: u128) {
        if self.kafka.contains(place) {
            self.in_store = self.in_store.wrapping_add(digest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_takes_less_than_a_byte() {
        let records = 1_000_000;
        let expected = OffsetRange {
            topic: "t".to_owned(),
            partition: 0,
            offsets: 0..records,
        };
        let mut ledger = Ledger::of(&[expected]).unwrap();
        let partition = ledger.expecting("t", 0, 0).unwrap();
        for offset in 0..records {
            partition.record(offset, 7);
            partition.line(offset, 7);
        }
        let bytes = partition.pages.len() * size_of::<Page>();
        assert_eq!(partition.pages.len(), 245);
        assert!(bytes < 1_000_000, "{bytes}");
        let mut verdict = Verdict::default();
        partition.judge("t", 0, &mut verdict);
        assert!(verdict.is_exact() && partition.pages().all(|(_, page)| page.is_alike()));
        assert_eq!(verdict.in_bronze, 1_000_000);
    }
}
