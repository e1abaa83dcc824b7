//! The Kafka-triggered function: the quotes of a batch become rows in the tables of a database, once.
//!
//! A record is in the tables or in quarantine before its offset counts as done. What is neither in time is named in the
//! answer, and the trigger brings it again; what is already there is found to be there.

#![forbid(unsafe_code)]

mod commit;
pub mod metrics;
mod report;
mod settings;

use std::{
    ops::Range,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::{StreamExt, stream};
use kafka_event::{
    KafkaEvent,
    answer::{FailureResponse, Place},
};
use lake::{
    Admitted, Layout, Received, headers, land_aside, malformed, no_row, put_aside, received,
    store::{Get, PutIf},
};
use runtime::{Invocation, clock};
use serde_json::value::RawValue;
use tables::{NoRow, Row, Upsert, UpsertError};
use tokio::time::Instant;

pub use report::{Answer, Fault, NotDurable, Report};
pub use settings::{SETTINGS, Settings};

use commit::commit;
use report::Tally;

/// Requests to the store in flight.
const CONCURRENT_REQUESTS: usize = 64;

/// What is left of the time limit for the answer itself.
const ANSWER_MARGIN: Duration = Duration::from_secs(1);

/// How records become rows, and what the trigger hears of it.
#[derive(Clone, Debug)]
pub struct How {
    /// The name of the topics' history; empty if it has none.
    pub epoch: String,
    /// Where records go that can't be rows.
    pub quarantine: Layout,
    /// Whether the tables keep the history, beside the latest quotes.
    pub history: bool,
    /// How to tell the trigger of records that are not durable.
    pub failure_response: FailureResponse,
}

/// What the function keeps from one invocation to the next.
pub struct Upserter<T, S> {
    tables: T,
    store: S,
    how: How,
    /// For the next event's bytes, at most three quarters of the largest payload.
    memory: Mutex<Vec<u8>>,
}

/// A record on its way to quarantine.
type Aside<'e> = (Place<'e>, Admitted);

/// The rows of an event.
#[derive(Default)]
struct Rows {
    rows: Vec<Row>,
    /// The position of each row's record in the event.
    positions: Vec<usize>,
}

impl<T: Upsert, S: PutIf + Get> Upserter<T, S> {
    /// An upserter to `tables`, with `store` for the quarantine.
    pub fn new(tables: T, store: S, how: How) -> Self {
        Self {
            tables,
            store,
            how,
            memory: Mutex::default(),
        }
    }

    /// The tables.
    pub fn tables(&self) -> &T {
        &self.tables
    }

    /// The store.
    pub fn store(&self) -> &S {
        &self.store
    }

    /// Brings every quote of the trigger's event into the tables, and answers in the way that the trigger expects.
    ///
    /// # Errors
    /// [`Fault`] if the payload is no such event, or if some record is not durable and the trigger retries whole batches.
    pub async fn handle(&self, event: &RawValue, invocation: &Invocation) -> Result<Answer, Fault> {
        let memory = std::mem::take(&mut *self.memory());
        let event = KafkaEvent::decode_into(memory, event.get())?;
        let until = Instant::now() + invocation.remaining(ANSWER_MARGIN);
        let tally = self.upsert(&event, until).await;
        tally.emit(clock::now());
        let answer = tally.answer(self.how.failure_response);
        *self.memory() = event.into_memory();
        answer
    }

    fn memory(&self) -> MutexGuard<'_, Vec<u8>> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn upsert<'e>(&self, event: &'e KafkaEvent<'e>, until: Instant) -> Tally<'e> {
        let headers = headers(event);
        let received = received(event, &headers);
        let mut tally = Tally::of(event, self.how.history);
        let (rows, mut asides) = self.read(event, &received, &mut tally);

        let parts = rows.by_topic(event);
        let committed = commit(&self.tables, &rows.rows, parts, until).await;
        for (row, error) in &committed.refused {
            let position = rows.positions[*row];
            let aside = self.refused(&received[position], error);
            asides.push((Place::of_record(&event.records[position]), aside));
        }
        tally.add_committed(&rows.positions, committed);

        let putting = asides.iter().map(async |(place, object)| {
            (place, object, land_aside(&self.store, object, until).await)
        });
        let mut putting = stream::iter(putting).buffer_unordered(CONCURRENT_REQUESTS);
        while let Some((place, object, put)) = putting.next().await {
            tally.add_aside(place, object, put);
        }
        tally
    }

    /// The quarantine object of a record whose row the database refuses: the same each time that the record comes, so without
    /// the database's words, which name places in its files.
    fn refused(&self, received: &Received<'_>, error: &UpsertError) -> Admitted {
        let Received {
            topic,
            partition,
            offset,
            ..
        } = received;
        tracing::warn!(
            topic,
            partition,
            offset,
            "a record goes to quarantine: {error}"
        );
        let sqlstate = match error {
            UpsertError::Refused { sqlstate, .. } => sqlstate,
            _ => "unknown",
        };
        let detail = format!(
            "the database refuses a value of the row (SQLSTATE {sqlstate}): the function's log has its words"
        );
        no_row(&self.how.quarantine, received, &detail)
    }

    /// The rows of an event, those of a topic together, and what goes to quarantine without asking the database.
    fn read<'e>(
        &self,
        event: &'e KafkaEvent<'e>,
        received: &[Received<'_>],
        tally: &mut Tally<'e>,
    ) -> (Rows, Vec<Aside<'e>>) {
        let layout = &self.how.quarantine;
        let unreadable = event.unreadable.iter().map(|record| {
            let (topic, partition, offset) = (&record.topic, record.partition, record.offset);
            let object = malformed(
                layout,
                topic,
                partition,
                offset,
                record.json,
                &record.defect,
            );
            (Place::of_unreadable(record), object)
        });
        let mut asides: Vec<Aside<'e>> = unreadable.collect();
        let mut rows = Rows::default();
        for (position, received) in received.iter().enumerate() {
            let record = &event.records[position];
            match tables::read(received, &self.how.epoch) {
                Ok(Some(row)) => rows.push(position, row),
                Ok(None) => tally.add_without_row(&record.topic),
                Err(NoRow::Unfit(unfit)) => {
                    let object = put_aside(layout, received, &unfit);
                    asides.push((Place::of_record(record), object));
                }
                Err(reason) => {
                    let object = no_row(layout, received, &reason.to_string());
                    asides.push((Place::of_record(record), object));
                }
            }
        }
        (rows, asides)
    }
}

impl Rows {
    fn push(&mut self, position: usize, row: Row) {
        self.rows.push(row);
        self.positions.push(position);
    }

    /// The runs of rows of one topic. A mapping reads one topic, so its batch is one transaction.
    fn by_topic(&self, event: &KafkaEvent<'_>) -> Vec<Range<usize>> {
        let topic = |&position: &usize| &*event.records[position].topic;
        let mut start = 0;
        let runs = self
            .positions
            .chunk_by(|one, next| topic(one) == topic(next));
        runs.map(|run| {
            let part = start..start + run.len();
            start = part.end;
            part
        })
        .collect()
    }
}

#[cfg(test)]
mod tests;
