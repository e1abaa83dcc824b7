use std::time::Duration;

use pipeline_tests::{
    dice::Dice,
    feed::Feed,
    lake::{Lake, PACKED, SMALL_SEGMENTS},
    proxy::{Fault, Policy, Proxy},
    served::Served,
    topic::Topic,
    writers::{Setup, Writers, send},
};
use rand::RngExt;
use rustix::process::Signal;
use tokio::time::{Instant, sleep};

use super::{FEWER_QUOTES, PARTITIONS, setup};

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_down_for_30_s_gets_everything_afterwards() {
    let settings = [SMALL_SEGMENTS.as_slice(), &PACKED].concat();
    is_down(
        &Served::embedded().await,
        &settings,
        Duration::from_secs(30),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_emulator_that_is_down_for_10_s_gets_everything_afterwards() {
    let Some(store) = Served::emulated().await else {
        return;
    };
    is_down(&store, &SMALL_SEGMENTS, Duration::from_secs(10)).await;
}

/// A writer's time limit; it answers a second before, unless it is stopped.
const TIME_LIMIT: Duration = Duration::from_secs(3);

async fn is_down(store: &Served, settings: &[(&str, &str)], time: Duration) {
    let dice = Dice::take();
    let topic = Topic::new(PARTITIONS);
    let lake = Lake::create(&store.endpoint(), settings).await;
    let proxy = Proxy::start(&store.endpoint()).await;
    let endpoint = proxy.endpoint();
    let setup = Setup {
        time_limit: TIME_LIMIT,
        ..setup(&endpoint)
    };
    let writers = Writers::start(&topic, &lake, setup).await;
    let feed = Feed::start(&topic, FEWER_QUOTES, dice.generator(0));
    writers.answers(10).await;

    proxy.set(Policy::Down);
    let end = Instant::now() + time;
    // What was answered when it went down is heard of.
    sleep(Duration::from_secs(1)).await;
    let before = writers.outcomes();
    let mut random = dice.generator(1);
    while Instant::now() < end {
        let pid = writers
            .another_busy(&[], |busy| random.random_range(0..busy))
            .await;
        send(pid, Signal::STOP);
        sleep(TIME_LIMIT).await;
    }
    let after = writers.outcomes();
    assert_eq!(after.answered, before.answered, "while it is down");
    assert!(after.failed > before.failed, "{after:?}");
    assert!(after.timed_out > 0, "{after:?}");

    proxy.set(Policy::Always(Fault::Pass));
    writers.answers(10).await;
    feed.stop().await;
    topic.until_committed("writers").await;
    writers.end().await;
    lake.is_that_of_a_clean_pass(&topic).await;
}
