use std::time::Duration;

use futures::future::join_all;
use lake_tools::cost::{Poll, Workload, estimate};
use pipeline_tests::{
    lake::Lake,
    proxy::Proxy,
    served::Served,
    topic::{TOPIC, Topic},
    writers::{Setup, Writers},
};
use plane::{host::OnTimeout, stats::Snapshot};
use stream::publish::{KafkaPublisher, Publish};
use tokio::time::{Instant, interval};

use super::{assert_near, thousand_symbols};

const SYMBOLS: u32 = 10;
const BATCH: u32 = 50;
const PARTITIONS: u32 = 4;
/// Cycles on each side of a cold start.
const CYCLES: u32 = 60;

#[tokio::test(flavor = "multi_thread")]
async fn the_cost_model_counts_the_puts_and_gets_that_the_plane_makes() {
    let topic = Topic::new(i32::try_from(PARTITIONS).unwrap());
    let store = Served::embedded().await;
    let settings = [
        ("BRONZE_SEGMENT_SECONDS", "60"),
        ("BRONZE_SEGMENT_OFFSETS", "130"),
    ];
    let lake = Lake::create(&store.endpoint(), &settings).await;
    let proxy = Proxy::start(&store.endpoint()).await;
    let (mut puts, mut gets) = (0, 0);
    for half in 0..2 {
        let counts = bring(&topic, &lake, &proxy.endpoint(), half).await;
        puts += counts.metric("StorePuts");
        gets += counts.metric("StoreGets");
    }

    // A start looks for the layout and has the store refuse two writes; the first writes the layout down, and a mark for
    // each partition, for which every start asks.
    let requests = proxy.counts().requests;
    let (refused, begun) = (2 * 2, 1 + u64::from(PARTITIONS));
    assert_eq!(requests["PUT"], puts + refused + begun);
    assert_eq!(requests["GET"], gets + 2 * begun);
    let workload = Workload {
        polls: vec![Poll {
            symbols: SYMBOLS,
            beat_seconds: 1,
        }],
        batch_size: BATCH,
        partitions: PARTITIONS,
        pollers: 1,
        bucket: Duration::from_secs(60),
        segment: 130,
        // In 120 s of quotes there is one that finds objects.
        cold_starts_per_hour: 30.0,
        ..thousand_symbols()
    };
    workload.check().unwrap();
    let said = estimate(&workload);
    let quotes = u64::from(2 * CYCLES * SYMBOLS);
    assert_near("PUTs", puts, &said, said.puts, quotes);
    assert_near("GETs", gets, &said, said.gets, quotes);
}

/// Publishes one half of the quotes and has a writer bring them, which is gone afterwards.
async fn bring(topic: &Topic, lake: &Lake, endpoint: &str, half: u32) -> Snapshot {
    let setup = Setup {
        group: "writers",
        endpoint,
        batch_size: BATCH as usize,
        window: Duration::from_secs(2),
        pollers: 1,
        time_limit: Duration::from_secs(20),
        on_timeout: OnTimeout::Kill,
        names_failures: false,
        loses_answer: Box::new(|| false),
    };
    let writers = Writers::start(topic, lake, setup).await;
    publish(topic, half * CYCLES..(half + 1) * CYCLES).await;
    topic.until_committed("writers").await;
    let counts = writers.end().await;
    assert_eq!(counts.troubles, 0, "{counts:?}");
    counts
}

/// Publishes a quote of each symbol in each of these cycles, a second apart by the quotes and less by the clock.
async fn publish(topic: &Topic, cycles: std::ops::Range<u32>) {
    let publisher = KafkaPublisher::new(topic.cluster()).unwrap();
    let mut beat = interval(Duration::from_millis(100));
    for cycle in cycles {
        beat.tick().await;
        let until = Instant::now() + Duration::from_secs(10);
        let sent = (0..SYMBOLS).map(async |symbol| {
            let (key, time) = (format!("S{symbol}"), 1_779_480_030 + cycle);
            let value = format!(r#"{{"symbol":"{key}","c":1.5,"fetched_at":{time}}}"#);
            let published = publisher.publish(TOPIC, &key, value.as_bytes(), until);
            published.await.unwrap();
        });
        join_all(sent).await;
    }
}
