use std::{error::Error, future::Future, sync::Arc};

use bytes::Bytes;
use futures::future::BoxFuture;
use stream::publish::{KafkaPublisher, PublishError};
use tokio::time::{Duration, Instant};

use super::{Backoff, given_up::GivenUp};
use crate::stats::Stats;

/// Where records go that a trigger has given up on.
#[derive(Clone)]
pub struct Destination {
    name: String,
    port: Port,
}

#[derive(Clone)]
enum Port {
    Objects(Arc<Put>),
    Messages(Arc<Send>),
}

type Put = dyn Fn(String, Bytes) -> BoxFuture<'static, Result<(), DestinationError>>
    + std::marker::Send
    + Sync;
type Send = dyn Fn(Option<Bytes>, Bytes) -> BoxFuture<'static, Result<(), DestinationError>>
    + std::marker::Send
    + Sync;

/// Why a destination did not take something.
#[derive(Debug, thiserror::Error)]
pub enum DestinationError {
    /// The bucket.
    #[error("{0}")]
    Objects(#[source] Box<dyn Error + std::marker::Send + Sync>),
    /// The topic.
    #[error(transparent)]
    Publish(#[from] PublishError),
}

/// How long one message may take to be acknowledged.
const ACKNOWLEDGEMENT: Duration = Duration::from_secs(10);

impl Destination {
    /// A bucket: one object for all records that are given up together. `put` writes an object with a key and a body;
    /// the key is of these records and this moment, so an object that is there already is an earlier try whose reply was
    /// lost, and no error.
    pub fn bucket<Done>(
        name: &str,
        put: impl Fn(String, Bytes) -> Done + std::marker::Send + Sync + 'static,
    ) -> Self
    where
        Done: Future<Output = Result<(), DestinationError>> + std::marker::Send + 'static,
    {
        Self {
            name: format!("s3://{name}"),
            port: Port::Objects(Arc::new(move |key, body| Box::pin(put(key, body)))),
        }
    }

    /// A topic: one message for each record, with the record's key.
    pub fn topic(topic: &str, publisher: KafkaPublisher) -> Self {
        let (to, publisher) = (topic.to_owned(), Arc::new(publisher));
        Self::messages(&format!("kafka://{topic}"), move |key, value| {
            let (to, publisher) = (to.clone(), Arc::clone(&publisher));
            async move {
                let until = Instant::now() + ACKNOWLEDGEMENT;
                publisher.send(&to, key.as_deref(), &value, until).await?;
                Ok(())
            }
        })
    }

    /// What takes messages, each a key and a value, as a topic does.
    pub fn messages<Sent>(
        name: &str,
        send: impl Fn(Option<Bytes>, Bytes) -> Sent + std::marker::Send + Sync + 'static,
    ) -> Self
    where
        Sent: Future<Output = Result<(), DestinationError>> + std::marker::Send + 'static,
    {
        Self {
            name: name.to_owned(),
            port: Port::Messages(Arc::new(move |key, value| Box::pin(send(key, value)))),
        }
    }

    /// Its address, such as `s3://bucket` or `kafka://topic`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Takes the records, and tries for as long as that takes: given up or not, no record is lost on the way.
    pub(super) async fn take(&self, given_up: &GivenUp<'_>, stats: &Stats) {
        match &self.port {
            Port::Objects(put) => {
                let (key, body) = given_up.object();
                persist(stats, || put(key.clone(), body.clone())).await;
            }
            Port::Messages(send) => {
                for record in given_up.records {
                    let (key, value) = given_up.message(record);
                    persist(stats, || send(key.clone(), value.clone())).await;
                }
            }
        }
    }
}

async fn persist<Done>(stats: &Stats, mut attempt: impl FnMut() -> Done)
where
    Done: Future<Output = Result<(), DestinationError>>,
{
    let mut backoff = Backoff::default();
    while let Err(error) = attempt().await {
        stats.trouble(&error.to_string());
        backoff.pause().await;
    }
}
