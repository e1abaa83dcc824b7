use std::{future::Future, ops::Range, sync::Arc};

use ::stream::{
    Cluster, OffsetRange,
    consume::ConsumedRecord,
    read::RangeReader,
    topics::{TopicError, Watermarks},
};
use futures::{Stream, StreamExt, TryStreamExt, stream};

/// The topics as they are compared with the store.
pub trait Topics: Sync {
    /// The offsets of a partition from its low watermark up to, not including, its high one.
    ///
    /// # Errors
    /// [`TopicError`] if they can't be asked.
    fn held(
        &self,
        topic: &str,
        partition: i32,
    ) -> impl Future<Output = Result<Range<i64>, TopicError>> + Send;

    /// The records of ranges of a topic's partitions, as far as they exist; those of a partition in order. The stream
    /// ends with the first [`TopicError`].
    fn read(
        &self,
        topic: &str,
        ranges: Vec<(i32, Range<i64>)>,
    ) -> impl Stream<Item = Result<ConsumedRecord, TopicError>> + Send;
}

/// The topics of a Kafka cluster.
pub struct KafkaTopics {
    watermarks: Arc<Watermarks>,
    cluster: Cluster,
}

impl KafkaTopics {
    /// The topics of this cluster.
    ///
    /// # Errors
    /// [`TopicError`] if no broker answers.
    pub async fn connect(cluster: &Cluster) -> Result<Self, TopicError> {
        ::stream::topics::reach(cluster).await?;
        Ok(Self {
            // It looks at no group's commits.
            watermarks: Arc::new(Watermarks::new(cluster, "quotelake-verify")?),
            cluster: cluster.clone(),
        })
    }

    /// The cluster.
    pub(super) fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// Everything that a topic holds.
    ///
    /// # Errors
    /// [`TopicError::Unknown`] if there is no such topic, another one if it can't be looked at.
    pub async fn all_of(&self, topic: &str) -> Result<Vec<OffsetRange>, TopicError> {
        let topic = topic.to_owned();
        let ask = move |watermarks: &Watermarks| {
            let expect = |partition| {
                Ok(OffsetRange {
                    offsets: watermarks.held(&topic, partition)?,
                    topic: topic.clone(),
                    partition,
                })
            };
            let partitions = watermarks.partitions(&topic)?;
            partitions.into_iter().map(expect).collect()
        };
        self.ask(ask).await
    }

    /// Asks for watermarks, which blocks.
    async fn ask<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&Watermarks) -> Result<T, TopicError> + Send + 'static,
    ) -> Result<T, TopicError> {
        let watermarks = Arc::clone(&self.watermarks);
        let asked = tokio::task::spawn_blocking(move || ask(&watermarks)).await;
        asked.map_err(|error| TopicError::Broker {
            brokers: self.cluster.to_string(),
            what: "the watermarks".to_owned(),
            cause: error.to_string(),
        })?
    }
}

impl Topics for KafkaTopics {
    async fn held(&self, topic: &str, partition: i32) -> Result<Range<i64>, TopicError> {
        let topic = topic.to_owned();
        self.ask(move |watermarks| watermarks.held(&topic, partition))
            .await
    }

    fn read(
        &self,
        topic: &str,
        ranges: Vec<(i32, Range<i64>)>,
    ) -> impl Stream<Item = Result<ConsumedRecord, TopicError>> + Send {
        let reader = RangeReader::new(&self.cluster, topic, ranges);
        stream::iter([reader])
            .map_ok(|reader| {
                stream::try_unfold(reader, async |mut reader| {
                    let record = reader.next().await?;
                    Ok(record.map(|record| (record, reader)))
                })
                .boxed()
            })
            .try_flatten()
    }
}
