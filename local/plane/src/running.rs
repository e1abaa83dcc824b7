use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use bytes::Bytes;
use sam_template::{Function, Pipeline, ScheduleEvent};
use stream::Cluster;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

use crate::{
    async_invoke,
    binaries::{self, BinariesError},
    function_url::{FunctionUrls, UrlError},
    host::{self, Host, HostSettings, MetricsSink, OnTimeout},
    pipeline::{self, MappingError},
    scheduler,
    stats::{Snapshot, Stats},
    trigger::{Destination, Ends, Triggers, TriggersError},
};

/// The pause between two looks at what is waited for.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// How long a scheduled function may take to finish what it has begun and to answer.
const FINISH: Duration = Duration::from_secs(20);

/// What to run.
pub struct Settings {
    /// The functions with their triggers, schedules and URLs.
    pub pipeline: Pipeline,
    /// The folder of the function binaries.
    pub bin_dir: PathBuf,
    /// The brokers that have the topics.
    pub cluster: Cluster,
    /// The on-failure destinations that are buckets, by the bucket's name.
    pub destinations: BTreeMap<String, Destination>,
    /// What Lambda or the account would set for every function: region, credentials, service endpoints.
    pub service_environment: BTreeMap<String, String>,
    /// The folder of the functions' output.
    pub logs: PathBuf,
}

/// Why the plane did not start or can't go on.
#[derive(Debug, thiserror::Error)]
pub enum PlaneError {
    /// A function binary.
    #[error(transparent)]
    Binaries(#[from] BinariesError),
    /// A trigger's on-failure destination.
    #[error(transparent)]
    Destination(#[from] MappingError),
    /// The Kafka triggers.
    #[error(transparent)]
    Triggers(#[from] TriggersError),
    /// A function URL.
    #[error(transparent)]
    Url(#[from] UrlError),
}

/// A running pipeline. Dropping it stops everything at once.
pub struct Plane {
    stats: Arc<Stats>,
    host: Arc<Host>,
    started: Instant,
    scheduled: Vec<String>,
    stop_schedules: CancellationToken,
    schedules: JoinSet<()>,
    triggers: Triggers,
    urls: FunctionUrls,
}

/// What a run has left.
#[derive(Clone, Debug)]
pub struct Ended {
    /// How long it ran.
    pub elapsed: Duration,
    /// What each trigger had to deliver.
    pub ends: Vec<Ends>,
    /// The counts.
    pub counts: Snapshot,
}

impl Plane {
    /// Starts the triggers, then the URLs and schedules.
    ///
    /// # Errors
    /// [`PlaneError`]: one sentence that names the part, with what is already started stopped again.
    pub async fn start(settings: Settings) -> Result<Self, PlaneError> {
        let functions = functions(&settings)?;
        let mappings = pipeline::mappings(
            &settings.pipeline,
            &settings.cluster,
            &settings.destinations,
        )?;
        let stats = Arc::new(Stats::default());
        let metrics: MetricsSink = {
            let stats = Arc::clone(&stats);
            Arc::new(move |function, emitted| stats.metrics(function, emitted))
        };
        let host = Arc::new(Host::new(
            functions,
            HostSettings {
                service_environment: settings.service_environment,
                logs: settings.logs,
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
        let triggers = Triggers::start(&settings.cluster, mappings, &stats, invoke).await?;
        let urls = FunctionUrls::start(&settings.pipeline, &host, &stats).await?;
        let mut plane = Self {
            host,
            started: Instant::now(),
            scheduled: Vec::new(),
            stop_schedules: CancellationToken::new(),
            schedules: JoinSet::new(),
            triggers,
            urls,
            stats,
        };
        plane.run_schedules(&settings.pipeline);
        Ok(plane)
    }

    /// The counts so far.
    pub fn stats(&self) -> &Arc<Stats> {
        &self.stats
    }

    /// The Lambda host.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The URLs that functions are served at, by function.
    pub fn urls(&self) -> &BTreeMap<String, String> {
        self.urls.addresses()
    }

    /// How long the plane has been running.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Waits until a part fails, which normally never happens.
    pub async fn failure(&mut self) -> PlaneError {
        self.triggers.failure().await.into()
    }

    /// Lets the scheduled functions finish and the triggers drain, and ends every process.
    ///
    /// # Errors
    /// [`PlaneError`] if the brokers can't be asked any more.
    pub async fn stop(mut self) -> Result<Ended, PlaneError> {
        let elapsed = self.elapsed();
        self.urls.stop().await;
        self.finish_schedules().await;
        let ends = self.triggers.drain().await?;
        self.triggers.stop().await;
        // With the last of their output, the metrics are complete.
        self.host.end().await;
        Ok(Ended {
            elapsed,
            ends,
            counts: self.stats.snapshot(),
        })
    }

    async fn finish_schedules(&mut self) {
        self.stop_schedules.cancel();
        let deadline = Instant::now() + FINISH;
        while !self.schedules.is_empty() {
            if Instant::now() > deadline {
                self.stats
                    .trouble("a scheduled function did not finish in time and was killed");
                return self.schedules.shutdown().await;
            }
            for function in &self.scheduled {
                self.host.ask_to_finish(function);
            }
            tokio::select! {
                _ = self.schedules.join_next() => {}
                () = sleep(LOOK_AGAIN) => {}
            }
        }
    }

    fn run_schedules(&mut self, pipeline: &Pipeline) {
        for function in &pipeline.functions {
            let schedules = function.schedules.iter();
            for schedule in schedules.filter(|schedule| schedule.enabled) {
                self.run_schedule(function, schedule);
            }
            if !function.schedules.is_empty() {
                self.scheduled.push(function.name.clone());
            }
        }
    }

    /// Runs a schedule until they are stopped; its events are invoked asynchronously.
    fn run_schedule(&mut self, function: &Function, schedule: &ScheduleEvent) {
        let config = function.event_invoke;
        let (name, schedule) = (function.name.clone(), schedule.clone());
        let (host, stats) = (Arc::clone(&self.host), Arc::clone(&self.stats));
        let stop = self.stop_schedules.clone();
        self.schedules.spawn(async move {
            let invoke = |input: Bytes| {
                let (name, stop) = (name.clone(), stop.clone());
                let (host, stats) = (Arc::clone(&host), Arc::clone(&stats));
                async move {
                    let call = || host.invoke(&name, input.clone());
                    async_invoke::deliver(&name, config, &stop, &stats, call).await;
                }
            };
            scheduler::run(&name, schedule, &stop, invoke).await;
        });
    }
}

fn functions(settings: &Settings) -> Result<Vec<host::Function>, BinariesError> {
    let functions = settings.pipeline.functions.iter();
    functions
        .map(|function| {
            Ok(host::Function {
                name: function.name.clone(),
                binary: binaries::find(&settings.bin_dir, &function.binary)?,
                timeout: function.timeout,
                memory_mb: function.memory_mb,
                reserved_concurrency: function.reserved_concurrency,
                environment: function.environment.clone(),
            })
        })
        .collect()
}
