//! What is logged of brokers that don't speak what `KAFKA_SECURITY` says.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    fmt::Debug,
    sync::{Mutex, Once, PoisonError},
    time::{Duration, Instant},
};

use jiff::Timestamp;
use secrets::Secret;
use stream::{
    Cluster, ProvideToken, Security, Token, TokenError, Tokens,
    consume::TopicConsumer,
    embedded::EmbeddedBroker,
    publish::{KafkaPublisher, Publish},
    topics,
};
use tokio::time::timeout;
use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
    subscriber::set_global_default,
};

/// The lines of every client in this process.
static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

struct Log;

impl Subscriber for Log {
    fn enabled(&self, of: &Metadata<'_>) -> bool {
        *of.level() <= Level::INFO
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(event.metadata().level().to_string());
        event.record(&mut line);
        LINES
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(line.0);
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, _: &Field, value: &dyn Debug) {
        self.0.push_str(&format!(" {value:?}"));
    }
}

/// The lines about these brokers.
fn lines(brokers: &str) -> Vec<String> {
    let lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
    let about = lines.iter().filter(|line| line.contains(brokers));
    about.cloned().collect()
}

#[derive(Debug)]
struct OneToken;

impl ProvideToken for OneToken {
    fn token(&self) -> Result<Token, TokenError> {
        Ok(Token {
            token: Secret::from("c0ffee".to_owned()),
            principal: "ann".to_owned(),
            expires: "2200-01-01T00:00:00Z".parse().unwrap(),
        })
    }

    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }
}

fn encrypted() -> [Security; 3] {
    [
        Security::Tls { ca: None },
        Security::Scram {
            ca: None,
            user: "ann".to_owned(),
            password: Secret::from("c0ffee".to_owned()),
        },
        Security::Iam {
            ca: None,
            tokens: Tokens::new(OneToken),
        },
    ]
}

/// Long enough for librdkafka to try again several times.
const TRIES: Duration = Duration::from_secs(4);

/// Does `work` with a client that speaks `security` to a listener without TLS, and gives what was logged.
async fn said(security: &Security, work: impl AsyncFn(&Cluster)) -> (String, Vec<String>) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| set_global_default(Log).unwrap());
    let broker = EmbeddedBroker::start().unwrap();
    let cluster = Cluster::new(broker.brokers(), security.clone()).unwrap();
    work(&cluster).await;
    (broker.brokers().to_owned(), lines(broker.brokers()))
}

fn is_one_sentence(of: &str, security: &Security, (brokers, lines): &(String, Vec<String>)) {
    let expected = format!(
        "ERROR the broker {brokers} ended the TLS handshake, as a listener without TLS does: set KAFKA_SECURITY, which \
         is '{}', to what that listener takes, or name the port of another listener",
        security.name()
    );
    assert_eq!(lines, &[expected], "{of} with {}", security.name());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_producer_that_speaks_tls_to_a_listener_without_says_so_once() {
    for security in encrypted() {
        let said = said(&security, async |cluster| {
            let publisher = KafkaPublisher::new(cluster).unwrap();
            let until = tokio::time::Instant::now() + TRIES;
            for _ in 0..3 {
                publisher.publish("t", "k", b"v", until).await.unwrap_err();
            }
        });
        is_one_sentence("a producer", &security, &said.await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_that_speaks_tls_to_a_listener_without_says_so_once() {
    for security in encrypted() {
        let said = said(&security, async |cluster| {
            let consumer = TopicConsumer::subscribe(cluster, "t", "g").unwrap();
            let end = Instant::now() + TRIES;
            while Instant::now() < end {
                let left = end.saturating_duration_since(Instant::now());
                if let Ok(read) = timeout(left, consumer.next()).await {
                    read.unwrap_err();
                }
            }
        });
        is_one_sentence("a consumer", &security, &said.await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_asks_and_speaks_tls_to_a_listener_without_says_so_once() {
    for security in encrypted() {
        let said = said(&security, async |cluster| {
            let error = topics::reach(cluster).await.unwrap_err().to_string();
            assert!(error.contains("KAFKA_SECURITY"), "{error}");
        });
        is_one_sentence("a question", &security, &said.await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_that_speaks_tls_to_a_listener_without_says_so_once() {
    // It asks for 10 s, so not with each of them.
    let [_, _, security] = encrypted();
    let said = said(&security, async |cluster| {
        let error = topics::create(cluster, "t", 1).await.unwrap_err();
        assert!(error.to_string().contains("KAFKA_SECURITY"), "{error}");
    });
    is_one_sentence("an admin", &security, &said.await);
}
