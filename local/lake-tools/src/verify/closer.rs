use std::{collections::BTreeMap, ops::Range};

use super::{
    bits::{Bits, PAGE, page_at},
    ledger::{Ledger, Page},
    runs::Runs,
    verdict::Verdict,
};

/// The pages whose sums differ, to be read again offset by offset.
#[derive(Default)]
pub(super) struct Closer {
    topics: BTreeMap<String, BTreeMap<i32, BTreeMap<i64, Looked>>>,
}

/// How many pages are looked at again. The rest stays unresolved.
const PAGES: usize = 256;

/// What the second look sees of a page.
struct Looked {
    page: Page,
    /// The digest of each of Kafka's records.
    digests: Vec<u128>,
    seen: Bits,
    altered: Bits,
}

impl Closer {
    /// The pages to look at; those beyond the limit are left unresolved.
    pub(super) fn of(ledger: &Ledger, verdict: &mut Verdict) -> Self {
        let mut closer = Self::default();
        let mut left = PAGES;
        for (topic, number, partition) in ledger.partitions() {
            for (index, page) in partition.pages().filter(|(_, page)| !page.is_alike()) {
                if left == 0 {
                    let expected = partition.expected();
                    let Range { start, end } = page_at(index);
                    let rest = start.max(expected.start)..end.min(expected.end);
                    verdict.unresolved.add_offsets(topic, number, &rest);
                    continue;
                }
                left -= 1;
                let looked = Looked {
                    page: page.clone(),
                    digests: vec![0; PAGE.unsigned_abs() as usize],
                    seen: Bits::NONE,
                    altered: Bits::NONE,
                };
                let partitions = closer.topics.entry(topic.to_owned()).or_default();
                partitions.entry(number).or_default().insert(index, looked);
            }
        }
        closer
    }

    pub(super) fn topics(&self) -> Vec<String> {
        self.topics.keys().cloned().collect()
    }

    /// How many pages there are.
    pub(super) fn len(&self) -> usize {
        let partitions = self.topics.values().flat_map(BTreeMap::values);
        partitions.map(BTreeMap::len).sum()
    }

    /// The offsets of a topic to read again.
    pub(super) fn ranges(&self, topic: &str) -> Vec<(i32, Range<i64>)> {
        let partitions = self.topics.get(topic).into_iter().flatten();
        let ranges = partitions.flat_map(|(&number, pages)| {
            let pages = pages.keys();
            pages.map(move |&index| (number, page_at(index)))
        });
        ranges.collect()
    }

    /// A record that Kafka has.
    pub(super) fn record(&mut self, topic: &str, partition: i32, offset: i64, digest: u128) {
        if let Some((looked, place)) = self.at(topic, partition, offset) {
            looked.digests[place] = digest;
            looked.seen.insert(place);
        }
    }

    /// A record that the store has, after all of Kafka's.
    pub(super) fn stored(&mut self, topic: &str, partition: i32, offset: i64, digest: u128) {
        if let Some((looked, place)) = self.at(topic, partition, offset) {
            let is_comparable = looked.page.kafka.contains(place)
                && looked.seen.contains(place)
                && !looked.page.reused.contains(place);
            if is_comparable && looked.digests[place] != digest {
                looked.altered.insert(place);
            }
        }
    }

    /// Adds what the second look has shown to a verdict.
    pub(super) fn judge(&self, verdict: &mut Verdict) {
        for (topic, partitions) in &self.topics {
            for (&number, pages) in partitions {
                let (mut altered, mut unresolved) = (Runs::default(), Runs::default());
                for (&index, looked) in pages {
                    altered.push(page_at(index).start, looked.altered);
                    unresolved.push(page_at(index).start, looked.unresolved());
                }
                for run in altered.runs {
                    verdict.altered.add_offsets(topic, number, &run);
                }
                for run in unresolved.runs {
                    verdict.unresolved.add_offsets(topic, number, &run);
                }
            }
        }
    }

    fn at(&mut self, topic: &str, partition: i32, offset: i64) -> Option<(&mut Looked, usize)> {
        let pages = self.topics.get_mut(topic)?.get_mut(&partition)?;
        let looked = pages.get_mut(&offset.div_euclid(PAGE))?;
        let place = usize::try_from(offset.rem_euclid(PAGE)).ok()?;
        Some((looked, place))
    }
}

impl Looked {
    /// What Kafka has dropped since the first look; the whole page if nothing else tells why its sums differ.
    fn unresolved(&self) -> Bits {
        let dropped = self.page.kafka & !self.seen;
        if dropped.is_empty() && self.altered.is_empty() && !self.page.is_odd() {
            return self.page.kafka;
        }
        dropped
    }
}
