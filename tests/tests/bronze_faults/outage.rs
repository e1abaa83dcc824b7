use std::time::Duration;

use pipeline_tests::{
    dice::Dice,
    feed::Feed,
    lake::{Lake, PACKED, SMALL_SEGMENTS},
    proxy::{Fault, Policy, Proxy},
    served::Served,
    topic::Topic,
    writers::{Outcomes, Setup, Writers, send},
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
#[ignore = "needs ministack: .ci/run emulator"]
async fn an_emulator_that_is_down_for_10_s_gets_everything_afterwards() {
    let store = Served::emulated().await;
    is_down(&store, &SMALL_SEGMENTS, Duration::from_secs(10)).await;
}

/// A writer's time limit; it answers a second before, unless it is stopped.
const TIME_LIMIT: Duration = Duration::from_secs(3);

/// How much longer than planned the outage may last until writers have failed and timed out.
const PATIENCE: Duration = Duration::from_secs(60);

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
    // What the store had by then is written.
    sleep(Duration::from_secs(1)).await;
    let (before, objects) = (writers.outcomes(), lake.objects().await);
    let mut random = dice.generator(1);
    let has_seen_both =
        |after: Outcomes| after.failed > before.failed && after.timed_out > before.timed_out;
    while Instant::now() < end || !has_seen_both(writers.outcomes()) {
        assert!(Instant::now() < end + PATIENCE, "{:?}", writers.outcomes());
        let choose = |busy| random.random_range(0..busy);
        let pid = writers.another_busy(&[], choose).await;
        send(pid, Signal::STOP);
        sleep(TIME_LIMIT).await;
        // It may have answered before it stopped, and the next invocation needs it.
        send(pid, Signal::CONT);
    }
    assert!(lake.objects().await == objects, "it was not down");

    proxy.set(Policy::Always(Fault::Pass));
    writers.answers(10).await;
    feed.stop().await;
    topic.until_committed("writers").await;
    writers.end().await;
    lake.is_that_of_a_clean_pass(&topic).await;
}
