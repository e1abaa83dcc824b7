use std::collections::BTreeMap;

use bronze_writer::{FailureResponse, Writer};
use lake::{Compression, Granularity, Layout, store::MemoryStore};
use lake_tools::cost::{Estimate, Workload, estimate};
use pipeline_tests::clean_pass::handle;
use plane::host::PAYLOAD_LIMIT;
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
    let sent = one_partition(&workload, &said, 100_000).await;
    assert!(sent.puts <= 2_500, "{} PUTs", sent.puts);
    assert_near("PUTs", sent.puts, &said, said.puts, sent.quotes);
}

#[tokio::test]
async fn objects_beyond_the_writers_memory_take_gets_and_no_more_than_the_cost_model_says() {
    let workload = Workload {
        quote_bytes: 700,
        ..thousand_symbols()
    };
    let said = estimate(&workload);
    assert!(said.gets > 0.5 * said.puts, "{said:?}");
    let sent = one_partition(&workload, &said, 60_000).await;
    let share = sent.gets as f64 / sent.quotes as f64;
    assert!(share > 0.0 && share <= said.gets / said.quotes, "{share}");
}

/// Has a writer in this process handle so many quotes of one poller, cut as the trigger does.
async fn one_partition(workload: &Workload, said: &Estimate, quotes: i64) -> Sent {
    let layout = Layout::new("bronze", Some("1"), Granularity::SEGMENT, Compression::None);
    let writer = Writer::new(MemoryStore::default(), layout, FailureResponse::Batch);
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
        let answer = handle(&writer, event.as_bytes()).await.unwrap();
        let answer: BTreeMap<String, Value> = serde_json::from_slice(&answer).unwrap();
        let count = |name: &str| answer[name].as_u64().unwrap();
        assert_eq!(count("added"), records.len() as u64);
        sent.quotes += count("added");
        sent.puts += count("puts");
        sent.gets += count("gets");
    }
    sent
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
