//! A database by its URL, for the tool.

use std::sync::Arc;

use secrets::{Key, Secret};
use tokio_postgres::{Config, config};

use super::access::{Access, AccessError, Host, Method, Parts, Tls};

impl Access {
    /// The database at `url`, in the form of libpq: `postgres://USER:PASSWORD@HOST:PORT/NAME`, or
    /// `postgres://USER@/NAME?host=/FOLDER` for a Unix socket.
    ///
    /// `password` is taken where the URL has none. `authority` (PEM) stands for the system's roots. A server on this machine
    /// is spoken to without TLS, unless there is an authority or the URL says `sslmode=require`; every other one has to show
    /// a certificate for its name.
    ///
    /// # Errors
    /// [`AccessError::Url`]. Nothing is connected.
    pub fn of_url(
        url: &str,
        password: Option<Secret>,
        authority: Option<String>,
    ) -> Result<Self, AccessError> {
        let not = |problem: &str| AccessError::Url {
            problem: problem.to_owned(),
        };
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(not("it does not begin with postgres://"));
        }
        // The client always verifies, and knows no words for that.
        let (place, options) = url.split_once('?').unwrap_or((url, ""));
        if options.contains("sslrootcert=") {
            return Err(not(
                "it has sslrootcert, and authorities are an option of their own",
            ));
        }
        let options = options
            .replace("sslmode=verify-full", "sslmode=require")
            .replace("sslmode=verify-ca", "sslmode=require");
        let config: Config = format!("{place}?{options}")
            .parse()
            .map_err(|error| not(&cause::innermost(&error)))?;
        let host = match config.get_hosts() {
            [config::Host::Tcp(name)] => Host::Name(name.clone()),
            [config::Host::Unix(folder)] => Host::Folder(folder.clone()),
            [] => return Err(not("it names no host")),
            _ => return Err(not("it names several hosts")),
        };
        if config.get_options().is_some() {
            return Err(not("it has options, which poolers refuse"));
        }
        let wants_tls = config.get_ssl_mode() == config::SslMode::Require || authority.is_some();
        let tls = match (&host, authority) {
            (Host::Folder(_), _) if wants_tls => return Err(not("a socket has no TLS")),
            (host, _) if host.is_here() && !wants_tls => Tls::Off,
            _ if config.get_ssl_mode() == config::SslMode::Disable => {
                return Err(not(
                    "it switches TLS off, and the server is another machine",
                ));
            }
            (_, Some(pem)) => Tls::Authority(Key::fixed(Secret::from(pem))),
            (_, None) => Tls::Roots,
        };
        let user = config.get_user().ok_or_else(|| not("it names no user"))?;
        let given = match config.get_password().map(str::from_utf8) {
            Some(Ok(given)) => Some(Secret::from(given.to_owned())),
            Some(Err(_)) => return Err(not("its password is no text")),
            None => None,
        };
        Ok(Self(Arc::new(Parts {
            port: config.get_ports().first().copied().unwrap_or(5432),
            name: config.get_dbname().unwrap_or(user).to_owned(),
            user: Some(user.to_owned()),
            method: given.or(password).map_or(Method::Trusted, Method::Password),
            application: config
                .get_application_name()
                .unwrap_or("quotelake")
                .to_owned(),
            host,
            tls,
        })))
    }
}
