use aws_sdk_s3::{
    config::http::HttpResponse, error::ErrorMetadata, operation::put_object::PutObjectError,
    primitives::SdkBody,
};

use super::*;

#[tokio::test]
async fn a_message_of_several_lines_is_told_in_one() {
    let store = S3Store::connect(S3Settings {
        bucket: "bronze".to_owned(),
        endpoint: None,
        credentials: Some(Credentials::new("test", "test", None, None, "test")),
    })
    .await;
    let message = "User: x\n is not authorized\r\n\tto perform: s3:PutObject\n";
    let answer = ErrorMetadata::builder()
        .code("AccessDenied")
        .message(message)
        .build();
    let response = HttpResponse::new(403.try_into().unwrap(), SdkBody::empty());
    let error = SdkError::service_error(PutObjectError::generic(answer), response);
    assert_eq!(
        store.fault(&ObjectKey::new("a"), error),
        StoreError::Denied {
            store: "s3://bronze".to_owned(),
            cause: "AccessDenied: User: x is not authorized to perform: s3:PutObject".into(),
        }
    );
}

#[tokio::test]
async fn the_chain_of_a_store_that_is_gone_ends_at_the_systems_error() {
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", gone.local_addr().unwrap());
    drop(gone);
    let store = S3Store::connect(S3Settings {
        bucket: "bronze".to_owned(),
        endpoint: Some(endpoint),
        credentials: Some(Credentials::new("test", "test", None, None, "test")),
    })
    .await;
    let error = store.get(&ObjectKey::new("a")).await.unwrap_err();
    let first: &(dyn std::error::Error + 'static) = &error;
    let chain: Vec<_> = std::iter::successors(Some(first), |error| error.source()).collect();
    let is_refused = |error: &&(dyn std::error::Error + 'static)| {
        let system = error.downcast_ref::<std::io::Error>();
        system.is_some_and(|error| error.kind() == std::io::ErrorKind::ConnectionRefused)
    };
    assert!(chain.iter().any(is_refused), "{chain:?}");
    let sentence = error.to_string();
    assert!(
        sentence.contains("refused") && !sentence.contains("dispatch"),
        "{sentence}"
    );
}
