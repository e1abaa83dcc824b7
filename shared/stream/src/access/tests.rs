mod on_aws;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Mutex,
    time::Duration,
};

use async_trait::async_trait;
use proptest::prelude::*;
use secrets::{FetchSecret, Secret, SecretError, SecretReference};
use tokio::time::{Instant, advance, sleep};

use super::*;

const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nc0ffee\n-----END CERTIFICATE-----";

/// A store that gives each secret's scripted versions in turn; the last stands.
#[derive(Debug, Default)]
struct Store(Mutex<BTreeMap<String, VecDeque<String>>>);

#[async_trait]
impl FetchSecret for Store {
    async fn fetch(&self, reference: &SecretReference) -> Result<Secret, SecretError> {
        let mut secrets = self.0.lock().unwrap();
        let Some(versions) = secrets.get_mut(&reference.to_string()) else {
            let reference = reference.clone();
            return Err(SecretError::NotFound { reference });
        };
        let version = match versions.len() {
            1 => versions[0].clone(),
            _ => versions.pop_front().unwrap(),
        };
        Ok(Secret::from(version))
    }
}

fn store(secrets: &[(&str, &[&str])]) -> Arc<dyn FetchSecret> {
    let secrets = secrets.iter().map(|(name, versions)| {
        let versions = versions.iter().map(|&text| text.to_owned()).collect();
        ((*name).to_owned(), versions)
    });
    Arc::new(Store(Mutex::new(secrets.collect())))
}

fn read(settings: &[(&str, &str)], secrets: &Arc<dyn FetchSecret>) -> Result<Access, AccessError> {
    let settings: BTreeMap<_, _> = settings.iter().copied().collect();
    let lookup = |name: &str| settings.get(name).map(|&value| value.to_owned());
    Access::read(&lookup, secrets)
}

/// Credentials by the secret `ssm:user`.
const BY_PASSWORD: [(&str, &str); 3] = [
    ("KAFKA_BOOTSTRAP_SERVERS", "a:9096"),
    ("KAFKA_SECURITY", "scram"),
    ("KAFKA_CREDENTIALS_SECRET", "ssm:user"),
];

fn refused(settings: &[(&str, &str)]) -> String {
    read(settings, &store(&[])).unwrap_err().to_string()
}

#[tokio::test]
async fn brokers_alone_are_spoken_to_in_plaintext_and_nothing_is_fetched() {
    let access = read(
        &[("KAFKA_BOOTSTRAP_SERVERS", " a:9092,b:9092 ")],
        &store(&[]),
    )
    .unwrap();
    let cluster = access.cluster().await.unwrap();
    assert_eq!(cluster, Cluster::plaintext("a:9092,b:9092").unwrap());
    assert_eq!(access.create_partitions(), None);
    assert_eq!(access.renewed(&cluster).await, Ok(None));
}

#[tokio::test]
async fn a_user_and_an_authority_come_from_their_secrets() {
    let authority = format!(r#"{{"certificate":{}}}"#, serde_json::json!(CERTIFICATE));
    let secrets = store(&[
        ("ssm:user", &[r#"{"username":"ann","password":"c0ffee"}"#]),
        ("ssm:ca", &[&authority]),
        ("ssm:plain-ca", &[CERTIFICATE]),
    ]);
    for ca in ["ssm:ca", "ssm:plain-ca"] {
        let settings = [
            ("KAFKA_BOOTSTRAP_SERVERS", "a:9096"),
            ("KAFKA_SECURITY", "scram"),
            ("KAFKA_CREDENTIALS_SECRET", "ssm:user"),
            ("KAFKA_CA_SECRET", ca),
            ("KAFKA_CREATE_PARTITIONS", "10"),
        ];
        let access = read(&settings, &secrets).unwrap();
        let cluster = access.cluster().await.unwrap();
        let scram = Security::Scram {
            ca: Some(CERTIFICATE.to_owned()),
            user: "ann".to_owned(),
            password: Secret::from("c0ffee".to_owned()),
        };
        assert_eq!(*cluster.security(), scram);
        assert_eq!(access.create_partitions(), Some(10));
        assert!(!format!("{access:?} {cluster:?} {cluster}").contains("c0ffee-password"));
    }
}

#[tokio::test]
async fn a_client_certificate_comes_from_its_secret() {
    let key = "-----BEGIN PRIVATE KEY-----\nc0ffee\n-----END PRIVATE KEY-----";
    let secret = serde_json::json!({
        "certificate": CERTIFICATE, "privateKey": key, "privateKeyPassword": "opens",
    });
    let secrets = store(&[("file:/client.json", &[&secret.to_string()])]);
    let settings = [
        ("KAFKA_BOOTSTRAP_SERVERS", "a:9094"),
        ("KAFKA_SECURITY", "mtls"),
        ("KAFKA_CREDENTIALS_SECRET", "file:/client.json"),
    ];
    let cluster = read(&settings, &secrets).unwrap().cluster().await.unwrap();
    let mutual = Security::MutualTls {
        ca: None,
        certificate: CERTIFICATE.to_owned(),
        key: Secret::from(key.to_owned()),
        password: Some(Secret::from("opens".to_owned())),
    };
    assert_eq!(*cluster.security(), mutual);
}

#[test]
fn a_wrong_setting_is_one_sentence_with_what_it_should_be() {
    assert_eq!(
        refused(&[("KAFKA_BOOTSTRAP_SERVERS", "")]),
        "neither KAFKA_BOOTSTRAP_SERVERS nor MSK_CLUSTER_ARN is set: set the one to host:port, comma-separated, or the \
         other to the cluster's ARN"
    );
    assert_eq!(
        refused(&[("KAFKA_BOOTSTRAP_SERVERS", "kafka")]),
        "the setting KAFKA_BOOTSTRAP_SERVERS is 'kafka' ('kafka' has no port): set it to host:port, comma-separated"
    );
    let at = ("KAFKA_BOOTSTRAP_SERVERS", "a:9092");
    let said = refused(&[at, ("KAFKA_SECURITY", "sasl")]);
    assert!(said.contains("KAFKA_SECURITY is 'sasl'"), "{said}");
    assert!(
        said.contains("'plaintext', 'tls', 'mtls', 'scram' or 'iam'"),
        "{said}"
    );
    for security in ["scram", "mtls"] {
        let said = refused(&[at, ("KAFKA_SECURITY", security)]);
        let start = format!("KAFKA_SECURITY is {security} and KAFKA_CREDENTIALS_SECRET is missing");
        assert!(said.starts_with(&start), "{said}");
    }
    for wrong in ["0", "-1", "ten", "10001", "1.5"] {
        let said = refused(&[at, ("KAFKA_CREATE_PARTITIONS", wrong)]);
        assert!(said.contains(&format!("'{wrong}'")), "{said}");
        assert!(said.contains("a whole number from 1 to 10000"), "{said}");
    }
}

#[test]
fn a_password_in_the_place_of_a_reference_is_not_shown() {
    let settings = [
        ("KAFKA_BOOTSTRAP_SERVERS", "a:9096"),
        ("KAFKA_SECURITY", "scram"),
        ("KAFKA_CREDENTIALS_SECRET", "c0ffee"),
    ];
    let error = read(&settings, &store(&[])).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("c0ffee"), "{error}");
    assert!(error.to_string().contains("KAFKA_CREDENTIALS_SECRET"));
}

#[tokio::test(start_paused = true)]
async fn a_rotated_password_is_found_and_an_unchanged_one_is_no_news() {
    let secrets = store(&[(
        "ssm:user",
        &[
            r#"{"username":"ann","password":"old"}"#,
            r#"{"username":"ann","password":"new"}"#,
        ],
    )]);
    let access = read(&BY_PASSWORD, &secrets).unwrap();
    let old = access.cluster().await.unwrap();
    assert_eq!(
        access.cluster().await.unwrap(),
        old,
        "nobody has refused it yet"
    );
    let new = access.renewed(&old).await.unwrap().unwrap();
    assert_ne!(new, old);
    // A second client that was refused with the old one, in the same minute.
    assert_eq!(access.renewed(&old).await, Ok(Some(new.clone())));
    advance(Duration::from_mins(2)).await;
    assert_eq!(access.renewed(&new).await, Ok(None));
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_was_stored_wrong_and_put_right_is_found() {
    let right = r#"{"username":"ann","password":"new"}"#;
    let versions = [right, "not credentials", right];
    let secrets = store(&[("ssm:user", &versions)]);
    let access = read(&BY_PASSWORD, &secrets).unwrap();
    let old = access.cluster().await.unwrap();
    let wrong = access.renewed(&old).await;
    assert!(
        matches!(wrong, Err(AccessError::NotCredentials { .. })),
        "{wrong:?}"
    );
    advance(Duration::from_mins(2)).await;
    assert_eq!(access.renewed(&old).await, Ok(None));
    assert_eq!(access.cluster().await, Ok(old));
}

/// A store that takes its whole time.
#[derive(Debug)]
struct Slow;

#[async_trait]
impl FetchSecret for Slow {
    async fn fetch(&self, reference: &SecretReference) -> Result<Secret, SecretError> {
        sleep(Duration::from_secs(5)).await;
        let user = r#"{"username":"ann","password":"p"}"#;
        let ca = "-----BEGIN CERTIFICATE----- -----END CERTIFICATE-----";
        let is_ca = reference.to_string() == "ssm:ca";
        Ok(Secret::from(if is_ca { ca } else { user }.to_owned()))
    }
}

#[tokio::test(start_paused = true)]
async fn secrets_are_fetched_at_the_same_time_so_that_init_is_not_over_before_them() {
    let settings = [
        ("KAFKA_BOOTSTRAP_SERVERS", "a:9096"),
        ("KAFKA_SECURITY", "scram"),
        ("KAFKA_CREDENTIALS_SECRET", "ssm:user"),
        ("KAFKA_CA_SECRET", "ssm:ca"),
    ];
    let secrets: Arc<dyn FetchSecret> = Arc::new(Slow);
    let start = Instant::now();
    read(&settings, &secrets).unwrap().cluster().await.unwrap();
    assert!(start.elapsed() < Duration::from_secs(6));
}

proptest! {
    #[test]
    fn a_secret_that_is_no_credentials_is_never_quoted(text in "[a-z0-9{}\":,]{12,60}") {
        let secret = Secret::from(text.clone());
        for result in [
            credentials::scram(&secret, None),
            credentials::mutual_tls(&secret, None),
            credentials::authority(&secret).map(|_| Security::Plaintext),
        ] {
            if let Err(error) = result {
                let told = format!("{error} {error:?}");
                prop_assert!(!told.contains(secret.expose()), "{}", told);
            }
        }
    }
}
