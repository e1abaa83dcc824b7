use std::sync::Arc;

use jiff::Timestamp;
use secrets::{AwsAccount, AwsSecrets, FetchSecret, Key};
use settings::{Absent, Form, Lookup, REFERENCE, Setting, SettingError, aws};
use tokio::sync::OnceCell;

use super::{
    Access, AccessError, Brokers, Iam, Method, Parts, Source,
    credentials::{MUTUAL_TLS, SCRAM},
};
use crate::{
    cluster,
    msk::{self, Msk},
};

/// Every setting of the brokers and of how to get at them.
pub const SETTINGS: &[Setting] = &[SERVERS, ARN, SECURITY, CREDENTIALS, CA, CREATE];

const SERVERS: Setting = Setting::new(
    "KAFKA_BOOTSTRAP_SERVERS",
    Absent::Means("this or the next"),
    Form::Text {
        range: "`host:port`, comma-separated",
        expects: "host:port, comma-separated",
    },
    "the brokers; given both, these are taken",
);

const ARN: Setting = Setting::new(
    "MSK_CLUSTER_ARN",
    Absent::Means("this or the former"),
    Form::Text {
        range: "an MSK cluster's ARN",
        expects: "arn:aws:kafka:REGION:ACCOUNT:cluster/NAME/ID",
    },
    "looks the brokers up, in the list that fits `KAFKA_SECURITY`; again when none answers, at most every 30 s",
);

const SECURITY: Setting = Setting::new(
    "KAFKA_SECURITY",
    Absent::Is("plaintext"),
    Form::OneOf(&["plaintext", "tls", "mtls", "scram", "iam"]),
    "how brokers and client know each other; `scram` is SCRAM-SHA-512 over TLS, `iam` MSK's tokens, signed with the \
     function's role",
);

pub(super) const CREDENTIALS: Setting = Setting::new(
    "KAFKA_CREDENTIALS_SECRET",
    Absent::Means("required for `scram` and `mtls`"),
    REFERENCE,
    "`{\"username\",\"password\"}` or `{\"certificate\",\"privateKey\",\"privateKeyPassword\"}` in PEM; fetched once per \
     environment, again when refused",
)
.secret();

pub(super) const CA: Setting = Setting::new(
    "KAFKA_CA_SECRET",
    Absent::Means("the system's roots"),
    REFERENCE,
    "the authority of the brokers' certificates: `{\"certificate\"}` or plain PEM",
)
.secret();

const CREATE: Setting = Setting::new(
    "KAFKA_CREATE_PARTITIONS",
    Absent::Means("topics are not created"),
    Form::Number(1, 10_000),
    "creates a topic that does not exist, with this many partitions and the cluster's own replication",
);

/// An account of AWS, and the clock that says when its tokens are signed.
type Account = (Arc<AwsAccount>, fn() -> Timestamp);

impl Access {
    /// Reads [`SETTINGS`] that `lookup` gives by name; `secrets` is the store of those that are references.
    ///
    /// # Errors
    /// [`AccessError`] for the first that is missing or wrong. Nothing is fetched.
    pub fn read(lookup: &Lookup<'_>, secrets: &Arc<dyn FetchSecret>) -> Result<Self, AccessError> {
        read(lookup, secrets, None)
    }

    /// Reads the settings as [`Self::read`], with what AWS has: secrets of `account`, brokers by `MSK_CLUSTER_ARN` where
    /// `KAFKA_BOOTSTRAP_SERVERS` is not set, and `KAFKA_SECURITY=iam`, whose region is that of the ARN, else that in the
    /// brokers' names, else `AWS_REGION`. `clock` tells when tokens are signed.
    ///
    /// # Errors
    /// [`AccessError`] for the first that is missing or wrong. Nothing is fetched.
    pub fn on_aws(
        lookup: &Lookup<'_>,
        account: &Arc<AwsAccount>,
        clock: fn() -> Timestamp,
    ) -> Result<Self, AccessError> {
        let secrets: Arc<dyn FetchSecret> = Arc::new(AwsSecrets::of(Arc::clone(account)));
        read(lookup, &secrets, Some((Arc::clone(account), clock)))
    }

    /// The region that the settings name a cluster of MSK in: that of `MSK_CLUSTER_ARN`, else that in the brokers' names.
    pub fn region(lookup: &Lookup<'_>) -> Option<String> {
        let of_arn = || msk::region(&ARN.text(lookup)?).map(str::to_owned);
        let of_name = || {
            let brokers = SERVERS.text(lookup)?;
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
    lookup: &Lookup<'_>,
    secrets: &Arc<dyn FetchSecret>,
    account: Option<Account>,
) -> Result<Access, AccessError> {
    let brokers = match (SERVERS.text(lookup), ARN.text(lookup), &account) {
        (Some(brokers), _, _) => listed(brokers)?,
        (None, Some(arn), Some((account, _))) => by_arn(arn, account)?,
        _ => return Err(AccessError::NoBrokers),
    };
    let needed = |security, expects| {
        let given = Key::of_setting(&CREDENTIALS, lookup, secrets)?;
        given.ok_or(AccessError::NoCredentials { security, expects })
    };
    let security: String = SECURITY.read(lookup)?;
    let method = match (security.as_str(), account) {
        ("plaintext", _) => Method::Plaintext,
        ("tls", _) => Method::Tls,
        ("mtls", _) => Method::MutualTls(needed("mtls", MUTUAL_TLS)?),
        ("scram", _) => Method::Scram(needed("scram", SCRAM)?),
        (_, Some((account, clock))) => Method::Iam(Iam {
            account,
            clock,
            region: Access::region(lookup)
                .or(aws::REGION.text(lookup))
                .ok_or(AccessError::NoRegion)?,
            tokens: OnceCell::new(),
        }),
        (_, None) => return Err(SECURITY.refuse(&security, "there is no AWS account").into()),
    };
    Ok(Access(Source::Settings(Arc::new(Parts {
        brokers,
        ca: match method {
            Method::Plaintext => None,
            _ => Key::of_setting(&CA, lookup, secrets)?,
        },
        method,
        create_partitions: CREATE.optional(lookup)?,
    }))))
}

fn by_arn(arn: String, account: &Arc<AwsAccount>) -> Result<Brokers, SettingError> {
    if msk::region(&arn).is_some() {
        return Ok(Brokers::Msk(Box::new(Msk::new(arn, Arc::clone(account)))));
    }
    Err(ARN.refuse(&arn, "that is no ARN of an MSK cluster"))
}

fn listed(brokers: String) -> Result<Brokers, SettingError> {
    match cluster::check(&brokers) {
        Ok(()) => Ok(Brokers::Listed(brokers)),
        Err(problem) => Err(SERVERS.refuse(&brokers, problem)),
    }
}
