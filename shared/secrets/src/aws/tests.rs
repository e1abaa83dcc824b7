use std::{
    net::Ipv4Addr,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Bytes,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinSet, time::Instant};

use super::*;
use crate::Key;

/// A server that gives every request the same answer, and what it was asked: the operation and its input.
struct Server {
    secrets: AwsSecrets,
    asked: Arc<Mutex<Vec<(String, Value)>>>,
    _task: JoinSet<()>,
}

impl Server {
    async fn answering(status: u16, answer: Value) -> Self {
        Self::start(Some((status, answer))).await
    }

    async fn hanging() -> Self {
        Self::start(None).await
    }

    async fn start(answer: Option<(u16, Value)>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        let serve = move |headers: HeaderMap, body: Bytes| {
            let target = headers["x-amz-target"].to_str().unwrap().to_owned();
            let input = serde_json::from_slice(&body).unwrap();
            log.lock().unwrap().push((target, input));
            let answer = answer.clone();
            async move {
                match answer {
                    Some((status, answer)) => (
                        StatusCode::from_u16(status).unwrap(),
                        [("content-type", "application/x-amz-json-1.1")],
                        answer.to_string(),
                    ),
                    None => std::future::pending().await,
                }
            }
        };
        let router = Router::new().route("/", post(serve));
        let mut task = JoinSet::new();
        task.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            secrets: AwsSecrets::at(endpoint, credentials()),
            asked,
            _task: task,
        }
    }

    async fn fetch(&self, reference: &str) -> Result<Secret, SecretError> {
        self.secrets.fetch(&reference.parse().unwrap()).await
    }

    fn asked(&self) -> Vec<(String, Value)> {
        self.asked.lock().unwrap().clone()
    }
}

fn credentials() -> Credentials {
    Credentials::new("test", "test", None, None, "test")
}

fn secret_string(text: &str) -> Value {
    json!({"Name": "finnhub", "SecretString": text})
}

#[tokio::test]
async fn a_secret_is_asked_for_by_its_name_and_not_before_it_is_needed() {
    let server = Server::answering(200, secret_string("c0ffee\n")).await;
    let asked = Arc::clone(&server.asked);
    let key = Key::fetched(
        "secretsmanager:finnhub".parse().unwrap(),
        Arc::new(server.secrets),
    );
    assert_eq!(*asked.lock().unwrap(), []);
    assert_eq!(key.get().await.unwrap().expose(), "c0ffee");
    let target = "secretsmanager.GetSecretValue".to_owned();
    let expected = [(target, json!({"SecretId": "finnhub"}))];
    assert_eq!(*asked.lock().unwrap(), expected);
}

#[tokio::test]
async fn a_parameter_is_asked_for_decrypted() {
    let answer =
        json!({"Parameter": {"Name": "/finnhub", "Type": "SecureString", "Value": "c0ffee"}});
    let server = Server::answering(200, answer).await;
    let secret = server.fetch("ssm:/finnhub").await.unwrap();
    assert_eq!(secret.expose(), "c0ffee");
    let input = json!({"Name": "/finnhub", "WithDecryption": true});
    assert_eq!(
        server.asked(),
        [("AmazonSSM.GetParameter".to_owned(), input)]
    );
}

#[tokio::test]
async fn a_member_of_a_json_secret_is_taken_by_its_name() {
    let text = r#"{"user":"u","key":"c0ffee","port":9092}"#;
    let server = Server::answering(200, secret_string(text)).await;
    let secret = server.fetch("secretsmanager:finnhub#key").await.unwrap();
    assert_eq!(secret.expose(), "c0ffee");
    assert_eq!(
        server.asked()[0].1,
        json!({"SecretId": "finnhub"}),
        "the member is ours"
    );

    let absent = server.fetch("secretsmanager:finnhub#kye").await;
    assert!(matches!(absent, Err(SecretError::NoSuchMember { .. })));
    let number = server.fetch("secretsmanager:finnhub#port").await;
    assert!(matches!(number, Err(SecretError::NotText { .. })));
}

#[tokio::test]
async fn a_message_of_several_lines_is_told_in_one() {
    let message = "User: x\n is not authorized\r\n\tto perform: GetSecretValue\n";
    let answer = json!({"__type": "AccessDeniedException", "message": message});
    let server = Server::answering(400, answer).await;
    let error = server.fetch("secretsmanager:finnhub").await.unwrap_err();
    let SecretError::Denied { cause, .. } = error else {
        panic!("{error}");
    };
    assert_eq!(
        cause,
        "AccessDeniedException: User: x is not authorized to perform: GetSecretValue".into()
    );
}

#[tokio::test]
async fn what_is_no_key_is_an_error_that_does_not_show_it() {
    let binary = json!({"Name": "finnhub", "SecretBinary": "YzBmZmVl"});
    for (answer, reference, problem) in [
        (
            binary,
            "secretsmanager:finnhub",
            "is not a text: store it as that",
        ),
        (
            secret_string("c0ffee"),
            "secretsmanager:finnhub#key",
            "is not a JSON object: store it as that",
        ),
        (
            secret_string(" \n"),
            "secretsmanager:finnhub",
            "is empty: store the key in it",
        ),
    ] {
        let server = Server::answering(200, answer).await;
        let error = server.fetch(reference).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("the secret {reference} {problem}")
        );
        assert!(!format!("{error:?}").contains("c0ffee"));
    }
}

#[tokio::test]
async fn an_errors_code_decides_what_it_means() {
    let cases = [
        (
            "secretsmanager:a",
            "ResourceNotFoundException",
            "there is no secret",
        ),
        ("ssm:a", "ParameterNotFound", "there is no secret"),
        (
            "secretsmanager:a",
            "AccessDeniedException",
            "may not be read",
        ),
        ("ssm:a", "AccessDeniedException", "may not be read"),
        ("secretsmanager:a", "DecryptionFailure", "may not be read"),
        ("secretsmanager:a", "InvalidRequestException", "refuses"),
    ];
    for (reference, code, meaning) in cases {
        let answer = json!({"__type": code, "message": "so it is"});
        let server = Server::answering(400, answer).await;
        let error = server.fetch(reference).await.unwrap_err().to_string();
        assert!(error.contains(meaning), "{code}: {error}");
        assert!(error.contains(reference), "{error}");
        assert_eq!(server.asked().len(), 1, "{code} is no reason to ask again");
    }
}

#[tokio::test]
async fn a_store_out_of_order_is_asked_three_times() {
    let codes = [
        ("secretsmanager:a", "InternalServiceError"),
        ("ssm:a", "InternalServerError"),
    ];
    for (reference, code) in codes {
        let server = Server::answering(500, json!({"__type": code, "message": ""})).await;
        let error = server.fetch(reference).await.unwrap_err();
        assert!(
            matches!(error, SecretError::Unavailable { .. }),
            "{error:?}"
        );
        assert!(error.to_string().contains(reference), "{error}");
        assert_eq!(server.asked().len(), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_costs_at_most_five_seconds() {
    let server = Server::hanging().await;
    for reference in ["secretsmanager:a", "ssm:a"] {
        let start = Instant::now();
        let error = server.fetch(reference).await.unwrap_err();
        assert!(
            matches!(error, SecretError::Unavailable { .. }),
            "{error:?}"
        );
        assert!(start.elapsed() <= LIMIT + Duration::from_millis(1));
        assert!(
            start.elapsed() >= Duration::from_secs(2),
            "it is waited for"
        );
    }
}

#[tokio::test]
async fn a_store_that_is_gone_is_unavailable() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = AwsSecrets::at(endpoint, credentials())
        .fetch(&"ssm:a".parse().unwrap())
        .await
        .unwrap_err();
    assert!(
        matches!(error, SecretError::Unavailable { .. }),
        "{error:?}"
    );
}

#[test]
fn credentials_are_not_printed() {
    let credentials = Credentials::new("id", "c0ffee", None, None, "test");
    let printed = format!("{:?}", AwsSecrets::at("http://localhost", credentials));
    assert_eq!(
        printed,
        "AwsSecrets(AwsAccount { endpoint: Some(\"http://localhost\"), .. })"
    );
}
