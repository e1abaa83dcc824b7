//! The proof that the lake holds every record exactly once, from the topics and the store alone.
//!
//! [`verify()`] reads both as streams. Of a record it keeps some bits, and of 4,096 neighbours the sums of their digests
//! on either side; where the sums differ, a second look at those few names the offsets. So it takes less than a byte
//! of memory a record, however long the topics are.

mod bits;
mod bronze;
mod closer;
mod database;
mod held;
mod ledger;
mod objects;
mod options;
mod runs;
mod silver;
mod target;
mod topics;
mod verdict;
mod view;

use futures::TryStreamExt;
use lake::{
    Header, Layout, Received,
    store::{Get, List, StoreError},
};
use stream::{OffsetRange, consume::ConsumedRecord, topics::TopicError};

pub use bronze::{BINARY, BronzeProof};
use closer::Closer;
pub use database::{
    AlteredRow, DATABASE_BINARY, DatabaseArgs, DatabaseError, DatabaseOptions, DatabaseProof,
    DatabaseVerdict, QUOTE_TOPICS, verify_database,
};
use ledger::Ledger;
use objects::{Found, Place, Stored, digest, digest_of, read_objects};
pub use options::Options;
pub use silver::{SILVER_BINARY, SilverOptions, SilverProof, SilverVerdict, verify_silver};
pub use target::{Target, TargetError};
pub use topics::{KafkaTopics, Topics};
pub use verdict::{DamagedObject, Findings, NAMED, Verdict};
pub use view::View;

/// Why nothing could be proved.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The topics.
    #[error(transparent)]
    Topic(#[from] TopicError),
    /// Two ranges of one partition.
    #[error("the partition {topic}-{partition} is given twice: give one range of it")]
    Twice {
        /// The topic.
        topic: String,
        /// The partition.
        partition: i32,
    },
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Reading the topics.
    Topics {
        /// Records read.
        read: u64,
        /// Offsets to read.
        of: u64,
    },
    /// Reading the store.
    Store {
        /// Objects read.
        objects: u64,
        /// Records in them.
        records: u64,
    },
    /// Reading the tables.
    Rows {
        /// Rows read.
        read: u64,
    },
    /// Reading again, from the topics and the store, where the bytes differ.
    Again {
        /// Pages of 4,096 offsets.
        pages: usize,
    },
}

/// Proves that the store holds the expected offsets exactly once, or says what speaks against it.
///
/// With `topics` the records that they still have are compared byte for byte, and offsets that they don't have between
/// their watermarks count as compacted; without, every expected offset has to be there.
///
/// # Errors
/// [`VerifyError`] if the store or the topics can't be read.
pub async fn verify(
    store: &(impl Get + List),
    layout: &Layout,
    topics: Option<&impl Topics>,
    expected: &[OffsetRange],
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Verdict, VerifyError> {
    let mut ledger = Ledger::of(expected)?;
    if let Some(topics) = topics {
        read_topics(&mut ledger, layout, topics, progress).await?;
    }
    let mut verdict = Verdict::default();
    read_store(&mut ledger, &mut verdict, store, layout, progress).await?;
    for (topic, number, partition) in ledger.partitions() {
        let before = verdict.in_topics;
        partition.judge(topic, number, &mut verdict);
        let records = verdict.in_topics - before;
        *verdict.topics.entry(topic.to_owned()).or_default() += records;
    }
    if let Some(topics) = topics {
        let mut closer = Closer::of(&ledger, &mut verdict);
        if closer.len() > 0 {
            progress(Progress::Again {
                pages: closer.len(),
            });
            look_again(&mut closer, store, layout, topics).await?;
        }
        closer.judge(&mut verdict);
    }
    Ok(verdict)
}

/// Records between two words of progress.
const STEP: u64 = 1_024;

async fn read_topics(
    ledger: &mut Ledger,
    layout: &Layout,
    topics: &impl Topics,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<(), VerifyError> {
    let mut wanted = Vec::new();
    for (topic, number, partition) in ledger.partitions() {
        let (held, expected) = (topics.held(topic, number).await?, partition.expected());
        let range = held.start.max(expected.start)..held.end.min(expected.end);
        wanted.push((topic.to_owned(), number, range));
    }
    let lengths = wanted.iter().map(|(_, _, range)| range.end - range.start);
    let of = lengths
        .filter_map(|length| u64::try_from(length).ok())
        .sum();
    let mut read = 0;
    progress(Progress::Topics { read, of });
    for of_topic in wanted.chunk_by(|(one, ..), (other, ..)| one == other) {
        let topic = &of_topic[0].0;
        let ranges = of_topic
            .iter()
            .map(|(_, number, range)| (*number, range.clone()));
        let mut records = std::pin::pin!(topics.read(topic, ranges.collect()));
        while let Some(record) = records.try_next().await? {
            let (partition, offset) = (record.partition, record.offset);
            if let Some(partition) = ledger.expecting(topic, partition, offset) {
                partition.record(offset, of_record(layout, topic, &record));
            }
            read += 1;
            if read % STEP == 0 {
                progress(Progress::Topics { read, of });
            }
        }
    }
    for (topic, number, range) in wanted {
        // What was dropped while it was read is no longer Kafka's to tell.
        let low = topics.held(&topic, number).await?.start;
        ledger.tell(&topic, number, range.start.max(low)..range.end, low);
    }
    progress(Progress::Topics { read, of });
    Ok(())
}

async fn read_store(
    ledger: &mut Ledger,
    verdict: &mut Verdict,
    store: &(impl Get + List),
    layout: &Layout,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<(), StoreError> {
    let topics: Vec<String> = ledger.topics().map(str::to_owned).collect();
    let topics: Vec<&str> = topics.iter().map(String::as_str).collect();
    let mut records = 0;
    progress(Progress::Store {
        objects: 0,
        records,
    });
    read_objects(
        store,
        layout,
        &layout.root(),
        &topics,
        |found| match found {
            Found::Record(Stored {
                topic,
                partition,
                offset,
                place,
            }) => {
                records += 1;
                match (ledger.expecting(topic, partition, offset), place) {
                    (None, _) => verdict.strangers += 1,
                    (Some(partition), Place::Bronze(line)) => partition.line(offset, digest(line)),
                    (Some(partition), Place::Quarantine(reason, received)) => {
                        let digest = received.map(|received| digest_of(layout, &received));
                        partition.aside(offset, reason, digest);
                    }
                }
            }
            Found::Placeless => verdict.strangers += 1,
            Found::Damaged(key, why) => verdict.damaged.add(1, || DamagedObject {
                key: key.to_string(),
                why,
            }),
            Found::Foreign(key) => verdict.foreign.add(1, || key.to_string()),
            Found::OtherTopic => verdict.other_topics += 1,
            Found::Object(bytes) => {
                verdict.objects += 1;
                verdict.bytes += bytes;
                progress(Progress::Store {
                    objects: verdict.objects,
                    records,
                });
            }
        },
    )
    .await
}

async fn look_again(
    closer: &mut Closer,
    store: &(impl Get + List),
    layout: &Layout,
    topics: &impl Topics,
) -> Result<(), VerifyError> {
    for topic in closer.topics() {
        let mut records = std::pin::pin!(topics.read(&topic, closer.ranges(&topic)));
        while let Some(record) = records.try_next().await? {
            let digest = of_record(layout, &topic, &record);
            closer.record(&topic, record.partition, record.offset, digest);
        }
        for root in [
            layout.topic_root(&topic),
            layout.quarantine_topic_root(&topic),
        ] {
            read_objects(store, layout, &root, &[&topic], |found| {
                let Found::Record(Stored {
                    topic,
                    partition,
                    offset,
                    place,
                }) = found
                else {
                    return;
                };
                let digest = match place {
                    Place::Bronze(line) => digest(line),
                    Place::Quarantine(_, Some(received)) => digest_of(layout, &received),
                    Place::Quarantine(_, None) => return,
                };
                closer.stored(topic, partition, offset, digest);
            })
            .await?;
        }
    }
    Ok(())
}

fn of_record(layout: &Layout, topic: &str, record: &ConsumedRecord) -> u128 {
    received(topic, record, |received| digest_of(layout, &received))
}

/// A record of Kafka as the lake takes it.
fn received<T>(topic: &str, record: &ConsumedRecord, then: impl FnOnce(Received<'_>) -> T) -> T {
    let headers = record.headers.iter();
    let headers: Vec<_> = headers
        .map(|(name, value)| Header {
            name,
            value: Some(value),
        })
        .collect();
    then(Received {
        topic,
        partition: record.partition,
        offset: record.offset,
        timestamp: record.timestamp,
        key: record.key.as_deref(),
        headers: &headers,
        value: record.value.as_deref(),
    })
}

#[cfg(test)]
mod tests;
