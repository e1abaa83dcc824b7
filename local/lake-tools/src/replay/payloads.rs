//! What a trigger has given up: the documents at its on-failure destination.
//!
//! Format: AWS Lambda developer guide, "Capturing discarded batches for Amazon MSK and self-managed Apache Kafka event
//! sources" and "Using a Kafka topic as an on-failure destination".

use std::{ops::Range, pin::pin};

use futures::TryStreamExt;
use lake::{
    Reason, Received, admit, malformed, object_damaged, object_too_large, offset_reused,
    store::{DeleteIf, Get, List, Object, PutIf, StoreError},
};
use serde::Deserialize;
use serde_json::value::RawValue;
use stream::{
    Cluster,
    read::RangeReader,
    topics::{TopicError, Watermarks},
};

use super::{
    BATCH_BYTES, BATCH_RECORDS, Counts, Replay, ReplayError, delete_as_read,
    event::{Entry, Taken, decode, entries, headers, taken},
    standing::{Standing, Standings, fit, standings},
};
use crate::{
    listed::listed,
    reading::{Reading, read},
};

/// What the keys of the documents in a bucket start with.
const PREFIX: &str = "aws/lambda/";

impl<S: PutIf + Get + List + DeleteIf> Replay<S> {
    /// Brings the records of every document in `bucket`, and deletes each document once all of its records are durable,
    /// unless `keep`.
    ///
    /// # Errors
    /// [`ReplayError`].
    pub async fn payloads(
        &self,
        bucket: &(impl Get + List + DeleteIf),
        keep: bool,
    ) -> Result<Counts, ReplayError> {
        let mut counts = Counts::default();
        let mut listed = pin!(listed(bucket, PREFIX));
        while !self.stop.is_cancelled()
            && let Some(document) = listed.try_next().await?
        {
            let key = document.key;
            let Object { body, etag } = match read(bucket, &key).await? {
                Reading::Whole(object) => object,
                // Another replay was faster.
                Reading::Gone => continue,
                Reading::Damaged(error) => {
                    counts.damaged.add(&key, &error);
                    continue;
                }
            };
            match records(&body) {
                Ok(entries) if !self.is_asked_for(&entries) => {}
                Ok(entries) => {
                    let is_durable = self.land(&entries, &mut counts).await?;
                    if is_durable && !keep {
                        let is_deleted =
                            self.dry_run || delete_as_read(bucket, &key, &etag).await?;
                        counts.add_deletion(is_deleted);
                    }
                }
                Err(error) => counts.damaged.add(&key, &error),
            }
            self.progress.batch("on-failure bucket", &counts);
        }
        Ok(counts)
    }

    /// Brings the records of every message that `topic` holds now.
    ///
    /// # Errors
    /// [`ReplayError`].
    pub async fn messages(&self, cluster: &Cluster, topic: &str) -> Result<Counts, ReplayError> {
        let mut counts = Counts::default();
        let held = held(cluster, topic).await?;
        let mut reader = RangeReader::new(cluster, topic, held)?;
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while !self.stop.is_cancelled()
            && let Some(message) = reader.next().await?
        {
            let value = message.value.unwrap_or_default();
            match records(&value) {
                Ok(entries) if !self.is_asked_for(&entries) => {}
                Ok(entries) => {
                    bytes += value.len() as u64;
                    batch.extend(entries);
                }
                Err(error) => {
                    let name = format!("{topic}-{}@{}", message.partition, message.offset);
                    counts.damaged.add(&name, &error);
                }
            }
            if batch.len() >= BATCH_RECORDS || bytes >= BATCH_BYTES {
                self.land(&std::mem::take(&mut batch), &mut counts).await?;
                bytes = 0;
                self.progress.batch("on-failure topic", &counts);
            }
        }
        self.land(&batch, &mut counts).await?;
        Ok(counts)
    }

    fn is_asked_for(&self, entries: &[Entry]) -> bool {
        let Some(topic) = &self.topic else {
            return true;
        };
        let events = decode(entries);
        let headers = headers(&events);
        taken(&events, &headers).iter().any(|taken| match taken {
            Taken::Readable(received) => received.topic == topic,
            Taken::Unreadable(record) => record.topic == *topic,
        })
    }

    /// Has the writer land these records, and says whether each of them was found in the store then.
    async fn land(&self, entries: &[Entry], counts: &mut Counts) -> Result<bool, ReplayError> {
        if entries.is_empty() {
            return Ok(true);
        }
        let events = decode(entries);
        let headers = headers(&events);
        let taken = taken(&events, &headers);
        let received: Vec<Option<Received<'_>>> = taken.iter().map(Taken::readable).collect();
        let readable = || {
            let positions = received.iter().enumerate();
            positions.filter_map(|(at, received)| Some((at, (*received)?)))
        };
        let before = standings(self.store(), &self.layout, readable()).await?;
        let fit = fit(&self.layout, &before, &received);
        let after = if self.dry_run {
            foreseen(&before, &fit, &received)
        } else {
            self.bring(entries).await?;
            self.standings_after(readable().collect()).await?
        };

        counts.records += taken.len() as u64;
        let mut is_durable = true;
        for (position, taken) in taken.iter().enumerate() {
            match after.get(&position) {
                Some(Standing::InBronze) if fit.contains(&position) => counts.brought += 1,
                Some(Standing::InBronze) => counts.in_bronze_already += 1,
                Some(Standing::Free) => is_durable = false,
                Some(&Standing::Aside(reason)) => {
                    counts.add_aside(reason);
                    is_durable &= self.is_aside(taken, reason).await?;
                }
                None => {
                    counts.add_aside(Reason::MalformedRecord);
                    is_durable &= self.is_aside(taken, Reason::MalformedRecord).await?;
                }
            }
        }
        Ok(is_durable)
    }

    /// Whether a record is in quarantine for this reason; a dry run takes the writer's word for it.
    async fn is_aside(&self, taken: &Taken<'_>, reason: Reason) -> Result<bool, StoreError> {
        let layout = &self.layout;
        let aside = match (taken, reason) {
            (Taken::Readable(received), Reason::OffsetReused) => offset_reused(layout, received),
            (Taken::Readable(received), Reason::ObjectDamaged) => object_damaged(layout, received),
            (Taken::Readable(received), Reason::ObjectTooLarge) => {
                object_too_large(layout, received)
            }
            (Taken::Readable(received), _) => admit(layout, received),
            (Taken::Unreadable(record), _) => malformed(
                layout,
                &record.topic,
                record.partition,
                record.offset,
                record.json,
                &record.defect,
            ),
        };
        Ok(self.dry_run || self.holds(&aside).await?)
    }
}

/// The offsets that each partition of a topic holds now.
async fn held(cluster: &Cluster, topic: &str) -> Result<Vec<(i32, Range<i64>)>, TopicError> {
    let (asked, of) = (cluster.clone(), topic.to_owned());
    let look = move || {
        let watermarks = Watermarks::new(&asked, "quotelake-replay")?;
        let partitions = watermarks.partitions(&of)?.into_iter();
        partitions
            .map(|partition| Ok((partition, watermarks.held(&of, partition)?)))
            .collect()
    };
    let looked = tokio::task::spawn_blocking(look).await;
    looked.map_err(|error| TopicError::Broker {
        brokers: cluster.to_string(),
        what: format!("the topic '{topic}'"),
        cause: error.to_string(),
    })?
}

/// How the records would stand after the writer has had them.
fn foreseen(before: &Standings, fit: &[usize], received: &[Option<Received<'_>>]) -> Standings {
    let standing = |(&at, &standing): (&usize, &Standing)| {
        let is_same = |&first: &usize| received[first] == received[at];
        let foreseen = match standing {
            Standing::Free if fit.iter().any(is_same) => Standing::InBronze,
            Standing::Free => Standing::Aside(Reason::OffsetReused),
            standing => standing,
        };
        (at, foreseen)
    };
    before.iter().map(standing).collect()
}

/// The records of a document: its member `payload` is the event, in a bucket as text.
fn records(document: &[u8]) -> Result<Vec<Entry>, serde_json::Error> {
    #[derive(Deserialize)]
    struct Document<'a> {
        #[serde(borrow)]
        payload: &'a RawValue,
    }
    let Document { payload } = serde_json::from_slice(document)?;
    if payload.get().starts_with('"') {
        let event: String = serde_json::from_str(payload.get())?;
        return entries(&event);
    }
    entries(payload.get())
}
