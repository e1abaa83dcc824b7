use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::{get, post},
};
use stream::{embedded::EmbeddedBroker, publish::KafkaPublisher};
use tokio::{net::TcpListener, time::sleep};

use super::*;

const PATIENCE: Duration = Duration::from_secs(30);

/// A Lambda whose first answers are those of a bad day, and what reached its function on the good ones.
#[derive(Default)]
struct Lambda {
    calls: Mutex<u32>,
    offsets: Mutex<BTreeSet<(String, i64)>>,
}

impl Lambda {
    fn answer(&self, payload: &[u8]) -> (StatusCode, HeaderMap, String) {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        *calls += 1;
        let none = HeaderMap::new();
        match *calls {
            1 => (StatusCode::BAD_GATEWAY, none, String::new()),
            2 => (StatusCode::TOO_MANY_REQUESTS, none, String::new()),
            3 => {
                let mut failed = HeaderMap::new();
                failed.insert("x-amz-function-error", "Unhandled".parse().unwrap());
                let error = r#"{"errorType":"Fault","errorMessage":"no store"}"#;
                (StatusCode::OK, failed, error.to_owned())
            }
            4 => (StatusCode::ACCEPTED, none, String::new()),
            5 => {
                let mut elsewhere = HeaderMap::new();
                elsewhere.insert("location", "/sign-in".parse().unwrap());
                (StatusCode::FOUND, elsewhere, String::new())
            }
            _ => {
                let event: serde_json::Value = serde_json::from_slice(payload).unwrap();
                let partitions = event["records"].as_object().unwrap().iter();
                let records = partitions.flat_map(|(partition, records)| {
                    let records = records.as_array().unwrap().iter();
                    records.map(|record| (partition.clone(), record["offset"].as_i64().unwrap()))
                });
                self.offsets.lock().unwrap().extend(records);
                (StatusCode::OK, none, "{}".to_owned())
            }
        }
    }
}

async fn serve(lambda: &Arc<Lambda>) -> String {
    let answer = async |State(lambda): State<Arc<Lambda>>, body: Bytes| lambda.answer(&body);
    let routes = Router::new()
        .route(
            "/2015-03-31/functions/deployed-writer/invocations",
            post(answer),
        )
        .route("/sign-in", get(async || "a page"))
        .with_state(Arc::clone(lambda));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, routes).await });
    format!("http://{address}")
}

/// The pipeline's topics on an embedded broker, the first of them with 20 records.
async fn broker() -> EmbeddedBroker {
    let broker = EmbeddedBroker::start().unwrap();
    let (template, parameters) = (template(), Default::default());
    let pipeline = plane::pipeline::read(&template, broker.brokers(), &parameters).unwrap();
    for topic in plane::pipeline::topics(&pipeline) {
        broker.create_topic(&topic, 2).unwrap();
    }
    let publisher = KafkaPublisher::new(broker.cluster()).unwrap();
    for number in 0..20 {
        let (key, value) = (format!("S{number}"), format!(r#"{{"n":{number}}}"#));
        let until = Instant::now() + PATIENCE;
        let sent = publisher.send(
            "stock-quotes",
            Some(key.as_bytes()),
            value.as_bytes(),
            until,
        );
        sent.await.unwrap();
    }
    broker
}

fn template() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../template.yaml")
}

fn options(broker: &EmbeddedBroker, endpoint: &str, function: &str) -> Options {
    Options {
        brokers: broker.brokers().to_owned(),
        lambda_endpoint: endpoint.to_owned(),
        functions: vec![(function.to_owned(), "deployed-writer".to_owned())],
        s3_endpoint: None,
        template: template(),
        parameters: Vec::new(),
        run_for: None,
        json: false,
    }
}

async fn start(options: &Options) -> Result<RemoteTriggers, RemoteError> {
    RemoteTriggers::start(options, &Environment::default()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_record_reaches_the_function_whatever_the_service_answers_first() {
    let (broker, lambda) = (broker().await, Arc::new(Lambda::default()));
    let endpoint = serve(&lambda).await;
    let triggers = start(&options(&broker, &endpoint, "BronzeWriter"))
        .await
        .unwrap();
    let end = Instant::now() + PATIENCE;
    while lambda.offsets.lock().unwrap().len() < 20 {
        let counts = triggers.stats().snapshot();
        assert!(Instant::now() < end, "{counts:?}");
        sleep(Duration::from_millis(50)).await;
    }
    let summary = triggers.stop().await.unwrap();
    assert!(summary.is_complete(), "{summary}");
    assert_eq!((summary.records, summary.left), (20, 0), "{summary}");
    assert_eq!(summary.counts.retried_batches, 5, "{summary}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_the_template_does_not_trigger_is_refused_by_name() {
    let broker = broker().await;
    let started = start(&options(&broker, "http://127.0.0.1:1", "Writer")).await;
    let Err(error) = started else {
        panic!("it should be refused");
    };
    let sentence =
        "--function Writer=…: the template has no function Writer with an enabled Kafka trigger";
    assert_eq!(error.to_string(), sentence);
}

#[tokio::test]
async fn brokers_are_spoken_to_as_the_environment_tells() {
    let broker = EmbeddedBroker::start().unwrap();
    let environment = Environment::from_iter([("KAFKA_SECURITY", "scram")]);
    let options = options(&broker, "http://127.0.0.1:1", "BronzeWriter");
    let started = RemoteTriggers::start(&options, &environment).await;
    let Err(error) = started else {
        panic!("it should be refused");
    };
    assert!(
        error.to_string().contains("KAFKA_CREDENTIALS_SECRET"),
        "{error}"
    );
}
