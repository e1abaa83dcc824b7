use std::{convert::Infallible, future::Future, sync::Arc, time::Duration};

use bytes::Bytes;
use futures::future::join_all;
use stream::{Cluster, topics::TopicError};
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

use super::{Ends, Mapping, begin, monitor::Monitor, run};
use crate::{host::InvokeError, stats::Stats};

/// The pause between two looks at what is waited for.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// How long the consumer groups may take to form.
const JOIN: Duration = Duration::from_secs(15);

/// How long the triggers may take to deliver what is published.
const DRAIN: Duration = Duration::from_secs(60);

/// Every mapping of a pipeline at work. Dropping it stops them at once.
pub struct Triggers {
    tasks: JoinSet<Result<Infallible, TopicError>>,
    monitor: Monitor,
    stats: Arc<Stats>,
}

/// Why triggers did not start or can't go on.
#[derive(Debug, thiserror::Error)]
pub enum TriggersError {
    /// The brokers or a topic.
    #[error(transparent)]
    Topic(#[from] TopicError),
    /// One of them, or what watches them, is gone.
    #[error("a part of the Kafka triggers has failed ({0}): start them again")]
    Ended(String),
}

impl Triggers {
    /// Starts every mapping and waits until their consumers have partitions, so that the first records find them.
    /// `invoke` sends an event to the function of that name.
    ///
    /// # Errors
    /// [`TriggersError`] if the brokers do not answer or lack a topic.
    pub async fn start<Answer>(
        cluster: &Cluster,
        mappings: Vec<Mapping>,
        stats: &Arc<Stats>,
        invoke: impl Fn(&str, Bytes) -> Answer + Clone + Send + Sync + 'static,
    ) -> Result<Self, TriggersError>
    where
        Answer: Future<Output = Result<Bytes, InvokeError>> + Send,
    {
        for mapping in &mappings {
            begin(cluster, mapping).await?;
        }
        let monitor = Monitor::start(cluster, mappings.clone(), stats).await?;
        let mut tasks = JoinSet::new();
        let mut joined = Vec::new();
        for mapping in mappings {
            let (cluster, stats) = (cluster.clone(), Arc::clone(stats));
            let invoke = invoke.clone();
            let (join, mut is_joined) = mpsc::channel(1);
            joined.push(async move { is_joined.recv().await });
            tasks.spawn(async move {
                let invoke = |payload| invoke(&mapping.function, payload);
                run(&cluster, &mapping, &stats, join, invoke).await
            });
        }
        // Another member of the group may hold every partition: that is no reason not to start.
        let _ = timeout(JOIN, join_all(joined)).await;
        Ok(Self {
            tasks,
            monitor,
            stats: Arc::clone(stats),
        })
    }

    /// Waits until one of them fails, which normally never happens.
    pub async fn failure(&mut self) -> TriggersError {
        if self.tasks.is_empty() {
            return std::future::pending().await;
        }
        match self.tasks.join_next().await {
            Some(Ok(Err(error))) => error.into(),
            Some(Err(error)) => TriggersError::Ended(error.to_string()),
            None => TriggersError::Ended("a trigger has ended".to_owned()),
        }
    }

    /// Waits, for at most a minute, until everything that is published is committed, and says how far that is.
    ///
    /// # Errors
    /// [`TriggersError`] if the brokers do not answer.
    pub async fn drain(&self) -> Result<Vec<Ends>, TriggersError> {
        let deadline = Instant::now() + DRAIN;
        loop {
            let ends = self.monitor.look().await;
            let is_drained = ends.is_ok() && self.stats.snapshot().lag() == 0;
            if is_drained || Instant::now() > deadline {
                return ends;
            }
            sleep(LOOK_AGAIN).await;
        }
    }

    /// Lets them leave their groups.
    pub async fn stop(mut self) {
        self.tasks.shutdown().await;
    }
}
