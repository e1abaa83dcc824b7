//! The one-machine plane: every part of the pipeline in one process tree, wired by the template.
//!
//! [`Plane::start`] brings the parts up in the order in which they need each other; [`Plane::stop`] lets the
//! pollers finish, the triggers drain, and counts the topics against the store.

pub mod audit;
pub mod stats;
pub mod summary;
pub mod view;

mod monitor;
mod parts;

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use futures::future::join_all;
use lake::store::StoreError;
use stream::{embedded::EmbeddedError, topics::TopicError};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinSet,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

use crate::{
    binaries::{self, BinariesError},
    data_folder::{DataFolder, DataFolderError},
    host::{Function, Host, HostSettings},
    object_store::ObjectStoreError,
    replay::{self, ReplayError},
    scheduler,
    template::{self, TemplateError},
    trigger,
};
use monitor::Monitor;
use parts::{Broker, Market, Store};
use stats::Stats;
use summary::Summary;

/// What to start, and which parts to take from elsewhere.
#[derive(Clone, Debug)]
pub struct Options {
    /// The template that describes the pipeline.
    pub template: PathBuf,
    /// Values for the template's parameters, over its defaults and the plane's own.
    pub parameters: BTreeMap<String, String>,
    /// The folder for objects and logs.
    pub data: PathBuf,
    /// The folder of the function binaries; without it they are built first.
    pub bin_dir: Option<PathBuf>,
    /// Brokers instead of the embedded one.
    pub brokers: Option<String>,
    /// An S3 endpoint instead of the embedded store.
    pub s3_endpoint: Option<String>,
    /// The embedded store's port; 0 takes a free one.
    pub s3_port: u16,
    /// Where the quotes come from.
    pub feed: FeedSource,
    /// Recorded time per real time in the replay.
    pub speed: f64,
    /// Credentials of the store at `s3_endpoint`: access key and secret key.
    pub s3_credentials: Option<(String, String)>,
    /// The Finnhub key for the live feed.
    pub finnhub_api_key: Option<String>,
}

/// Where the quotes come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeedSource {
    /// The replay of recorded data on this machine.
    Replay,
    /// The providers themselves.
    Live,
}

/// Why the plane did not start or can't go on.
#[derive(Debug, thiserror::Error)]
pub enum UpError {
    /// The data folder.
    #[error(transparent)]
    DataFolder(#[from] DataFolderError),
    /// The function binaries.
    #[error(transparent)]
    Binaries(#[from] BinariesError),
    /// The template.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The embedded broker.
    #[error(transparent)]
    Embedded(#[from] EmbeddedError),
    /// The brokers or a topic.
    #[error(transparent)]
    Topic(#[from] TopicError),
    /// The embedded store.
    #[error(transparent)]
    ObjectStore(#[from] ObjectStoreError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The replay.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// A live feed without a key.
    #[error("--feed live needs a Finnhub key: set FINNHUB_API_KEY (finnhub.io gives one free)")]
    NoFinnhubKey,
    /// A template that nothing can be run from.
    #[error("{} has no function with {what}: nothing would happen", template.display())]
    Idle {
        /// The template.
        template: PathBuf,
        /// What is missing.
        what: &'static str,
    },
    /// A schedule's job names no topic.
    #[error("the input of the schedule {schedule} in {} names no topic: add a member \"topic\"", template.display())]
    NoTopic {
        /// The template.
        template: PathBuf,
        /// The schedule.
        schedule: String,
    },
    /// A trigger that would start at a time.
    #[error(
        "the trigger {0} starts AT_TIMESTAMP, which the plane can't do: use TRIM_HORIZON or LATEST"
    )]
    StartAtTime(String),
    /// A part of the plane has failed while running.
    #[error("a part of the plane has failed ({0}): start it again")]
    Part(String),
}

/// The number of partitions of a topic that the plane makes.
pub const PARTITIONS: i32 = 10;

/// How long the consumer groups may take to form.
const JOIN: Duration = Duration::from_secs(15);

/// How long a poller may take to finish its cycle and answer.
const FINISH: Duration = Duration::from_secs(20);

/// How long the triggers may take to bring home what is published.
const DRAIN: Duration = Duration::from_secs(60);

/// A running plane. Dropping it stops everything at once.
pub struct Plane {
    stats: Arc<Stats>,
    host: Arc<Host>,
    started: Instant,
    pollers: Vec<String>,
    stop_schedules: CancellationToken,
    schedules: JoinSet<()>,
    triggers: JoinSet<Result<(), TopicError>>,
    monitor: Monitor,
    store: Store,
    market: Market,
    broker: Broker,
    folder: DataFolder,
}

impl Plane {
    /// Starts every part.
    ///
    /// # Errors
    /// [`UpError`]: one sentence that names the part, with what is already started stopped again.
    pub async fn start(options: &Options) -> Result<Self, UpError> {
        let folder = DataFolder::open(&options.data)?;
        let bin_dir = match &options.bin_dir {
            Some(folder) => folder.clone(),
            None => binaries::build(&parts::workspace(&options.template)).await?,
        };
        let market = Market::start(options).await?;
        let broker = Broker::start(options).await?;
        let parameters = parts::parameters(options, &folder, &broker, &market);
        let pipeline = template::read(&options.template, &parameters)?;
        let functions = functions(&pipeline, &bin_dir)?;
        let topics = parts::topics(&pipeline, &options.template)?;
        broker.create_topics(&topics).await?;
        let store = Store::start(options, &folder, &pipeline).await?;

        let stats = Arc::new(Stats::default());
        let monitor = Monitor::start(broker.address(), parts::mappings(&pipeline)?, &stats)?;
        let (metrics, received) = mpsc::unbounded_channel();
        let host = Arc::new(Host::new(
            functions,
            HostSettings {
                service_environment: store.service_environment(),
                logs: folder.logs(),
                metrics,
            },
        ));
        let mut plane = Self {
            host,
            started: Instant::now(),
            pollers: Vec::new(),
            stop_schedules: CancellationToken::new(),
            schedules: JoinSet::new(),
            triggers: JoinSet::new(),
            monitor,
            store,
            market,
            broker,
            folder,
            stats,
        };
        plane.count(received);
        plane.run_triggers(&pipeline).await?;
        plane.started = Instant::now();
        plane.run_schedules(&pipeline);
        Ok(plane)
    }

    /// The counts so far.
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// The Lambda host.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The brokers' address.
    pub fn brokers(&self) -> &str {
        self.broker.address()
    }

    /// The market replay, if the feed is not live.
    pub fn replay(&self) -> Option<&replay::Running> {
        match &self.market {
            Market::Replay(replay) => Some(replay),
            Market::Live { .. } => None,
        }
    }

    /// The store, and where a person finds its objects.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The folder with the functions' logs.
    pub fn logs(&self) -> PathBuf {
        self.folder.logs()
    }

    /// How long the plane has been running.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Waits until a part fails, which normally never happens.
    pub async fn failure(&mut self) -> UpError {
        match self.triggers.join_next().await {
            Some(Ok(Err(error))) => error.into(),
            Some(Err(error)) => UpError::Part(error.to_string()),
            Some(Ok(Ok(()))) | None => UpError::Part("a trigger has ended".to_owned()),
        }
    }

    /// Lets the pollers finish and the triggers drain, and counts.
    ///
    /// # Errors
    /// [`UpError`] if the brokers or the store can't be read any more.
    pub async fn stop(mut self) -> Result<Summary, UpError> {
        let elapsed = self.elapsed();
        self.stop_schedules.cancel();
        let answered = async {
            while !self.schedules.is_empty() {
                for function in &self.pollers {
                    self.host.ask_to_finish(function);
                }
                tokio::select! {
                    _ = self.schedules.join_next() => {}
                    () = sleep(Duration::from_millis(200)) => {}
                }
            }
        };
        if tokio::time::timeout(FINISH, answered).await.is_err() {
            self.stats
                .trouble("a poller did not finish in time and was killed");
        }
        let drained_by = Instant::now() + DRAIN;
        let ends = loop {
            let ends = self.monitor.look().await?;
            if self.stats.snapshot().lag.is_empty() || Instant::now() > drained_by {
                break ends;
            }
            sleep(Duration::from_millis(200)).await;
        };
        self.triggers.shutdown().await;
        self.host.end().await;
        let audit = audit::audit(self.store.s3(), self.store.layout(), &ends.expected).await?;
        Ok(Summary::new(
            elapsed,
            self.stats.snapshot(),
            audit,
            ends.backlog,
            self.store.location(),
        ))
    }

    fn count(
        &mut self,
        mut received: mpsc::UnboundedReceiver<Vec<(runtime::metrics::Metric, u64)>>,
    ) {
        let stats = Arc::clone(&self.stats);
        tokio::spawn(async move {
            while let Some(values) = received.recv().await {
                stats.metrics(&values);
            }
        });
    }

    /// Starts the triggers and waits until their consumers have partitions, so that the first quotes find them.
    async fn run_triggers(&mut self, pipeline: &template::Pipeline) -> Result<(), UpError> {
        let mut joined = Vec::new();
        for (function, mapping) in parts::mappings(pipeline)? {
            let brokers = self.broker.address().to_owned();
            let (stats, host) = (Arc::clone(&self.stats), Arc::clone(&self.host));
            let (join, is_joined) = oneshot::channel();
            joined.push(is_joined);
            self.triggers.spawn(async move {
                let invoke = |payload| host.invoke(&function, payload);
                trigger::run(&brokers, &mapping, &stats, join, invoke).await
            });
        }
        // Another member of the group may hold every partition: that is no reason not to start.
        let _ = tokio::time::timeout(JOIN, join_all(joined)).await;
        Ok(())
    }

    fn run_schedules(&mut self, pipeline: &template::Pipeline) {
        for function in &pipeline.functions {
            for schedule in function
                .schedules
                .iter()
                .filter(|schedule| schedule.enabled)
            {
                let (stats, host) = (Arc::clone(&self.stats), Arc::clone(&self.host));
                let (name, stop) = (function.name.clone(), self.stop_schedules.clone());
                let Ok(input) = serde_json::to_vec(&schedule.input) else {
                    continue;
                };
                let run = scheduler::run(schedule.clone(), stop, move || {
                    let (stats, host) = (Arc::clone(&stats), Arc::clone(&host));
                    let (name, input) = (name.clone(), input.clone());
                    async move {
                        if let Err(error) = host.invoke(&name, input.into()).await {
                            stats.trouble(&error.to_string());
                        }
                    }
                });
                self.schedules.spawn(run);
            }
            if !function.schedules.is_empty() {
                self.pollers.push(function.name.clone());
            }
        }
    }
}

fn functions(
    pipeline: &template::Pipeline,
    bin_dir: &std::path::Path,
) -> Result<Vec<Function>, BinariesError> {
    pipeline
        .functions
        .iter()
        .map(|function| {
            Ok(Function {
                name: function.name.clone(),
                binary: binaries::find(bin_dir, &function.binary)?,
                timeout: function.timeout,
                memory_mb: function.memory_mb,
                environment: function.environment.clone(),
            })
        })
        .collect()
}
