use std::{collections::HashMap, pin::pin};

use futures::{StreamExt, TryStreamExt, stream};
use lake::{
    Admitted, ObjectKey, Quarantined, Reason, Received, object_damaged, object_too_large,
    offset_reused, read_quarantined,
    store::{DeleteIf, ETag, Get, List, Object, PutIf, StoreError},
};

use super::{
    BATCH_BYTES, BATCH_RECORDS, Counts, Replay, ReplayError, delete_as_read,
    event::{Entry, Taken, canonical, decode, entry, headers, taken},
    standing::{Standing, Standings, fit, standings},
};
use crate::{
    listed::listed,
    reading::{Reading, read},
};

/// Requests for quarantine objects in flight.
const CONCURRENT_REQUESTS: usize = 32;

/// A quarantine object as it was read.
struct Aside {
    key: ObjectKey,
    etag: ETag,
    quarantined: Quarantined,
    entry: Entry,
}

/// An object as it was read.
type Version = (ObjectKey, ETag);

impl Aside {
    fn version(&self) -> Version {
        (self.key.clone(), self.etag.clone())
    }
}

impl<S: PutIf + Get + List + DeleteIf> Replay<S> {
    /// Brings every quarantined record to bronze that can be there by now, and deletes its quarantine object then. Of
    /// several quarantine objects of one record one stays at most.
    ///
    /// # Errors
    /// [`ReplayError`].
    pub async fn quarantine(&self) -> Result<Counts, ReplayError> {
        let mut counts = Counts::default();
        let (mut batch, mut bytes) = (Vec::new(), 0);
        let prefix = self.quarantine_prefix();
        let mut listed = pin!(listed(self.store(), &prefix));
        while let Some(next) = listed.try_next().await? {
            let is_full = batch.len() >= BATCH_RECORDS || bytes + next.size > BATCH_BYTES;
            // The objects of one offset follow each other in the listing, and are judged together.
            if is_full
                && !batch
                    .last()
                    .is_some_and(|last| same_offset(last, &next.key))
            {
                let full = std::mem::take(&mut batch);
                self.quarantine_batch(full, &mut counts).await?;
                bytes = 0;
            }
            if self.stop.is_cancelled() {
                return Ok(counts);
            }
            bytes += next.size;
            batch.push(next.key);
        }
        self.quarantine_batch(batch, &mut counts).await?;
        Ok(counts)
    }

    fn quarantine_prefix(&self) -> String {
        match &self.topic {
            Some(topic) => self.layout.quarantine_topic_root(topic),
            None => self.layout.quarantine_root(),
        }
    }

    async fn quarantine_batch(
        &self,
        keys: Vec<ObjectKey>,
        counts: &mut Counts,
    ) -> Result<(), ReplayError> {
        let asides = self.read_quarantine(keys, counts).await?;
        let events = decode(asides.iter().map(|aside| &aside.entry));
        let headers = headers(&events);
        let received: Vec<Option<Received<'_>>> = asides
            .iter()
            .zip(&taken(&events, &headers))
            .map(|(aside, taken)| the_same(&aside.quarantined, taken))
            .collect();
        let (firsts, copies) = firsts_and_copies(&asides, &received);
        let at = |positions: &[usize]| -> Vec<(usize, Received<'_>)> {
            let readable = positions.iter().filter_map(|&at| Some((at, received[at]?)));
            readable.collect()
        };
        let before = standings(self.store(), &self.layout, at(&firsts)).await?;
        let fit = fit(&self.layout, &before, &received);
        let after = if self.dry_run || fit.is_empty() {
            fit.iter().map(|&at| (at, Standing::InBronze)).collect()
        } else {
            self.bring(fit.iter().map(|&at| &asides[at].entry)).await?;
            self.standings_after(at(&fit)).await?
        };

        counts.records += firsts.len() as u64;
        let mut done: Vec<Version> = copies.iter().map(|&at| asides[at].version()).collect();
        for position in firsts {
            let aside = &asides[position];
            if self.settle(aside, position, (&before, &after), counts) {
                done.push(aside.version());
            } else if let Some(Standing::Aside(_)) = after.get(&position) {
                // Another took its place in that moment, and the writer put it aside again.
                done.extend(self.second_copy(aside, received[position]).await?);
            }
        }
        if self.dry_run {
            counts.deleted += done.len() as u64;
        } else {
            self.delete(done, counts).await?;
        }
        self.progress.batch("quarantine", counts);
        Ok(())
    }

    /// Counts a record, and says whether it is in bronze now.
    fn settle(
        &self,
        aside: &Aside,
        position: usize,
        (before, after): (&Standings, &Standings),
        counts: &mut Counts,
    ) -> bool {
        match (before.get(&position), after.get(&position)) {
            (Some(Standing::InBronze), _) => counts.in_bronze_already += 1,
            (_, Some(Standing::InBronze)) => counts.brought += 1,
            (_, Some(&Standing::Aside(reason))) | (Some(&Standing::Aside(reason)), _) => {
                counts.add_aside(reason);
                return false;
            }
            // Its place goes to another record of the batch.
            (Some(Standing::Free), None) => {
                counts.add_aside(Reason::OffsetReused);
                return false;
            }
            (None | Some(Standing::Free), _) => {
                counts.add_aside(aside.quarantined.reason);
                return false;
            }
        }
        true
    }

    async fn read_quarantine(
        &self,
        keys: Vec<ObjectKey>,
        counts: &mut Counts,
    ) -> Result<Vec<Aside>, StoreError> {
        let objects = stream::iter(keys)
            .map(async |key| {
                let reading = read(self.store(), &key).await?;
                Ok::<_, StoreError>((key, reading))
            })
            .buffered(CONCURRENT_REQUESTS);
        let mut objects = pin!(objects);
        let mut asides = Vec::new();
        while let Some((key, reading)) = objects.try_next().await? {
            let Object { body, etag } = match reading {
                Reading::Whole(object) => object,
                // Another replay was faster.
                Reading::Gone => continue,
                Reading::Damaged(error) => {
                    counts.damaged.add(&key, &error);
                    continue;
                }
            };
            let read = read_quarantined(&body)
                .and_then(|quarantined| Ok((entry(&quarantined)?, quarantined)));
            match read {
                Ok((entry, quarantined)) => {
                    let is_asked_for = self
                        .reason
                        .is_none_or(|reason| reason == quarantined.reason);
                    asides.extend(is_asked_for.then_some(Aside {
                        key,
                        etag,
                        quarantined,
                        entry,
                    }));
                }
                Err(error) => counts.damaged.add(&key, &error),
            }
        }
        Ok(asides)
    }

    /// Of a quarantine object and those that the writer has made of the same record, all but the first: of two replays
    /// at the same time both keep that one.
    async fn second_copy(
        &self,
        aside: &Aside,
        received: Option<Received<'_>>,
    ) -> Result<Vec<Version>, StoreError> {
        let mut copies = vec![aside.version()];
        for made in received.iter().flat_map(|received| {
            [offset_reused, object_damaged, object_too_large]
                .map(|aside| aside(&self.layout, received))
        }) {
            if made.key != aside.key
                && let Some(etag) = self.held(&made).await?
            {
                copies.push((made.key, etag));
            }
        }
        copies.sort_by(|(a, _), (b, _)| a.cmp(b));
        copies.remove(0);
        Ok(copies)
    }

    /// The standings of records that the writer was given: one whose object is full was put aside.
    pub(super) async fn standings_after(
        &self,
        records: Vec<(usize, Received<'_>)>,
    ) -> Result<Standings, StoreError> {
        let mut after = standings(self.store(), &self.layout, records.iter().copied()).await?;
        for (position, received) in &records {
            let may_be_full = matches!(
                after.get(position),
                Some(Standing::Free | Standing::Aside(Reason::ObjectDamaged))
            );
            if may_be_full
                && self
                    .holds(&object_too_large(&self.layout, received))
                    .await?
            {
                after.insert(*position, Standing::Aside(Reason::ObjectTooLarge));
            }
        }
        Ok(after)
    }

    /// Whether the store has this quarantine object.
    pub(super) async fn holds(&self, aside: &Admitted) -> Result<bool, StoreError> {
        Ok(self.held(aside).await?.is_some())
    }

    /// The version of this quarantine object, if the store has it.
    async fn held(&self, aside: &Admitted) -> Result<Option<ETag>, StoreError> {
        match self.store().get(&aside.key).await {
            Ok(object) => Ok((object.body == aside.body).then_some(object.etag)),
            Err(StoreError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn delete(&self, done: Vec<Version>, counts: &mut Counts) -> Result<(), StoreError> {
        let deleted = stream::iter(done)
            .map(async |(key, etag)| delete_as_read(self.store(), &key, &etag).await)
            .buffer_unordered(CONCURRENT_REQUESTS);
        let mut deleted = pin!(deleted);
        while let Some(is_deleted) = deleted.try_next().await? {
            counts.add_deletion(is_deleted);
        }
        Ok(())
    }
}

/// Whether two quarantine objects have the same offset; without one they have nothing in common.
fn same_offset(a: &ObjectKey, b: &ObjectKey) -> bool {
    fn place(key: &ObjectKey) -> Option<&str> {
        let (place, _) = key.as_str().rsplit_once('-')?;
        Some(place).filter(|place| !place.ends_with("-ox"))
    }
    place(a).is_some_and(|of_a| Some(of_a) == place(b))
}

/// The record if it can be read, and is the one that was put aside.
fn the_same<'a>(quarantined: &Quarantined, taken: &Taken<'a>) -> Option<Received<'a>> {
    let received = taken.readable()?;
    let headers = quarantined.headers();
    let is_the_same = match quarantined.received(&headers) {
        Some(was) => was == received,
        None => {
            let is = |offset| offset == received.offset;
            quarantined.topic == received.topic
                && (quarantined.partition < 0 || quarantined.partition == received.partition)
                && quarantined.offset.is_none_or(is)
        }
    };
    is_the_same.then_some(received)
}

/// The position of the first object of each record, and those of the others.
fn firsts_and_copies(
    asides: &[Aside],
    received: &[Option<Received<'_>>],
) -> (Vec<usize>, Vec<usize>) {
    let mut seen = HashMap::new();
    let record = |at: &usize| match &received[*at] {
        Some(received) => (String::new(), canonical(received)),
        None => {
            let Entry { source, json } = &asides[*at].entry;
            (source.clone(), json.get().to_owned())
        }
    };
    (0..asides.len()).partition(|at| *seen.entry(record(at)).or_insert(*at) == *at)
}
