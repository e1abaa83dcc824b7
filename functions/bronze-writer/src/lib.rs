//! The Kafka-triggered function: every record of a batch becomes one line in the lake, once.
//!
//! A record is in bronze or in quarantine before its offset counts as done. What the store did not take in
//! time is named in the answer, and the trigger brings it again; what is already there is found to be there.

#![forbid(unsafe_code)]

mod aside;
pub mod metrics;
mod report;
mod settings;

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::{StreamExt, future::join, stream};
use kafka_event::KafkaEvent;
use lake::{
    DescribeError, Layout, MergeError, Merged, OpenObjects, PartitionMarks, Received, Requests,
    Share, describe, gather, headers, land_aside, merge, received,
    store::{Get, PutIf},
};
use runtime::{Invocation, clock};
use serde_json::value::RawValue;
use tokio::{sync::OnceCell, time::Instant};

pub use kafka_event::answer::FailureResponse;
pub use lake::settings::BUCKET;
pub use report::{Answer, Fault, Report};
pub use settings::{SETTINGS, Settings, layout};

use aside::{Aside, Why};
use report::Tally;

/// Requests in flight. S3 is bound by latency: at 20 ms a PUT these make some 3,000 a second.
const CONCURRENT_REQUESTS: usize = 64;

/// What is left of the time limit for the answer itself.
const ANSWER_MARGIN: Duration = Duration::from_secs(1);

/// How long a batch waits for the marks of its partitions; the next one asks again.
const MARKS: Duration = Duration::from_secs(2);

/// What a function keeps from one invocation to the next.
pub struct Writer<S> {
    store: S,
    layout: Layout,
    failure_response: FailureResponse,
    open: OpenObjects,
    marks: PartitionMarks,
    described: OnceCell<()>,
    /// For the next event's bytes, at most three quarters of the largest payload.
    memory: Mutex<Vec<u8>>,
}

impl<S: PutIf + Get> Writer<S> {
    /// A writer to `store` that remembers nothing yet.
    pub fn new(store: S, layout: Layout, failure_response: FailureResponse) -> Self {
        Self {
            store,
            layout,
            failure_response,
            open: OpenObjects::default(),
            marks: PartitionMarks::default(),
            described: OnceCell::new(),
            memory: Mutex::default(),
        }
    }

    /// The store.
    pub fn store(&self) -> &S {
        &self.store
    }

    /// Opens the connection to the store, and begins the history or finds it begun, so that the first batch need not.
    /// A store that is slow or down until `until` is no error: the first batch asks it again.
    ///
    /// # Errors
    /// [`DescribeError`] if no batch could be written either: no bucket, no access, another layout.
    pub async fn begin(&self, until: Instant) -> Result<(), DescribeError> {
        match self.describe(until).await {
            Err(error) if !error.is_transient() => Err(error),
            _ => Ok(()),
        }
    }

    /// Lands every record of the trigger's event, and answers in the way that the trigger expects.
    ///
    /// # Errors
    /// [`Fault`] if the payload is no such event, or if some record is not durable and the trigger retries
    /// whole batches.
    pub async fn handle(&self, event: &RawValue, invocation: &Invocation) -> Result<Answer, Fault> {
        let memory = std::mem::take(&mut *self.memory());
        let event = KafkaEvent::decode_into(memory, event.get())?;
        let until = Instant::now() + invocation.remaining(ANSWER_MARGIN);
        self.describe(until).await?;
        let headers = headers(&event);
        let received = received(&event, &headers);
        let soon = until.min(Instant::now() + MARKS);
        let (store, layout) = (&self.store, &self.layout);
        let comparing = self.marks.compare(store, layout, &received, soon);
        let (mut tally, again) = join(self.land(&event, &received, until), comparing).await;
        for again in &again {
            tracing::error!(error = %again, "records of two topics of one name are in the lake");
            tally.add_started_again(again);
        }
        tally.emit(clock::now());
        let answer = tally.answer(self.failure_response);
        drop(headers);
        *self.memory() = event.into_memory();
        answer
    }

    fn memory(&self) -> MutexGuard<'_, Vec<u8>> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Once in the life of the function: the history has this layout.
    async fn describe(&self, until: Instant) -> Result<(), DescribeError> {
        let describe = || describe(&self.store, &self.layout, until);
        self.described.get_or_try_init(describe).await.map(drop)
    }

    async fn land<'e>(
        &self,
        event: &'e KafkaEvent<'e>,
        received: &[Received<'_>],
        until: Instant,
    ) -> Tally<'e> {
        let gathered = gather(&self.layout, received);
        let shares = gathered.shares();
        let mut tally = Tally::of(event);

        let unreadable = 0..event.unreadable.len();
        let mut asides: Vec<Aside<'_>> = unreadable.map(Aside::Unreadable).collect();
        asides.extend(gathered.unfit().map(|(position, unfit)| Aside::Record {
            position,
            why: Why::Unfit(unfit),
        }));
        let landing = shares.iter().map(|share| self.land_share(share, until));
        let mut landing = stream::iter(landing).buffer_unordered(CONCURRENT_REQUESTS);
        while let Some((share, landed)) = landing.next().await {
            tally.add_share(&share, &landed);
            asides.extend(landed.asides);
        }

        let put_aside = async |aside: Aside<'_>| {
            let object = aside.object(&self.layout, event, received);
            land_aside(&self.store, &object, until).await
        };
        let putting = asides
            .iter()
            .map(async |&aside| (aside, put_aside(aside).await));
        let mut putting = stream::iter(putting).buffer_unordered(CONCURRENT_REQUESTS);
        while let Some((aside, put)) = putting.next().await {
            tally.add_aside(aside, put);
        }
        tally
    }

    async fn land_share<'e>(&self, share: Share<'e>, until: Instant) -> (Share<'e>, LandedShare) {
        let key = share.key();
        let (lines, twice) = share.lines();
        let mut requests = Requests::default();
        let (store, layout, open) = (&self.store, &self.layout, &self.open);
        let merged = merge(store, layout, open, (&key, &lines), until, &mut requests).await;
        let asides = match &merged {
            Ok(merged) => not_in_the_object(&share, twice, merged),
            Err(error @ MergeError::Damaged { .. }) => {
                tracing::error!(%error, "its records go to quarantine");
                let positions = share.positions().iter().copied();
                positions.map(aside(Why::ObjectDamaged)).collect()
            }
            Err(error @ MergeError::TooLarge { .. }) => {
                tracing::error!(%error, "its records go to quarantine");
                let positions = share.positions().iter().copied();
                positions.map(aside(Why::ObjectTooLarge)).collect()
            }
            Err(MergeError::Store(_)) => Vec::new(),
        };
        let landed = LandedShare {
            merged,
            asides,
            requests,
        };
        (share, landed)
    }
}

/// What became of one object's share of a batch.
struct LandedShare {
    merged: Result<Merged, MergeError>,
    /// Its records that can't be in the object.
    asides: Vec<Aside<'static>>,
    requests: Requests,
}

/// The records whose offset is taken by other bytes, in the store or, at the positions `twice`, in the batch; and those that
/// the object has no room for.
fn not_in_the_object(
    share: &Share<'_>,
    mut twice: Vec<usize>,
    merged: &Merged,
) -> Vec<Aside<'static>> {
    let first_at = |&offset: &i64| share.first_at(offset);
    twice.extend(merged.taken.iter().filter_map(first_at));
    let full = merged.no_room.len();
    if full > 0 {
        tracing::error!(key = %share.key(), records = full, "the bronze object is full: they go to quarantine");
    }
    let no_room = merged.no_room.iter().filter_map(first_at);
    let no_room = no_room.map(aside(Why::ObjectTooLarge));
    let twice = twice.into_iter().map(aside(Why::OffsetReused));
    twice.chain(no_room).collect()
}

fn aside(why: Why<'static>) -> impl Fn(usize) -> Aside<'static> {
    move |position| Aside::Record { position, why }
}

#[cfg(test)]
mod tests;
