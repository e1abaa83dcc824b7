//! Processes of the function that are killed.

use std::time::Duration;

use pipeline_tests::{
    real_postgres::{Options, versions},
    writers::send,
};
use rand::RngExt as _;
use runtime::Environment;
use rustix::process::Signal;
use tokio::time::sleep;

use super::{Mode, Rig};

/// How often; `QUOTELAKE_KILLS` asks for another number.
const KILLS: usize = 40;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/run postgres"]
async fn a_function_that_is_killed_at_random_moments_leaves_the_tables_of_a_clean_pass() {
    let version = versions().pop().unwrap();
    is_killed(Rig::start(&version, Options::default(), Mode::Batch, false).await).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/run postgres"]
async fn a_function_that_is_killed_behind_a_pooler_and_names_records_leaves_those_tables_too() {
    let version = versions().remove(0);
    is_killed(Rig::start(&version, Options::default(), Mode::Items, true).await).await;
}

async fn is_killed(mut rig: Rig) {
    let asked = Environment::of_process().secret("QUOTELAKE_KILLS");
    let kills = asked.map_or(KILLS, |kills| kills.parse().unwrap());
    let mut random = rig.random();
    rig.during(async |rig| {
        let mut killed = Vec::new();
        while killed.len() < kills {
            // Some batches get through in between, else their retries wait longer and longer.
            rig.writers.answers(random.random_range(1..=4)).await;
            sleep(random.random_range(Duration::ZERO..Duration::from_millis(20))).await;
            let choose = |busy| random.random_range(0..busy);
            let pid = rig.writers.another_busy(&killed, choose).await;
            if send(pid, Signal::KILL) {
                killed.push(pid);
            }
        }
    })
    .await;
    let (outcomes, counts) = (rig.writers.outcomes(), rig.writers.stats().snapshot());
    assert!(outcomes.crashed >= kills as u64 / 2, "{outcomes:?}");
    assert!(
        counts.metric("RowsAlreadyThere") > 0,
        "none was killed after a commit"
    );
}
