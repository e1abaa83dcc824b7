//! Topics: their names, their creation, their watermarks.

mod error;
mod watermarks;

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use kafka_event::is_topic_name;
use rdkafka::{
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    consumer::{BaseConsumer, Consumer},
    error::RDKafkaErrorCode,
    metadata::{MetadataPartition, MetadataTopic},
};

use crate::{
    AuthenticationError, Cluster,
    context::{Context, ask},
    oauthbearer::set_token,
};
pub use error::TopicError;
pub(crate) use error::{broker_error, failed};
use error::{denial, refused};
pub use watermarks::Watermarks;
pub(crate) use watermarks::committed_of;

/// How long one question to the broker may take.
pub(crate) const ASK: Duration = Duration::from_secs(5);

/// The pause between two looks at a topic that is being created.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Checks a topic's name against Kafka's rule.
///
/// # Errors
/// [`TopicError::BadName`].
pub fn check_name(topic: &str) -> Result<(), TopicError> {
    is_topic_name(topic)
        .then_some(())
        .ok_or_else(|| TopicError::BadName(topic.to_owned()))
}

/// Waits until a broker answers, for at most 5 s.
///
/// # Errors
/// [`TopicError::Unauthenticated`] if the brokers and this client refuse each other, [`TopicError::Broker`] if none
/// answers.
pub async fn reach(cluster: &Cluster) -> Result<(), TopicError> {
    listed(cluster, Context::new(cluster)).await.map(drop)
}

/// The names of the cluster's topics; what goes wrong is told to `context`.
async fn listed(cluster: &Cluster, context: Context) -> Result<Vec<String>, TopicError> {
    let what = "the list of topics";
    let consumer: BaseConsumer<Context> = cluster
        .create(&cluster.client(), context)
        .map_err(|error| broker_error(cluster, what, error.to_string()))?;
    let fetch = move || {
        // All of them, because to ask for one may create it.
        let fetched = ask(&consumer, |consumer| consumer.fetch_metadata(None, ASK));
        let metadata = fetched.map_err(|error| failed(consumer.context(), what, &error))?;
        let names = metadata.topics().iter().map(MetadataTopic::name);
        Ok(names.map(str::to_owned).collect())
    };
    blocking(cluster, what, fetch).await
}

/// Creates `topic` if the cluster does not list it: for brokers that can't be asked to create what exists, and for users
/// who may not create, which brokers look at first.
///
/// # Errors
/// [`TopicError`] if the cluster can't be asked or refuses.
pub async fn create_absent(
    cluster: &Cluster,
    topic: &str,
    partitions: i32,
) -> Result<(), TopicError> {
    let names = listed(cluster, Context::new(cluster)).await?;
    if names.iter().any(|listed| listed == topic) {
        return Ok(());
    }
    create(cluster, topic, partitions).await
}

/// Creates `topic` unless it exists, and waits until it can be used.
///
/// # Errors
/// [`TopicError::Refused`] if it may not be created, or not like that; [`TopicError::Unauthenticated`] and
/// [`TopicError::Broker`] if the cluster can't be asked.
pub async fn create(cluster: &Cluster, topic: &str, partitions: i32) -> Result<(), TopicError> {
    check_name(topic)?;
    let what = format!("creating the topic '{topic}'");
    let failed = |cause: String| broker_error(cluster, &what, cause);
    let context = Context::new(cluster);
    let admin = admin(cluster, &context, &what).await?;
    let new = NewTopic::new(topic, partitions, TopicReplication::Fixed(-1));
    let options = AdminOptions::new().request_timeout(Some(Duration::from_secs(10)));
    let results = match admin.create_topics([&new], &options).await {
        Ok(results) => results,
        Err(error) => {
            // An admin client tells nobody why it gets no answer: another client may hear it.
            listed(cluster, context).await?;
            return Err(failed(error.to_string()));
        }
    };
    match results.into_iter().next() {
        Some(Err((_, code))) if code != RDKafkaErrorCode::TopicAlreadyExists => {
            Err(refused(cluster, &what, code.to_string()))
        }
        _ => settle(cluster, topic).await,
    }
}

/// A client that creates topics, for at most as long as its token is good: nobody polls it for another.
async fn admin(
    cluster: &Cluster,
    context: &Context,
    what: &str,
) -> Result<AdminClient<Context>, TopicError> {
    let (asked, context, of) = (cluster.clone(), context.clone(), what.to_owned());
    let made = move || {
        let admin: AdminClient<Context> = asked
            .create(&asked.client(), context)
            .map_err(|error| broker_error(&asked, &of, error.to_string()))?;
        if let Some(tokens) = asked.security().tokens() {
            let given = tokens.source().token();
            given
                .and_then(|token| set_token(admin.inner(), &token))
                .map_err(|error| {
                    TopicError::Unauthenticated(AuthenticationError::NoToken(error))
                })?;
        }
        Ok(admin)
    };
    blocking(cluster, what, made).await
}

/// Waits until every partition of `topic` has a leader: Kafka answers that it has created a topic before its brokers
/// know it.
async fn settle(cluster: &Cluster, topic: &str) -> Result<(), TopicError> {
    let what = format!("the new topic '{topic}'");
    let (asked, topic, of) = (cluster.clone(), topic.to_owned(), what.clone());
    let settled = move || {
        let watermarks = Watermarks::new(&asked, "quotelake-create")?;
        let end = Instant::now() + ASK;
        loop {
            let metadata =
                watermarks.ask(&of, |consumer| consumer.fetch_metadata(Some(&topic), ASK))?;
            if let Some(code) = denial(&metadata) {
                return Err(refused(&asked, &of, code.to_string()));
            }
            let mut partitions = metadata.topics().iter().flat_map(MetadataTopic::partitions);
            let has_leader = |partition: &MetadataPartition| partition.leader() >= 0;
            if partitions.next().is_some_and(has_leader) && partitions.all(has_leader) {
                return Ok(());
            }
            if Instant::now() > end {
                let cause = "its partitions have no leaders yet".to_owned();
                return Err(broker_error(&asked, &of, cause));
            }
            sleep(LOOK_AGAIN);
        }
    };
    blocking(cluster, &what, settled).await
}

/// Asks for `what` where it may block.
pub(crate) async fn blocking<T: Send + 'static>(
    cluster: &Cluster,
    what: &str,
    ask: impl FnOnce() -> Result<T, TopicError> + Send + 'static,
) -> Result<T, TopicError> {
    match tokio::task::spawn_blocking(ask).await {
        Ok(answer) => answer,
        Err(error) => Err(broker_error(cluster, what, error.to_string())),
    }
}
