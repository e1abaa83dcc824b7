use std::sync::Arc;

use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_ssm::types::ParameterType;
use pipeline_tests::served::Served;
use secrets::{AwsSecrets, Credentials, Key, SecretError};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs ministack: .ci/run emulator"]
async fn a_secret_of_the_emulator_is_fetched_by_member_and_renewed_after_a_rotation() {
    let ministack = Served::emulated().await;
    let store = aws_sdk_secretsmanager::Client::new(&config(&ministack).await);
    let create = store.create_secret().name("quotelake/finnhub");
    let created = create.secret_string(r#"{"key":"old"}"#).send().await;
    let arn = created.unwrap().arn.unwrap();

    let by_arn = key(&ministack, &format!("secretsmanager:{arn}#key"));
    assert_eq!(by_arn.get().await.unwrap().expose(), "old");
    let key = key(&ministack, "secretsmanager:quotelake/finnhub#key");
    let old = key.get().await.unwrap();
    assert_eq!(old.expose(), "old");

    let put = store.put_secret_value().secret_id("quotelake/finnhub");
    put.secret_string(r#"{"key":"new"}"#).send().await.unwrap();
    assert_eq!(key.get().await.unwrap(), old, "nobody has refused it yet");
    let new = key.renewed(&old).await.unwrap().unwrap();
    assert_eq!(new.expose(), "new");
    assert_eq!(key.get().await.unwrap(), new);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs ministack: .ci/run emulator"]
async fn a_parameter_of_the_emulator_is_fetched_decrypted_and_renewed_after_a_rotation() {
    let ministack = Served::emulated().await;
    let store = aws_sdk_ssm::Client::new(&config(&ministack).await);
    let put = store.put_parameter().name("/quotelake/finnhub");
    let put = put.r#type(ParameterType::SecureString);
    put.clone().value("old").send().await.unwrap();

    let key = key(&ministack, "ssm:/quotelake/finnhub");
    let old = key.get().await.unwrap();
    assert_eq!(old.expose(), "old");
    put.value("new").overwrite(true).send().await.unwrap();
    let new = key.renewed(&old).await.unwrap().unwrap();
    assert_eq!(new.expose(), "new");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs ministack: .ci/run emulator"]
async fn what_the_emulator_does_not_keep_is_not_found() {
    let ministack = Served::emulated().await;
    for reference in ["secretsmanager:absent", "ssm:/absent"] {
        let error = key(&ministack, reference).get().await.unwrap_err();
        let is_not_found = matches!(error, SecretError::NotFound { .. });
        assert!(is_not_found, "{error}");
    }
}

fn key(ministack: &Served, reference: &str) -> Key {
    let store = AwsSecrets::at(ministack.endpoint(), credentials());
    Key::fetched(reference.parse().unwrap(), Arc::new(store))
}

/// The SDK's settings, for what only an operator does: storing.
async fn config(ministack: &Served) -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .endpoint_url(ministack.endpoint())
        .region("us-east-1")
        .credentials_provider(credentials())
        .load()
        .await
}

fn credentials() -> Credentials {
    Credentials::new("test", "test", None, None, "test")
}
