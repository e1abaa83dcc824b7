use std::collections::BTreeMap;

use feeds::FeedSettings;
use futures::future::join_all;
use market_server::{Settings, Times};
use pipeline_tests::real_kafka::{DENIED_TOPIC, Listener, PASSWORD, certificates::Certificates};
use quote_poller::Poller;
use runtime::{Environment, Invocation, clock};
use serde_json::{json, value::to_raw_value};
use stream::{
    consume::TopicConsumer,
    publish::{ProducerError, PublishError},
    topics::{self, TopicError},
};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{
    way::{SECURITIES, Way, identity, right, user},
    *,
};

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Apache Kafka: .ci/run kafka"]
async fn with_the_right_credentials_a_missing_topic_is_made_and_records_go_there_and_back() {
    let kafka = shared().await;
    join_all(SECURITIES.map(|security| async move {
        let way = right(kafka, security);
        let topic = format!("over-{security}");
        let way = way.creating(3);
        let access = way.access();
        let cluster = access.cluster().await.unwrap();
        let publisher = KafkaPublisher::with_access(access);
        publisher.connect(PATIENCE).await.unwrap();
        let mut sent = BTreeMap::new();
        for index in 0..10 {
            let key = format!("k{index}");
            let position = publisher
                .publish(&topic, &key, b"{}", soon())
                .await
                .unwrap();
            sent.insert(position, key);
        }
        let consumer = TopicConsumer::subscribe(&cluster, &topic, &topic).unwrap();
        for _ in 0..10 {
            let record = timeout(PATIENCE, consumer.next()).await.unwrap().unwrap();
            let (partition, offset) = (record.partition, record.offset);
            let key = sent.remove(&Position { partition, offset }).unwrap();
            assert_eq!(record.key.unwrap(), key, "{topic}");
        }
        consumer.commit([(0, 1)]).await.unwrap();
        blocking(move || {
            drop(consumer);
            let watermarks = Watermarks::new(&cluster, &topic).unwrap();
            assert_eq!(watermarks.partitions(&topic).unwrap(), [0, 1, 2]);
            assert_eq!(watermarks.committed(&topic, &[0]).unwrap(), [Some(1)]);
        })
        .await;
    }))
    .await;
}

/// What the setting is that is wrong, how it is wrong, and how a person hears of it.
fn wrong_ways(kafka: &Kafka) -> Vec<(Way, &'static str, &'static str)> {
    let Certificates {
        authority,
        other_authority,
        stranger,
        ..
    } = kafka.certificates();
    let way =
        |listener, security| Way::new(&kafka.brokers(listener), security).authority(authority);
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = closed.local_addr().unwrap().to_string();
    vec![
        (
            way(Listener::Scram, "scram").credentials(&user("c0ffee-wrong")),
            "refuses the credentials",
            "unauthenticated",
        ),
        (
            way(Listener::Tls, "tls").authority(other_authority),
            "is not trusted: set KAFKA_CA_SECRET",
            "unauthenticated",
        ),
        (
            way(Listener::Mtls, "tls"),
            "set KAFKA_SECURITY to mtls",
            "unauthenticated",
        ),
        (
            way(Listener::Mtls, "mtls").credentials(&identity(stranger)),
            "refuses the client's certificate",
            "unauthenticated",
        ),
        (
            way(Listener::Tls, "plaintext"),
            "check KAFKA_BOOTSTRAP_SERVERS, KAFKA_SECURITY",
            "publish-timed-out",
        ),
        (
            way(Listener::Plaintext, "tls"),
            "KAFKA_SECURITY",
            "publish-timed-out",
        ),
        (
            Way::new(&nobody, "scram")
                .authority(authority)
                .credentials(&user(PASSWORD)),
            "no broker answers at 127.0.0.1:",
            "publish-timed-out",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Apache Kafka: .ci/run kafka"]
async fn with_wrong_credentials_one_sentence_names_them_and_every_quote_counts_as_failed() {
    let kafka = shared().await;
    let market = market().await;
    let market_url = market.binance_url();
    let ways = wrong_ways(kafka).into_iter();
    join_all(ways.map(|(way, named, reason)| {
        let market = market_url.clone();
        async move {
            let of = format!("{:?}", way.settings);
            let one_sentence = |said: String| {
                for secret in [PASSWORD, "c0ffee", "PRIVATE KEY", "\n"] {
                    assert!(!said.contains(secret), "{of}: {said}");
                }
            };
            let publisher = KafkaPublisher::with_access(way.access());
            let asked = Instant::now();
            let refused = publisher.connect(Duration::from_secs(8)).await.unwrap_err();
            assert!(asked.elapsed() < Duration::from_secs(15), "{of}");
            assert!(refused.to_string().contains(named), "{of}: {refused}");
            one_sentence(refused.to_string());
            let cluster = way.access().cluster().await.unwrap();
            one_sentence(topics::reach(&cluster).await.unwrap_err().to_string());

            let report = poll(&publisher, "crypto-prices", market).await;
            let failed: u64 = report.failed.iter().map(|failed| failed.count).sum();
            assert_eq!(report.cycles + report.skipped_cycles, 2, "{of}: {report:?}");
            assert!(
                report.cycles > 0 && failed == 2 * report.cycles,
                "{of}: {report:?}"
            );
            assert_eq!(
                (report.published, report.polled),
                (0, failed),
                "{of}: {report:?}"
            );
            for failed in report.failed {
                assert_eq!(failed.reason, reason, "{of}");
            }
        }
    }))
    .await;
    market.stop().await;
}

async fn market() -> market_server::Running {
    let settings = Settings {
        port: 0,
        times: Times::Now,
        speed: 1.0,
        tokens: vec!["replay".to_owned()],
    };
    market_server::start(settings).await.unwrap()
}

/// Two cycles of two quotes.
async fn poll(publisher: &KafkaPublisher, topic: &str, market: String) -> quote_poller::Report {
    let environment = Environment::from_iter([("BINANCE_URL", market)]);
    let lookup = move |name: &str| environment.secret(name);
    let poller = Poller::new(FeedSettings::new(lookup, None, clock::now));
    let job = json!({"feed": "binance", "symbols": ["BTCUSDT", "ETHUSDT"], "topic": topic,
        "beat_seconds": 2, "budget_seconds": 4});
    let invocation = Invocation {
        deadline: Instant::now() + Duration::from_secs(34),
        stop: CancellationToken::new(),
    };
    let job = to_raw_value(&job).unwrap();
    poller.handle(publisher, &job, &invocation).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Apache Kafka: .ci/run kafka"]
async fn a_topic_that_is_not_for_the_user_is_named_and_others_stay_open() {
    let kafka = shared().await;
    for name in [DENIED_TOPIC, "for-quotelake"] {
        topics::create(&kafka.cluster(), name, 1).await.unwrap();
    }
    let market = market().await;
    for security in ["mtls", "scram"] {
        let way = right(kafka, security);
        let access = way.access();
        let cluster = access.cluster().await.unwrap();
        let publisher = KafkaPublisher::with_access(access);
        publisher.connect(PATIENCE).await.unwrap();
        let denied = publisher.publish(DENIED_TOPIC, "A", b"{}", soon()).await;
        let expected = PublishError::Denied {
            topic: DENIED_TOPIC.to_owned(),
        };
        assert_eq!(denied, Err(expected));
        publisher
            .publish("for-quotelake", "A", b"{}", soon())
            .await
            .unwrap();

        let report = poll(&publisher, DENIED_TOPIC, market.binance_url()).await;
        assert!(
            report.published == 0 && !report.failed.is_empty(),
            "{report:?}"
        );
        for failed in &report.failed {
            assert_eq!(failed.reason, "publish-denied", "{report:?}");
        }
        let report = poll(&publisher, "for-quotelake", market.binance_url()).await;
        assert!(
            report.published > 0 && report.failed.is_empty(),
            "{report:?}"
        );

        let refused = topics::create(&cluster, DENIED_TOPIC, 1).await;
        let refused = refused.unwrap_err();
        assert!(matches!(refused, TopicError::Refused { .. }), "{refused}");
        let of = cluster.clone();
        let refused = blocking(move || {
            let watermarks = Watermarks::new(&of, "denied").unwrap();
            watermarks.partitions(DENIED_TOPIC).unwrap_err()
        })
        .await;
        assert!(matches!(refused, TopicError::Refused { .. }), "{refused}");

        let consumer = TopicConsumer::subscribe(&cluster, DENIED_TOPIC, "denied").unwrap();
        let denied = timeout(PATIENCE, consumer.next())
            .await
            .unwrap()
            .unwrap_err();
        let said = denied.to_string();
        assert!(
            said.contains(DENIED_TOPIC) && said.contains("authorization"),
            "{said}"
        );
    }
    market.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Apache Kafka: .ci/run kafka"]
async fn a_password_that_was_put_right_is_taken_up_by_a_running_publisher() {
    let kafka = shared().await;
    let authority = &kafka.certificates().authority;
    let way = Way::new(&kafka.brokers(Listener::Scram), "scram").authority(authority);
    let way = way.credentials(&user("c0ffee-old")).creating(1);
    let publisher = KafkaPublisher::with_access(way.access());
    let refused = publisher.connect(Duration::from_secs(8)).await;
    assert!(
        matches!(refused, Err(ProducerError::Unauthenticated(_))),
        "{refused:?}"
    );
    let way = way.credentials(&user(PASSWORD));
    until("the new password", async || {
        publisher
            .publish("rotated", "A", b"{}", soon())
            .await
            .is_ok()
    })
    .await;
    drop(way);
}
