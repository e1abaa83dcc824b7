use std::{sync::Mutex, time::Duration};

use pipeline_tests::{
    dice::Dice,
    feed::Feed,
    lake::{Lake, PACKED, SMALL_SEGMENTS},
    proxy::{Fault, Policy, Proxy},
    served::Served,
    topic::Topic,
    writers::{Setup, Writers, send},
};
use plane::host::OnTimeout;
use rand::{RngExt, rngs::StdRng};
use rustix::process::Signal;
use tokio::time::{Instant, sleep, timeout_at};

use super::{PARTITIONS, QUOTES, setup};

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_left_running_after_its_time_out_leaves_what_a_clean_pass_leaves() {
    let settings = [SMALL_SEGMENTS.as_slice(), &PACKED].concat();
    are_left_running(&Served::embedded().await, &settings).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs ministack: .ci/run emulator"]
async fn a_writer_left_running_before_the_emulator_leaves_what_a_clean_pass_leaves() {
    let store = Served::emulated().await;
    are_left_running(&store, &SMALL_SEGMENTS).await;
}

/// A writer's time limit; it answers a second before, unless it is stopped.
const TIME_LIMIT: Duration = Duration::from_secs(2);

/// How long writers are stopped and requests are held.
const TIME: Duration = Duration::from_secs(20);

async fn are_left_running(store: &Served, settings: &[(&str, &str)]) {
    let dice = Dice::take();
    let topic = Topic::new(PARTITIONS);
    let lake = Lake::create(&store.endpoint(), settings).await;
    let proxy = Proxy::start(&store.endpoint()).await;
    let endpoint = proxy.endpoint();
    let setup = Setup {
        time_limit: TIME_LIMIT,
        on_timeout: OnTimeout::LeaveRunning,
        ..setup(&endpoint)
    };
    let writers = Writers::start(&topic, &lake, setup).await;
    let feed = Feed::start(&topic, QUOTES, dice.generator(0));
    writers.answers(10).await;

    let random = Mutex::new(dice.generator(1));
    proxy.set(Policy::By(Box::new(move |_| {
        if random.lock().unwrap().random_ratio(1, 50) {
            Fault::Hold
        } else {
            Fault::Pass
        }
    })));
    tokio::select! {
        () = stop_and_continue(&writers, dice.generator(2)) => {}
        never = let_go_late(&proxy, dice.generator(3)) => match never {},
    }
    proxy.set(Policy::Always(Fault::Pass));
    proxy.let_go();
    feed.stop().await;
    topic.until_committed("writers").await;
    let (outcomes, counts) = (writers.outcomes(), proxy.counts());
    lake.is_that_of_a_clean_pass(&topic).await;
    writers.end().await;
    assert!(
        outcomes.timed_out > 0 && outcomes.failed > 0,
        "{outcomes:?}"
    );
    assert!(counts.late_replies.contains_key("412"), "{counts:?}");
}

/// Stops writers at random moments until their time is over, and has them go on while the retry is at work.
async fn stop_and_continue(writers: &Writers, mut random: StdRng) {
    let end = Instant::now() + TIME;
    let mut stopped = Vec::new();
    while Instant::now() < end {
        sleep(random.random_range(Duration::ZERO..Duration::from_millis(100))).await;
        let busy = writers.another_busy(&stopped, |busy| random.random_range(0..busy));
        // Once each has been stopped, there may be no other.
        let Ok(pid) = timeout_at(end, busy).await else {
            return;
        };
        send(pid, Signal::STOP);
        stopped.push(pid);
        let more = random.random_range(Duration::ZERO..Duration::from_millis(500));
        sleep(TIME_LIMIT + more).await;
        send(pid, Signal::CONT);
    }
}

/// Lets requests go that are held, some within the time of their writer and some beyond it.
async fn let_go_late(proxy: &Proxy, mut random: StdRng) -> std::convert::Infallible {
    loop {
        sleep(random.random_range(Duration::ZERO..2 * TIME_LIMIT)).await;
        proxy.let_go();
    }
}
