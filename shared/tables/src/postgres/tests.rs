use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use proptest::prelude::*;
use secrets::{FetchSecret, Secret, SecretError, SecretReference};

use super::*;

/// A store with one text in every secret.
#[derive(Debug)]
struct Store(&'static str);

#[async_trait]
impl FetchSecret for Store {
    async fn fetch(&self, _: &SecretReference) -> Result<Secret, SecretError> {
        Ok(Secret::from(self.0.to_owned()))
    }
}

const AT: (&str, &str) = ("DATABASE_HOST", "db.example.com");
const SECRET: (&str, &str) = ("DATABASE_SECRET", "ssm:/quotelake/database");

fn read_with(text: &'static str, settings: &[(&str, &str)]) -> Result<Access, AccessError> {
    let settings: BTreeMap<_, _> = settings.iter().copied().collect();
    let lookup = |name: &str| settings.get(name).map(|&value| value.to_owned());
    let secrets: Arc<dyn FetchSecret> = Arc::new(Store(text));
    Access::read(&lookup, &secrets)
}

fn refused(settings: &[(&str, &str)]) -> String {
    read_with("", settings).unwrap_err().to_string()
}

async fn login(text: &'static str, settings: &[(&str, &str)]) -> Result<login::Login, AccessError> {
    read_with(text, settings).unwrap().login().await
}

#[tokio::test]
async fn user_and_password_are_those_of_the_secret_that_rds_writes() {
    let text =
        r#"{"username":"ann","password":"c0ffee","engine":"postgres","host":"x","port":5432}"#;
    let found = login(text, &[AT, SECRET]).await.unwrap();
    assert_eq!(found.user, "ann");
    assert_eq!(found.password, Some(Secret::from("c0ffee".to_owned())));
    assert!(!format!("{found:?}").contains("c0ffee"));
    let named = login(text, &[AT, SECRET, ("DATABASE_USER", "bea")])
        .await
        .unwrap();
    assert_eq!(named.user, "bea");
    let plain = login("c0ffee", &[AT, SECRET, ("DATABASE_USER", "bea")])
        .await
        .unwrap();
    assert_eq!(plain.password, found.password);
}

#[tokio::test]
async fn a_secret_of_another_form_is_told_and_not_shown() {
    for text in [
        "c0ffee",
        r#"{"user":"ann","password":"c0ffee"}"#,
        r#"{"username":"ann","passwort":"c0ffee"}"#,
        r#"{"username":"","password":"c0ffee"}"#,
        r#"["c0ffee"]"#,
    ] {
        let error = login(text, &[AT, SECRET]).await.unwrap_err();
        assert!(!format!("{error} {error:?}").contains("c0ffee"), "{error}");
        assert_eq!(
            error.to_string(),
            r#"the secret that DATABASE_SECRET names is not {"username":"…","password":"…"}: store it as that"#
        );
    }
    let settings = [
        AT,
        SECRET,
        ("DATABASE_CA_SECRET", "ssm:ca"),
        ("DATABASE_USER", "ann"),
    ];
    let error = login("no certificate", &settings).await.unwrap_err();
    assert!(error.to_string().contains("DATABASE_CA_SECRET"), "{error}");
}

#[test]
fn a_database_is_told_by_its_place_alone() {
    for (host, shown) in [
        ("db.example.com", "db.example.com:6432/quotes"),
        ("::1", "[::1]:6432/quotes"),
        ("/run/postgresql", "/run/postgresql:6432/quotes"),
    ] {
        let tls = if host == "db.example.com" {
            "verify"
        } else {
            "off"
        };
        let settings = [
            ("DATABASE_HOST", host),
            ("DATABASE_PORT", "6432"),
            ("DATABASE_NAME", "quotes"),
            ("DATABASE_TLS", tls),
            SECRET,
        ];
        assert_eq!(read_with("", &settings).unwrap().to_string(), shown);
    }
}

#[test]
fn a_wrong_setting_is_one_sentence_with_the_remedy() {
    for (settings, said) in [
        (
            &[][..],
            "the setting DATABASE_HOST is missing: set it to the name of the database's host, or the folder of its Unix socket",
        ),
        (
            &[AT],
            r#"DATABASE_AUTH is secret and DATABASE_SECRET is missing: set it to the reference of a secret, {"username":"…","password":"…"}"#,
        ),
        (
            &[("DATABASE_HOST", "db.example.com:5432"), SECRET],
            "the setting DATABASE_HOST is 'db.example.com:5432' (a port is a setting of its own, DATABASE_PORT): set it to the \
             name of the database's host, or the folder of its Unix socket",
        ),
        (
            &[AT, SECRET, ("DATABASE_TLS", "off")],
            "the setting DATABASE_TLS is 'off' (DATABASE_HOST is another machine, so the server has to show a certificate): set \
             it to 'verify' or 'off'",
        ),
        (
            &[("DATABASE_HOST", "/tmp"), SECRET],
            "the setting DATABASE_TLS is 'verify' (DATABASE_HOST is a socket's folder, and sockets have no TLS): set it to \
             'verify' or 'off'",
        ),
        (
            &[("DATABASE_HOST", "/tmp"), ("DATABASE_TLS", "off")],
            "DATABASE_USER is missing: set it to the name of a user of the database",
        ),
        (
            &[AT, ("DATABASE_AUTH", "iam"), ("DATABASE_USER", "ann")],
            "the setting DATABASE_AUTH is 'iam' (there is no AWS account): set it to 'secret' or 'iam'",
        ),
        (
            &[AT, SECRET, ("DATABASE_PORT", "65536")],
            "the setting DATABASE_PORT is '65536' (out of range): set it to a whole number from 1 to 65535",
        ),
    ] {
        assert_eq!(refused(settings), said);
    }
}

#[test]
fn tokens_are_signed_for_the_region_in_the_host_s_name_else_for_the_function_s() {
    let account = Arc::new(secrets::AwsAccount::new());
    let on_aws = |settings: &[(&str, &str)]| {
        let settings: BTreeMap<_, _> = settings.iter().copied().collect();
        let lookup = |name: &str| settings.get(name).map(|&value| value.to_owned());
        Access::on_aws(&lookup, &account, || jiff::Timestamp::UNIX_EPOCH)
    };
    let region = |access: Access| match &access.0.method {
        access::Method::Iam { region, .. } => region.clone(),
        _ => panic!("no tokens"),
    };
    let rds = ("DATABASE_HOST", "q.c0ffee.eu-west-1.rds.amazonaws.com");
    let (iam, user) = (("DATABASE_AUTH", "iam"), ("DATABASE_USER", "ann"));
    let own = ("AWS_REGION", "us-east-1");
    assert_eq!(region(on_aws(&[rds, iam, user, own]).unwrap()), "eu-west-1");
    assert_eq!(region(on_aws(&[AT, iam, user, own]).unwrap()), "us-east-1");
    assert_eq!(
        on_aws(&[AT, iam, user]).unwrap_err().to_string(),
        "DATABASE_AUTH is iam and nothing names the database's region: set AWS_REGION"
    );
    assert_eq!(on_aws(&[rds, iam, own]).unwrap_err(), AccessError::NoUser);
}

#[test]
fn a_url_names_a_database_and_says_when_a_certificate_is_needed() {
    let of = |url: &str| Access::of_url(url, None, None);
    let is_off = |access: &Access| matches!(access.0.tls, access::Tls::Off);
    for (url, shown, off) in [
        (
            "postgres://ann:c0ffee@db.example.com/quotes",
            "db.example.com:5432/quotes",
            false,
        ),
        (
            "postgresql://ann@db.example.com:6432/q?sslmode=verify-full",
            "db.example.com:6432/q",
            false,
        ),
        (
            "postgres://ann:c0%20ffee@127.0.0.1:5433/quotes",
            "127.0.0.1:5433/quotes",
            true,
        ),
        (
            "postgres://ann@localhost/quotes?sslmode=require",
            "localhost:5432/quotes",
            false,
        ),
        (
            "postgres://ann@/quotes?host=/tmp/pg15&port=5433",
            "/tmp/pg15:5433/quotes",
            true,
        ),
    ] {
        let access = of(url).unwrap();
        assert_eq!(
            (access.to_string(), is_off(&access)),
            (shown.to_owned(), off),
            "{url}"
        );
        assert!(!format!("{access} {access:?}").contains("ffee"));
    }
    for (url, problem) in [
        (
            "host=localhost user=ann",
            "it does not begin with postgres://",
        ),
        (
            "postgres://ann@db.example.com/q?sslmode=disable",
            "it switches TLS off, and the server is another machine",
        ),
        ("postgres://db.example.com/q", "it names no user"),
        ("postgres://ann@/q", "it names no host"),
        ("postgres://ann@one,two/q", "it names several hosts"),
        (
            "postgres://ann@one/q?sslrootcert=ca.pem",
            "it has sslrootcert, and authorities are an option of their own",
        ),
        (
            "postgres://ann@/q?host=/tmp&sslmode=require",
            "a socket has no TLS",
        ),
    ] {
        assert_eq!(
            of(url).unwrap_err().to_string(),
            format!(
                "the database's URL can't be used ({problem}): write postgres://USER@HOST:PORT/NAME"
            )
        );
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable_within_the_time() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let until = || Instant::now() + std::time::Duration::from_millis(200);
    let url = format!("postgres://ann@127.0.0.1:{port}/quotes");
    let tables = PostgresTables::new(Access::of_url(&url, None, None).unwrap(), true);
    // It listens and says nothing.
    let error = tables.check(until()).await.unwrap_err();
    assert!(matches!(error, UpsertError::OutOfTime { .. }), "{error}");
    drop(listener);
    let error = tables.check(until()).await.unwrap_err();
    assert!(matches!(error, UpsertError::Unavailable { .. }), "{error}");
    assert!(error.to_string().contains("refused"), "{error}");
    assert!(
        error
            .to_string()
            .contains(&format!("127.0.0.1:{port}/quotes")),
        "{error}"
    );
}

proptest! {
    #[test]
    fn no_url_panics_and_no_password_of_one_is_shown(url in "(postgres://)?[a-z:@/?=&,%0-9.\\[\\]]{0,40}") {
        let url = format!("{url}c0ffee");
        if let Err(error) = Access::of_url(&url, None, None) {
            let told = format!("{error} {error:?}");
            prop_assert!(!told.contains("c0ffee"), "{}", told);
        }
    }
}
