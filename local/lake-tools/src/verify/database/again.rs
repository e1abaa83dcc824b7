use std::{collections::BTreeMap, ops::Range, pin::pin};

use futures::StreamExt;
use tables::{Row, postgres::ReadError};

use super::{
    AlteredRow, DatabaseError, DatabaseVerdict, ReadTables, Scope,
    difference::differences,
    digest_of,
    records::{Found, Record},
};
use crate::verify::{
    bits::{Bits, PAGE, page_at},
    ledger::{Ledger, Page},
    runs::Runs,
    verdict::NAMED,
};

/// The pages on which something is wrong, to be read again row by row: what a running function has done since is then no
/// finding.
#[derive(Default)]
pub(super) struct Again {
    topics: BTreeMap<String, BTreeMap<i32, BTreeMap<i64, Looked>>>,
    /// The first of the records whose rows are others, as their rows should be.
    altered: Vec<Row>,
    has_looked: bool,
}

/// How many pages are looked at again. Of the rest the first look tells what it can.
const PAGES: usize = 256;

/// What the last look sees of a page.
struct Looked {
    page: Page,
    told: Bits,
    /// The digest of each row.
    digests: Vec<u128>,
    rows: Bits,
    records: Bits,
    aside: Bits,
    altered: Bits,
}

impl Again {
    /// The pages to look at; those beyond the limit are judged by the first look.
    pub(super) fn of(ledger: &Ledger, verdict: &mut DatabaseVerdict) -> Self {
        let mut again = Self::default();
        let mut left = PAGES;
        for (topic, number, partition) in ledger.partitions() {
            for (index, page) in partition.pages() {
                let looked = Looked {
                    page: page.clone(),
                    told: partition.told(index),
                    digests: Vec::new(),
                    rows: Bits::NONE,
                    records: Bits::NONE,
                    aside: page.quarantine,
                    altered: Bits::NONE,
                };
                if looked.is_sound() {
                    continue;
                }
                if left == 0 {
                    looked.judge_first(topic, number, index, verdict);
                    continue;
                }
                left -= 1;
                let partitions = again.topics.entry(topic.to_owned()).or_default();
                partitions.entry(number).or_default().insert(index, looked);
            }
        }
        again
    }

    /// Whether another look would find nothing better: what is on its way comes or goes, and what is altered stays.
    pub(super) fn is_settled(&self) -> bool {
        let mut looked = self.looked();
        self.topics.is_empty()
            || self.has_looked
                && looked.all(|looked| looked.missing().is_empty() && looked.unfounded().is_empty())
    }

    fn looked(&self) -> impl Iterator<Item = &Looked> {
        let partitions = self.topics.values().flat_map(BTreeMap::values);
        partitions.flat_map(BTreeMap::values)
    }

    /// How many pages there are.
    pub(super) fn len(&self) -> usize {
        self.looked().count()
    }

    /// Reads the rows again.
    pub(super) async fn read_tables(
        &mut self,
        tables: &impl ReadTables,
        scope: &Scope<'_>,
    ) -> Result<(), DatabaseError> {
        self.altered.clear();
        self.has_looked = true;
        for (topic, partitions) in &mut self.topics {
            for (&number, pages) in partitions {
                for (&index, looked) in pages {
                    (looked.rows, looked.records) = (Bits::NONE, Bits::NONE);
                    looked.altered = Bits::NONE;
                    looked.digests = vec![0; PAGE.unsigned_abs() as usize];
                    let page = page_at(index);
                    let rows = tables.of_offsets(topic, scope.epoch, number, page);
                    let mut rows = pin!(rows.await?);
                    while let Some(row) = rows.next().await {
                        // What is foreign was named by the first look.
                        let row = match row {
                            Ok(row) => row,
                            Err(ReadError::Foreign { .. }) => continue,
                            Err(error) => return Err(error.into()),
                        };
                        if !scope.is_dropped(&row) {
                            let place = place_of(row.offset);
                            looked.rows.insert(place);
                            looked.digests[place] = digest_of(&row);
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// Takes what was read again.
    pub(super) fn found(&mut self, found: &Found<'_>, scope: &Scope<'_>) {
        let (received, row) = match found {
            Found::Aside {
                topic,
                partition,
                offset,
            } => {
                if let Some(looked) = self.page_of(topic, *partition, *offset) {
                    looked.aside.insert(place_of(*offset));
                }
                return;
            }
            Found::Record(Record {
                received,
                row: Ok(Some(row)),
                ..
            }) if !scope.is_dropped(row) => (received, row),
            _ => return,
        };
        let offset = received.offset;
        let Some(looked) = self.page_of(received.topic, received.partition, offset) else {
            return;
        };
        let place = place_of(offset);
        let is_first = looked.records.insert(place);
        let is_altered = looked.rows.contains(place)
            && !looked.page.reused.contains(place)
            && looked.digests[place] != digest_of(row);
        if is_first && is_altered {
            looked.altered.insert(place);
            if self.altered.len() < NAMED {
                self.altered.push(row.clone());
            }
        }
    }

    fn page_of(&mut self, topic: &str, partition: i32, offset: i64) -> Option<&mut Looked> {
        let pages = self.topics.get_mut(topic)?.get_mut(&partition)?;
        pages.get_mut(&offset.div_euclid(PAGE))
    }

    /// Adds what the second look has shown to a verdict.
    pub(super) fn judge(&self, verdict: &mut DatabaseVerdict) {
        for (topic, partitions) in &self.topics {
            for (&number, pages) in partitions {
                let (mut missing, mut unfounded) = (Runs::default(), Runs::default());
                for (&index, looked) in pages {
                    let page = &looked.page;
                    let start = page_at(index).start;
                    missing.push(start, looked.missing());
                    unfounded.push(start, looked.unfounded());
                    verdict.altered.total += looked.altered.count();
                    // The rows that came between the looks count as rows.
                    verdict.rows += (page.kafka & looked.rows & !page.bronze).count();
                    let aside = page.kafka & looked.aside & !page.quarantine;
                    verdict.in_quarantine += (aside & !looked.rows & !page.bronze).count();
                }
                add(topic, number, missing, &mut verdict.missing);
                add(topic, number, unfounded, &mut verdict.unfounded);
            }
        }
    }

    /// Names the columns of the first rows that are altered.
    pub(super) async fn name(
        &self,
        tables: &impl ReadTables,
        scope: &Scope<'_>,
        verdict: &mut DatabaseVerdict,
    ) -> Result<(), DatabaseError> {
        for wanted in &self.altered {
            let Row {
                topic,
                partition,
                offset,
                ..
            } = wanted;
            let only = *offset..offset.saturating_add(1);
            let rows = tables.of_offsets(topic, scope.epoch, *partition, only);
            let mut rows = pin!(rows.await?);
            let mut columns = Vec::new();
            while let Some(Ok(row)) = rows.next().await {
                columns = differences(wanted, &row);
            }
            verdict.altered.first.push(AlteredRow {
                row: format!("{topic}-{partition}@{offset}"),
                columns,
            });
        }
        Ok(())
    }
}

impl Looked {
    fn is_sound(&self) -> bool {
        let Page {
            kafka,
            bronze,
            quarantine,
            doubled,
            ..
        } = self.page;
        let missing = kafka & !bronze & !quarantine;
        let odd = missing | (bronze & !kafka & self.told) | (bronze & quarantine) | doubled;
        odd.is_empty() && self.page.is_alike()
    }

    /// Records of the first look; what has come since is still to be written.
    fn missing(&self) -> Bits {
        self.page.kafka & !self.rows & !self.aside
    }

    /// Rows of the first look; the records of what has come since may still be on their way.
    fn unfounded(&self) -> Bits {
        let known = self.page.kafka | self.records;
        self.page.bronze & self.rows & !known & self.told
    }

    fn judge_first(&self, topic: &str, number: i32, index: i64, verdict: &mut DatabaseVerdict) {
        let page = &self.page;
        let missing = page.kafka & !page.bronze & !page.quarantine;
        let unfounded = page.bronze & !page.kafka & self.told;
        let runs = |bits| {
            let mut runs = Runs::default();
            runs.push(page_at(index).start, bits);
            runs
        };
        add(topic, number, runs(missing), &mut verdict.missing);
        add(topic, number, runs(unfounded), &mut verdict.unfounded);
        if missing.is_empty() && unfounded.is_empty() {
            let Range { start, end } = page_at(index);
            verdict.unresolved.add_offsets(topic, number, &(start..end));
        }
    }
}

fn add(topic: &str, number: i32, runs: Runs, findings: &mut crate::verify::Findings) {
    for run in runs.runs {
        findings.add_offsets(topic, number, &run);
    }
}

fn place_of(offset: i64) -> usize {
    usize::try_from(offset.rem_euclid(PAGE)).unwrap_or_default()
}
