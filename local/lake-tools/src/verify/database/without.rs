use std::collections::BTreeMap;

use super::DatabaseVerdict;
use crate::verify::{
    bits::{Bits, PAGE, page_at},
    runs::Runs,
};

/// The records that can be no row, which the function puts aside.
pub(super) struct Without {
    /// Whether the function has had every record. If it may not have had all, as `replay` brings rows too and puts nothing
    /// aside, it has had those of a partition from the first on that it has put aside.
    has_had_all: bool,
    partitions: BTreeMap<(String, i32), BTreeMap<i64, Part>>,
}

/// Those of a page.
struct Part {
    records: Bits,
    aside: Bits,
}

impl Without {
    pub(super) fn new(has_had_all: bool) -> Self {
        Self {
            has_had_all,
            partitions: BTreeMap::new(),
        }
    }

    /// Takes a record that can be no row.
    pub(super) fn record(&mut self, topic: &str, partition: i32, offset: i64) {
        let (part, place) = self.at(topic, partition, offset);
        part.records.insert(place);
    }

    /// Takes a record that is aside, whatever it is.
    pub(super) fn aside(&mut self, topic: &str, partition: i32, offset: i64) {
        let (part, place) = self.at(topic, partition, offset);
        part.aside.insert(place);
    }

    /// Whether none is missing in quarantine.
    pub(super) fn is_settled(&self) -> bool {
        let mut verdict = DatabaseVerdict::default();
        self.judge(&mut verdict);
        verdict.not_aside.total == 0
    }

    /// Adds them to a verdict.
    pub(super) fn judge(&self, verdict: &mut DatabaseVerdict) {
        for ((topic, number), pages) in &self.partitions {
            let first = match self.has_had_all {
                true => i64::MIN,
                false => first_aside(pages),
            };
            let mut runs = Runs::default();
            let mut of_topic = 0;
            for (&index, part) in pages {
                let lacking = part.records & !part.aside;
                let expected = lacking & Bits::within(index, &(first..i64::MAX));
                let aside = (part.records & part.aside).count();
                verdict.in_quarantine += aside;
                verdict.no_rows += (lacking & !expected).count();
                of_topic += aside + expected.count();
                runs.push(page_at(index).start, expected);
            }
            if of_topic > 0 {
                verdict.records += of_topic;
                *verdict.topics.entry(topic.clone()).or_default() += of_topic;
            }
            for run in runs.runs {
                verdict.not_aside.add_offsets(topic, *number, &run);
            }
        }
    }

    fn at(&mut self, topic: &str, partition: i32, offset: i64) -> (&mut Part, usize) {
        let pages = self.partitions.entry((topic.to_owned(), partition));
        let pages = pages.or_default().entry(offset.div_euclid(PAGE));
        let part = pages.or_insert(Part {
            records: Bits::NONE,
            aside: Bits::NONE,
        });
        let place = usize::try_from(offset.rem_euclid(PAGE)).unwrap_or_default();
        (part, place)
    }
}

fn first_aside(pages: &BTreeMap<i64, Part>) -> i64 {
    let mut firsts = pages.iter().filter_map(|(&index, part)| {
        let place = part.aside.iter().next()?;
        Some(page_at(index).start + i64::try_from(place).unwrap_or_default())
    });
    firsts.next().unwrap_or(i64::MAX)
}
