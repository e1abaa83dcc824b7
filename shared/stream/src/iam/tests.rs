use std::sync::atomic::{AtomicI64, Ordering};

use proptest::prelude::*;
use rdkafka::ClientContext;

use super::*;
use crate::{Cluster, Security, Tokens, context::Context};

const KEY: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/// 2026-11-21T06:00:00Z.
const START: i64 = 1_795_240_800;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

fn credentials(session: Option<&str>, expire: Option<i64>) -> Credentials {
    let expire = expire.map(|seconds| SystemTime::from(at(seconds)));
    let session = session.map(str::to_owned);
    Credentials::new("AKIDEXAMPLE", KEY, session, expire, "test")
}

/// The URL in a token.
fn decoded(token: &Token) -> String {
    let text = token.token.expose();
    assert!(!text.contains('='), "{text}");
    String::from_utf8(URL_SAFE_NO_PAD.decode_to_vec(text).unwrap()).unwrap()
}

/// The vectors were made by botocore 1.44.5's `SigV4QueryAuth(credentials, "kafka-cluster", region, expires=900)` for
/// `GET https://kafka.{region}.amazonaws.com/?Action=kafka-cluster%3AConnect` at 2026-11-21T06:00:00Z, with AWS's
/// documented example key.
#[test]
fn a_token_is_parameter_by_parameter_what_another_signer_makes() {
    let vectors = [
        (
            "eu-west-1",
            None,
            "a598ebe2eb4a754f87d0443e6fa93c6801ef57a4ce113a395c53ed0bedba36e8",
        ),
        (
            "us-east-1",
            Some("SESSION/TOKEN+with=signs"),
            "f18d10f7a443c8dbfcd19cf3ef52910693d7f0e7ec98c11534bf3d456a7923ac",
        ),
    ];
    for (region, session, signature) in vectors {
        let token = token(&credentials(session, None), region, at(START)).unwrap();
        let url = decoded(&token);
        let (base, query) = url.split_once('?').unwrap();
        assert_eq!(base, format!("https://kafka.{region}.amazonaws.com/"));
        let (rest, agent) = query.rsplit_once('&').unwrap();
        assert!(agent.starts_with("User-Agent=quotelake%2F"), "{agent}");
        let mut parameters: Vec<_> = rest.split('&').map(str::to_owned).collect();
        let credential =
            format!("AKIDEXAMPLE%2F20261121%2F{region}%2Fkafka-cluster%2Faws4_request");
        let mut expected = vec![
            "Action=kafka-cluster%3AConnect".to_owned(),
            "X-Amz-Algorithm=AWS4-HMAC-SHA256".to_owned(),
            format!("X-Amz-Credential={credential}"),
            "X-Amz-Date=20261121T060000Z".to_owned(),
            "X-Amz-Expires=900".to_owned(),
            "X-Amz-SignedHeaders=host".to_owned(),
            format!("X-Amz-Signature={signature}"),
        ];
        if session.is_some() {
            expected.push("X-Amz-Security-Token=SESSION%2FTOKEN%2Bwith%3Dsigns".to_owned());
        }
        parameters.sort_unstable();
        expected.sort_unstable();
        assert_eq!(parameters, expected);
        assert_eq!(token.expires, at(START + 900));
    }
}

#[test]
fn a_token_expires_with_the_session_that_signed_it() {
    for (left, lives) in [(61, 61), (600, 600), (900, 900), (901, 900), (43_200, 900)] {
        let signed = token(
            &credentials(None, Some(START + left)),
            "eu-west-1",
            at(START),
        )
        .unwrap();
        assert_eq!(signed.expires, at(START + lives), "{left}");
    }
}

#[test]
fn a_session_that_is_over_or_about_to_be_is_told_apart() {
    let refused = |left: i64| {
        token(
            &credentials(None, Some(START + left)),
            "eu-west-1",
            at(START),
        )
        .unwrap_err()
    };
    assert_eq!(refused(0), TokenError::Expired { at: at(START) });
    let said = refused(-5).to_string();
    assert!(
        said.starts_with("the AWS credentials expired at 2026-11-21T05:59:55Z"),
        "{said}"
    );
    assert!(said.contains("clock"), "{said}");
    assert_eq!(refused(59), TokenError::TooShort { seconds: 59 });
}

#[derive(Debug)]
struct Provider(Result<Credentials, &'static str>);

impl ProvideCredentials for Provider {
    fn provide_credentials<'a>(
        &'a self,
    ) -> aws_credential_types::provider::future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let found = match &self.0 {
            Ok(credentials) => Ok(credentials.clone()),
            Err("") => Err(CredentialsError::not_loaded_no_source()),
            Err(cause) => Err(CredentialsError::provider_error(*cause)),
        };
        aws_credential_types::provider::future::ProvideCredentials::ready(found)
    }
}

fn tokens(provider: Provider, clock: fn() -> Timestamp) -> IamTokens {
    let provider = SharedCredentialsProvider::new(provider);
    IamTokens::new("eu-west-1".to_owned(), provider, clock)
}

#[test]
fn credentials_that_are_not_there_are_told_with_the_remedy() {
    let start: fn() -> Timestamp = || at(START);
    let none = tokens(Provider(Err("")), start).token().unwrap_err();
    assert!(none.to_string().contains("none were found"), "{none}");
    assert!(
        none.to_string().contains("give the function a role"),
        "{none}"
    );
    let broken = tokens(Provider(Err("the role's endpoint is down")), start).token();
    assert!(broken.unwrap_err().to_string().contains("endpoint is down"));
}

#[tokio::test]
async fn a_token_can_be_asked_for_on_the_only_worker_of_a_runtime() {
    let tokens = tokens(Provider(Ok(credentials(None, None))), || at(START));
    assert!(tokens.token().is_ok());
}

#[test]
fn no_secret_is_in_a_token_that_is_printed() {
    let session = Some("c0ffee-session");
    let tokens = tokens(Provider(Ok(credentials(session, None))), || at(START));
    let token = tokens.token().unwrap();
    let security = Security::Iam {
        ca: None,
        tokens: Tokens::new(tokens),
    };
    let printed = format!("{security:?} {token:?}");
    for secret in [KEY, "c0ffee", token.token.expose()] {
        assert!(!printed.contains(secret), "{printed}");
    }
}

#[test]
fn a_token_that_expired_while_the_process_was_frozen_is_stale_until_a_new_one_is_made() {
    static NOW: AtomicI64 = AtomicI64::new(START);
    let clock: fn() -> Timestamp = || at(NOW.load(Ordering::Relaxed));
    let source = tokens(Provider(Ok(credentials(None, None))), clock);
    let security = Security::Iam {
        ca: None,
        tokens: Tokens::new(source),
    };
    let context = Context::new(&Cluster::new("localhost:1", security).unwrap());
    assert!(!context.has_stale_token(), "none was asked for yet");
    let first = context.generate_oauth_token(None).unwrap();
    assert!(!context.has_stale_token());
    NOW.fetch_add(899, Ordering::Relaxed);
    assert!(!context.has_stale_token());
    // An hour in the freezer.
    NOW.fetch_add(3600, Ordering::Relaxed);
    assert!(context.has_stale_token());
    let second = context.generate_oauth_token(None).unwrap();
    assert!(!context.has_stale_token());
    assert_eq!(second.lifetime_ms - first.lifetime_ms, 4_499_000);
    assert_ne!(first.token, second.token);
}

proptest! {
    #[test]
    fn whatever_the_credentials_the_token_is_of_characters_that_sasl_takes(
        id in "[A-Z0-9]{16,20}", session in "[!-~]{0,200}", now in 1_000_000_000_i64..4_000_000_000,
    ) {
        let credentials = Credentials::new(id, KEY, Some(session), None, "test");
        let token = token(&credentials, "eu-west-1", at(now)).unwrap();
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        prop_assert!(token.token.expose().bytes().all(is_plain));
        prop_assert_eq!(token.expires, at(now + 900));
        let url = decoded(&token);
        prop_assert!(!url.contains(KEY));
        prop_assert!(url.bytes().all(|byte| byte.is_ascii_graphic()));
    }
}
