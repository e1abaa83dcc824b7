//! The trigger, with functions that answer as the test says.

mod destinations;
mod host;
mod starts;

use std::{
    collections::BTreeSet,
    future::Future,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use pipeline_tests::brokers::Brokers;
use plane::{
    host::InvokeError,
    stats::Stats,
    trigger::{self, Mapping},
};
use sam_template::FailurePolicy;
use serde_json::Value;
use stream::{
    Position,
    publish::{KafkaPublisher, Publish},
    start::StartAt,
    topics::Watermarks,
};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep},
};
use tokio_util::task::AbortOnDropHandle;

pipeline_tests::on_both_brokers! {
    the_pollers_of_a_mapping_share_its_partitions
    a_partial_response_brings_back_what_it_names_and_the_commit_waits_for_it
}

async fn mapping(brokers: Brokers, topic: &str, partitions: i32) -> Mapping {
    brokers.create_topic(topic, partitions).await;
    Mapping {
        name: "writer-records".to_owned(),
        ..pipeline_tests::mapping::mapping(topic, &format!("{topic}-group"))
    }
}

/// Publishes a record for each of the keys, and says where they are.
async fn publish(brokers: Brokers, topic: &str, keys: &[&str]) -> Vec<Position> {
    let publisher = KafkaPublisher::new(&brokers.cluster()).unwrap();
    let mut positions = Vec::new();
    for key in keys {
        let until = Instant::now() + Duration::from_secs(10);
        let value = format!("{{\"key\":\"{key}\"}}");
        let published = publisher.publish(topic, key, value.as_bytes(), until);
        positions.push(published.await.unwrap());
    }
    positions
}

/// A trigger that runs until this is dropped.
struct Running {
    stats: Arc<Stats>,
    events: Arc<Mutex<Vec<Value>>>,
    _task: AbortOnDropHandle<()>,
}

impl Running {
    fn start<Answer>(
        brokers: Brokers,
        mapping: &Mapping,
        function: impl Fn(Value) -> Answer + Send + Sync + 'static,
    ) -> Self
    where
        Answer: Future<Output = Result<Bytes, InvokeError>> + Send,
    {
        let stats = Arc::new(Stats::default());
        let events: Arc<Mutex<Vec<Value>>> = Arc::default();
        let task = {
            let (stats, events, mapping) =
                (Arc::clone(&stats), Arc::clone(&events), mapping.clone());
            tokio::spawn(async move {
                let invoke = |payload: Bytes| {
                    let event: Value = serde_json::from_slice(&payload).unwrap();
                    lock(&events).push(event.clone());
                    function(event)
                };
                let (joined, _is_joined) = mpsc::channel(1);
                let cluster = brokers.cluster();
                let Err(error) = trigger::run(&cluster, &mapping, &stats, joined, invoke).await;
                panic!("{error}");
            })
        };
        Self {
            stats,
            events,
            _task: AbortOnDropHandle::new(task),
        }
    }

    /// The coordinates of every record that the function was sent, in order.
    fn sent(&self) -> Vec<Position> {
        lock(&self.events).iter().flat_map(positions).collect()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap()
}

/// The coordinates in an event.
fn positions(event: &Value) -> Vec<Position> {
    let partitions = event["records"].as_object().unwrap().values();
    let records = partitions.flat_map(|records| records.as_array().unwrap());
    records
        .map(|record| Position {
            partition: i32::try_from(record["partition"].as_i64().unwrap()).unwrap(),
            offset: record["offset"].as_i64().unwrap(),
        })
        .collect()
}

async fn succeed(_: Value) -> Result<Bytes, InvokeError> {
    Ok(Bytes::from_static(b"null"))
}

async fn fail(_: Value) -> Result<Bytes, InvokeError> {
    Err(InvokeError::FunctionError {
        function: "writer".to_owned(),
        error_type: "Fault".to_owned(),
        message: "no".to_owned(),
    })
}

async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < end, "not within 60 s: {what}");
        sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until the mapping's group has committed these offsets of the topic's partitions, in order.
async fn until_committed(brokers: Brokers, mapping: &Mapping, offsets: &[Option<i64>]) {
    let watermarks = Watermarks::new(&brokers.cluster(), &mapping.group).unwrap();
    let partitions = watermarks.partitions(&mapping.topic).unwrap();
    until("the commit", || {
        watermarks.committed(&mapping.topic, &partitions).unwrap() == offsets
    })
    .await;
}

fn at(partition: i32, offset: i64) -> Position {
    Position { partition, offset }
}

async fn the_pollers_of_a_mapping_share_its_partitions(brokers: Brokers) {
    /// The partitions of the invocations in hand, and whether two of them were so at once that had none in common.
    #[derive(Default)]
    struct Seen {
        in_hand: Vec<BTreeSet<i32>>,
        is_shared: bool,
    }

    let mapping = Mapping {
        pollers: 2,
        ..mapping(brokers, "shared", 4).await
    };
    let seen: Arc<Mutex<Seen>> = Arc::default();
    let function = {
        let seen = Arc::clone(&seen);
        move |event: Value| {
            let seen = Arc::clone(&seen);
            async move {
                let own: BTreeSet<_> = positions(&event).iter().map(|at| at.partition).collect();
                {
                    let mut seen = lock(&seen);
                    seen.in_hand.push(own.clone());
                    // A poller that has just lost a partition may have records of it in hand.
                    if let [one, other] = &seen.in_hand[..] {
                        seen.is_shared |= one.is_disjoint(other);
                    }
                }
                // For a time only: the poller that came first gives no partition away while it waits for an answer.
                for _ in 0..50 {
                    if lock(&seen).is_shared {
                        break;
                    }
                    sleep(Duration::from_millis(20)).await;
                }
                lock(&seen).in_hand.retain(|other| *other != own);
                Ok(Bytes::new())
            }
        }
    };
    let running = Running::start(brokers, &mapping, function);
    let keys: Vec<String> = (0..40).map(|index| format!("k{index}")).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let mut published = BTreeSet::new();
    let end = Instant::now() + Duration::from_secs(60);
    while !lock(&seen).is_shared {
        assert!(
            Instant::now() < end,
            "no two pollers have partitions of their own"
        );
        published.extend(publish(brokers, &mapping.topic, &keys).await);
    }
    until("every record", || {
        running.sent().into_iter().collect::<BTreeSet<_>>() == published
    })
    .await;
}

async fn a_partial_response_brings_back_what_it_names_and_the_commit_waits_for_it(
    brokers: Brokers,
) {
    let mapping = Mapping {
        batch_size: 4,
        failures: FailurePolicy {
            partial_responses: true,
            ..FailurePolicy::default()
        },
        ..mapping(brokers, "partial", 1).await
    };
    publish(brokers, &mapping.topic, &["a", "b", "c", "d"]).await;
    let watermarks = Watermarks::new(&brokers.cluster(), &mapping.group).unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let committed = Arc::clone(&seen);
    let running = Running::start(brokers, &mapping, move |event| {
        let before = watermarks.committed("partial", &[0]).unwrap();
        lock(&committed).extend(before);
        let named = |offset: i64| serde_json::json!({"itemIdentifier": {"partition": "partial-0", "offset": offset}});
        let failed: Vec<Value> = match positions(&event).len() {
            4 => vec![named(2), named(1)],
            2 => vec![named(2)],
            _ => Vec::new(),
        };
        let answer = serde_json::json!({"batchItemFailures": failed});
        async move { Ok(answer.to_string().into()) }
    });
    until_committed(brokers, &mapping, &[Some(4)]).await;
    let sent: Vec<Vec<Position>> = lock(&running.events).iter().map(positions).collect();
    let expected = [
        vec![at(0, 0), at(0, 1), at(0, 2), at(0, 3)],
        vec![at(0, 1), at(0, 2)],
        vec![at(0, 2)],
    ];
    assert_eq!(sent, expected);
    assert_eq!(*lock(&seen), [None; 3], "nothing is committed before");
    assert_eq!(running.stats.snapshot().total(|of| of.dropped), 0);
}
