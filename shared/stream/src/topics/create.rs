use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use rdkafka::{
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    consumer::Consumer,
    error::RDKafkaErrorCode,
    metadata::{MetadataPartition, MetadataTopic},
};

use super::{ASK, TopicError, Watermarks, broker_error, check_name, reach};
use crate::{Cluster, Security, context::Context};

/// The pause between two looks at a topic that is being created.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Creates `topic` unless it exists, and waits until it can be used.
///
/// # Errors
/// [`TopicError::NoAdmin`] with tokens, [`TopicError::Unauthenticated`] and [`TopicError::Broker`] if the cluster can't
/// be asked or refuses.
pub async fn create(cluster: &Cluster, topic: &str, partitions: i32) -> Result<(), TopicError> {
    check_name(topic)?;
    if let Security::Iam { .. } = cluster.security() {
        return exists(cluster, topic).await;
    }
    let failed =
        |cause: String| broker_error(cluster, &format!("creating the topic '{topic}'"), cause);
    let admin: AdminClient<Context> = cluster
        .create(&cluster.client(), Context::new(cluster))
        .map_err(|error| failed(error.to_string()))?;
    let new = NewTopic::new(topic, partitions, TopicReplication::Fixed(-1));
    let options = AdminOptions::new().request_timeout(Some(Duration::from_secs(10)));
    let results = match admin.create_topics([&new], &options).await {
        Ok(results) => results,
        Err(error) => {
            // An admin client tells nobody why it gets no answer: another client may hear it.
            reach(cluster).await?;
            return Err(failed(error.to_string()));
        }
    };
    match results.into_iter().next() {
        Some(Err((_, code))) if code != RDKafkaErrorCode::TopicAlreadyExists => {
            Err(failed(code.to_string()))
        }
        _ => settle(cluster, topic).await,
    }
}

/// Waits until every partition of `topic` has a leader: Kafka answers that it has created a topic before its brokers
/// know it.
async fn settle(cluster: &Cluster, topic: &str) -> Result<(), TopicError> {
    let (cluster, topic) = (cluster.clone(), topic.to_owned());
    let what = format!("the new topic '{topic}'");
    let unanswered = broker_error(&cluster, &what, "the look at it was stopped".to_owned());
    let settled = move || {
        let watermarks = Watermarks::new(&cluster, "quotelake-create")?;
        let end = Instant::now() + ASK;
        loop {
            let asked =
                watermarks.ask(&what, |consumer| consumer.fetch_metadata(Some(&topic), ASK));
            let metadata = asked?;
            let mut partitions = metadata.topics().iter().flat_map(MetadataTopic::partitions);
            let has_leader = |partition: &MetadataPartition| partition.leader() >= 0;
            if partitions.next().is_some_and(has_leader) && partitions.all(has_leader) {
                return Ok(());
            }
            if Instant::now() > end {
                let cause = "its partitions have no leaders yet".to_owned();
                return Err(broker_error(&cluster, &what, cause));
            }
            sleep(LOOK_AGAIN);
        }
    };
    let settled = tokio::task::spawn_blocking(settled).await;
    settled.unwrap_or(Err(unanswered))
}

/// Whether there is `topic` already, for a client that could not create it.
async fn exists(cluster: &Cluster, topic: &str) -> Result<(), TopicError> {
    let watermarks = Watermarks::new(cluster, "quotelake-topics")?;
    let asked = topic.to_owned();
    let partitions = move || watermarks.partitions(&asked).map(drop);
    match tokio::task::spawn_blocking(partitions).await {
        Ok(Err(TopicError::Broker { .. })) => Err(TopicError::NoAdmin {
            topic: topic.to_owned(),
        }),
        Ok(found) => found,
        Err(error) => Err(broker_error(cluster, topic, error.to_string())),
    }
}
