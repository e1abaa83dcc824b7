//! The proof that the tables hold the row of every record once, and nothing else.
//!
//! It keeps of a row what [`verify()`](super::verify()) keeps of a line: bits, and sums of digests. The
//! latest quotes are compared with the maximum of all rows, of which there is one for each ticker and source.

mod again;
mod difference;
mod error;
mod latest;
mod looks;
mod newest;
mod options;
mod port;
mod proof;
mod records;
mod run;
#[cfg(test)]
mod tests;
mod verdict;
mod without;

use std::{collections::BTreeSet, pin::pin};

use futures::StreamExt;
use jiff::Timestamp;
use lake::{
    Layout, Reason,
    store::{Get, List},
};
use tables::{Row, postgres::ReadError};

use super::{OffsetRange, Progress, STEP, Topics, bits::page_at, ledger::Ledger, runs::Runs};
use again::Again;
pub use error::DatabaseError;
use latest::Latest;
use looks::look_again;
use newest::Newest;
pub use options::{DatabaseArgs, DatabaseOptions, QUOTE_TOPICS};
use port::ReadTables;
pub use proof::{DATABASE_BINARY, DatabaseProof};
use records::{Found, Record, each_record};
pub use run::verify_database;
pub use verdict::{AlteredRow, DatabaseVerdict};
use without::Without;

/// The lake of the same records.
struct Lake<'a, S> {
    store: &'a S,
    /// Bronze.
    layout: Option<&'a Layout>,
    /// What the function that fills the tables has put aside.
    aside: &'a Layout,
}

/// The records that Kafka has.
struct Kafka<'a, T> {
    topics: &'a T,
    /// The offsets to read.
    ranges: &'a [OffsetRange],
}

/// What of the tables is compared.
struct Scope<'a> {
    /// The topics.
    topics: &'a [String],
    /// The history of the topics; empty without a name.
    epoch: &'a str,
    /// Only these offsets are expected to have rows, if given.
    only: Option<&'a [OffsetRange]>,
    /// Rows of an earlier fetch were dropped.
    since: Option<Timestamp>,
    /// Whether there is a history.
    history: bool,
    /// Whether the function has had every record, so that each without a row is in its quarantine.
    has_had_all: bool,
}

impl Scope<'_> {
    fn is_dropped(&self, row: &Row) -> bool {
        self.since.is_some_and(|since| row.created_at < since)
    }
}

/// A judgement that goes on.
struct Look<'a> {
    scope: &'a Scope<'a>,
    ledger: Ledger,
    newest: Newest,
    latest: Latest,
    without: Without,
    /// The topics of which there is anything.
    known: BTreeSet<String>,
    verdict: DatabaseVerdict,
}

/// Compares the tables with the records of the lake and of Kafka, both ways.
///
/// # Errors
/// [`DatabaseError`] if the tables, the store or the topics can't be read.
async fn verify_tables<S: Get + List, T: Topics>(
    tables: &impl ReadTables,
    lake: &Lake<'_, S>,
    kafka: Option<&Kafka<'_, T>>,
    scope: &Scope<'_>,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<DatabaseVerdict, DatabaseError> {
    let mut look = Look {
        scope,
        ledger: match scope.only {
            Some(ranges) => Ledger::of(ranges)?,
            None => Ledger::open(),
        },
        newest: Newest::default(),
        latest: Latest::default(),
        without: Without::new(scope.has_had_all),
        known: BTreeSet::new(),
        verdict: DatabaseVerdict {
            with_history: scope.history,
            ..DatabaseVerdict::default()
        },
    };
    each_record(lake, kafka, scope, progress, &mut |found| look.found(found)).await?;
    match (kafka, lake.layout, scope.only) {
        // Whatever is in the lake, and so whatever is not, is known.
        (_, Some(_), Some(ranges)) => look.tell_all(ranges),
        (Some(kafka), None, _) => look.tell_ranges(kafka).await?,
        _ => {}
    }
    let mut again = Again::default();
    if scope.history {
        look.read_history(tables, progress).await?;
        again = Again::of(&look.ledger, &mut look.verdict);
    }
    look.read_latest(tables).await?;
    look_again(&mut look, &mut again, tables, lake, kafka, progress).await?;
    again.judge(&mut look.verdict);
    again.name(tables, scope, &mut look.verdict).await?;
    look.judge_history();
    look.without.judge(&mut look.verdict);
    look.latest.judge(&look.newest, &mut look.verdict);
    look.verdict.absent = scope
        .topics
        .iter()
        .filter(|topic| !look.known.contains(*topic))
        .filter(|topic| !kafka.is_some_and(|kafka| kafka.has(topic)))
        .cloned()
        .collect();
    Ok(look.verdict)
}

impl<T> Kafka<'_, T> {
    fn has(&self, topic: &str) -> bool {
        self.ranges.iter().any(|range| range.topic == topic)
    }
}

impl Look<'_> {
    fn found(&mut self, found: Found<'_>) {
        match found {
            Found::Aside {
                topic,
                partition,
                offset,
            } => {
                self.knows(topic);
                self.without.aside(topic, partition, offset);
                if let Some(partition) = self.ledger.expecting(topic, partition, offset) {
                    partition.aside(offset, Reason::NoRow, None);
                }
            }
            Found::Record(record) => self.record(record),
            Found::Damaged(key, why) => self.verdict.damaged.add(key, &why),
            Found::Object(topic) => {
                self.knows(topic);
                self.verdict.objects += 1;
            }
        }
    }

    fn record(
        &mut self,
        Record {
            received,
            row,
            reason,
            of_lake,
        }: Record<'_>,
    ) {
        let (topic, number, offset) = (received.topic, received.partition, received.offset);
        self.knows(topic);
        let Some(partition) = self.ledger.expecting(topic, number, offset) else {
            return;
        };
        let row = match row {
            Ok(Some(row)) => row,
            Ok(None) => return self.verdict.no_quotes += u64::from(of_lake),
            Err(_) => return self.without.record(topic, number, offset),
        };
        let is_aside = partition.is_aside(offset);
        if !self.scope.is_dropped(&row) {
            // What is aside and in the tables all the same makes the sums differ, and is looked at again.
            partition.record(offset, if is_aside { 0 } else { digest_of(&row) });
            if reason == Some(Reason::OffsetReused) {
                partition.aside(offset, Reason::OffsetReused, None);
            }
        }
        self.newest.add(row, is_aside);
    }

    fn knows(&mut self, topic: &str) {
        if !self.known.contains(topic) {
            self.known.insert(topic.to_owned());
        }
    }

    fn tell_all(&mut self, ranges: &[OffsetRange]) {
        for OffsetRange {
            topic,
            partition,
            offsets,
        } in ranges
        {
            self.ledger.tell(topic, *partition, offsets.clone(), 0);
        }
    }

    /// Without the lake, what Kafka has dropped is nobody's to tell.
    async fn tell_ranges(&mut self, kafka: &Kafka<'_, impl Topics>) -> Result<(), DatabaseError> {
        for OffsetRange {
            topic,
            partition,
            offsets,
        } in kafka.ranges
        {
            let low = kafka.topics.held(topic, *partition).await?.start;
            self.ledger
                .tell(topic, *partition, low.max(offsets.start)..offsets.end, low);
        }
        Ok(())
    }

    async fn read_history(
        &mut self,
        tables: &impl ReadTables,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<(), DatabaseError> {
        let mut read = 0;
        progress(Progress::Rows { read });
        let Scope {
            epoch,
            since,
            topics,
            ..
        } = *self.scope;
        let mut rows = pin!(tables.history(epoch, since).await?);
        while let Some(row) = rows.next().await {
            let Some(row) = known(row, &mut self.verdict)? else {
                continue;
            };
            read += 1;
            if read % STEP == 0 {
                progress(Progress::Rows { read });
            }
            if !topics.contains(&row.topic) {
                continue;
            }
            self.knows(&row.topic);
            match self.ledger.expecting(&row.topic, row.partition, row.offset) {
                Some(partition) => partition.line(row.offset, digest_of(&row)),
                None => self.verdict.strangers += 1,
            }
        }
        Ok(())
    }

    /// Counts what the first look has found, but for what needs another.
    fn judge_history(&mut self) {
        let verdict = &mut self.verdict;
        for (topic, number, partition) in self.ledger.partitions() {
            let mut doubled = Runs::default();
            let mut of_topic = 0;
            for (index, page) in partition.pages() {
                of_topic += page.kafka.count();
                let told = partition.told(index);
                verdict.rows += (page.kafka & page.bronze).count();
                verdict.in_quarantine += (page.kafka & page.quarantine & !page.bronze).count();
                verdict.in_both += (page.kafka & page.quarantine & page.bronze).count();
                verdict.expired += (page.bronze & !page.kafka & !told).count();
                verdict.reused += (page.kafka & page.reused).count();
                doubled.push(page_at(index).start, page.doubled);
            }
            verdict.records += of_topic;
            *verdict.topics.entry(topic.to_owned()).or_default() += of_topic;
            for run in doubled.runs {
                verdict.doubled.add_offsets(topic, number, &run);
            }
        }
    }

    async fn read_latest(&mut self, tables: &impl ReadTables) -> Result<(), DatabaseError> {
        let Self {
            scope,
            ledger,
            newest,
            latest,
            known,
            ..
        } = self;
        let is_ours = |row: &Row| {
            row.epoch == scope.epoch
                && scope.topics.contains(&row.topic)
                && !scope.is_dropped(row)
                && ledger
                    .expecting(&row.topic, row.partition, row.offset)
                    .is_some()
        };
        latest.read(tables, newest, is_ours).await?;
        known.extend(latest.topics().into_iter().map(str::to_owned));
        Ok(())
    }
}

/// A row, unless no record can have become it: then its own record has no row.
fn known(
    row: Result<Row, ReadError>,
    verdict: &mut DatabaseVerdict,
) -> Result<Option<Row>, DatabaseError> {
    match row {
        Ok(row) => Ok(Some(row)),
        Err(error @ ReadError::Foreign { .. }) => {
            verdict.foreign.add(1, || error.to_string());
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// The digest of a row: half of it is enough for a sum.
fn digest_of(row: &Row) -> u128 {
    let mut first = [0; 16];
    first.copy_from_slice(&row.digest()[..16]);
    u128::from_be_bytes(first)
}
