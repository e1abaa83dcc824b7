use std::sync::Arc;

use secrets::{FetchSecret, Key, SecretReference};

use super::{
    Access, AccessError, Brokers, Method, Parts,
    credentials::{CA_SETTING, CREDENTIALS_SETTING, MUTUAL_TLS, SCRAM},
};
use crate::cluster;

const SERVERS: &str = "KAFKA_BOOTSTRAP_SERVERS";
const SECURITY: &str = "KAFKA_SECURITY";
const CREATE: &str = "KAFKA_CREATE_PARTITIONS";

/// The most partitions that a topic is created with.
const MOST_PARTITIONS: i32 = 10_000;

impl Access {
    /// Reads the settings that `lookup` gives by name; `secrets` is the store of those that are references.
    ///
    /// | setting | value |
    /// |---|---|
    /// | `KAFKA_BOOTSTRAP_SERVERS` | `host:port`, comma-separated |
    /// | `KAFKA_SECURITY` | `plaintext` (unless set), `tls`, `mtls`, `scram` |
    /// | `KAFKA_CREDENTIALS_SECRET` | the reference of a secret: for `scram` `{"username","password"}`, for `mtls` `{"certificate","privateKey","privateKeyPassword"?}` |
    /// | `KAFKA_CA_SECRET` | the reference of a secret: a certificate in PEM, or `{"certificate"}`; unless set, the system's roots |
    /// | `KAFKA_CREATE_PARTITIONS` | with how many partitions a topic is created that does not exist; unless set, none is |
    ///
    /// # Errors
    /// [`AccessError`] for the first that is missing or wrong. Nothing is fetched.
    pub fn read(
        lookup: &dyn Fn(&str) -> Option<String>,
        secrets: &Arc<dyn FetchSecret>,
    ) -> Result<Self, AccessError> {
        let text = |name: &str| {
            let value = lookup(name)?.trim().to_owned();
            (!value.is_empty()).then_some(value)
        };
        let given = |setting: &'static str| match text(setting) {
            None => Ok(None),
            Some(reference) => reference
                .parse::<SecretReference>()
                .map(|reference| Some(Key::fetched(reference, Arc::clone(secrets))))
                .map_err(|error| AccessError::Reference {
                    name: setting,
                    problem: error.to_string(),
                }),
        };
        let brokers = match text(SERVERS) {
            Some(brokers) => listed(brokers)?,
            None => return Err(AccessError::NoBrokers),
        };
        let needed = |security, expects| {
            given(CREDENTIALS_SETTING)?.ok_or(AccessError::NoCredentials { security, expects })
        };
        let security = text(SECURITY).unwrap_or_default();
        let method = match security.as_str() {
            "" | "plaintext" => Method::Plaintext,
            "tls" => Method::Tls,
            "mtls" => Method::MutualTls(needed("mtls", MUTUAL_TLS)?),
            "scram" => Method::Scram(needed("scram", SCRAM)?),
            _ => {
                return Err(AccessError::Setting {
                    name: SECURITY,
                    value: security,
                    problem: "there is no such kind".to_owned(),
                    expects: "plaintext, tls, mtls or scram",
                });
            }
        };
        Ok(Self(Arc::new(Parts {
            brokers,
            ca: match method {
                Method::Plaintext => None,
                _ => given(CA_SETTING)?,
            },
            method,
            create_partitions: text(CREATE).map(partitions).transpose()?,
        })))
    }
}

fn listed(brokers: String) -> Result<Brokers, AccessError> {
    match cluster::check(&brokers) {
        Ok(()) => Ok(Brokers::Listed(brokers)),
        Err(problem) => Err(AccessError::Setting {
            name: SERVERS,
            value: brokers,
            problem,
            expects: "host:port, comma-separated",
        }),
    }
}

fn partitions(value: String) -> Result<i32, AccessError> {
    match value.parse() {
        Ok(number) if (1..=MOST_PARTITIONS).contains(&number) => Ok(number),
        _ => Err(AccessError::Setting {
            name: CREATE,
            value,
            problem: "no number of partitions".to_owned(),
            expects: "a number from 1 to 10000, or to nothing",
        }),
    }
}
