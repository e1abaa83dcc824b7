use std::{collections::BTreeMap, sync::Arc};

use bronze_writer::{FailureResponse, Writer};
use bytes::Bytes;
use lake::{
    Compression, Granularity, Layout, ObjectKey,
    store::{ETag, Get, MemoryStore, Object, PutIf, StoreError},
};
use pipeline_tests::clean_pass::handle;
use quotelake::{
    cost::{Estimate, Workload, estimate},
    trigger::PAYLOAD_LIMIT,
};
use serde_json::Value;

use super::{assert_near, thousand_symbols};

/// What a writer has sent to the store for so many quotes.
struct Sent {
    quotes: u64,
    puts: u64,
    gets: u64,
}

/// A million quotes of a thousand symbols are ten partitions of a hundred, all alike: this is one of the ten.
#[tokio::test]
async fn a_million_quotes_of_a_thousand_symbols_take_at_most_25_000_puts() {
    let workload = thousand_symbols();
    let said = estimate(&workload);
    let sent = one_partition(&workload, &said, 100_000, 1).await;
    assert!(sent.puts <= 2_500, "{} PUTs", sent.puts);
    assert_near("PUTs", sent.puts, &said, said.puts, sent.quotes);
}

#[tokio::test]
#[ignore = "an environment learns by a PUT that fails what another has written meanwhile"]
async fn a_million_quotes_take_at_most_25_000_puts_whichever_environment_gets_a_batch() {
    let workload = thousand_symbols();
    let said = estimate(&workload);
    let sent = one_partition(&workload, &said, 100_000, 10).await;
    assert!(sent.puts <= 2_500, "{} PUTs", sent.puts);
    assert_near("PUTs", sent.puts, &said, said.puts, sent.quotes);
}

#[tokio::test]
#[ignore = "the model takes it that a writer remembers all open objects, however long they get"]
async fn the_cost_model_counts_the_gets_of_objects_that_do_not_fit_into_the_writers_memory() {
    let workload = Workload {
        quote_bytes: 4_000,
        batch_size: 1_000,
        ..thousand_symbols()
    };
    let said = estimate(&workload);
    let sent = one_partition(&workload, &said, 10_000, 1).await;
    assert_near("GETs", sent.gets, &said, said.gets, sent.quotes);
}

/// Has writers in this process handle so many quotes of one poller, cut as the trigger does: each batch by another
/// of so many environments, as where as many pollers invoke the function at the same time.
async fn one_partition(
    workload: &Workload,
    said: &Estimate,
    quotes: i64,
    environments: usize,
) -> Sent {
    let store = Arc::new(MemoryStore::default());
    let layout = Layout::new("bronze", Some("1"), Granularity::SEGMENT, Compression::None);
    let writer = || {
        let store = Shared(Arc::clone(&store));
        Writer::new(store, layout.clone(), FailureResponse::Batch)
    };
    let writers: Vec<_> = (0..environments).map(|_| writer()).collect();
    let mut turns = writers.iter().cycle();
    let (beat, symbols) = (
        i64::from(workload.polls[0].beat_seconds),
        i64::from(workload.polls[0].symbols / workload.pollers),
    );
    // All quotes of a cycle come at once, and a window ends before the cycle that is as long after its first.
    let window = i64::from(workload.window_seconds) / beat * symbols;
    let batch = window.min(i64::from(workload.batch_size));
    assert_eq!(
        said.quotes / said.batches,
        batch as f64,
        "as the model cuts"
    );
    let mut sent = Sent {
        quotes: 0,
        puts: 0,
        gets: 0,
    };
    for first in (0..quotes).step_by(usize::try_from(batch).unwrap()) {
        let records = (first..quotes.min(first + batch)).map(|index| {
            let time = START + index / symbols * beat;
            record(
                FIRST_OFFSET + index,
                index % symbols,
                time,
                workload.quote_bytes as usize,
            )
        });
        let records: Vec<String> = records.collect();
        let event = format!(r#"{{"records":{{"quotes-0":[{}]}}}}"#, records.join(","));
        assert!(event.len() <= PAYLOAD_LIMIT, "{}", event.len());
        let answer = handle(turns.next().unwrap(), event.as_bytes())
            .await
            .unwrap();
        let answer: BTreeMap<String, Value> = serde_json::from_slice(&answer).unwrap();
        let count = |name: &str| answer[name].as_u64().unwrap();
        assert_eq!(count("added"), records.len() as u64);
        sent.quotes += count("added");
        sent.puts += count("puts");
        sent.gets += count("gets");
    }
    sent
}

/// One store for several writers.
struct Shared(Arc<MemoryStore>);

impl PutIf for Shared {
    async fn put_if_absent(&self, key: &ObjectKey, body: Bytes) -> Result<ETag, StoreError> {
        self.0.put_if_absent(key, body).await
    }

    async fn put_if_match(
        &self,
        key: &ObjectKey,
        body: Bytes,
        etag: &ETag,
    ) -> Result<ETag, StoreError> {
        self.0.put_if_match(key, body, etag).await
    }
}

impl Get for Shared {
    async fn get(&self, key: &ObjectKey) -> Result<Object, StoreError> {
        self.0.get(key).await
    }
}

/// Batches begin neither with an hour nor with a segment, as after a restart: seconds since the epoch, two minutes
/// and three seconds past an hour.
const START: i64 = 1_779_480_123;
const FIRST_OFFSET: i64 = 777;

/// A record as the service writes it, with a value of so many bytes.
fn record(offset: i64, symbol: i64, time: i64, bytes: usize) -> String {
    let bare = format!(r#"{{"symbol":"S{symbol}","c":{offset},"fetched_at":{time},"name":""}}"#);
    let name = "x".repeat(bytes - bare.len());
    let value = bare.replace(r#""name":""#, &format!(r#""name":"{name}"#));
    let value = base64_simd::STANDARD.encode_to_string(value);
    format!(
        r#"{{"topic":"quotes","partition":0,"offset":{offset},"timestamp":{time}000,"timestampType":"CREATE_TIME","key":"UzE=","value":"{value}","headers":[]}}"#
    )
}
