use std::collections::BTreeMap;

use jiff::Timestamp;
use kafka_event::{
    KafkaEvent, NotAnEvent,
    answer::{self, FailureResponse, Place, ranges},
};
use lake::{DescribeError, MergeError, Reason, Requests, Share, StartedAgain, store::StoreError};
use runtime::metrics::{Metric, emit};
use serde::Serialize;

use crate::{LandedShare, aside::Aside, metrics};

/// What became of a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Records in the batch.
    pub records: u64,
    /// Lines that this call brought.
    pub added: u64,
    /// Records that were there already, with the same bytes.
    pub already_there: u64,
    /// Records in quarantine, by reason.
    pub quarantined: BTreeMap<Reason, u64>,
    /// PUTs sent to the store for records, whatever came of them.
    pub puts: u64,
    /// GETs sent to the store for records.
    pub gets: u64,
}

/// What the function answers.
pub type Answer = answer::Answer<Report>;

/// Why a batch has to come again.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The payload is of another kind.
    #[error(transparent)]
    NotAnEvent(#[from] NotAnEvent),
    /// The history can't be gone on with.
    #[error(transparent)]
    Describe(#[from] DescribeError),
    /// Some records are neither in bronze nor in quarantine.
    #[error("{missing} of {records} records are not durable ({offsets}): {cause}")]
    NotDurable {
        /// How many.
        missing: usize,
        /// Of how many in the batch.
        records: u64,
        /// Which, as `topic-partition: offsets`.
        offsets: String,
        /// The first refusal of the store.
        cause: StoreError,
    },
}

/// The counts of a batch while it lands.
pub(crate) struct Tally<'e> {
    event: &'e KafkaEvent<'e>,
    report: Report,
    by_topic: BTreeMap<&'e str, BTreeMap<Metric, u64>>,
    /// The oldest record of each topic, in milliseconds since the epoch.
    oldest: BTreeMap<&'e str, i64>,
    missing: Vec<Place<'e>>,
    cause: Option<StoreError>,
}

impl<'e> Tally<'e> {
    pub(crate) fn of(event: &'e KafkaEvent<'e>) -> Self {
        let records = event.records.len() + event.unreadable.len();
        Self {
            event,
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

    pub(crate) fn add_share(&mut self, share: &Share<'_>, landed: &LandedShare) {
        let positions = share.positions();
        let topic = positions
            .first()
            .map(|&position| &*self.event.records[position].topic);
        let Some(topic) = topic else { return };
        self.requests(topic, landed.requests);
        match &landed.merged {
            Ok(merged) => {
                let already_there = positions.len() - merged.added - landed.asides.len();
                self.report.added += merged.added as u64;
                self.report.already_there += already_there as u64;
                self.count(topic, metrics::RECORDS_WRITTEN, merged.added);
                self.count(topic, metrics::RECORDS_ALREADY_THERE, already_there);
                let is_full = !merged.no_room.is_empty();
                self.count(topic, metrics::OBJECTS_DAMAGED, usize::from(is_full));
            }
            Err(MergeError::Damaged { .. } | MergeError::TooLarge { .. }) => {
                self.count(topic, metrics::OBJECTS_DAMAGED, 1);
            }
            Err(MergeError::Store(cause)) => {
                self.count(topic, metrics::RECORDS_NOT_DURABLE, positions.len());
                self.cause.get_or_insert_with(|| cause.clone());
                let records = positions
                    .iter()
                    .map(|&position| &self.event.records[position]);
                self.missing.extend(records.map(Place::of_record));
            }
        }
    }

    pub(crate) fn add_started_again(&mut self, again: &StartedAgain) {
        let mut records = self.event.records.iter();
        if let Some(record) = records.find(|record| record.topic == again.topic) {
            self.count(&record.topic, metrics::OFFSETS_REUSED, 1);
        }
    }

    pub(crate) fn add_aside(&mut self, aside: Aside<'_>, put: Result<Requests, StoreError>) {
        let place = match aside {
            Aside::Unreadable(position) => Place::of_unreadable(&self.event.unreadable[position]),
            Aside::Record { position, .. } => Place::of_record(&self.event.records[position]),
        };
        let once = Requests { puts: 1, gets: 0 };
        self.requests(place.topic, *put.as_ref().unwrap_or(&once));
        match put {
            Ok(_) => {
                let reason = aside.reason();
                *self.report.quarantined.entry(reason).or_default() += 1;
                self.count(place.topic, metrics::RECORDS_QUARANTINED, 1);
                if reason == Reason::OffsetReused {
                    self.count(place.topic, metrics::OFFSETS_REUSED, 1);
                }
            }
            Err(cause) => {
                self.count(place.topic, metrics::RECORDS_NOT_DURABLE, 1);
                self.missing.push(place);
                self.cause.get_or_insert(cause);
            }
        }
    }

    pub(crate) fn emit(&self, now: Timestamp) {
        for (topic, counts) in &self.by_topic {
            let mut counts: Vec<_> = counts
                .iter()
                .map(|(&metric, &count)| (metric, count))
                .collect();
            if let Some(oldest) = self.oldest.get(topic) {
                let age = now.as_millisecond().saturating_sub(*oldest);
                // A producer's clock may be ahead of this one.
                let age = u64::try_from(age).unwrap_or(0);
                counts.push((metrics::RECORD_AGE_MILLISECONDS, age));
            }
            emit(now, ("topic", topic), &counts);
        }
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
            cause,
        };
        let Some(answer) = answer else {
            return Err(fault);
        };
        tracing::error!(error = %fault, "the trigger brings these records again");
        Ok(answer)
    }

    fn requests(&mut self, topic: &'e str, requests: Requests) {
        self.report.puts += requests.puts;
        self.report.gets += requests.gets;
        let of_topic = self.by_topic.entry(topic).or_default();
        *of_topic.entry(metrics::STORE_PUTS).or_default() += requests.puts;
        *of_topic.entry(metrics::STORE_GETS).or_default() += requests.gets;
    }

    fn count(&mut self, topic: &'e str, metric: Metric, records: usize) {
        if records > 0 {
            let metrics = self.by_topic.entry(topic).or_default();
            *metrics.entry(metric).or_default() += records as u64;
        }
    }
}
