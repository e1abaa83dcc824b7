use std::{fmt, path::PathBuf, sync::Arc};

use cause::Cause;
use jiff::Timestamp;
use secrets::{AwsAccount, Key, Secret, SecretError};
use settings::SettingError;
use tokio::try_join;

use super::{
    iam,
    login::{self, Login},
};

/// Where a database is and how to get in, before anything is fetched. Clones share what was fetched.
///
/// Nothing is fetched before the first connection; a password is then kept until the database refuses it.
#[derive(Clone, Debug)]
pub struct Access(pub(super) Arc<Parts>);

#[derive(Clone, Debug)]
pub(super) struct Parts {
    pub(super) host: Host,
    pub(super) port: u16,
    pub(super) name: String,
    pub(super) user: Option<String>,
    pub(super) method: Method,
    pub(super) tls: Tls,
    pub(super) application: String,
}

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Host {
    /// A name or an address.
    Name(String),
    /// The folder of its Unix socket.
    Folder(PathBuf),
}

/// How a user is known.
#[derive(Clone, Debug)]
pub(super) enum Method {
    /// By the server's trust in whoever connects from this machine.
    Trusted,
    Password(Secret),
    /// A password in a secret.
    Secret(Key),
    Iam {
        account: Arc<AwsAccount>,
        region: String,
        clock: fn() -> Timestamp,
    },
}

/// How the server is known.
#[derive(Clone, Debug)]
pub(super) enum Tls {
    Off,
    /// By the system's roots.
    Roots,
    /// By an authority of one's own, in PEM.
    Authority(Key),
}

/// Why a database can't be got at. One sentence; never with a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    /// A setting is missing or has a value that can't be used.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// A user is known by a password, and there is none.
    #[error(
        "DATABASE_AUTH is secret and DATABASE_SECRET is missing: set it to the reference of a secret, {FORM}"
    )]
    NoSecret,
    /// Nothing says which user.
    #[error("DATABASE_USER is missing: set it to the name of a user of the database")]
    NoUser,
    /// Tokens are for a region, and nothing says which.
    #[error("DATABASE_AUTH is iam and nothing names the database's region: set AWS_REGION")]
    NoRegion,
    /// The secret can't be had.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The secret is there, and is something else.
    #[error("the secret that {setting} names is not {expects}: store it as that")]
    NotCredentials {
        /// The variable that names it.
        setting: &'static str,
        /// What it should be, as a noun phrase.
        expects: &'static str,
    },
    /// There is nothing to sign a token with.
    #[error(
        "no token for the database can be signed ({cause}): give the function a role that may rds-db:connect"
    )]
    NoToken {
        /// What was seen.
        #[source]
        cause: Cause,
    },
    /// The database's URL can't be used.
    #[error("the database's URL can't be used ({problem}): write postgres://USER@HOST:PORT/NAME")]
    Url {
        /// Why not; without the URL, which may hold a password.
        problem: String,
    },
}

/// What the secret of a user is.
pub(super) const FORM: &str = r#"{"username":"…","password":"…"}"#;

impl Access {
    /// The same database, which shows `application` as the name of who is connected (`pg_stat_activity`).
    #[must_use]
    pub fn named(self, application: impl Into<String>) -> Self {
        let mut parts = Arc::unwrap_or_clone(self.0);
        parts.application = application.into();
        Self(Arc::new(parts))
    }

    /// The server's name or address, or the folder of its socket.
    pub fn host(&self) -> String {
        match &self.0.host {
            Host::Name(name) => name.clone(),
            Host::Folder(folder) => folder.display().to_string(),
        }
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.0.port
    }

    /// The name of the database.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The user, where a secret does not say who it is.
    pub fn user(&self) -> Option<&str> {
        self.0.user.as_deref()
    }

    /// The password, where it was given and is not in a secret.
    pub fn password(&self) -> Option<&Secret> {
        match &self.0.method {
            Method::Password(password) => Some(password),
            _ => None,
        }
    }

    /// Whether the server has to show a certificate.
    pub fn has_tls(&self) -> bool {
        !matches!(self.0.tls, Tls::Off)
    }

    /// User, password and authority as they are held, fetched where there are none yet, at the same time.
    pub(super) async fn login(&self) -> Result<Login, AccessError> {
        let (user, authority) = try_join!(self.credentials(), self.authority())?;
        let (user, password) = user;
        Ok(Login {
            user,
            password,
            authority,
        })
    }

    /// Another login than `refused`, if there is one: a rotated password, another authority. Asks for a secret at most
    /// once a minute.
    pub(super) async fn renewed(&self, refused: &Login) -> Result<Option<Login>, AccessError> {
        let keys = [
            match &self.0.method {
                Method::Secret(key) => Some(key),
                _ => None,
            },
            match &self.0.tls {
                Tls::Authority(key) => Some(key),
                _ => None,
            },
        ];
        if keys.iter().all(Option::is_none) {
            return Ok(None);
        }
        for key in keys.into_iter().flatten() {
            let held = key.get().await?;
            key.renewed(&held).await?;
        }
        let login = self.login().await?;
        Ok(Some(login).filter(|login| login != refused))
    }

    async fn credentials(&self) -> Result<(String, Option<Secret>), AccessError> {
        let named = || self.0.user.clone().ok_or(AccessError::NoUser);
        match &self.0.method {
            Method::Trusted => Ok((named()?, None)),
            Method::Password(password) => Ok((named()?, Some(password.clone()))),
            Method::Secret(key) => {
                let user = login::user(&key.get().await?, self.0.user.as_deref())?;
                Ok((user.0, Some(user.1)))
            }
            Method::Iam {
                account,
                region,
                clock,
            } => {
                let no_token = |cause| AccessError::NoToken { cause };
                let user = named()?;
                let credentials = account.credentials().await.map_err(no_token)?;
                let host = match &self.0.host {
                    Host::Name(name) => name,
                    Host::Folder(_) => "localhost",
                };
                let place = (host, self.0.port);
                let token =
                    iam::token(&credentials, region, place, &user, clock()).map_err(no_token)?;
                Ok((user, Some(token)))
            }
        }
    }

    async fn authority(&self) -> Result<Option<String>, AccessError> {
        match &self.0.tls {
            Tls::Authority(key) => Ok(Some(login::authority(&key.get().await?)?)),
            Tls::Off | Tls::Roots => Ok(None),
        }
    }
}

impl Host {
    /// Whether it is this machine, where nobody else listens.
    pub(super) fn is_here(&self) -> bool {
        match self {
            Self::Folder(_) => true,
            Self::Name(name) => {
                let address = name.parse::<std::net::IpAddr>();
                name == "localhost" || address.is_ok_and(|address| address.is_loopback())
            }
        }
    }
}

/// `HOST:PORT/NAME`: no user, no secret.
impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Parts {
            host, port, name, ..
        } = &*self.0;
        match host {
            Host::Name(host) if host.contains(':') => write!(f, "[{host}]:{port}/{name}"),
            Host::Name(host) => write!(f, "{host}:{port}/{name}"),
            Host::Folder(folder) => write!(f, "{}:{port}/{name}", folder.display()),
        }
    }
}
