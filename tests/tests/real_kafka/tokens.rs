use std::sync::atomic::{AtomicU64, Ordering};

use jiff::{SignedDuration, Timestamp};
use pipeline_tests::real_kafka::{Listener, USER};
use runtime::clock;
use secrets::Secret;
use serde_json::json;
use stream::{
    Cluster, ProvideToken, Security, Token, TokenError, Tokens,
    consume::{ConsumedRecord, TopicConsumer},
    publish::ProducerError,
    topics::{self, TopicError},
};
use tokio::time::{interval, timeout};

use super::*;

/// How long a token is good for; the broker wants to see one more often. What is left of it when it is renewed, a fifth,
/// is longer than the second within which a broker takes no second one.
const LIFETIME: SignedDuration = SignedDuration::from_secs(20);

/// Tokens as Kafka's own check of OAUTHBEARER takes them: unsigned.
#[derive(Debug)]
struct Unsigned {
    /// How old they are when they are given.
    age: SignedDuration,
    given: Arc<AtomicU64>,
}

impl ProvideToken for Unsigned {
    fn token(&self) -> Result<Token, TokenError> {
        self.given.fetch_add(1, Ordering::SeqCst);
        let encode = |part: &serde_json::Value| {
            base64_simd::URL_SAFE_NO_PAD.encode_to_string(part.to_string())
        };
        let issued = clock::now() - self.age;
        let (issued_at, expires_at) = (issued.as_second(), (issued + LIFETIME).as_second() + 1);
        let claims = json!({"sub": USER, "iat": issued_at, "exp": expires_at});
        let token = format!("{}.{}.", encode(&json!({"alg": "none"})), encode(&claims));
        Ok(Token {
            token: Secret::from(token),
            principal: USER.to_owned(),
            // librdkafka takes none that has expired.
            expires: clock::now() + LIFETIME,
        })
    }

    fn now(&self) -> Timestamp {
        clock::now()
    }
}

/// The way to the brokers with tokens, and how many were asked for.
fn way(kafka: &Kafka, age: SignedDuration) -> (Cluster, Arc<AtomicU64>) {
    let given = Arc::new(AtomicU64::new(0));
    let tokens = Unsigned {
        age,
        given: Arc::clone(&given),
    };
    let authority = std::fs::read_to_string(&kafka.certificates().authority).unwrap();
    let security = Security::Iam {
        ca: Some(authority),
        tokens: Tokens::new(tokens),
    };
    (
        Cluster::new(&kafka.brokers(Listener::Token), security).unwrap(),
        given,
    )
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Apache Kafka: .ci/run kafka"]
async fn tokens_are_renewed_and_shown_again_while_records_flow() {
    const RECORDS: u64 = 80;
    let kafka = shared().await;
    let (cluster, given) = way(kafka, SignedDuration::ZERO);
    topics::create(&kafka.cluster(), "tokens", 1).await.unwrap();
    let publisher = KafkaPublisher::new(&cluster).unwrap();
    publisher.connect(PATIENCE).await.unwrap();
    let consumer = TopicConsumer::subscribe(&cluster, "tokens", "tokens").unwrap();
    let before = given.load(Ordering::SeqCst);
    let mut beat = interval(Duration::from_millis(500));
    for index in 0..RECORDS {
        beat.tick().await;
        let until = Instant::now() + Duration::from_secs(20);
        let value = index.to_string();
        let at = publisher
            .publish("tokens", "A", value.as_bytes(), until)
            .await
            .unwrap();
        let record = timeout(PATIENCE, received(&consumer)).await.unwrap();
        assert_eq!(
            (record.offset, record.value.unwrap()),
            (at.offset, value.into())
        );
    }
    // A producer and a consumer for forty seconds: each has its second and third token by then.
    let renewed = given.load(Ordering::SeqCst) - before;
    assert!(renewed >= 4, "{renewed}");
}

/// The next record; a connection that the broker has ended meanwhile is made anew.
async fn received(consumer: &TopicConsumer) -> ConsumedRecord {
    loop {
        if let Ok(record) = consumer.next().await {
            return record;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Apache Kafka: .ci/run kafka"]
async fn a_topic_is_created_with_a_token_and_found_when_it_exists() {
    let kafka = shared().await;
    let (cluster, _) = way(kafka, SignedDuration::ZERO);
    for _ in 0..2 {
        topics::create(&cluster, "by-token", 3).await.unwrap();
        topics::create_absent(&cluster, "by-token", 5)
            .await
            .unwrap();
    }
    blocking(move || {
        let watermarks = Watermarks::new(&cluster, "by-token").unwrap();
        assert_eq!(watermarks.partitions("by-token").unwrap(), [0, 1, 2]);
        assert_eq!(watermarks.held("by-token", 0).unwrap(), 0..0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Apache Kafka: .ci/run kafka"]
async fn a_token_that_has_expired_is_refused_by_name_and_not_shown() {
    let kafka = shared().await;
    let (cluster, _) = way(kafka, SignedDuration::from_hours(1));
    let publisher = KafkaPublisher::new(&cluster).unwrap();
    let refused = publisher.connect(Duration::from_secs(8)).await.unwrap_err();
    assert!(
        matches!(refused, ProducerError::Unauthenticated(_)),
        "{refused:?}"
    );
    let said = refused.to_string();
    assert!(
        said.contains("refuses the credentials") && !said.contains("eyJ"),
        "{said}"
    );
    let refused = topics::create(&cluster, "never", 1).await.unwrap_err();
    assert!(
        matches!(refused, TopicError::Unauthenticated(_)),
        "{refused:?}"
    );
}
