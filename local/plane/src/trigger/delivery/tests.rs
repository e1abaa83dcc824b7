mod destinations;
mod policies;
mod properties;

use std::{
    collections::VecDeque,
    future::{Ready, ready},
    sync::{Arc, Mutex},
};

use stream::consume::ConsumedRecord;
use tokio::time::{Instant, timeout};

use super::*;
use sam_template::FailurePolicy;

use crate::trigger::{Destination, DestinationError, batch::Batch, tests::mapping};

/// An answer of the function to what it is sent.
#[derive(Clone, Debug)]
enum Answer {
    Success,
    Fails,
    TimesOut,
    Throttled,
    /// A partial response that names the records at these places of the event, modulo its length.
    Names(Vec<usize>),
    Says(&'static str),
}

/// A function that gives these answers one after the other, and then succeeds.
struct Function {
    answers: Mutex<VecDeque<Answer>>,
    /// The records of each invocation, and when it came.
    invocations: Mutex<Vec<(Vec<Position>, Duration)>>,
    start: Instant,
}

impl Function {
    fn answering(answers: impl Into<VecDeque<Answer>>) -> Self {
        Self {
            answers: Mutex::new(answers.into()),
            invocations: Mutex::default(),
            start: Instant::now(),
        }
    }

    fn invoke(&self, payload: &[u8]) -> Ready<Result<Bytes, InvokeError>> {
        let sent = positions(payload);
        let answer = self.answers.lock().unwrap().pop_front();
        let function = || "writer".to_owned();
        let answer = match answer.unwrap_or(Answer::Success) {
            Answer::Success => Ok(Bytes::from_static(b"{}")),
            Answer::Says(body) => Ok(Bytes::from_static(body.as_bytes())),
            Answer::Names(places) => {
                let names = places.iter().map(|place| {
                    let Position { partition, offset } = sent[place % sent.len()];
                    serde_json::json!({"itemIdentifier": {"partition": format!("t-{partition}"), "offset": offset}})
                });
                let body = serde_json::json!({"batchItemFailures": names.collect::<Vec<_>>()});
                Ok(body.to_string().into())
            }
            Answer::Fails => Err(InvokeError::FunctionError {
                function: function(),
                error_type: "Fault".to_owned(),
                message: "no".to_owned(),
            }),
            Answer::TimesOut => Err(InvokeError::TimedOut {
                function: function(),
                limit: Duration::from_secs(1),
            }),
            Answer::Throttled => Err(InvokeError::Throttled {
                function: function(),
                limit: 1,
            }),
        };
        let time = self.start.elapsed();
        self.invocations.lock().unwrap().push((sent, time));
        ready(answer)
    }

    /// The offsets of each invocation.
    fn offsets(&self) -> Vec<Vec<i64>> {
        let invocations = self.invocations.lock().unwrap();
        let offsets = |(sent, _): &(Vec<Position>, _)| sent.iter().map(|at| at.offset).collect();
        invocations.iter().map(offsets).collect()
    }
}

/// The coordinates in an event.
fn positions(payload: &[u8]) -> Vec<Position> {
    let event: serde_json::Value = serde_json::from_slice(payload).unwrap();
    let partitions = event["records"].as_object().unwrap();
    let records = partitions
        .values()
        .flat_map(|list| list.as_array().unwrap());
    records
        .map(|record| Position {
            partition: i32::try_from(record["partition"].as_i64().unwrap()).unwrap(),
            offset: record["offset"].as_i64().unwrap(),
        })
        .collect()
}

/// The time at which the tests begin.
const NOON: i64 = 1_779_451_200_000;

/// Records of these partitions and ages in seconds, with offsets in order.
fn records(of: &[(i32, i64)]) -> Vec<Record> {
    let mut batch = Batch::new("b:1", "t", of.len());
    for (offset, &(partition, age)) in (0_i64..).zip(of) {
        let record = ConsumedRecord {
            partition,
            offset,
            timestamp: Some(NOON - age * 1_000),
            log_append_time: false,
            key: Some(Bytes::from(vec![0xff, partition.to_le_bytes()[0]])),
            value: Some(Bytes::from_static(b"{}")),
            headers: Vec::new(),
        };
        batch.add(record).unwrap();
    }
    batch.into_records()
}

/// Four records of one partition.
fn four() -> Vec<Record> {
    records(&[(0, 0); 4])
}

/// Delivers, and says what the stats then are.
async fn deliver(
    mapping: &Mapping,
    function: &Function,
    records: Vec<Record>,
) -> crate::stats::Snapshot {
    let stats = Stats::default();
    let start = Instant::now();
    let now = || {
        let passed = i64::try_from(start.elapsed().as_millis()).unwrap();
        Timestamp::from_millisecond(NOON + passed).unwrap()
    };
    let delivery = Delivery {
        mapping,
        cluster: &"b:1".parse().unwrap(),
        stats: &stats,
        now: &now,
        invoke: &|payload: Bytes| function.invoke(&payload),
    };
    let delivered = timeout(Duration::from_secs(86_400), delivery.deliver(records)).await;
    delivered.expect("a day on the paused clock is enough");
    stats.snapshot()
}

fn retries(retries: u32) -> FailurePolicy {
    FailurePolicy {
        retries: Some(retries),
        ..FailurePolicy::default()
    }
}

/// A destination in memory, and what is in it.
fn memory() -> (Destination, Arc<Mutex<Vec<serde_json::Value>>>) {
    let taken = Arc::new(Mutex::new(Vec::new()));
    let into = Arc::clone(&taken);
    let destination = Destination::messages("kafka://dead", move |_, value| {
        into.lock()
            .unwrap()
            .push(serde_json::from_slice(&value).unwrap());
        ready(Ok::<(), DestinationError>(()))
    });
    (destination, taken)
}
