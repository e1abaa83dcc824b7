use std::{collections::BTreeMap, fmt::Write};

use jiff::Timestamp;
use lake::{Reason, store::StoreError};
use runtime::metrics::{Metric, emit};
use serde::Serialize;
use stream::event::NotAnEvent;

use crate::receive::Place;

/// What became of a batch whose every record is durable.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Records in the batch.
    pub records: u64,
    /// Objects that this call created.
    pub written: u64,
    /// Records that were there already, with the same bytes.
    pub merged: u64,
    /// Records in quarantine, by reason.
    pub quarantined: BTreeMap<Reason, u64>,
}

/// Why a batch has to come again.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The payload is of another kind.
    #[error(transparent)]
    NotAnEvent(#[from] NotAnEvent),
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

/// What became of one record.
pub(crate) enum Outcome {
    Written,
    Merged,
    Quarantined(Reason),
}

/// The counts of a batch while it lands.
#[derive(Default)]
pub(crate) struct Tally {
    report: Report,
    by_topic: BTreeMap<String, BTreeMap<Metric, u64>>,
    missing: Vec<Place>,
    cause: Option<StoreError>,
}

impl Tally {
    pub(crate) fn add(&mut self, place: Place, outcome: Result<Outcome, StoreError>) {
        self.report.records += 1;
        let counts = self.by_topic.entry(place.topic.clone()).or_default();
        let mut count = |metric| *counts.entry(metric).or_default() += 1;
        match outcome {
            Ok(Outcome::Written) => {
                self.report.written += 1;
                count(Metric::ObjectsWritten);
            }
            Ok(Outcome::Merged) => {
                self.report.merged += 1;
                count(Metric::RecordsMerged);
            }
            Ok(Outcome::Quarantined(reason)) => {
                *self.report.quarantined.entry(reason).or_default() += 1;
                count(Metric::RecordsQuarantined);
                if reason == Reason::OffsetReused {
                    count(Metric::OffsetsReused);
                }
            }
            Err(cause) => {
                self.missing.push(place);
                self.cause.get_or_insert(cause);
                count(Metric::RecordsNotDurable);
            }
        }
    }

    pub(crate) fn emit(&self, now: Timestamp) {
        for (topic, counts) in &self.by_topic {
            let counts: Vec<_> = counts
                .iter()
                .map(|(&metric, &count)| (metric, count))
                .collect();
            emit(now, ("topic", topic), &counts);
        }
    }

    pub(crate) fn into_result(self) -> Result<Report, Fault> {
        match self.cause {
            None => Ok(self.report),
            Some(cause) => Err(Fault::NotDurable {
                missing: self.missing.len(),
                records: self.report.records,
                offsets: ranges(self.missing),
                cause,
            }),
        }
    }
}

/// Places as text: `topic-0: 3, 5-9; topic-1: 4`.
fn ranges(mut places: Vec<Place>) -> String {
    places.sort();
    let mut text = String::new();
    let mut places = places.into_iter().peekable();
    let mut partition = None;
    while let Some(first) = places.next() {
        let mut last = first.offset;
        while let Some(next) = places.next_if(|next| {
            (&next.topic, next.partition) == (&first.topic, first.partition)
                && next.offset.is_some()
                && next.offset == last.map(|last| last + 1)
        }) {
            last = next.offset;
        }
        let here = (first.topic, first.partition);
        if partition.as_ref() == Some(&here) {
            text.push_str(", ");
        } else {
            let separator = if text.is_empty() { "" } else { "; " };
            // Writing to a String can't fail.
            let _ = write!(text, "{separator}{}-{}: ", here.0, here.1);
        }
        partition = Some(here);
        let _ = match (first.offset, last) {
            (Some(first), Some(last)) if first != last => write!(text, "{first}-{last}"),
            (Some(first), _) => write!(text, "{first}"),
            (None, _) => write!(text, "no offset"),
        };
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_named_as_ranges_by_partition() {
        let place = |topic: &str, partition, offset| Place {
            topic: topic.to_owned(),
            partition,
            offset,
        };
        let places = vec![
            place("t", 1, Some(4)),
            place("t", 0, Some(6)),
            place("t", 0, Some(5)),
            place("t", 0, Some(3)),
            place("u", 0, Some(7)),
            place("u", 0, None),
        ];
        assert_eq!(ranges(places), "t-0: 3, 5-6; t-1: 4; u-0: no offset, 7");
    }
}
