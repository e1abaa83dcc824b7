//! A trigger and the processes of the bronze writer, or of another function, that it invokes.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use plane::{
    host::{Function, Host, HostSettings, InvokeError, OnTimeout},
    object_store::{ACCESS_KEY, SECRET_KEY},
    stats::{Snapshot, Stats},
    trigger::{self, Mapping},
};
use rustix::process::{Pid, Signal, kill_process};
use sam_template::FailurePolicy;
use tempfile::TempDir;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep, timeout},
};
use tokio_util::task::AbortOnDropHandle;

use crate::{lake::Lake, mapping::mapping, plane::bin_dir, topic::Topic};

/// How the writers are run.
pub struct Setup<'a> {
    /// The consumer group.
    pub group: &'a str,
    /// Where the writers find the store.
    pub endpoint: &'a str,
    /// The most records of a batch.
    pub batch_size: usize,
    /// How long a batch may wait to be filled.
    pub window: Duration,
    /// How many batches are in hand at once.
    pub pollers: u32,
    /// How long an invocation may take.
    pub time_limit: Duration,
    /// What becomes of one that takes longer.
    pub on_timeout: OnTimeout,
    /// Whether the writers name the records that are not durable, or fail the batch.
    pub names_failures: bool,
    /// Asked after each invocation: whether the trigger never hears of it.
    pub loses_answer: Box<dyn Fn() -> bool + Send + Sync>,
}

/// How invocations ended, as the trigger saw it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcomes {
    /// With an answer that all is well, or which records are not durable.
    pub answered: u64,
    /// With an error of the writer.
    pub failed: u64,
    /// By the end of the process at work.
    pub crashed: u64,
    /// By the end of the process while it started.
    pub not_started: u64,
    /// Beyond the time limit.
    pub timed_out: u64,
    /// With an answer that was lost.
    pub lost: u64,
}

/// A running trigger with its processes; both end with this value.
pub struct Writers {
    host: Arc<Host>,
    stats: Arc<Stats>,
    outcomes: Arc<Mutex<Outcomes>>,
    trigger: AbortOnDropHandle<()>,
    _logs: TempDir,
}

const FUNCTION: &str = "writer";

/// How long the trigger's consumers may take to leave their group.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long an answer may take; pauses between tries are up to 10 s.
const ANSWERED: Duration = Duration::from_secs(120);

impl Writers {
    /// Starts to bring the topic into the lake.
    pub async fn start(topic: &Topic, lake: &Lake, setup: Setup<'_>) -> Self {
        Self::of("bronze-writer", lake.settings(), topic, setup, |_, _| {}).await
    }

    /// Starts to bring the topic to a function with these settings. `answered` is told each event with its answer, before
    /// the trigger hears of it.
    pub async fn of(
        binary: &str,
        settings: BTreeMap<String, String>,
        topic: &Topic,
        setup: Setup<'_>,
        answered: impl Fn(&Bytes, &Bytes) + Send + Sync + 'static,
    ) -> Self {
        let logs = tempfile::tempdir().unwrap();
        let stats = Arc::new(Stats::default());
        let host = Arc::new(host(binary, settings, &setup, &logs, &stats).await);
        let outcomes = Arc::new(Mutex::new(Outcomes::default()));
        let mapping = Mapping {
            function: FUNCTION.to_owned(),
            batch_size: setup.batch_size,
            window: setup.window,
            pollers: setup.pollers,
            failures: FailurePolicy {
                partial_responses: setup.names_failures,
                ..FailurePolicy::default()
            },
            ..mapping(topic.name(), setup.group)
        };
        let trigger = {
            let topic = topic.clone();
            let (host, stats) = (Arc::clone(&host), Arc::clone(&stats));
            let outcomes = Arc::clone(&outcomes);
            tokio::spawn(async move {
                let invoke = async |payload: Bytes| {
                    let outcome = host.invoke(FUNCTION, payload.clone()).await;
                    if let Ok(answer) = &outcome {
                        answered(&payload, answer);
                    }
                    let is_lost = outcome.is_ok() && (setup.loses_answer)();
                    outcomes.lock().unwrap().count(&outcome, is_lost);
                    if is_lost { Err(lost()) } else { outcome }
                };
                let (joined, _is_joined) = mpsc::channel(1);
                let Err(error) =
                    trigger::run(topic.cluster(), &mapping, &stats, joined, invoke).await;
                panic!("{error}");
            })
        };
        Self {
            host,
            stats,
            outcomes,
            trigger: AbortOnDropHandle::new(trigger),
            _logs: logs,
        }
    }

    /// The trigger's counts and the writers' metrics.
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// How the invocations ended so far.
    pub fn outcomes(&self) -> Outcomes {
        self.outcomes.lock().unwrap().clone()
    }

    /// Waits until this many more invocations are answered.
    pub async fn answers(&self, count: u64) {
        let end = self.outcomes().answered + count;
        let until = Instant::now() + ANSWERED;
        while self.outcomes().answered < end {
            assert!(Instant::now() < until, "{:?}", self.outcomes());
            self.pause().await;
        }
    }

    /// The processes that have an invocation in hand.
    pub fn busy(&self) -> Vec<u32> {
        self.host.busy(FUNCTION)
    }

    /// Waits until some process is busy that is not among `others`, and gives one as `choose` says.
    pub async fn another_busy(
        &self,
        others: &[u32],
        mut choose: impl FnMut(usize) -> usize,
    ) -> u32 {
        loop {
            let mut busy = self.busy();
            busy.retain(|pid| !others.contains(pid));
            if !busy.is_empty() {
                return busy[choose(busy.len())];
            }
            self.pause().await;
        }
    }

    async fn pause(&self) {
        assert!(!self.trigger.is_finished(), "the trigger has ended");
        sleep(Duration::from_millis(1)).await;
    }

    /// Ends the trigger, then the processes; with the last of their output the counts are complete.
    pub async fn end(self) -> Snapshot {
        self.trigger.abort();
        let ended = timeout(PATIENCE, self.trigger).await;
        let ended = ended.expect("the consumers end");
        assert!(ended.is_err_and(|error| error.is_cancelled()));
        self.host.end().await;
        self.stats.snapshot()
    }
}

/// Sends `signal` to a process of the writer; false if it has ended.
pub fn send(pid: u32, signal: Signal) -> bool {
    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    kill_process(pid, signal).is_ok()
}

impl Outcomes {
    fn count(&mut self, outcome: &Result<Bytes, InvokeError>, is_lost: bool) {
        let count = match outcome {
            Ok(_) if is_lost => &mut self.lost,
            Ok(_) => &mut self.answered,
            Err(InvokeError::FunctionError { .. }) => &mut self.failed,
            Err(InvokeError::Crashed { .. }) => &mut self.crashed,
            Err(InvokeError::InitFailed { .. }) => &mut self.not_started,
            Err(InvokeError::TimedOut { .. }) => &mut self.timed_out,
            Err(error) => panic!("{error}"),
        };
        *count += 1;
    }
}

fn lost() -> InvokeError {
    InvokeError::Crashed {
        function: FUNCTION.to_owned(),
        status: "its answer was lost".to_owned(),
    }
}

async fn host(
    binary: &str,
    mut environment: BTreeMap<String, String>,
    setup: &Setup<'_>,
    logs: &TempDir,
    stats: &Arc<Stats>,
) -> Host {
    let response = if setup.names_failures {
        "items"
    } else {
        "batch"
    };
    environment.extend(owned([
        ("FAILURE_RESPONSE", response),
        ("LOG_LEVEL", "error"),
    ]));
    let function = Function {
        name: FUNCTION.to_owned(),
        binary: bin_dir().await.join(binary),
        timeout: setup.time_limit,
        memory_mb: 512,
        reserved_concurrency: None,
        environment,
    };
    let stats = Arc::clone(stats);
    let settings = HostSettings {
        service_environment: owned([
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY),
            ("AWS_SECRET_ACCESS_KEY", SECRET_KEY),
            ("AWS_ENDPOINT_URL_S3", setup.endpoint),
        ]),
        logs: logs.path().to_owned(),
        metrics: Arc::new(move |function, emitted| stats.metrics(function, emitted)),
        on_timeout: setup.on_timeout,
    };
    Host::new(vec![function], settings)
}

fn owned<const N: usize>(pairs: [(&str, &str); N]) -> BTreeMap<String, String> {
    pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}
