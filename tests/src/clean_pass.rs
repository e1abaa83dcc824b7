//! What bronze should be: one pass over a topic in which nothing goes wrong.

use std::{collections::BTreeMap, time::Duration};

use bronze_writer::{FailureResponse, Writer};
use bytes::Bytes;
use lake::{
    Layout, ObjectKey,
    store::{Get, MemoryStore, PutIf},
};
use plane::{
    host::InvokeError,
    stats::Stats,
    trigger::{self, Mapping},
};
use runtime::Invocation;
use serde_json::value::RawValue;
use tokio::{sync::mpsc, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::{mapping::mapping, topic::Topic};

const GROUP: &str = "clean-pass";

/// The objects that one writer makes of the topic in an empty store, in batches as large as they get; without the marks of
/// partitions, which depend on the batches.
pub async fn clean_pass(topic: &Topic, layout: &Layout) -> BTreeMap<ObjectKey, Bytes> {
    let writer = Writer::new(
        MemoryStore::default(),
        layout.clone(),
        FailureResponse::Batch,
    );
    deliver(topic, GROUP, async |payload| {
        handle(&writer, &payload).await
    })
    .await;
    let mut objects = writer.store().objects();
    objects.retain(|key, _| !key.as_str().starts_with(&layout.marks_root()));
    objects
}

/// Delivers the topic to `handle` as a group that has none of it, in batches as large as they get; none may fail.
pub async fn deliver(
    topic: &Topic,
    group: &str,
    handle: impl AsyncFn(Bytes) -> Result<Bytes, String>,
) {
    let mapping = Mapping {
        batch_size: 10_000,
        window: Duration::from_millis(500),
        ..mapping(topic.name(), group)
    };
    let invoke = async |payload: Bytes| {
        let answer = handle(payload).await;
        answer.map_err(|message| InvokeError::FunctionError {
            function: "writer".to_owned(),
            error_type: "Fault".to_owned(),
            message,
        })
    };
    let stats = Stats::default();
    let (joined, _is_joined) = mpsc::channel(1);
    tokio::select! {
        ended = trigger::run(topic.cluster(), &mapping, &stats, joined, invoke) => {
            let Err(error) = ended;
            panic!("{error}");
        }
        () = topic.until_committed(group) => {}
    }
    assert_eq!(stats.snapshot().troubles, 0, "{:?}", stats.snapshot());
}

/// Has the writer in this process handle an event.
///
/// # Errors
/// The fault in words.
pub async fn handle(writer: &Writer<impl PutIf + Get>, payload: &[u8]) -> Result<Bytes, String> {
    let invocation = Invocation {
        deadline: Instant::now() + Duration::from_secs(60),
        stop: CancellationToken::new(),
    };
    let event: Box<RawValue> = serde_json::from_slice(payload).unwrap();
    let answer = writer.handle(&event, &invocation).await;
    let answer = answer.map_err(|fault| fault.to_string())?;
    Ok(serde_json::to_vec(&answer).unwrap().into())
}
