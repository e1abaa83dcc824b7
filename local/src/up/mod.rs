//! The one-machine plane: every part of the pipeline in one process tree, wired by the template.
//!
//! [`Plane::start`] brings the parts up in the order in which they need each other; [`Plane::stop`] lets the
//! pollers finish, the triggers drain, and verifies the store against the topics.

pub mod summary;
pub mod view;

mod error;
mod options;
pub(crate) mod parts;
mod schedules;
mod store;

use std::{path::PathBuf, sync::Arc, time::Duration};

use bytes::Bytes;
use stream::Cluster;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

use crate::{
    binaries::{self, BinariesError},
    data_folder::DataFolder,
    host::{Function, Host, HostSettings, MetricsSink, OnTimeout},
    replay,
    stats::Stats,
    template,
    trigger::Triggers,
    verify::{KafkaTopics, verify},
};
pub use error::UpError;
pub use options::{FeedSource, Options};
use parts::{Broker, Market};
pub use store::Store;
use summary::Summary;

/// The number of partitions of a topic that the plane makes.
pub const PARTITIONS: i32 = 10;

/// The pause between two looks at what is waited for.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// How long a poller may take to finish its cycle and answer.
const FINISH: Duration = Duration::from_secs(20);

/// A running plane. Dropping it stops everything at once.
pub struct Plane {
    stats: Arc<Stats>,
    host: Arc<Host>,
    started: Instant,
    pollers: Vec<String>,
    stop_schedules: CancellationToken,
    schedules: JoinSet<()>,
    triggers: Triggers,
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
        let mut pipeline = template::read(&options.template, &parameters)?;
        parts::secure(&mut pipeline, options);
        let functions = functions(&pipeline, &bin_dir)?;
        parts::check_responses(&pipeline)?;
        let topics = parts::topics(&pipeline, &options.template)?;
        broker.create_topics(&topics).await?;
        let store = Store::start(options, &folder, &pipeline).await?;
        let bucket = async |name: &str| store.bucket(name).await;
        let mappings =
            parts::mappings(&pipeline, &options.template, broker.cluster(), bucket).await?;

        let stats = Arc::new(Stats::default());
        let metrics: MetricsSink = {
            let stats = Arc::clone(&stats);
            Arc::new(move |values| stats.metrics(values))
        };
        let host = Arc::new(Host::new(
            functions,
            HostSettings {
                service_environment: store.service_environment(),
                logs: folder.logs(),
                metrics,
                on_timeout: OnTimeout::default(),
            },
        ));
        let invoke = {
            let host = Arc::clone(&host);
            move |function: &str, payload: Bytes| {
                let (host, function) = (Arc::clone(&host), function.to_owned());
                async move { host.invoke(&function, payload).await }
            }
        };
        let triggers = Triggers::start(broker.cluster(), mappings, &stats, invoke).await?;
        let mut plane = Self {
            host,
            started: Instant::now(),
            pollers: Vec::new(),
            stop_schedules: CancellationToken::new(),
            schedules: JoinSet::new(),
            triggers,
            store,
            market,
            broker,
            folder,
            stats,
        };
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

    /// The brokers.
    pub fn cluster(&self) -> &Cluster {
        self.broker.cluster()
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
        self.triggers.failure().await.into()
    }

    /// Lets the pollers finish and the triggers drain, and verifies what they have left.
    ///
    /// # Errors
    /// [`UpError`] if the brokers or the store can't be read any more.
    pub async fn stop(mut self) -> Result<Summary, UpError> {
        let elapsed = self.elapsed();
        self.finish_polling().await;
        let ends = self.triggers.drain().await?;
        self.triggers.stop().await;
        // With the last of their output, the metrics are complete.
        self.host.end().await;
        let (s3, layout) = (self.store.s3(), self.store.layout());
        self.folder.write_expected(&layout.root(), &ends.expected)?;
        let topics = KafkaTopics::connect(self.broker.cluster()).await?;
        let audit = verify(s3, layout, Some(&topics), &ends.expected, &|_| {}).await?;
        Ok(Summary {
            seconds: elapsed.as_secs_f64(),
            backlog: ends.backlog,
            shared_topics: self.broker.is_shared(),
            counts: self.stats.snapshot(),
            audit,
            location: self.store.location().to_owned(),
        })
    }

    async fn finish_polling(&mut self) {
        self.stop_schedules.cancel();
        let deadline = Instant::now() + FINISH;
        while !self.schedules.is_empty() {
            if Instant::now() > deadline {
                self.stats
                    .trouble("a poller did not finish in time and was killed");
                return self.schedules.shutdown().await;
            }
            for function in &self.pollers {
                self.host.ask_to_finish(function);
            }
            tokio::select! {
                _ = self.schedules.join_next() => {}
                () = sleep(LOOK_AGAIN) => {}
            }
        }
    }

    fn run_schedules(&mut self, pipeline: &template::Pipeline) {
        for function in &pipeline.functions {
            for schedule in function
                .schedules
                .iter()
                .filter(|schedule| schedule.enabled)
            {
                schedules::spawn(
                    &mut self.schedules,
                    function,
                    schedule,
                    &self.host,
                    &self.stats,
                    &self.stop_schedules,
                );
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
    let functions = pipeline.functions.iter();
    functions
        .map(|function| {
            Ok(Function {
                name: function.name.clone(),
                binary: binaries::find(bin_dir, &function.binary)?,
                timeout: function.timeout,
                memory_mb: function.memory_mb,
                reserved_concurrency: function.reserved_concurrency,
                environment: function.environment.clone(),
            })
        })
        .collect()
}
