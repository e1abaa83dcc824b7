use std::sync::Arc;

use jiff::Timestamp;
use secrets::{AwsAccount, AwsSecrets, FetchSecret, Key, SecretReference};
use tokio::sync::OnceCell;

use super::{
    Access, AccessError, Brokers, Iam, Method, Parts, Source,
    credentials::{CA_SETTING, CREDENTIALS_SETTING, MUTUAL_TLS, SCRAM},
};
use crate::{
    cluster,
    msk::{self, Msk},
};

const SERVERS: &str = "KAFKA_BOOTSTRAP_SERVERS";
const SECURITY: &str = "KAFKA_SECURITY";
const ARN: &str = "MSK_CLUSTER_ARN";
const CREATE: &str = "KAFKA_CREATE_PARTITIONS";

/// The kinds of security.
const KINDS: &str = "plaintext, tls, mtls, scram or iam";

/// The most partitions that a topic is created with.
const MOST_PARTITIONS: i32 = 10_000;

/// An account of AWS, and the clock that says when its tokens are signed.
type Account = (Arc<AwsAccount>, fn() -> Timestamp);

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
        read(lookup, secrets, None)
    }

    /// Reads the settings as [`Self::read`], with what AWS has: secrets of `account`, brokers by `MSK_CLUSTER_ARN` where
    /// `KAFKA_BOOTSTRAP_SERVERS` is not set, and `KAFKA_SECURITY=iam`, whose region is that of the ARN, else that in the
    /// brokers' names, else `AWS_REGION`. `clock` tells when tokens are signed.
    ///
    /// # Errors
    /// [`AccessError`] for the first that is missing or wrong. Nothing is fetched.
    pub fn on_aws(
        lookup: &dyn Fn(&str) -> Option<String>,
        account: &Arc<AwsAccount>,
        clock: fn() -> Timestamp,
    ) -> Result<Self, AccessError> {
        let secrets: Arc<dyn FetchSecret> = Arc::new(AwsSecrets::of(Arc::clone(account)));
        read(lookup, &secrets, Some((Arc::clone(account), clock)))
    }

    /// The region that the settings name a cluster of MSK in: that of `MSK_CLUSTER_ARN`, else that in the brokers' names.
    pub fn region(lookup: &dyn Fn(&str) -> Option<String>) -> Option<String> {
        let of_arn = || msk::region(lookup(ARN)?.trim()).map(str::to_owned);
        let of_name = || {
            let brokers = lookup(SERVERS)?;
            let (host, _) = brokers.split(',').next()?.trim().rsplit_once(':')?;
            let host = host.strip_suffix(".cn").unwrap_or(host);
            let (name, region) = host.strip_suffix(".amazonaws.com")?.rsplit_once('.')?;
            let is_msk = name.ends_with(".kafka") || name.ends_with(".kafka-serverless");
            is_msk.then(|| region.to_owned())
        };
        of_arn().or_else(of_name)
    }
}

fn read(
    lookup: &dyn Fn(&str) -> Option<String>,
    secrets: &Arc<dyn FetchSecret>,
    account: Option<Account>,
) -> Result<Access, AccessError> {
    let text = |name: &str| {
        let value = lookup(name)?.trim().to_owned();
        (!value.is_empty()).then_some(value)
    };
    let given = |name: &'static str| match text(name) {
        None => Ok(None),
        Some(reference) => reference
            .parse::<SecretReference>()
            .map(|reference| Some(Key::fetched(reference, Arc::clone(secrets))))
            .map_err(|error| AccessError::Reference {
                name,
                problem: error.to_string(),
            }),
    };
    let brokers = match (text(SERVERS), text(ARN), &account) {
        (Some(brokers), _, _) => listed(brokers)?,
        (None, Some(arn), Some((account, _))) => by_arn(arn, account)?,
        _ => return Err(AccessError::NoBrokers),
    };
    let needed = |security, expects| {
        given(CREDENTIALS_SETTING)?.ok_or(AccessError::NoCredentials { security, expects })
    };
    let security = text(SECURITY).unwrap_or_default();
    let method = match (security.as_str(), account) {
        ("" | "plaintext", _) => Method::Plaintext,
        ("tls", _) => Method::Tls,
        ("mtls", _) => Method::MutualTls(needed("mtls", MUTUAL_TLS)?),
        ("scram", _) => Method::Scram(needed("scram", SCRAM)?),
        ("iam", Some((account, clock))) => Method::Iam(Iam {
            account,
            clock,
            region: Access::region(lookup)
                .or(text("AWS_REGION"))
                .ok_or(AccessError::NoRegion)?,
            tokens: OnceCell::new(),
        }),
        _ => {
            return Err(AccessError::Setting {
                name: SECURITY,
                value: security,
                problem: "there is no such kind".to_owned(),
                expects: KINDS,
            });
        }
    };
    Ok(Access(Source::Settings(Arc::new(Parts {
        brokers,
        ca: match method {
            Method::Plaintext => None,
            _ => given(CA_SETTING)?,
        },
        method,
        create_partitions: text(CREATE).map(partitions).transpose()?,
    }))))
}

fn by_arn(arn: String, account: &Arc<AwsAccount>) -> Result<Brokers, AccessError> {
    if msk::region(&arn).is_some() {
        return Ok(Brokers::Msk(Box::new(Msk::new(arn, Arc::clone(account)))));
    }
    Err(AccessError::Setting {
        name: ARN,
        value: arn,
        problem: "that is no ARN of an MSK cluster".to_owned(),
        expects: "arn:aws:kafka:REGION:ACCOUNT:cluster/NAME/ID",
    })
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
