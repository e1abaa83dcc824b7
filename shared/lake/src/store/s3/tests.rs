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

/// What a store that answers every request with these bytes is to an adapter.
async fn asked<T>(answer: &'static str, ask: impl AsyncFn(S3Store) -> T) -> T {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let served = std::thread::spawn(move || {
        use std::io::{Read, Write};
        let (mut connection, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        while !request.windows(4).any(|end| end == b"\r\n\r\n") {
            let mut some = [0; 1_024];
            let read = connection.read(&mut some).unwrap();
            request.extend_from_slice(&some[..read]);
        }
        connection.write_all(answer.as_bytes()).unwrap();
    });
    let store = S3Store::connect(S3Settings {
        bucket: "bronze".to_owned(),
        endpoint: Some(endpoint),
        credentials: Some(Credentials::new("test", "test", None, None, "test")),
    })
    .await;
    let asked = ask(store).await;
    served.join().unwrap();
    asked
}

#[tokio::test]
async fn an_answer_without_a_version_is_an_error() {
    let key = ObjectKey::new("a");
    let get = async |store: S3Store| store.get(&key).await.unwrap_err();
    for answer in [
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\nconnection: close\r\n\r\nx",
        "HTTP/1.1 200 OK\r\netag:\r\ncontent-length: 1\r\nconnection: close\r\n\r\nx",
    ] {
        let error = asked(answer, get).await;
        assert!(matches!(error, StoreError::NoETag { .. }), "{error}");
    }
    let put = async |store: S3Store| store.put_if_absent(&key, Bytes::new()).await.unwrap_err();
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    let error = asked(answer, put).await;
    assert!(
        matches!(error, StoreError::NoETag { .. }) && !error.is_transient(),
        "{error}"
    );
}

#[tokio::test]
async fn a_listing_without_versions_is_an_error() {
    let answer = concat!(
        "HTTP/1.1 200 OK\r\ncontent-length: 84\r\nconnection: close\r\n\r\n",
        "<ListBucketResult><Contents><Key>a</Key><Size>1</Size></Contents>",
        "</ListBucketResult>"
    );
    let list = async |store: S3Store| store.list("", None).await.unwrap_err();
    let error = asked(answer, list).await;
    assert!(
        matches!(&error, StoreError::NoETag { key, .. } if key.as_str() == "a"),
        "{error}"
    );
}

#[tokio::test]
async fn a_store_without_checksums_is_named_with_the_remedy_and_not_asked_again() {
    let answer = concat!(
        "HTTP/1.1 501 Not Implemented\r\ncontent-length: 144\r\nconnection: close\r\n\r\n",
        "<Error><Code>NotImplemented</Code><Message>A header you provided implies ",
        "functionality that is not implemented: x-amz-checksum</Message></Error>"
    );
    let put = async |store: S3Store| {
        let key = ObjectKey::new("a");
        store.put_if_absent(&key, Bytes::new()).await.unwrap_err()
    };
    let error = asked(answer, put).await;
    assert!(!error.is_transient());
    let said = error.to_string();
    assert!(said.contains("AWS_REQUEST_CHECKSUM_CALCULATION"), "{said}");
    assert!(said.contains("x-amz-checksum"), "{said}");
}

#[tokio::test]
async fn an_object_that_is_too_large_is_left_unread() {
    let answer =
        "HTTP/1.1 200 OK\r\netag: \"1\"\r\ncontent-length: 900000000\r\nconnection: close\r\n\r\nx";
    let key = ObjectKey::new("a");
    let get = async |store: S3Store| store.get_within(&key, 1_000).await.unwrap_err();
    let size = 900_000_000;
    assert_eq!(
        asked(answer, get).await,
        StoreError::TooLarge {
            key: key.clone(),
            size
        }
    );
}
