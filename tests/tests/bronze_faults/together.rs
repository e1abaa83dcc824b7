use std::sync::Mutex;

use futures::join;
use pipeline_tests::{
    dice::Dice,
    feed::{Feed, Quotes},
    lake::{Lake, PACKED, RECORDS, SMALL_SEGMENTS},
    served::Served,
    topic::Topic,
    writers::{Setup, Writers},
};
use rand::{RngExt, rngs::StdRng};

use super::{FEWER_QUOTES, PARTITIONS, QUOTES, setup};

#[tokio::test(flavor = "multi_thread")]
async fn two_triggers_on_one_topic_at_once_leave_what_a_clean_pass_leaves() {
    let store = Served::embedded().await;
    let segments = [SMALL_SEGMENTS.as_slice(), &PACKED].concat();
    two_triggers(&store, &segments, QUOTES, 100).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_triggers_with_an_object_a_record_leave_what_a_clean_pass_leaves() {
    two_triggers(&Served::embedded().await, &RECORDS, FEWER_QUOTES, 50).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs ministack: .ci/run emulator"]
async fn two_triggers_on_the_emulator_leave_what_a_clean_pass_leaves() {
    let store = Served::emulated().await;
    two_triggers(&store, &SMALL_SEGMENTS, QUOTES, 100).await;
}

async fn two_triggers(store: &Served, settings: &[(&str, &str)], quotes: Quotes, batches: u64) {
    let dice = Dice::take();
    let topic = Topic::new(PARTITIONS);
    let lake = Lake::create(&store.endpoint(), settings).await;
    let endpoint = store.endpoint();
    let with = |group, batch_size, random| Setup {
        group,
        batch_size,
        loses_answer: one_of_five(random),
        ..setup(&endpoint)
    };
    let (one, other) = join!(
        Writers::start(&topic, &lake, with("one", 10, dice.generator(0))),
        Writers::start(&topic, &lake, with("other", 7, dice.generator(1))),
    );
    let feed = Feed::start(&topic, quotes, dice.generator(2));
    join!(one.answers(batches), other.answers(batches));
    feed.stop().await;
    join!(topic.until_committed("one"), topic.until_committed("other"));
    let outcomes = [one.outcomes(), other.outcomes()];
    join!(one.end(), other.end());
    lake.is_that_of_a_clean_pass(&topic).await;
    assert!(outcomes.iter().all(|of| of.lost > 0), "{outcomes:?}");
}

/// A batch that is done and comes again.
fn one_of_five(random: StdRng) -> Box<dyn Fn() -> bool + Send + Sync> {
    let random = Mutex::new(random);
    Box::new(move || random.lock().unwrap().random_ratio(1, 5))
}
