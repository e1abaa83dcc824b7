//! More looks at what may be on its way: a running function goes on while it is looked at.

use std::time::Duration;

use lake::store::{Get, List};
use stream::topics::TopicError;
use tokio::time::{Instant, sleep};

use super::{
    Again, DatabaseError, Kafka, Lake, Look, ReadTables,
    records::{Found, Record, each_record},
};
use crate::verify::{OffsetRange, Progress, Topics};

/// How long after the first look what is not as it should be may still come. There is a second look in any case.
const PATIENCE: Duration = Duration::from_secs(10);

/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(500);

/// Looks again until everything is explained, or the time is up. The tables come first: what they have then, the records that
/// are read after them explain.
pub(super) async fn look_again<S: Get + List, T: Topics>(
    look: &mut Look<'_>,
    again: &mut Again,
    tables: &impl ReadTables,
    lake: &Lake<'_, S>,
    kafka: Option<&Kafka<'_, T>>,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<(), DatabaseError> {
    let scope = look.scope;
    let end = Instant::now() + PATIENCE;
    let mut is_first = true;
    while !(again.is_settled() && look.latest.is_settled() && look.without.is_settled()) {
        if !is_first {
            if Instant::now() >= end {
                break;
            }
            sleep(PAUSE).await;
            look.read_latest(tables).await?;
        }
        is_first = false;
        let pages = again.len();
        progress(Progress::Again { pages });
        again.read_tables(tables, scope).await?;
        let ranges = match kafka {
            Some(kafka) => ranges_now(kafka).await?,
            None => Vec::new(),
        };
        let kafka = kafka.map(|Kafka { topics, .. }| Kafka {
            topics: *topics,
            ranges: &ranges,
        });
        each_record(lake, kafka.as_ref(), scope, &|_| {}, &mut |found| {
            again.found(&found, scope);
            match found {
                Found::Aside {
                    topic,
                    partition,
                    offset,
                } => look.without.aside(topic, partition, offset),
                Found::Record(Record {
                    row: Ok(Some(row)), ..
                }) => look.latest.found(&row),
                _ => {}
            }
        })
        .await?;
    }
    Ok(())
}

/// The ranges, up to what the topics have now.
async fn ranges_now(kafka: &Kafka<'_, impl Topics>) -> Result<Vec<OffsetRange>, TopicError> {
    let mut ranges = kafka.ranges.to_vec();
    for range in &mut ranges {
        let held = kafka.topics.held(&range.topic, range.partition).await?;
        range.offsets.end = range.offsets.end.max(held.end);
    }
    Ok(ranges)
}
