//! The promise of the tables, tried on PostgreSQL: whatever the cuts, the order, the repetition, lost statements and answers,
//! kills and zombies, they end as after one clean pass, and no record is answered for that is not in them.

pub(super) mod kept;
pub(super) mod records;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bronze_writer::FailureResponse;
use futures::future::{join, join_all};
use lake::store::S3Store;
use pipeline_tests::{
    dice::Dice,
    real_postgres::{Fate, Pgbouncer, Postgres, WRITER, Way, versions},
    served::Served,
};
use quote_upserter::Upserter;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng, seq::SliceRandom as _};
use runtime::Environment;
use tables::postgres::{Access, Database, PostgresTables};
use tokio::{
    task::{JoinSet, LocalSet, spawn_blocking},
    time::{Instant, sleep, timeout},
};
use tokio_postgres::Client;

use kept::{Clean, Kept, PATIENCE, failures, handle};
use records::{Record, event, log};

/// Histories by each way to a database; `QUOTELAKE_HISTORIES` asks for another number.
const HISTORIES: u64 = 15;

/// Histories at once, each in a database of its own: they mostly wait.
const LANES: u64 = 5;

/// A part of the records has a partition of its own, the other is in the default one.
const DAY: &str = "CREATE TABLE realtime_quotes_20261120 PARTITION OF realtime_quotes \
                   FOR VALUES FROM ('2026-11-20 00:00+00') TO ('2026-11-21 00:00+00')";

const EMPTY: &str = "TRUNCATE realtime_quotes, latest_quotes";

/// An environment of the function.
type Function = Upserter<PostgresTables, S3Store>;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/run postgres"]
async fn every_history_ends_in_the_tables_of_one_clean_pass() {
    for version in versions() {
        let postgres = shared(version).await;
        try_histories(postgres, "histories", postgres.port()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/run postgres"]
async fn every_history_through_a_pooler_ends_in_the_tables_of_one_clean_pass() {
    let postgres = shared(versions().remove(0)).await;
    // Fewer than there are upserters with their zombies.
    let pooler = spawn_blocking(|| Pgbouncer::before(postgres, 2))
        .await
        .unwrap();
    try_histories(postgres, "pooled_histories", pooler.port()).await;
}

async fn shared(version: String) -> &'static Postgres {
    spawn_blocking(move || Postgres::shared(&version))
        .await
        .unwrap()
}

/// Tries histories in new databases, which upserters reach at `port`.
async fn try_histories(postgres: &Postgres, name: &str, port: u16) {
    let served = Served::embedded().await;
    Kept::create_bucket(&served.endpoint()).await;
    let dice = Dice::take();
    let asked = Environment::of_process().secret("QUOTELAKE_HISTORIES");
    let histories: u64 = asked.map_or(HISTORIES, |histories| histories.parse().unwrap());
    let lane = async |lane: u64| {
        let database = format!("{name}_{lane}");
        let owner = create_tables(postgres, &database).await;
        let mut broken = 0;
        for number in (lane..histories).step_by(LANES as usize) {
            owner.batch_execute(EMPTY).await.unwrap();
            let (url, epoch) = (postgres.url_of(&database), format!("h{number}"));
            let kept = Kept::of(&url, &served.endpoint(), &epoch).await;
            let history = History::new(kept, port, dice.generator(number)).await;
            broken += Box::pin(history.run()).await;
        }
        broken
    };
    let lanes = join_all((0..LANES).map(lane));
    let broken: u64 = LocalSet::new().run_until(lanes).await.iter().sum();
    assert!(broken > 0, "no statement met a fault");
}

async fn create_tables(postgres: &Postgres, database: &str) -> Client {
    let url = postgres.create_database(database).await;
    let access = Access::of_url(&url, None, None).unwrap();
    let connected = Database::connect(&access, Instant::now() + PATIENCE).await;
    connected.unwrap().migrate().await.unwrap();
    postgres.create_writer().await;
    let owner = postgres.client(database).await;
    owner.batch_execute(DAY).await.unwrap();
    owner
}

struct History {
    kept: Kept,
    chance: StdRng,
    log: Vec<Record>,
    response: FailureResponse,
    way: Way,
    is_over: Arc<AtomicBool>,
}

impl History {
    async fn new(kept: Kept, port: u16, mut chance: StdRng) -> Self {
        let is_over = Arc::<AtomicBool>::default();
        let fates = Mutex::new(StdRng::seed_from_u64(chance.random()));
        let over = Arc::clone(&is_over);
        let way = Way::to(port, move || match over.load(Ordering::SeqCst) {
            true => Fate::Done,
            false => fate(&mut fates.lock().unwrap()),
        });
        let records = chance.random_range(1..80);
        Self {
            kept,
            log: log(records, &mut chance),
            response: match chance.random_bool(0.5) {
                true => FailureResponse::Batch,
                false => FailureResponse::Items,
            },
            way: way.await,
            is_over,
            chance,
        }
    }

    /// Gives how many statements have met a fault.
    async fn run(mut self) -> u64 {
        let [one, other] = [(); 2].map(|()| StdRng::seed_from_u64(self.chance.random()));
        let let_go = StdRng::seed_from_u64(self.chance.random());
        let zombies = {
            // Two triggers bring every record, each in its own cuts.
            let both = Box::pin(join(self.trigger(one), self.trigger(other)));
            tokio::select! {
                (one, other) = both => [one, other],
                never = self.let_go_late(let_go) => match never {},
            }
        };
        self.is_over.store(true, Ordering::SeqCst);
        // What was held arrives after all that came after it.
        self.way.run_dry().await;
        for mut zombie in zombies {
            while let Some(ended) = zombie.join_next().await {
                ended.unwrap();
            }
        }
        let clean = Clean::of(&self.kept);
        clean.handle(&event(&self.log)).await.unwrap();
        self.kept.is_that_of(&clean, None).await;
        self.way.broken()
    }

    /// Brings every record, some again and again, each batch until it is answered for. Gives the invocations that nobody waits
    /// for any more.
    async fn trigger(&self, mut chance: StdRng) -> JoinSet<()> {
        let mut zombies = JoinSet::new();
        let mut environment = self.environment();
        for batch in batches(&self.log, &mut chance) {
            let mut waiting = batch;
            while !waiting.is_empty() {
                let payload = event(&waiting);
                let within = Duration::from_millis(chance.random_range(50..300));
                let mut invocation = JoinSet::new();
                let (upserter, sent) = (Arc::clone(&environment), payload.clone());
                let (answered, answer) = tokio::sync::oneshot::channel();
                invocation.spawn_local(async move {
                    // Nobody may wait for it.
                    let _ = answered.send(Box::pin(handle(&upserter, &sent, within)).await);
                });
                let patience = match chance.random_range(0..10) {
                    0 | 1 => Duration::from_micros(chance.random_range(0..20_000)),
                    _ => PATIENCE,
                };
                match timeout(patience, answer).await {
                    Ok(answer) => {
                        let Ok(answer) = answer.unwrap() else {
                            continue;
                        };
                        let missing = self.kept.missing(&payload, &answer).await;
                        assert!(
                            missing.is_empty(),
                            "answered for and not there: {missing:?}"
                        );
                        let failed = failures(&answer);
                        waiting.retain(|record| failed.contains(&record.position()));
                    }
                    // It is killed, or left running while the batch comes again.
                    Err(_) => {
                        environment = self.environment();
                        if chance.random_bool(0.5) {
                            zombies.spawn_local(async move {
                                invocation.join_next().await;
                            });
                        }
                    }
                }
            }
        }
        zombies
    }

    fn environment(&self) -> Arc<Function> {
        let (_, name) = self.kept.database.rsplit_once('/').unwrap();
        let port = self.way.port();
        let url = format!("postgres://{WRITER}:{WRITER}@127.0.0.1:{port}/{name}");
        let tables = PostgresTables::new(Access::of_url(&url, None, None).unwrap(), true);
        let how = self.kept.how(self.response);
        Arc::new(Upserter::new(tables, self.kept.store(), how))
    }

    async fn let_go_late(&self, mut chance: StdRng) -> std::convert::Infallible {
        loop {
            sleep(Duration::from_millis(chance.random_range(0..500))).await;
            self.way.let_go();
        }
    }
}

fn fate(chance: &mut StdRng) -> Fate {
    match chance.random_range(0..40) {
        0..3 => Fate::AnswerLost,
        3 => Fate::Lost,
        4 | 5 => Fate::Cut,
        6 | 7 => Fate::Held,
        _ => Fate::Done,
    }
}

/// The log in batches, each record at least once: in any order, and a third of them again.
fn batches(log: &[Record], chance: &mut StdRng) -> Vec<Vec<Record>> {
    let mut batches = Vec::new();
    let mut rest = log;
    while !rest.is_empty() {
        let (batch, after) = rest.split_at(chance.random_range(1..=rest.len().min(15)));
        batches.push(batch.to_vec());
        rest = after;
    }
    for _ in 0..batches.len() / 3 {
        batches.push(batches[chance.random_range(0..batches.len())].clone());
    }
    batches.shuffle(chance);
    batches
}
