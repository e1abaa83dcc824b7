use std::{sync::Mutex, time::Duration};

use pipeline_tests::{
    dice::Dice,
    feed::Feed,
    lake::{Lake, PACKED, SMALL_SEGMENTS},
    proxy::{Fault, Policy, Proxy},
    served::Served,
    topic::Topic,
    writers::{Setup, Writers},
};
use rand::{RngExt, rngs::StdRng};

use super::{PARTITIONS, QUOTES, setup};

#[tokio::test(flavor = "multi_thread")]
async fn replies_lost_between_function_and_store_leave_what_a_clean_pass_leaves() {
    loses_replies(&Served::embedded().await, &SMALL_SEGMENTS, 200).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs ministack: .ci/run emulator"]
async fn replies_lost_between_function_and_emulator_leave_what_a_clean_pass_leaves() {
    let store = Served::emulated().await;
    let settings = [SMALL_SEGMENTS.as_slice(), &PACKED].concat();
    loses_replies(&store, &settings, 150).await;
}

async fn loses_replies(store: &Served, settings: &[(&str, &str)], batches: u64) {
    let dice = Dice::take();
    let topic = Topic::new(PARTITIONS);
    let lake = Lake::create(&store.endpoint(), settings).await;
    let proxy = Proxy::start(&store.endpoint()).await;
    let weather = Mutex::new(Weather::new(dice.generator(0)));
    proxy.set(Policy::By(Box::new(move |_| {
        weather.lock().unwrap().next()
    })));
    let endpoint = proxy.endpoint();
    let setup = Setup {
        names_failures: true,
        time_limit: Duration::from_secs(3),
        ..setup(&endpoint)
    };
    let writers = Writers::start(&topic, &lake, setup).await;
    let feed = Feed::start(&topic, QUOTES, dice.generator(1));
    writers.answers(batches).await;
    feed.stop().await;
    topic.until_committed("writers").await;
    let counts = writers.end().await;
    lake.is_that_of_a_clean_pass(&topic).await;
    let faults = proxy.counts().faults;
    assert_eq!(faults.len(), 5, "each fault was met: {faults:?}");
    assert!(
        counts.total(|of| of.retried_batches) > 0,
        "each storm was weathered"
    );
}

/// Of a hundred requests eight meet a fault, and half of these lose their reply. Of two hundred one begins a storm,
/// in which every request does.
struct Weather {
    random: StdRng,
    storm: u32,
}

impl Weather {
    fn new(random: StdRng) -> Self {
        Self { random, storm: 0 }
    }

    fn next(&mut self) -> Fault {
        if self.storm > 0 {
            self.storm -= 1;
            return Fault::DropReply;
        }
        match self.random.random_range(0..200) {
            0 => {
                self.storm = 20;
                Fault::DropReply
            }
            1..8 => Fault::DropReply,
            8..11 => Fault::DropRequest,
            11..13 => Fault::CutRequest,
            13..16 => Fault::Refuse,
            _ => Fault::Pass,
        }
    }
}
