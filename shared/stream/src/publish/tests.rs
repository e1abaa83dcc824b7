use std::{
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
        mpsc,
    },
};

use async_trait::async_trait;
use jiff::Timestamp;
use secrets::{FetchSecret, Secret, SecretError, SecretReference};
use tokio::time::timeout;

use super::*;
use crate::{ProvideToken, Security, Token, TokenError, Tokens, embedded::EmbeddedBroker};

/// Where nobody listens.
fn nowhere() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

fn publisher(cluster: &Cluster) -> KafkaPublisher {
    KafkaPublisher::new(cluster).unwrap()
}

fn shared(publisher: &KafkaPublisher) -> &Shared {
    publisher.0.get().unwrap()
}

fn in_seconds(seconds: u64) -> Instant {
    Instant::now() + Duration::from_secs(seconds)
}

/// Tokens of 15 minutes by a clock of the test's; tells when one is asked for.
#[derive(Debug)]
struct Ticking {
    now: Arc<AtomicI64>,
    asked: mpsc::Sender<()>,
}

impl ProvideToken for Ticking {
    fn token(&self) -> Result<Token, TokenError> {
        let expires = Timestamp::from_second(self.now.load(Ordering::Relaxed) + 900).unwrap();
        let _ = self.asked.send(());
        Ok(Token {
            token: Secret::from("c0ffee".to_owned()),
            principal: "ann".to_owned(),
            expires,
        })
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.now.load(Ordering::Relaxed)).unwrap()
    }
}

#[test]
fn a_producer_whose_token_expired_in_a_freeze_is_replaced_before_the_next_record() {
    // librdkafka takes no token that has expired by its own clock.
    let now = Arc::new(AtomicI64::new(4_000_000_000));
    let (asked, tokens) = mpsc::channel();
    let source = Ticking {
        now: Arc::clone(&now),
        asked,
    };
    let security = Security::Iam {
        ca: None,
        tokens: Tokens::new(source),
    };
    let publisher = publisher(&Cluster::new(&nowhere(), security).unwrap());
    tokens.recv_timeout(Duration::from_secs(10)).unwrap();
    let first = shared(&publisher).connection();
    now.fetch_add(899, Ordering::Relaxed);
    assert!(shared(&publisher).connection().is_same(&first));
    now.fetch_add(3600, Ordering::Relaxed);
    let end = Instant::now() + Duration::from_secs(10);
    let second = loop {
        assert!(Instant::now() < end, "it is not replaced");
        // The token is noted just after it was asked for.
        let current = shared(&publisher).connection();
        if !current.is_same(&first) {
            break current;
        }
    };
    assert!(first.is_left());
    tokens.recv_timeout(Duration::from_secs(10)).unwrap();
    assert!(
        shared(&publisher).connection().is_same(&second),
        "its token is new"
    );
}

/// Tokens that have expired when they are given.
#[derive(Debug)]
struct Late(mpsc::Sender<()>);

impl ProvideToken for Late {
    fn token(&self) -> Result<Token, TokenError> {
        let _ = self.0.send(());
        Ok(Token {
            token: Secret::from("c0ffee".to_owned()),
            principal: "ann".to_owned(),
            expires: Timestamp::UNIX_EPOCH,
        })
    }

    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }
}

#[test]
fn a_producer_that_can_never_be_used_is_not_replaced_with_every_record() {
    let (asked, tokens) = mpsc::channel();
    let security = Security::Iam {
        ca: None,
        tokens: Tokens::new(Late(asked)),
    };
    let publisher = publisher(&Cluster::new(&nowhere(), security).unwrap());
    let mut producers = vec![shared(&publisher).connection()];
    tokens.recv_timeout(Duration::from_secs(10)).unwrap();
    let end = Instant::now() + Duration::from_millis(2500);
    while Instant::now() < end {
        let current = shared(&publisher).connection();
        if !producers.iter().any(|known| known.is_same(&current)) {
            producers.push(current);
        }
    }
    assert!((2..=3).contains(&producers.len()), "{}", producers.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_waits_goes_with_the_connection_that_replaces_its_own() {
    let broker = EmbeddedBroker::start().unwrap();
    broker.create_topic("t", 1).unwrap();
    let publisher = Arc::new(publisher(&Cluster::plaintext(&nowhere()).unwrap()));
    let sending = {
        let publisher = Arc::clone(&publisher);
        tokio::spawn(async move { publisher.send("t", None, b"{}", in_seconds(9)).await })
    };
    let old = shared(&publisher).connection();
    let queued = async {
        while old.producer().in_flight_count() == 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(9), queued).await.unwrap();
    let new = shared(&publisher).open(broker.cluster()).unwrap();
    shared(&publisher).replace(&old, new);
    let position = sending.await.unwrap().unwrap();
    assert_eq!((position.partition, position.offset), (0, 0));
}

/// A password that is another one each time.
#[derive(Debug, Default)]
struct Rotating(AtomicI64);

#[async_trait]
impl FetchSecret for Rotating {
    async fn fetch(&self, _: &SecretReference) -> Result<Secret, SecretError> {
        let password = self.0.fetch_add(1, Ordering::Relaxed);
        let user = format!(r#"{{"username":"ann","password":"p{password}"}}"#);
        Ok(Secret::from(user))
    }
}

/// The access of a user whose credentials `secrets` has.
fn scram(at: &str, secrets: &Arc<dyn FetchSecret>) -> Access {
    let lookup = |name: &str| match name {
        "KAFKA_BOOTSTRAP_SERVERS" => Some(at.to_owned()),
        "KAFKA_SECURITY" => Some("scram".to_owned()),
        "KAFKA_CREDENTIALS_SECRET" => Some("ssm:user".to_owned()),
        _ => None,
    };
    Access::read(&lookup, secrets).unwrap()
}

/// A password that is not there at first, in a store that takes its time.
#[derive(Debug, Default)]
struct Absent {
    takes: Duration,
    is_there: AtomicBool,
    asked: AtomicI64,
}

#[async_trait]
impl FetchSecret for Absent {
    async fn fetch(&self, reference: &SecretReference) -> Result<Secret, SecretError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        sleep(self.takes).await;
        if self.is_there.load(Ordering::Relaxed) {
            return Ok(Secret::from(
                r#"{"username":"ann","password":"p"}"#.to_owned(),
            ));
        }
        Err(SecretError::NotFound {
            reference: reference.clone(),
        })
    }
}

#[tokio::test(start_paused = true)]
async fn records_fail_by_name_until_the_credentials_are_there() {
    let secrets = Arc::new(Absent::default());
    let fetch: Arc<dyn FetchSecret> = Arc::clone(&secrets) as _;
    let publisher = KafkaPublisher::with_access(scram(&nowhere(), &fetch));
    for _ in 0..3 {
        let failed = publisher.send("t", None, b"{}", in_seconds(9)).await;
        let failed = failed.unwrap_err();
        assert_eq!(failed.reason(), "no-producer");
        assert!(failed.to_string().contains("ssm:user"), "{failed}");
    }
    assert_eq!(secrets.asked.load(Ordering::Relaxed), 1);
    secrets.is_there.store(true, Ordering::Relaxed);
    tokio::time::advance(Duration::from_secs(10)).await;
    publisher.0.open(in_seconds(9)).await.unwrap();
    assert_eq!(secrets.asked.load(Ordering::Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn a_record_that_can_not_wait_costs_the_others_no_attempt() {
    let secrets = Arc::new(Absent {
        takes: Duration::from_secs(3),
        ..Absent::default()
    });
    let fetch: Arc<dyn FetchSecret> = Arc::clone(&secrets) as _;
    let publisher = KafkaPublisher::with_access(scram(&nowhere(), &fetch));
    let hasty = publisher.send("t", None, b"{}", in_seconds(1)).await;
    assert_eq!(hasty, Err(PublishError::NoProducer(ProducerError::Pending)));
    let patient = || publisher.send("t", None, b"{}", in_seconds(9));
    for failed in [tokio::join!(patient(), patient()).0, patient().await] {
        let failed = failed.unwrap_err();
        assert!(failed.to_string().contains("ssm:user"), "{failed}");
    }
    assert_eq!(secrets.asked.load(Ordering::Relaxed), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn brokers_that_are_all_down_have_the_credentials_looked_up_again() {
    let secrets: Arc<dyn FetchSecret> = Arc::new(Rotating::default());
    let at = nowhere();
    let access = scram(&at, &secrets);
    let old = access.cluster().await.unwrap();
    let publisher = KafkaPublisher::with_access(access);
    publisher.0.open(in_seconds(9)).await.unwrap();
    let first = Arc::downgrade(&shared(&publisher).connection().0);
    let renewed = async {
        while *shared(&publisher).connection().cluster() == old {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(20), renewed).await.unwrap();
    let ended = async {
        while first.strong_count() > 0 {
            sleep(Duration::from_millis(10)).await;
        }
    };
    let ended = timeout(Duration::from_secs(5), ended).await;
    ended.expect("one that was replaced and has no record ends");
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_to_a_listener_without_it_names_the_setting() {
    let broker = EmbeddedBroker::start().unwrap();
    let cluster = Cluster::new(broker.brokers(), Security::Tls { ca: None }).unwrap();
    let within = Duration::from_secs(3);
    let start = Instant::now();
    let said = publisher(&cluster).connect(within).await.unwrap_err();
    assert!(said.to_string().contains("KAFKA_SECURITY"), "{said}");
    assert!(said.to_string().contains(broker.brokers()), "{said}");
    assert!(start.elapsed() < within + Duration::from_secs(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn brokers_that_refuse_connections_are_named_with_the_reason() {
    let at = nowhere();
    let cluster = Cluster::plaintext(&at).unwrap();
    let said = publisher(&cluster).connect(Duration::from_secs(2)).await;
    let said = said.unwrap_err().to_string();
    assert!(
        said.starts_with(&format!("no broker answers at {at} (")),
        "{said}"
    );
    assert!(said.contains("refused"), "{said}");
}
