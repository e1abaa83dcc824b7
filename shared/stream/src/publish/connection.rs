//! One producer and what it has heard of its brokers.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use rdkafka::{
    error::KafkaResult,
    producer::{FutureProducer, Producer, PurgeConfig},
};
use tokio::sync::Notify;

use super::ProducerError;
use crate::{
    AuthenticationError, Cluster, consume::METADATA_AGE_MS, context::Context, trouble::Trouble,
};

/// How long librdkafka tries one record; [`Publish::publish`](super::Publish::publish) ends earlier where `until` is
/// earlier.
const MESSAGE_TIMEOUT: Duration = Duration::from_secs(10);

/// How often a question that is under way looks whether the brokers have refused the client.
const LOOK: Duration = Duration::from_millis(500);

/// How long it waits after an error before it asks again.
const PAUSE: Duration = Duration::from_millis(20);

/// How old a connection is at least when another takes its place because it is spent.
const LEAST_AGE: Duration = Duration::from_secs(1);

/// A producer; cheap to clone.
#[derive(Clone)]
pub(super) struct Connection(pub(super) Arc<Parts>);

pub(super) struct Parts {
    producer: FutureProducer<Context>,
    context: Context,
    cluster: Cluster,
    opened: Instant,
    /// Whether another has taken its place.
    left: AtomicBool,
}

impl Connection {
    /// Opens it; `troubled` is told when the brokers refuse it or none can be reached.
    pub(super) fn open(cluster: &Cluster, troubled: Arc<Notify>) -> Result<Self, ProducerError> {
        let context = Context::telling(cluster, troubled);
        let producer = create(cluster, &context).map_err(|error| ProducerError::Unusable {
            brokers: cluster.to_string(),
            cause: error.to_string(),
        })?;
        Ok(Self(Arc::new(Parts {
            producer,
            context,
            cluster: cluster.clone(),
            opened: Instant::now(),
            left: AtomicBool::new(false),
        })))
    }

    pub(super) fn producer(&self) -> &FutureProducer<Context> {
        &self.0.producer
    }

    pub(super) fn cluster(&self) -> &Cluster {
        &self.0.cluster
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Whether it can't be used any more: librdkafka has given it up, or its token expired while nobody polled. One
    /// that was opened just now is kept, so that brokers which refuse every producer don't get one for each record.
    pub(super) fn is_spent(&self) -> bool {
        self.0.opened.elapsed() >= LEAST_AGE
            && (self.0.producer.client().fatal_error().is_some()
                || self.0.context.has_stale_token())
    }

    /// Another has taken its place: what it has not sent is taken back, what is on its way is waited for by its
    /// senders.
    pub(super) fn leave(&self) {
        self.0.left.store(true, Ordering::Release);
        self.0.producer.purge(PurgeConfig::default().queue());
    }

    pub(super) fn is_left(&self) -> bool {
        self.0.left.load(Ordering::Acquire)
    }

    /// Takes back everything that is not acknowledged.
    pub(super) fn abandon(&self) {
        let purged = PurgeConfig::default().queue().inflight();
        self.0.producer.purge(purged);
    }

    /// Waits for a broker's answer, at most `within`, and no longer than until the brokers refuse it; the value is why
    /// there is none.
    pub(super) async fn reach(&self, within: Duration) -> Result<(), String> {
        let connection = self.clone();
        let fetch = move || {
            let until = Instant::now() + within;
            loop {
                let left = until.saturating_duration_since(Instant::now());
                let client = connection.0.producer.client();
                match client.fetch_metadata(None, left.min(LOOK)) {
                    Ok(_) => {
                        connection.answered();
                        return Ok(());
                    }
                    Err(error) if left <= LOOK || connection.refused().is_some() => {
                        return Err(error.to_string());
                    }
                    Err(_) => thread::sleep(PAUSE),
                }
            }
        };
        let fetched = tokio::task::spawn_blocking(fetch).await;
        fetched.unwrap_or_else(|error| Err(error.to_string()))
    }

    pub(super) fn answered(&self) {
        self.0.context.answered();
    }

    pub(super) fn refused(&self) -> Option<AuthenticationError> {
        self.0.context.refused()
    }

    /// Why there is no connection, if that was told.
    pub(super) fn broken(&self) -> Option<String> {
        match self.0.context.trouble()? {
            Trouble::Connection(cause) => Some(cause),
            Trouble::Handshake(error) => Some(error.to_string()),
        }
    }
}

fn create(cluster: &Cluster, context: &Context) -> KafkaResult<FutureProducer<Context>> {
    let mut config = cluster.client();
    config
        .set("enable.idempotence", "true")
        .set("acks", "all")
        .set("partitioner", "murmur2_random")
        .set("compression.type", "lz4")
        .set("linger.ms", "5")
        // The topic's own limit decides, which may be higher than the library's.
        .set("message.max.bytes", "10000000")
        .set(
            "message.timeout.ms",
            MESSAGE_TIMEOUT.as_millis().to_string(),
        )
        .set("request.timeout.ms", "5000")
        .set("socket.timeout.ms", "6000")
        .set("socket.connection.setup.timeout.ms", "5000")
        .set("socket.keepalive.enable", "true")
        .set("reconnect.backoff.max.ms", "1000")
        // A topic that does not exist is told from brokers that are down within the time of one record.
        .set("topic.metadata.propagation.max.ms", "3000")
        .set("topic.metadata.refresh.interval.ms", METADATA_AGE_MS)
        .set("log.connection.close", "false");
    cluster.create(&config, context.clone())
}
