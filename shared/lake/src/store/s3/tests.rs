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
        store.fault(&ObjectKey::new("a"), &error),
        StoreError::Denied {
            store: "s3://bronze".to_owned(),
            cause: "AccessDenied: User: x is not authorized to perform: s3:PutObject".to_owned(),
        }
    );
}
