//! Servers that end, hang or refuse in the middle of batches, and come back.

use std::{fs, time::Duration};

use pipeline_tests::real_postgres::{Options, Postgres, WRITER, versions};
use plane::postgres::NAME;
use tokio::{task::block_in_place, time::sleep};
use tokio_postgres::NoTls;

use super::{Mode, Rig};

/// The connections of the function.
const OF_FUNCTION: &str = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'quotelake' AND usename = $1";

async fn rig(version: &str, mode: Mode) -> Rig {
    Rig::start(version, Options::default(), mode, false).await
}

/// How often a server ends.
const ENDS: usize = 2;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/run postgres"]
async fn a_server_that_is_killed_in_the_middle_of_batches_has_every_row_in_the_end() {
    for (version, mode) in versions().iter().zip([Mode::Batch, Mode::Items]) {
        ends(rig(version, mode).await, Postgres::kill).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/run postgres"]
async fn a_server_that_is_restarted_in_the_middle_of_batches_has_every_row_in_the_end() {
    let version = versions().remove(0);
    ends(rig(&version, Mode::Items).await, Postgres::stop).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/run postgres"]
async fn a_server_that_is_killed_behind_a_pooler_has_every_row_in_the_end() {
    let version = versions().pop().unwrap();
    let rig = Rig::start(&version, Options::default(), Mode::Batch, true).await;
    ends(rig, Postgres::kill).await;
}

async fn ends(mut rig: Rig, end: fn(&mut Postgres)) {
    for _ in 0..ENDS {
        rig.during(async |rig| {
            rig.writers.another_busy(&[], |_| 0).await;
            block_in_place(|| end(&mut rig.postgres));
            rig.failures(1).await;
            block_in_place(|| rig.postgres.restart());
        })
        .await;
    }
    let outcomes = rig.writers.outcomes();
    assert_eq!(outcomes.crashed, 0, "{outcomes:?}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/run postgres"]
async fn a_server_that_hangs_beyond_the_deadline_has_every_row_once_it_goes_on() {
    let version = versions().pop().unwrap();
    let mut rig = rig(&version, Mode::Items).await;
    rig.during(async |rig| {
        rig.writers.another_busy(&[], |_| 0).await;
        rig.postgres.freeze();
        rig.failures(2).await;
        rig.postgres.thaw();
    })
    .await;
    let outcomes = rig.writers.outcomes();
    // Each has answered in time, that it has not done its work.
    let ended = (outcomes.timed_out, outcomes.crashed);
    assert_eq!(ended, (0, 0), "{outcomes:?}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/run postgres"]
async fn a_server_that_is_read_only_for_a_while_has_every_row_in_the_end() {
    let version = versions().pop().unwrap();
    rig(&version, Mode::Batch)
        .await
        .during(async |rig| {
            rig.postgres.set_read_only(true).await;
            rig.failures(5).await;
            rig.postgres.set_read_only(false).await;
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/run postgres"]
async fn a_server_whose_disk_is_full_for_a_while_has_every_row_in_the_end() {
    let version = versions().remove(0);
    let options = Options {
        disk: Some(64 << 20),
        ..Options::default()
    };
    let mut rig = Rig::start(&version, options, Mode::Items, false).await;
    rig.during(async |rig| {
        rig.postgres.fill_disk();
        rig.failures(5).await;
        rig.postgres.empty_disk();
    })
    .await;
    let log = rig.postgres.log();
    assert!(log.contains("No space left on device"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/run postgres"]
async fn a_server_without_a_free_connection_has_every_row_once_it_has_one() {
    let version = versions().pop().unwrap();
    let options = Options {
        parameters: vec![("max_connections", "12".to_owned())],
        ..Options::default()
    };
    let mut rig = Rig::start(&version, options, Mode::Batch, false).await;
    rig.during(async |rig| {
        let taken = take_all_connections(&rig.postgres).await;
        rig.failures(5).await;
        drop(taken);
    })
    .await;
    let log = rig.postgres.log();
    assert!(log.contains("FATAL:  remaining connection slots"), "{log}");
}

/// Every connection that a user may have who has no privilege.
async fn take_all_connections(postgres: &Postgres) -> Vec<tokio_postgres::Client> {
    let owner = postgres.client(NAME).await;
    let url = postgres.url();
    let (_, place) = url.rsplit_once('@').unwrap();
    let url = format!("postgres://{WRITER}:{WRITER}@{place}");
    let mut taken = Vec::new();
    loop {
        while let Ok((client, connection)) = tokio_postgres::connect(&url, NoTls).await {
            tokio::spawn(connection);
            taken.push(client);
        }
        let left = owner.query_one(OF_FUNCTION, &[&WRITER]).await.unwrap();
        if left.get::<_, i64>(0) == 0 {
            return taken;
        }
        sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/run postgres"]
async fn a_password_that_is_rotated_costs_no_row_and_no_process() {
    let version = versions().remove(0);
    let mut rig = rig(&version, Mode::Items).await;
    rig.during(async |rig| {
        let owner = rig.postgres.client(NAME).await;
        let rotate = format!("ALTER ROLE {WRITER} PASSWORD 'second'");
        owner.batch_execute(&rotate).await.unwrap();
        fs::write(rig.secret.path().join("password"), "second").unwrap();
        rig.writers.another_busy(&[], |_| 0).await;
        let cut = owner.query_one(OF_FUNCTION, &[&WRITER]).await.unwrap();
        assert!(cut.get::<_, i64>(0) > 0);
    })
    .await;
    let outcomes = rig.writers.outcomes();
    let ended = (outcomes.not_started, outcomes.crashed);
    assert_eq!(ended, (0, 0), "{outcomes:?}");
}
