use std::sync::Arc;

use jiff::Timestamp;
use secrets::{AwsAccount, AwsSecrets, FetchSecret, Key};
use settings::{Absent, Form, Lookup, REFERENCE, Setting, SettingError, aws};

use super::{
    access::{Access, AccessError, Host, Method, Parts, Tls},
    iam,
};

/// Every setting of the database, of how to get in and of what is written.
pub const SETTINGS: &[Setting] = &[HOST, PORT, NAME, USER, AUTH, SECRET, CA, TLS, HISTORY];

const HOST: Setting = Setting::new(
    "DATABASE_HOST",
    Absent::Required,
    Form::Text {
        range: "a host's name or address, or a Unix socket's folder",
        expects: "the name of the database's host, or the folder of its Unix socket",
    },
    "where PostgreSQL or its pooler listens; of a cluster the writer's endpoint",
);

const PORT: Setting = Setting::new(
    "DATABASE_PORT",
    Absent::Is("5432"),
    Form::Number(1, 65_535),
    "its port",
);

const NAME: Setting = Setting::new(
    "DATABASE_NAME",
    Absent::Is("quotelake"),
    Form::Text {
        range: "a database's name",
        expects: "the name of a database",
    },
    "the database with the tables",
);

const USER: Setting = Setting::new(
    "DATABASE_USER",
    Absent::Means("the secret's `username`; required for `iam`"),
    Form::Text {
        range: "a user's name",
        expects: "the name of a user of the database",
    },
    "who connects: a user with the role `quotelake_writer`",
);

const AUTH: Setting = Setting::new(
    "DATABASE_AUTH",
    Absent::Is("secret"),
    Form::OneOf(&["secret", "iam"]),
    "how the user is known: by a password, or by RDS's tokens, signed with the function's role",
);

pub(super) const SECRET: Setting = Setting::new(
    "DATABASE_SECRET",
    Absent::Means("required for `secret`, except with `DATABASE_TLS` off"),
    REFERENCE,
    "`{\"username\",\"password\"}` as RDS writes it, or a plain password; fetched once per environment, again when refused",
)
.secret();

pub(super) const CA: Setting = Setting::new(
    "DATABASE_CA_SECRET",
    Absent::Means("the system's roots"),
    REFERENCE,
    "the authorities of the server's certificate, `{\"certificate\"}` or plain PEM; RDS's own are not among the system's",
)
.secret();

const TLS: Setting = Setting::new(
    "DATABASE_TLS",
    Absent::Is("verify"),
    Form::OneOf(&["verify", "off"]),
    "whether the server shows a certificate for `DATABASE_HOST`; `off` only on this machine",
);

const HISTORY: Setting = Setting::new(
    "DATABASE_HISTORY",
    Absent::Is("true"),
    Form::OneOf(&["true", "false"]),
    "whether each record becomes a row of `realtime_quotes`; `latest_quotes` is kept in any case",
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

    /// Reads the settings as [`Self::read`], with what AWS has: secrets of `account`, and `DATABASE_AUTH=iam`, whose region
    /// is that in the host's name, else `AWS_REGION`. `clock` tells when tokens are signed.
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

    /// The region in the name of the database's host.
    pub fn region(lookup: &Lookup<'_>) -> Option<String> {
        iam::region(&HOST.text(lookup)?).map(str::to_owned)
    }
}

/// Whether each record becomes a row of the history: `DATABASE_HISTORY`.
///
/// # Errors
/// [`SettingError`] if that is neither `true` nor `false`.
pub fn keeps_history(lookup: &Lookup<'_>) -> Result<bool, SettingError> {
    HISTORY.read(lookup)
}

fn read(
    lookup: &Lookup<'_>,
    secrets: &Arc<dyn FetchSecret>,
    account: Option<Account>,
) -> Result<Access, AccessError> {
    let given: String = HOST.read(lookup)?;
    let host = host(&given).map_err(|problem| HOST.refuse(&given, problem))?;
    let tls = tls(lookup, secrets, &host)?;
    let user = USER.text(lookup);
    let auth: String = AUTH.read(lookup)?;
    let method = match (
        auth.as_str(),
        Key::of_setting(&SECRET, lookup, secrets)?,
        account,
    ) {
        ("secret", Some(key), _) => Method::Secret(key),
        ("secret", None, _) if matches!(tls, Tls::Off) => Method::Trusted,
        ("secret", None, _) => return Err(AccessError::NoSecret),
        (_, _, Some((account, clock))) => Method::Iam {
            account,
            clock,
            region: Access::region(lookup)
                .or_else(|| aws::REGION.text(lookup))
                .ok_or(AccessError::NoRegion)?,
        },
        (_, _, None) => return Err(AUTH.refuse(&auth, "there is no AWS account").into()),
    };
    if user.is_none() && !matches!(method, Method::Secret(_)) {
        return Err(AccessError::NoUser);
    }
    Ok(Access(Arc::new(Parts {
        host,
        port: PORT.read(lookup)?,
        name: NAME.read(lookup)?,
        user,
        method,
        tls,
        application: "quotelake".to_owned(),
    })))
}

/// Where `text` says that a server listens.
pub(super) fn host(text: &str) -> Result<Host, &'static str> {
    if text.starts_with('/') {
        return Ok(Host::Folder(text.into()));
    }
    if text.contains("://") || text.contains('/') {
        return Err("that is no name of a host");
    }
    let is_address = text.parse::<std::net::Ipv6Addr>().is_ok();
    if text.contains(':') && !is_address {
        return Err("a port is a setting of its own, DATABASE_PORT");
    }
    if text.contains(',') || text.contains(char::is_whitespace) {
        return Err("it has to be one host");
    }
    Ok(Host::Name(text.to_owned()))
}

fn tls(
    lookup: &Lookup<'_>,
    secrets: &Arc<dyn FetchSecret>,
    host: &Host,
) -> Result<Tls, SettingError> {
    let word: String = TLS.read(lookup)?;
    match (word.as_str(), host) {
        ("off", host) if host.is_here() => Ok(Tls::Off),
        ("off", _) => Err(TLS.refuse(
            &word,
            "DATABASE_HOST is another machine, so the server has to show a certificate",
        )),
        (_, Host::Folder(_)) => Err(TLS.refuse(
            &word,
            "DATABASE_HOST is a socket's folder, and sockets have no TLS",
        )),
        _ => Ok(Key::of_setting(&CA, lookup, secrets)?.map_or(Tls::Roots, Tls::Authority)),
    }
}
