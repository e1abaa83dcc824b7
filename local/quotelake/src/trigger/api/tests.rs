use axum::{
    Router,
    extract::Path,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use tokio::net::TcpListener;

use super::*;

/// A Lambda that answers each function in its own way, and its endpoint.
async fn lambda() -> String {
    let answer = async |Path(name): Path<String>, body: Bytes| {
        let failed = [("x-amz-function-error", "Unhandled")];
        let failed: HeaderMap = failed
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .into_iter()
            .collect();
        let none = HeaderMap::new();
        match name.as_str() {
            "arn:aws:lambda:us-east-1:000000000000:function:echo" => (
                StatusCode::OK,
                none,
                String::from_utf8(body.into()).unwrap(),
            ),
            "fails" => {
                let error = r#"{"errorType":"Fault","errorMessage":"no store"}"#;
                (StatusCode::OK, failed, error.to_owned())
            }
            "fails-quietly" => {
                let error = r#"{"errorType":"Fault","errorMessage":"no store"}"#;
                (StatusCode::OK, none, error.to_owned())
            }
            "late" => (
                StatusCode::OK,
                none,
                "Task timed out after 60.00 seconds".to_owned(),
            ),
            "silent" => (StatusCode::OK, none, String::new()),
            "garbled" => (StatusCode::BAD_GATEWAY, failed, "boom".to_owned()),
            "throttled" => (StatusCode::TOO_MANY_REQUESTS, none, "slow".to_owned()),
            "broken" => (StatusCode::BAD_GATEWAY, none, "<html>".to_owned()),
            _ => (StatusCode::NOT_FOUND, none, String::new()),
        }
    };
    let routes = Router::new().route("/2015-03-31/functions/{name}/invocations", post(answer));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, routes).await });
    format!("http://{address}")
}

fn at(url: &str) -> Endpoint {
    Endpoint::emulator(url.to_owned(), None)
}

async fn invoke(endpoint: &str, name: &str) -> Result<Bytes, InvokeError> {
    let function = RemoteFunction {
        name: name.to_owned(),
        timeout: Duration::from_secs(3),
    };
    let api = LambdaApi::new(&at(endpoint)).unwrap();
    api.invoke(&function, r#"{"a":1}"#.into()).await
}

#[tokio::test]
async fn an_answer_is_the_functions_payload() {
    let arn = "arn:aws:lambda:us-east-1:000000000000:function:echo";
    let answer = invoke(&lambda().await, arn).await;
    assert_eq!(answer, Ok(r#"{"a":1}"#.into()));
}

#[tokio::test]
async fn an_error_of_the_function_is_told_from_one_of_the_service() {
    let endpoint = lambda().await;
    let of_the_function =
        |name: &str, error_type: &str, message: &str| InvokeError::FunctionError {
            function: name.to_owned(),
            error_type: error_type.to_owned(),
            message: message.to_owned(),
        };
    let said = async |name| invoke(&endpoint, name).await.unwrap_err();
    assert_eq!(
        said("fails").await,
        of_the_function("fails", "Fault", "no store")
    );
    assert_eq!(
        said("garbled").await,
        of_the_function("garbled", "an error", "boom")
    );
    assert_eq!(
        said("fails-quietly").await,
        of_the_function("fails-quietly", "Fault", "no store")
    );
    let absent = InvokeError::NoSuchFunction("absent".to_owned());
    assert_eq!(said("absent").await, absent);
    for (name, reason) in [
        ("throttled", "429 Too Many Requests: slow"),
        ("broken", "502 Bad Gateway: <html>"),
        ("late", "200 OK: Task timed out after 60.00 seconds"),
        ("silent", "200 OK: "),
    ] {
        let error = said(name).await;
        assert!(error.is_of_the_service(), "{error}");
        let sentence = format!("{name} can't be invoked: {endpoint}/ answers {reason}");
        assert_eq!(error.to_string(), sentence);
    }
}

#[tokio::test]
async fn a_service_that_is_gone_is_named() {
    let error = invoke("http://127.0.0.1:1", "writer").await.unwrap_err();
    assert!(error.is_of_the_service(), "{error}");
    let sentence = "writer can't be invoked: http://127.0.0.1:1/ does not answer: ";
    assert!(error.to_string().starts_with(sentence), "{error}");
}

#[test]
fn an_endpoint_is_an_http_url() {
    for wrong in ["localhost:9000", "9000", "ftp://localhost"] {
        let Err(error) = LambdaApi::new(&at(wrong)) else {
            panic!("{wrong}")
        };
        let sentence = format!("'{wrong}' is no endpoint of Lambda (");
        assert!(error.to_string().starts_with(&sentence), "{error}");
    }
}
