use std::{net::Ipv4Addr, sync::Mutex as StdMutex};

use axum::{Router, http::StatusCode, http::Uri, routing::get};
use secrets::Credentials;
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinSet, time::advance};

use super::*;

const ARN: &str =
    "arn:aws:kafka:eu-west-1:123456789012:cluster/quotes/6cc0432b-8618-4f44-bccc-e1fbd8fb7c4d-2";

/// MSK's API on loopback: it gives the scripted answers in turn, the last stands, and counts the questions.
pub(crate) struct Api {
    pub(crate) account: Arc<AwsAccount>,
    msk: Msk,
    asked: Arc<StdMutex<Vec<String>>>,
    _task: JoinSet<()>,
}

impl Api {
    pub(crate) async fn answering(answers: &[(u16, Value)]) -> Self {
        Self::start(Some(answers.to_vec())).await
    }

    async fn start(answers: Option<Vec<(u16, Value)>>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let asked: Arc<StdMutex<Vec<String>>> = Arc::default();
        let log = Arc::clone(&asked);
        let serve = move |uri: Uri| {
            let asked = {
                let mut log = log.lock().unwrap();
                log.push(uri.path().to_owned());
                log.len()
            };
            let answer = answers
                .as_ref()
                .map(|answers| answers[(asked - 1).min(answers.len() - 1)].clone());
            async move {
                match answer {
                    None => std::future::pending().await,
                    Some((status, body)) => {
                        let kind = body["__type"].as_str().unwrap_or_default().to_owned();
                        let headers = [
                            ("content-type", "application/json".to_owned()),
                            ("x-amzn-errortype", kind),
                        ];
                        let status = StatusCode::from_u16(status).unwrap();
                        (status, headers, body.to_string())
                    }
                }
            }
        };
        let router = Router::new().fallback(get(serve));
        let mut task = JoinSet::new();
        task.spawn(async move { axum::serve(listener, router).await.unwrap() });
        let credentials = Credentials::new("test", "test", None, None, "test");
        let account = Arc::new(AwsAccount::at(endpoint, credentials));
        Self {
            msk: Msk::new(ARN.to_owned(), Arc::clone(&account)),
            account,
            asked,
            _task: task,
        }
    }

    pub(crate) fn questions(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

fn lists() -> Value {
    json!({
        "bootstrapBrokerString": "b-1:9092",
        "bootstrapBrokerStringTls": "b-1:9094,b-2:9094",
        "bootstrapBrokerStringSaslScram": "b-1:9096",
        "bootstrapBrokerStringSaslIam": "b-1:9098",
        "bootstrapBrokerStringPublicSaslIam": "b-1-public:9198",
    })
}

#[tokio::test]
async fn each_kind_of_security_gets_its_own_list_and_the_cluster_is_asked_once() {
    let api = Api::answering(&[(200, lists())]).await;
    for (security, brokers) in [
        ("plaintext", "b-1:9092"),
        ("tls", "b-1:9094,b-2:9094"),
        ("mtls", "b-1:9094,b-2:9094"),
        ("scram", "b-1:9096"),
        ("iam", "b-1:9098"),
    ] {
        assert_eq!(api.msk.brokers(security, false).await.unwrap(), brokers);
    }
    assert_eq!(api.questions(), 1);
    let path = api.asked.lock().unwrap()[0].clone();
    assert!(path.starts_with("/v1/clusters/arn%3Aaws%3Akafka"), "{path}");
    assert!(path.ends_with("/bootstrap-brokers"), "{path}");
}

#[tokio::test]
async fn a_listener_that_is_not_there_names_those_that_are() {
    let lists =
        json!({"bootstrapBrokerStringTls": "b-1:9094", "bootstrapBrokerStringSaslIam": "b-1:9098"});
    let api = Api::answering(&[(200, lists)]).await;
    let said = api.msk.brokers("scram", false).await.unwrap_err();
    assert_eq!(
        said.to_string(),
        format!(
            "the cluster {ARN} has no listener for scram: enable it on the cluster, or set KAFKA_SECURITY to one of tls, \
             mtls, iam"
        )
    );
    let api = Api::answering(&[(200, json!({}))]).await;
    let said = api.msk.brokers("iam", false).await.unwrap_err().to_string();
    assert!(said.contains("wait until it is active"), "{said}");
}

#[tokio::test]
async fn what_the_service_refuses_has_its_meaning() {
    let body = |kind: &str| json!({"__type": kind, "message": "so it is"});
    let cases = [
        (404, "NotFoundException", "there is no MSK cluster"),
        (403, "ForbiddenException", "allow kafka:GetBootstrapBrokers"),
        (
            401,
            "UnauthorizedException",
            "allow kafka:GetBootstrapBrokers",
        ),
        (400, "BadRequestException", "check MSK_CLUSTER_ARN"),
    ];
    for (status, kind, meaning) in cases {
        let api = Api::answering(&[(status, body(kind))]).await;
        let said = api.msk.brokers("tls", false).await.unwrap_err().to_string();
        assert!(said.contains(meaning), "{kind}: {said}");
        assert!(said.contains(ARN), "{said}");
        assert_eq!(api.questions(), 1, "{kind} is no reason to ask again");
    }
}

#[tokio::test]
async fn a_service_out_of_order_is_asked_again_and_then_unavailable() {
    let down = (
        500,
        json!({"__type": "InternalServerErrorException", "message": ""}),
    );
    let api = Api::answering(std::slice::from_ref(&down)).await;
    let error = api.msk.brokers("tls", false).await.unwrap_err();
    assert!(matches!(error, MskError::Unavailable { .. }), "{error:?}");
    assert_eq!(api.questions(), 3);
    let api = Api::answering(&[down, (200, lists())]).await;
    assert_eq!(api.msk.brokers("iam", false).await.unwrap(), "b-1:9098");
}

#[tokio::test(start_paused = true)]
async fn a_service_that_hangs_costs_at_most_five_seconds() {
    let api = Api::start(None).await;
    let start = Instant::now();
    let error = api.msk.brokers("tls", false).await.unwrap_err();
    assert!(matches!(error, MskError::Unavailable { .. }), "{error:?}");
    assert!(start.elapsed() <= LIMIT + Duration::from_millis(1));
}

#[tokio::test]
async fn replaced_brokers_are_found_but_not_asked_for_within_half_a_minute() {
    let new = json!({"bootstrapBrokerStringTls": "b-3:9094"});
    let api = Api::answering(&[(200, lists()), (200, new)]).await;
    let old = api.msk.brokers("tls", false).await.unwrap();
    assert_eq!(api.msk.brokers("tls", true).await.unwrap(), old);
    assert_eq!(api.questions(), 1);
    tokio::time::pause();
    advance(RENEWAL).await;
    tokio::time::resume();
    assert_eq!(
        api.msk.brokers("tls", false).await.unwrap(),
        old,
        "nobody asked for others"
    );
    assert_eq!(api.msk.brokers("tls", true).await.unwrap(), "b-3:9094");
    assert_eq!(api.questions(), 2);
}

#[tokio::test]
async fn the_order_in_which_the_brokers_are_told_does_not_matter() {
    let lists = json!({"bootstrapBrokerString": "b-2:9092,b-3:9092,b-1:9092"});
    let api = Api::answering(&[(200, lists)]).await;
    let brokers = api.msk.brokers("plaintext", false).await.unwrap();
    assert_eq!(brokers, "b-1:9092,b-2:9092,b-3:9092");
}

#[tokio::test]
async fn a_cluster_that_has_no_listener_yet_is_asked_again() {
    let api = Api::answering(&[(200, json!({})), (200, lists())]).await;
    let early = api.msk.brokers("iam", false).await;
    assert!(
        matches!(early, Err(MskError::NoListener { .. })),
        "{early:?}"
    );
    assert_eq!(api.msk.brokers("iam", false).await.unwrap(), "b-1:9098");
}

#[test]
fn an_arn_of_a_cluster_tells_its_region_and_anything_else_is_none() {
    assert_eq!(region(ARN), Some("eu-west-1"));
    let china = "arn:aws-cn:kafka:cn-north-1:123456789012:cluster/quotes/id-2";
    assert_eq!(region(china), Some("cn-north-1"));
    for wrong in [
        "",
        "quotes",
        "arn:aws:kafka:eu-west-1:123456789012:topic/quotes/id/t",
        "arn:aws:kafka::123456789012:cluster/quotes/id",
        "arn:aws:kafka:eu-west-1:1234:cluster/quotes/id",
        "arn:aws:kafka:eu-west-1:123456789012:cluster/quotes",
        "arn:aws:s3:eu-west-1:123456789012:cluster/quotes/id",
    ] {
        assert_eq!(region(wrong), None, "{wrong}");
    }
}
