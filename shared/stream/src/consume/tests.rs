use rdkafka::{
    mocking::MockCluster,
    producer::DefaultProducerContext,
    types::{RDKafkaApiKey as Question, RDKafkaRespErr as Code},
};
use tokio::time::Instant;

use super::*;
use crate::{
    publish::{KafkaPublisher, Publish},
    start::{StartAt, commit_start},
};

const TOPIC: &str = "quotes";
const PATIENCE: Duration = Duration::from_secs(30);

/// A broker that fails as it is told, with a topic of one partition.
fn broker() -> (MockCluster<'static, DefaultProducerContext>, Cluster) {
    let broker = MockCluster::new(1).unwrap();
    broker.create_topic(TOPIC, 1, 1).unwrap();
    let cluster = Cluster::plaintext(&broker.bootstrap_servers()).unwrap();
    (broker, cluster)
}

async fn publish(cluster: &Cluster, values: &[Vec<u8>]) {
    let publisher = KafkaPublisher::new(cluster).unwrap();
    for value in values {
        let until = Instant::now() + PATIENCE;
        publisher.publish(TOPIC, "k", value, until).await.unwrap();
    }
}

async fn next(consumer: &TopicConsumer) -> ConsumedRecord {
    timeout(PATIENCE, consumer.next()).await.unwrap().unwrap()
}

/// Bytes that compression makes no smaller.
fn noise(count: usize) -> Vec<u8> {
    let xorshift = |state: &u64| {
        let mut state = *state;
        state ^= state << 13;
        state ^= state >> 7;
        Some(state ^ (state << 17))
    };
    std::iter::successors(Some(1), xorshift)
        .map(|state: u64| state.to_le_bytes()[3])
        .take(count)
        .collect()
}

#[tokio::test]
async fn expired_offsets_are_told_by_the_first_question_that_is_answered() {
    let (broker, cluster) = broker();
    publish(&cluster, &[vec![1], vec![2]]).await;
    let committed = commit_start(&cluster, TOPIC, "group", StartAt::Latest);
    committed.await.unwrap();
    // More than the broker keeps of a partition.
    publish(&cluster, &vec![noise(900_000); 8]).await;
    let consumer = TopicConsumer::subscribe(&cluster, TOPIC, "group").unwrap();
    let record = next(&consumer).await;
    assert!(record.offset > 2, "{record:?}");
    for question in [Question::OffsetFetch, Question::ListOffsets] {
        // Of the watermarks each is a question.
        let refusals = [Code::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED; 2];
        broker.request_errors(question, &refusals);
        let error = consumer.expired_before(&record).await.unwrap_err();
        assert!(
            matches!(error, TopicError::Refused { .. }),
            "{question:?}: {error}"
        );
        broker.clear_request_errors(question);
    }
    let expired = consumer.expired_before(&record).await.unwrap();
    assert_eq!(expired, 2..record.offset);
    let record = next(&consumer).await;
    assert!(consumer.expired_before(&record).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_group_that_refuses_a_member_is_an_error_and_the_next_attempt_may_succeed() {
    let (broker, cluster) = broker();
    broker.request_errors(
        Question::JoinGroup,
        &[Code::RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED],
    );
    let consumer = TopicConsumer::subscribe(&cluster, TOPIC, "group").unwrap();
    let join = || timeout(PATIENCE, consumer.join());
    let refused = join().await.unwrap().unwrap_err();
    assert!(matches!(refused, TopicError::Refused { .. }), "{refused}");
    assert_eq!(join().await.unwrap(), Ok(None));
}

#[tokio::test]
async fn a_commit_that_no_broker_answers_is_an_error_within_its_limit_and_the_only_one_that_waits()
{
    let (broker, cluster) = broker();
    let consumer = TopicConsumer::subscribe(&cluster, TOPIC, "group").unwrap();
    let joined = timeout(PATIENCE, consumer.join()).await;
    assert_eq!(joined.unwrap(), Ok(None));
    assert!(consumer.holds(0) && !consumer.holds(1));
    broker.broker_round_trip_time(1, PATIENCE * 10).unwrap();
    for end in 1..3 {
        let commit = timeout(PATIENCE, consumer.commit([(0, end)])).await;
        let error = commit.unwrap().unwrap_err();
        assert!(matches!(error, TopicError::Broker { .. }), "{error}");
    }
    // The thread of the first commit has one.
    assert_eq!(Arc::strong_count(&consumer.consumer), 2);
}
