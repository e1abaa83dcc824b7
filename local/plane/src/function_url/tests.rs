use axum::http::Request as HttpRequest;
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn event(request: HttpRequest<&str>) -> Value {
    let (head, body) = request.into_parts();
    let now = Timestamp::from_millisecond(1_583_348_638_390).unwrap();
    let body = Bytes::copy_from_slice(body.as_bytes());
    let payload = event::payload("Dashboard", UrlAuth::Anyone, &head, &body, now);
    serde_json::from_slice(&payload).unwrap()
}

#[test]
fn a_request_is_an_event_of_format_2() {
    let request = HttpRequest::post("/my/path%20x?parameter1=value1&parameter1=value2&b=%26")
        .header("Content-Type", "text/plain; charset=utf-8")
        .header("X-Many", "1")
        .header("X-Many", "2")
        .header("Cookie", "cookie1=a; cookie2=b")
        .header("User-Agent", "agent")
        .body("Hello from client!")
        .unwrap();
    let mut event = event(request);
    assert!(event["requestContext"]["requestId"].take().is_string());
    assert_eq!(
        event,
        json!({
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": "/my/path%20x",
            "rawQueryString": "parameter1=value1&parameter1=value2&b=%26",
            "cookies": ["cookie1=a", "cookie2=b"],
            "headers": {
                "content-type": "text/plain; charset=utf-8",
                "x-many": "1,2",
                "cookie": "cookie1=a; cookie2=b",
                "user-agent": "agent",
            },
            "queryStringParameters": {"parameter1": "value1,value2", "b": "&"},
            "requestContext": {
                "accountId": "anonymous",
                "apiId": "dashboard",
                "domainName": "dashboard.lambda-url.us-east-1.on.aws",
                "domainPrefix": "dashboard",
                "http": {
                    "method": "POST",
                    "path": "/my/path%20x",
                    "protocol": "HTTP/1.1",
                    "sourceIp": "127.0.0.1",
                    "userAgent": "agent",
                },
                "requestId": null,
                "routeKey": "$default",
                "stage": "$default",
                "time": "04/Mar/2020:19:03:58 +0000",
                "timeEpoch": 1_583_348_638_390_i64,
            },
            "body": "Hello from client!",
            "isBase64Encoded": false,
        })
    );
}

#[test]
fn a_body_that_is_no_text_is_in_base64_and_an_absent_one_is_left_out() {
    for (content_type, body, is_base64) in [
        ("application/octet-stream", "AP8=", true),
        ("application/json", "\u{0}ÿ", false),
    ] {
        let sent = match is_base64 {
            true => Bytes::from_static(&[0, 255]),
            false => Bytes::from_static("\u{0}ÿ".as_bytes()),
        };
        let (head, ()) = HttpRequest::put("/")
            .header("content-type", content_type)
            .body(())
            .unwrap()
            .into_parts();
        let payload = event::payload("f", UrlAuth::Iam, &head, &sent, Timestamp::UNIX_EPOCH);
        let event: Value = serde_json::from_slice(&payload).unwrap();
        assert_eq!(event["body"], body);
        assert_eq!(event["isBase64Encoded"], is_base64);
    }
    let event = event(HttpRequest::get("/").body("").unwrap());
    assert_eq!(event.get("body"), None);
    assert_eq!(event.get("queryStringParameters"), None);
    assert_eq!(event.get("cookies"), None);
}

fn read(answer: &Value) -> Result<Response, String> {
    let answer = Bytes::from(answer.to_string());
    response::read(&answer).map_err(|error| error.to_string())
}

async fn body(response: Response) -> Bytes {
    axum::body::to_bytes(response.into_body(), PAYLOAD_LIMIT)
        .await
        .unwrap()
}

#[tokio::test]
async fn an_answer_with_a_status_is_a_response() {
    let response = read(&json!({
        "statusCode": 201,
        "headers": {"Content-Type": "text/html", "X-Number": 7},
        "cookies": ["a=1; Secure", "b=2"],
        "body": "PGI+",
        "isBase64Encoded": true,
    }))
    .unwrap();
    assert_eq!(response.status(), 201);
    let headers = response.headers().clone();
    assert_eq!(headers["content-type"], "text/html");
    assert_eq!(headers["x-number"], "7");
    let cookies: Vec<_> = headers.get_all("set-cookie").iter().collect();
    assert_eq!(cookies, ["a=1; Secure", "b=2"]);
    assert_eq!(body(response).await, "<b>");
}

#[tokio::test]
async fn an_answer_without_a_status_is_the_body_itself() {
    for answer in [json!({"message": "hi"}), json!("hi"), json!(null)] {
        let response = read(&answer).unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "application/json");
        assert_eq!(body(response).await, answer.to_string());
    }
}

#[test]
fn an_answer_that_is_no_response_is_refused_by_one_sentence() {
    for (answer, said) in [
        (json!({"statusCode": 99}), "statusCode is 99"),
        (json!({"statusCode": 600}), "statusCode is 600"),
        (json!({"statusCode": "200"}), "its members are not"),
        (json!({"statusCode": 200, "body": 1}), "its members are not"),
        (
            json!({"statusCode": 200, "headers": {"a b": "c"}}),
            "'a b' is no name or value of a header",
        ),
        (
            json!({"statusCode": 200, "body": "*", "isBase64Encoded": true}),
            "isBase64Encoded is true",
        ),
    ] {
        let refused = read(&answer).unwrap_err();
        assert!(refused.starts_with(said), "{refused}");
    }
    let long = Bytes::from(vec![b' '; PAYLOAD_LIMIT + 1]);
    let refused = response::read(&long).unwrap_err().to_string();
    assert_eq!(refused, "it is longer than 6 MB");
}

proptest! {
    #[test]
    fn no_answer_and_no_request_is_a_panic(answer: Vec<u8>, path in "[a-z%?&=;/]{0,20}", sent: Vec<u8>) {
        let _ = response::read(&Bytes::from(answer));
        if let Ok(request) = HttpRequest::get(format!("/{path}")).body(()) {
            let (head, ()) = request.into_parts();
            let sent = Bytes::from(sent);
            let payload = event::payload("f", UrlAuth::Anyone, &head, &sent, Timestamp::UNIX_EPOCH);
            prop_assert!(serde_json::from_slice::<Value>(&payload).is_ok());
        }
    }
}
