//! The delivery of a batch: a stack of the parts that are not done yet.
//!
//! The part on top is sent until it is done, so that of one partition an earlier record is done before a later one is
//! sent, however the batch is split. A part is done when the function has acknowledged it, or when it is given up and
//! dropped or in the destination.

use std::{collections::BTreeSet, future::Future, mem, time::Duration};

use bytes::Bytes;
use jiff::Timestamp;
use stream::{Cluster, Position};

use super::{
    Backoff, Condition, Destination, Mapping, event,
    given_up::GivenUp,
    record::Record,
    response::{self, ResponseError},
};
use crate::{
    host::{InvokeError, PAYLOAD_LIMIT},
    stats::Stats,
};

/// How the batches of a mapping are delivered.
pub(super) struct Delivery<'a, Invoke> {
    pub(super) mapping: &'a Mapping,
    pub(super) cluster: &'a Cluster,
    pub(super) stats: &'a Stats,
    pub(super) now: &'a (dyn Fn() -> Timestamp + Sync),
    pub(super) invoke: &'a Invoke,
}

/// Records that are sent together.
struct Part {
    records: Vec<Record>,
    /// The attempts that count against the mapping's limit.
    attempts: u32,
    /// The invocations, those before a split included.
    invocations: u32,
    is_function_error: bool,
    backoff: Backoff,
}

/// Why a part is not done.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("the function reports {} of the records sent to it as failed", .0.len())]
    Partial(BTreeSet<Position>),
    #[error(transparent)]
    Response(#[from] ResponseError),
    #[error(transparent)]
    Invocation(#[from] InvokeError),
}

/// What becomes of a part that failed.
enum Next {
    Again(Part),
    Halves(Part, Part),
    GiveUp(Part),
}

impl<Invoke, Answer> Delivery<'_, Invoke>
where
    Invoke: Fn(Bytes) -> Answer,
    Answer: Future<Output = Result<Bytes, InvokeError>>,
{
    /// Returns when every one of the records is done.
    pub(super) async fn deliver(&self, records: Vec<Record>) {
        let mut parts = vec![Part::new(records)];
        while let Some(mut part) = parts.pop() {
            let expired = part.take_older_than(self.mapping.failures.record_age, (self.now)());
            self.give_up(&expired, Condition::RecordAgeExceeded).await;
            if part.records.is_empty() {
                continue;
            }
            let payload =
                event::payload(self.cluster.brokers(), &self.mapping.topic, &part.records);
            // Lambda would refuse it; without a destination the function may as well try.
            if payload.len() > PAYLOAD_LIMIT && self.mapping.on_failure.is_some() {
                let condition = Condition::MaximumPayloadSizeExceeded;
                self.give_up(&part, condition).await;
                continue;
            }
            let Err(failure) = self.send(&part, payload).await else {
                self.acknowledged(&part.records);
                continue;
            };
            self.stats.trouble(&failure.to_string());
            if let Failure::Partial(failed) = &failure {
                let done = part.take(|record| !failed.contains(&record.at));
                self.acknowledged(&done.records);
            }
            match part.after(&failure, self.mapping) {
                Next::Again(mut part) => {
                    self.stats.retried(&self.mapping.function);
                    part.backoff.pause().await;
                    parts.push(part);
                }
                Next::Halves(first, second) => {
                    self.stats.retried(&self.mapping.function);
                    parts.extend([second, first]);
                }
                Next::GiveUp(part) => {
                    let condition = Condition::RetryAttemptsExhausted;
                    self.give_up(&part, condition).await;
                }
            }
        }
    }

    async fn send(&self, part: &Part, payload: Bytes) -> Result<(), Failure> {
        let response = (self.invoke)(payload).await?;
        if !self.mapping.failures.partial_responses {
            return Ok(());
        }
        let failed = response::failed(&response, &self.mapping.topic, &part.records)?;
        if failed.is_empty() {
            return Ok(());
        }
        Err(Failure::Partial(failed))
    }

    fn acknowledged(&self, records: &[Record]) {
        if !records.is_empty() {
            let fetched: Vec<_> = records.iter().filter_map(|record| record.fetched).collect();
            self.stats
                .delivered(&self.mapping.function, (self.now)(), &fetched);
        }
    }

    async fn give_up(&self, part: &Part, condition: Condition) {
        let [first, ..] = part.records.as_slice() else {
            return;
        };
        let given_up = GivenUp {
            mapping: self.mapping,
            brokers: self.cluster.brokers(),
            condition,
            records: &part.records,
            invocations: part.invocations,
            is_function_error: part.is_function_error,
            at: (self.now)(),
        };
        let destination = self.mapping.on_failure.as_ref();
        if let Some(destination) = destination {
            destination.take(&given_up, self.stats).await;
        }
        let first = format!(
            "{}-{}@{}",
            self.mapping.topic, first.at.partition, first.at.offset
        );
        self.stats.gave_up(
            &self.mapping.function,
            part.records.len(),
            &first,
            &format!("{condition:?}"),
            destination.map(Destination::name),
        );
    }
}

impl Part {
    fn new(records: Vec<Record>) -> Self {
        Self {
            records,
            attempts: 0,
            invocations: 0,
            is_function_error: false,
            backoff: Backoff::default(),
        }
    }

    /// These records with the history of this part.
    fn with(&self, records: Vec<Record>) -> Self {
        Self { records, ..*self }
    }

    /// Takes out the records that are older than `limit`; those without a time have no age.
    fn take_older_than(&mut self, limit: Option<Duration>, now: Timestamp) -> Self {
        let oldest = limit.and_then(|limit| now.checked_sub(limit).ok());
        let is_expired = |record: &Record| match (record.timestamp, oldest) {
            (Some(time), Some(oldest)) => time < oldest.as_millisecond(),
            _ => false,
        };
        self.take(is_expired)
    }

    fn take(&mut self, which: impl Fn(&Record) -> bool) -> Self {
        let (taken, rest) = mem::take(&mut self.records).into_iter().partition(which);
        self.records = rest;
        self.with(taken)
    }

    /// What to do with it after a failure.
    fn after(mut self, failure: &Failure, mapping: &Mapping) -> Next {
        // A throttle says nothing of the records, so it uses up no attempt; only their age ends it.
        if matches!(failure, Failure::Invocation(error) if error.is_of_the_service()) {
            return Next::Again(self);
        }
        self.invocations += 1;
        self.is_function_error = !matches!(failure, Failure::Partial(_));
        if self.is_function_error && mapping.failures.split_on_error && self.records.len() > 1 {
            // A split is no retry, as with Kinesis: the halves have the attempts of the whole.
            let second = self.records.split_off(self.records.len() / 2);
            let second = self.with(second);
            return Next::Halves(self, second);
        }
        self.attempts += 1;
        match mapping.attempts() {
            Some(limit) if self.attempts >= limit => Next::GiveUp(self),
            _ => Next::Again(self),
        }
    }
}

#[cfg(test)]
mod tests;
