//! How a cluster is spoken to: a listener, and the settings that go with it.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use pipeline_tests::real_kafka::{
    Kafka, Listener, PASSWORD, USER,
    certificates::{Certificates, Identity},
};
use secrets::FileSecrets;
use serde_json::{Value, json};
use stream::Access;
use tempfile::TempDir;

/// The settings of a way to the brokers, with its secrets in files.
pub(super) struct Way {
    pub(super) settings: BTreeMap<&'static str, String>,
    folder: TempDir,
}

impl Way {
    pub(super) fn new(brokers: &str, security: &str) -> Self {
        let settings = [
            ("KAFKA_BOOTSTRAP_SERVERS", brokers),
            ("KAFKA_SECURITY", security),
        ];
        Self {
            settings: settings
                .map(|(name, value)| (name, value.to_owned()))
                .into(),
            folder: TempDir::new().unwrap(),
        }
    }

    pub(super) fn credentials(mut self, credentials: &Value) -> Self {
        let file = self.folder.path().join("credentials.json");
        std::fs::write(&file, credentials.to_string()).unwrap();
        self.settings
            .insert("KAFKA_CREDENTIALS_SECRET", reference(&file));
        self
    }

    pub(super) fn authority(mut self, file: &Path) -> Self {
        self.settings.insert("KAFKA_CA_SECRET", reference(file));
        self
    }

    pub(super) fn creating(mut self, partitions: i32) -> Self {
        self.settings
            .insert("KAFKA_CREATE_PARTITIONS", partitions.to_string());
        self
    }

    pub(super) fn access(&self) -> Access {
        let secrets: Arc<dyn secrets::FetchSecret> = Arc::new(FileSecrets);
        let lookup = |name: &str| self.settings.get(name).cloned();
        Access::read(&lookup, &secrets).unwrap()
    }
}

fn reference(file: &Path) -> String {
    format!("file:{}", file.display())
}

pub(super) fn user(password: &str) -> Value {
    json!({"username": USER, "password": password})
}

pub(super) fn identity(of: &Identity) -> Value {
    json!({"certificate": of.certificate, "privateKey": of.private_key})
}

/// What `KAFKA_SECURITY` may be on a cluster of one's own.
pub(super) const SECURITIES: [&str; 4] = ["plaintext", "tls", "mtls", "scram"];

/// A kind of security with everything that it needs.
pub(super) fn right(kafka: &Kafka, security: &str) -> Way {
    let Certificates {
        authority, client, ..
    } = kafka.certificates();
    let way = |listener| Way::new(&kafka.brokers(listener), security);
    match security {
        "tls" => way(Listener::Tls).authority(authority),
        "mtls" => way(Listener::Mtls)
            .authority(authority)
            .credentials(&identity(client)),
        "scram" => way(Listener::Scram)
            .authority(authority)
            .credentials(&user(PASSWORD)),
        "plaintext" => way(Listener::Plaintext),
        other => panic!("{other}"),
    }
}
