//! A server, a topic, a trigger and the function's processes.

use std::{
    collections::BTreeMap,
    fs,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use pipeline_tests::{
    clean_pass::deliver,
    dice::Dice,
    feed::Feed,
    real_postgres::{Options, Pgbouncer, Postgres, WRITER},
    served::Served,
    topic::Topic,
    writers::{Setup, Writers},
};
use plane::{host::OnTimeout, postgres::NAME};
use tables::postgres::{Access, Database};
use tempfile::TempDir;
use tokio::{
    task::{JoinSet, block_in_place},
    time::{Instant, sleep},
};

use super::{
    super::histories::{
        kept::{BRONZE, BUCKET, Clean, Kept, PATIENCE},
        records::value,
    },
    PARTITIONS, QUOTES,
};

const TOPIC: &str = "stock-quotes";

const GROUP: &str = "upserter";

/// How a trigger is told of records that are not durable.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Batch,
    Items,
}

/// What is started; all of it ends with this value.
pub(super) struct Rig {
    pub(super) postgres: Postgres,
    pub(super) writers: Writers,
    /// The file with the function's password.
    pub(super) secret: TempDir,
    pub(super) topic: Topic,
    dice: Dice,
    kept: Arc<Kept>,
    checks: Arc<Checks>,
    served: Served,
    _pooler: Option<Pgbouncer>,
    rounds: u64,
    passes: u64,
}

/// Looks at the tables right after each answer.
#[derive(Default)]
struct Checks {
    running: Mutex<JoinSet<()>>,
    missing: Mutex<Vec<String>>,
}

impl Rig {
    /// A server of this version with what is not as usual, and the function before it, through a pooler or not.
    pub(super) async fn start(version: &str, options: Options, mode: Mode, pooled: bool) -> Self {
        let postgres = block_in_place(|| Postgres::start_with(version, &options));
        let access = Access::of_url(&postgres.url(), None, None).unwrap();
        let mut database = Database::connect(&access, Instant::now() + PATIENCE)
            .await
            .unwrap();
        database.migrate().await.unwrap();
        drop(database);
        postgres.create_writer().await;
        let pooler = pooled.then(|| block_in_place(|| Pgbouncer::before(&postgres, 2)));
        let port = pooler.as_ref().map_or(postgres.port(), Pgbouncer::port);

        let served = Served::embedded().await;
        Kept::create_bucket(&served.endpoint()).await;
        let kept = Arc::new(Kept::of(&postgres.url(), &served.endpoint(), "1").await);
        let topic = Topic::named(TOPIC, PARTITIONS);
        let secret = tempfile::tempdir().unwrap();
        fs::write(secret.path().join("password"), WRITER).unwrap();
        let checks = Arc::new(Checks::default());
        let endpoint = served.endpoint();
        let setup = setup(GROUP, &endpoint, mode);
        let settings = settings(port, &secret);
        let writers = start(&topic, settings, setup, &kept, &checks).await;
        Self {
            postgres,
            writers,
            secret,
            topic,
            dice: Dice::take(),
            kept,
            checks,
            served,
            _pooler: pooler,
            rounds: 0,
            passes: 0,
        }
    }

    /// A second trigger, which brings everything once more in other cuts.
    pub(super) async fn another(&self, group: &'static str) -> Writers {
        let endpoint = self.served.endpoint();
        let setup = Setup {
            batch_size: 7,
            ..setup(group, &endpoint, Mode::Batch)
        };
        let settings = settings(self.postgres.port(), &self.secret);
        start(&self.topic, settings, setup, &self.kept, &self.checks).await
    }

    /// Has quotes come in while something happens, and sees that all is there in the end.
    pub(super) async fn during(&mut self, happens: impl AsyncFnOnce(&mut Self)) {
        self.rounds += 1;
        let make = |second, random: &mut _| {
            let value = value(TOPIC, random).unwrap_or_else(|| "null".to_owned());
            (format!("k{second}"), value)
        };
        let feed = Feed::of(&self.topic, QUOTES, make, self.dice.generator(self.rounds));
        self.writers.answers(5).await;
        happens(self).await;
        // It goes on as before.
        self.writers.answers(5).await;
        feed.stop().await;
        self.topic.until_committed(GROUP).await;
        self.is_exact().await;
    }

    /// A number generator of its own.
    pub(super) fn random(&self) -> rand::rngs::StdRng {
        self.dice.generator(1_000)
    }

    /// Waits until so many more invocations have failed.
    pub(super) async fn failures(&self, count: u64) {
        let failures = || {
            let outcomes = self.writers.outcomes();
            outcomes.failed + outcomes.timed_out + outcomes.not_started + self.named()
        };
        let (before, end) = (failures(), Instant::now() + PATIENCE);
        while failures() < before + count {
            assert!(Instant::now() < end, "{:?}", self.writers.outcomes());
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// Records that answers have named as not durable.
    fn named(&self) -> u64 {
        self.writers.stats().snapshot().metric("RowsNotDurable")
    }

    /// Sees that the tables are those of a clean pass, and that nothing was answered for too early.
    pub(super) async fn is_exact(&mut self) {
        self.passes += 1;
        loop {
            let check = self.checks.running.lock().unwrap().try_join_next();
            match check {
                Some(ended) => ended.unwrap(),
                None if self.checks.running.lock().unwrap().is_empty() => break,
                None => sleep(Duration::from_millis(5)).await,
            }
        }
        let missing = self.checks.missing.lock().unwrap().clone();
        assert!(
            missing.is_empty(),
            "answered for and not there: {missing:?}"
        );
        let clean = Clean::of(&self.kept);
        let group = format!("clean-{}", self.passes);
        deliver(&self.topic, &group, async |payload| {
            clean.handle(&payload).await
        })
        .await;
        let brokers = self.topic.cluster().brokers();
        Box::pin(self.kept.is_that_of(&clean, Some(brokers))).await;
    }
}

async fn start(
    topic: &Topic,
    settings: BTreeMap<String, String>,
    setup: Setup<'_>,
    kept: &Arc<Kept>,
    checks: &Arc<Checks>,
) -> Writers {
    let (kept, checks) = (Arc::clone(kept), Arc::clone(checks));
    let answered = move |event: &Bytes, answer: &Bytes| {
        let (event, answer) = (event.clone(), answer.clone());
        let (kept, found) = (Arc::clone(&kept), Arc::clone(&checks));
        checks.running.lock().unwrap().spawn(async move {
            let missing = kept.missing(&event, &answer).await;
            found.missing.lock().unwrap().extend(missing);
        });
    };
    Writers::of("quote-upserter", settings, topic, setup, answered).await
}

/// Small batches, so that there are many invocations, and a time limit that lets tests of a server that hangs end soon.
fn setup<'a>(group: &'a str, endpoint: &'a str, mode: Mode) -> Setup<'a> {
    Setup {
        group,
        endpoint,
        batch_size: 10,
        window: Duration::from_millis(20),
        pollers: PARTITIONS.cast_unsigned(),
        time_limit: Duration::from_secs(4),
        on_timeout: OnTimeout::Kill,
        names_failures: mode == Mode::Items,
        loses_answer: Box::new(|| false),
    }
}

fn settings(port: u16, secret: &TempDir) -> BTreeMap<String, String> {
    let port = port.to_string();
    let secret = format!("file:{}", secret.path().join("password").display());
    let settings = [
        ("DATABASE_HOST", "127.0.0.1"),
        ("DATABASE_PORT", &port),
        ("DATABASE_NAME", NAME),
        ("DATABASE_USER", WRITER),
        ("DATABASE_SECRET", &secret),
        ("DATABASE_TLS", "off"),
        ("BRONZE_BUCKET", BUCKET),
        ("BRONZE_PREFIX", BRONZE),
        ("BRONZE_EPOCH", "1"),
    ];
    settings
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}
