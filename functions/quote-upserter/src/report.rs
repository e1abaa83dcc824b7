use std::collections::BTreeMap;

use jiff::Timestamp;
use kafka_event::{
    KafkaEvent, NotAnEvent,
    answer::{self, FailureResponse, Place, ranges},
};
use lake::{Admitted, Kind, Reason, Requests, store::StoreError};
use runtime::metrics::{Metric, emit};
use serde::Serialize;
use tables::UpsertError;

use crate::{commit::Committed, metrics};

/// What became of a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Records in the batch.
    pub records: u64,
    /// Rows that this call brought to the history.
    pub rows_written: u64,
    /// Records whose row was in the history already.
    pub already_there: u64,
    /// Rows of the latest quotes that are new or another.
    pub latest_changed: u64,
    /// Records that are no quotes and need no row.
    pub without_row: u64,
    /// Records in quarantine, by reason.
    pub quarantined: BTreeMap<Reason, u64>,
}

/// What the function answers.
pub type Answer = answer::Answer<Report>;

/// Why a batch has to come again.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The payload is of another kind.
    #[error(transparent)]
    NotAnEvent(#[from] NotAnEvent),
    /// Some records are neither in the tables nor in quarantine.
    #[error("{missing} of {records} records are not durable ({offsets}): {cause}")]
    NotDurable {
        /// How many.
        missing: usize,
        /// Of how many in the batch.
        records: u64,
        /// Which, as `topic-partition: offsets`.
        offsets: String,
        /// The first refusal.
        #[source]
        cause: Box<NotDurable>,
    },
}

/// Who did not take a record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotDurable {
    /// The database.
    #[error(transparent)]
    Tables(#[from] UpsertError),
    /// The store of the quarantine.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The counts of a batch while it is brought in.
pub(crate) struct Tally<'e> {
    event: &'e KafkaEvent<'e>,
    history: bool,
    report: Report,
    by_topic: BTreeMap<&'e str, BTreeMap<Metric, u64>>,
    /// The oldest record of each topic, in milliseconds since the epoch.
    oldest: BTreeMap<&'e str, i64>,
    missing: Vec<Place<'e>>,
    cause: Option<NotDurable>,
}

impl<'e> Tally<'e> {
    pub(crate) fn of(event: &'e KafkaEvent<'e>, history: bool) -> Self {
        let records = event.records.len() + event.unreadable.len();
        Self {
            event,
            history,
            report: Report {
                records: records as u64,
                ..Report::default()
            },
            by_topic: BTreeMap::new(),
            oldest: event.oldest(),
            missing: Vec::new(),
            cause: None,
        }
    }

    pub(crate) fn add_without_row(&mut self, topic: &'e str) {
        self.report.without_row += 1;
        self.count(topic, metrics::RECORDS_WITHOUT_ROW, 1);
    }

    /// Adds what became of rows; `positions` are those of their records.
    pub(crate) fn add_committed(&mut self, positions: &[usize], committed: Committed) {
        let records = &self.event.records;
        for (part, upserted) in committed.done {
            let topic = &*records[positions[part.start]].topic;
            // A batch that changes nothing has an age too.
            self.by_topic.entry(topic).or_default();
            self.report.latest_changed += upserted.latest;
            self.count(topic, metrics::LATEST_CHANGED, upserted.latest);
            if self.history {
                let already_there = (part.len() as u64).saturating_sub(upserted.history);
                self.report.rows_written += upserted.history;
                self.report.already_there += already_there;
                self.count(topic, metrics::ROWS_WRITTEN, upserted.history);
                self.count(topic, metrics::ROWS_ALREADY_THERE, already_there);
            }
        }
        for row in committed.not_done.into_iter().flatten() {
            self.add_missing(Place::of_record(&records[positions[row]]));
        }
        if let Some(cause) = committed.cause {
            self.cause.get_or_insert(cause.into());
        }
    }

    pub(crate) fn add_aside(
        &mut self,
        place: &Place<'e>,
        object: &Admitted,
        put: Result<Requests, StoreError>,
    ) {
        match (put, object.kind) {
            (Ok(_), Kind::Quarantine(reason)) => {
                *self.report.quarantined.entry(reason).or_default() += 1;
                self.count(place.topic, metrics::ROWS_QUARANTINED, 1);
            }
            // No line of bronze is put aside.
            (Ok(_), Kind::Bronze) => {}
            (Err(cause), _) => {
                self.add_missing(place.clone());
                self.cause.get_or_insert(cause.into());
            }
        }
    }

    fn add_missing(&mut self, place: Place<'e>) {
        self.count(place.topic, metrics::ROWS_NOT_DURABLE, 1);
        self.missing.push(place);
    }

    pub(crate) fn emit(&self, now: Timestamp) {
        for (topic, values) in self.values(now) {
            emit(now, ("topic", topic), &values);
        }
    }

    /// What is told of each topic.
    pub(crate) fn values(&self, now: Timestamp) -> Vec<(&'e str, Vec<(Metric, u64)>)> {
        let of_topic = |(&topic, counts): (&&'e str, &BTreeMap<Metric, u64>)| {
            let mut counts: Vec<_> = counts
                .iter()
                .map(|(&metric, &count)| (metric, count))
                .collect();
            if let Some(oldest) = self.oldest.get(topic) {
                let age = now.as_millisecond().saturating_sub(*oldest);
                // A producer's clock may be ahead of this one.
                let age = u64::try_from(age).unwrap_or(0);
                counts.push((metrics::ROW_AGE_MILLISECONDS, age));
            }
            (topic, counts)
        };
        let values = self.by_topic.iter().map(of_topic);
        values.filter(|(_, values)| !values.is_empty()).collect()
    }

    pub(crate) fn answer(self, failure_response: FailureResponse) -> Result<Answer, Fault> {
        let Some(cause) = self.cause else {
            return Ok(failure_response.done(self.report));
        };
        let answer = failure_response.not_durable(self.event, &self.missing);
        let fault = Fault::NotDurable {
            missing: self.missing.len(),
            records: self.report.records,
            offsets: ranges(self.missing),
            cause: Box::new(cause),
        };
        let Some(answer) = answer else {
            return Err(fault);
        };
        tracing::error!(error = %fault, "the trigger brings these records again");
        Ok(answer)
    }

    fn count(&mut self, topic: &'e str, metric: Metric, count: u64) {
        if count > 0 {
            let metrics = self.by_topic.entry(topic).or_default();
            *metrics.entry(metric).or_default() += count;
        }
    }
}
