use std::time::Duration;

use pipeline_tests::{
    dice::Dice,
    feed::Feed,
    lake::{Lake, PACKED, RECORDS, SMALL_SEGMENTS},
    served::Served,
    topic::Topic,
    writers::{Writers, send},
};
use rand::RngExt;
use runtime::Environment;
use rustix::process::Signal;
use tokio::time::sleep;

use super::{PARTITIONS, QUOTES, setup};

/// The variable that asks for another number of kills.
const KILLS: &str = "QUOTELAKE_KILLS";

fn kills(otherwise: usize) -> usize {
    let asked = Environment::of_process().secret(KILLS);
    asked.map_or(otherwise, |kills| kills.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_writer_killed_at_random_moments_leaves_what_a_clean_pass_leaves() {
    let store = Served::embedded().await;
    let settings = [SMALL_SEGMENTS.as_slice(), &PACKED].concat();
    is_killed(&store, &settings, kills(200)).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs ministack: .ci/run emulator"]
async fn the_writer_killed_at_random_moments_on_the_emulator_leaves_what_a_clean_pass_leaves() {
    let store = Served::emulated().await;
    is_killed(&store, &RECORDS, kills(50)).await;
}

async fn is_killed(store: &Served, settings: &[(&str, &str)], kills: usize) {
    let dice = Dice::take();
    let mut random = dice.generator(0);
    let topic = Topic::new(PARTITIONS);
    let lake = Lake::create(&store.endpoint(), settings).await;
    let writers = Writers::start(&topic, &lake, setup(&store.endpoint())).await;
    let feed = Feed::start(&topic, QUOTES, dice.generator(1));

    let mut killed = Vec::new();
    while killed.len() < kills {
        // Some batches get through in between, else their retries wait longer and longer.
        writers.answers(random.random_range(1..=4)).await;
        sleep(random.random_range(Duration::ZERO..Duration::from_millis(20))).await;
        let choose = |busy| random.random_range(0..busy);
        let pid = writers.another_busy(&killed, choose).await;
        if send(pid, Signal::KILL) {
            killed.push(pid);
        }
    }
    feed.stop().await;
    topic.until_committed("writers").await;
    let (outcomes, counts) = (writers.outcomes(), writers.stats().snapshot());
    writers.end().await;
    lake.is_that_of_a_clean_pass(&topic).await;
    assert!(outcomes.crashed >= kills as u64 / 2, "{outcomes:?}");
    assert!(
        counts.metric("RecordsAlreadyThere") > 0,
        "none was killed after a PUT"
    );
}
