//! The database of quotes: a server of the run's own, or one from elsewhere.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use lake_tools::{database_location::DatabaseLocation, migrate};
use plane::{
    data_folder::DataFolder,
    postgres::{Account, Home, PostgresError, Programs, Server, Settings},
};
use runtime::Environment;
use sam_template::Pipeline;
use serde::Serialize;
use serde_json::json;
use tables::postgres::Access;
use tokio::{task::spawn_blocking, time::sleep};

use super::UpError;

/// The file of the server's log in the folder of logs.
pub(super) const LOG: &str = "postgres.log";

/// A secret of no account.
const SECRET: &str = "arn:aws:secretsmanager:us-east-1:000000000000:secret:database";

/// The pause between two looks at the server's process.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// Which database to use. Not `Debug`: it holds a password.
#[derive(Clone)]
pub struct Database {
    /// Where it is.
    pub source: DatabaseSource,
    /// The authorities of its certificate, a file in PEM.
    pub authority: Option<PathBuf>,
    /// The password for a URL without one.
    pub password: Option<String>,
    /// Where programs are, as `PATH` has it.
    pub path: Option<String>,
}

/// Where a database is.
#[derive(Clone)]
pub enum DatabaseSource {
    /// In the data folder, by programs of this machine.
    Own,
    /// The same, by the programs in this folder.
    Programs(PathBuf),
    /// At a `postgres://` URL.
    Url(String),
}

impl DatabaseSource {
    /// As an option tells it.
    pub(super) fn of(value: &str) -> Self {
        match value {
            "" => Self::Own,
            url if url.contains("://") => Self::Url(url.to_owned()),
            folder => Self::Programs(folder.into()),
        }
    }
}

/// How a person finds the database.
#[derive(Clone, Debug, Serialize)]
pub struct DatabaseAccess {
    /// Its URL; with the password where the server is the run's own.
    pub database: String,
    /// The folder of the run's own server, where that is not in the data folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database_folder: Option<PathBuf>,
}

/// A database that has the tables; a server of the run's own ends with this value.
pub(super) struct Postgres {
    /// What the template's parameters are offered.
    parameters: BTreeMap<&'static str, String>,
    /// What only the functions' environment says: the host, and the password's and the authorities' files.
    environment: BTreeMap<&'static str, String>,
    access: DatabaseAccess,
    own: Option<Server>,
}

impl Postgres {
    /// Starts the server if it is the run's own, and makes the tables.
    pub(super) async fn start(database: &Database, folder: &DataFolder) -> Result<Self, UpError> {
        let mut elsewhere = None;
        let mut own = None;
        let url = match &database.source {
            DatabaseSource::Url(url) => url.clone(),
            source => {
                let (source, path) = (source.clone(), database.path.clone());
                let (data, log) = (folder.path().to_owned(), folder.logs().join(LOG));
                let started = spawn_blocking(move || start(&source, path.as_deref(), &data, log));
                let started = started.await.map_err(io::Error::other);
                let (server, home) = started.map_err(|cause| PostgresError::Io {
                    what: "PostgreSQL can't be started".to_owned(),
                    cause,
                })??;
                elsewhere = home.is_elsewhere.then_some(home.folder);
                own.insert(server).url()
            }
        };
        let location = DatabaseLocation {
            database: Some(url.clone()),
            database_ca: database.authority.clone(),
        };
        let password = database.password.as_ref();
        let password = password.map(|password| ("DATABASE_PASSWORD", password.as_str()));
        let access = location.access(&password.into_iter().collect())?;
        let shown = format!("postgres://{access}");
        migrate(location, &password.into_iter().collect()).await?;
        Ok(Self {
            parameters: parameters(&access),
            environment: environment(&access, database, folder)?,
            access: DatabaseAccess {
                database: if own.is_some() { url } else { shown },
                database_folder: elsewhere,
            },
            own,
        })
    }

    /// The parameters of the template that say where it is.
    pub(super) fn parameters(&self) -> impl Iterator<Item = (String, String)> {
        let parameters = self.parameters.iter();
        parameters.map(|(&name, value)| (name.to_owned(), value.clone()))
    }

    /// Has every function that speaks to it find it, and the password.
    pub(super) fn secure(&self, pipeline: &mut Pipeline) {
        for function in &mut pipeline.functions {
            if function.environment.contains_key("DATABASE_HOST") {
                let environment = self.environment.iter();
                let environment =
                    environment.map(|(&name, value)| (name.to_owned(), value.clone()));
                function.environment.extend(environment);
            }
        }
    }

    pub(super) fn access(&self) -> &DatabaseAccess {
        &self.access
    }

    /// Waits until the run's own server has ended by itself.
    pub(super) async fn ended(&mut self) {
        while self.own.as_mut().is_none_or(Server::is_running) {
            sleep(LOOK_AGAIN).await;
        }
    }

    /// Ends the server, if it is the run's own.
    pub(super) async fn stop(self) {
        if let Some(own) = self.own {
            // A server that can't be stopped was killed.
            let _ = spawn_blocking(move || own.stop()).await;
        }
    }
}

/// Starts a server on the database of the data folder.
fn start(
    source: &DatabaseSource,
    path: Option<&str>,
    data: &Path,
    log: PathBuf,
) -> Result<(Server, Home), PostgresError> {
    let account = Account::find()?;
    let home = Home::of(data, account)?;
    let programs = match source {
        DatabaseSource::Programs(folder) => Programs::find_in(account, folder, Some(&home.folder))?,
        _ => Programs::find(account, path, Some(&home.folder))?,
    };
    if let Some(logs) = log.parent() {
        fs::create_dir_all(logs).map_err(|cause| unwritten(logs, cause))?;
    }
    let settings = Settings::new(programs, account, home.folder.clone(), log);
    Ok((Server::start(&settings)?, home))
}

async fn migrate(location: DatabaseLocation, environment: &Environment) -> Result<(), UpError> {
    let options = migrate::Options {
        database: location,
        print: false,
        days_ahead: 7,
        keep_days: None,
        days_since: None,
        json: false,
    };
    migrate::run(&options, environment).await?;
    Ok(())
}

fn parameters(access: &Access) -> BTreeMap<&'static str, String> {
    // The template asks for a secret where there is TLS; which one it is, `environment` says.
    // So it does of the host without TLS, which may be a socket's folder: the template knows a loopback host alone.
    let (host, tls, secret) = if access.has_tls() {
        (access.host(), "verify", SECRET)
    } else {
        ("localhost".to_owned(), "off", "")
    };
    [
        ("DatabaseHost", host),
        ("DatabasePort", access.port().to_string()),
        ("DatabaseName", access.name().to_owned()),
        ("DatabaseUser", access.user().unwrap_or_default().to_owned()),
        ("DatabaseTls", tls.to_owned()),
        ("DatabaseSecretArn", secret.to_owned()),
    ]
    .into()
}

/// The host, and the references to the files of the password and the authorities.
fn environment(
    access: &Access,
    database: &Database,
    folder: &DataFolder,
) -> Result<BTreeMap<&'static str, String>, UpError> {
    let mut environment = BTreeMap::from([("DATABASE_HOST", access.host())]);
    if let Some(password) = access.password() {
        let file = folder.path().join("database.json");
        let text = json!({ "username": access.user(), "password": password.expose() }).to_string();
        write_secret(&file, &text).map_err(|cause| unwritten(&file, cause))?;
        environment.insert("DATABASE_SECRET", format!("file:{}", file.display()));
    }
    if let Some(authority) = &database.authority {
        let file = std::path::absolute(authority).map_err(|cause| unwritten(authority, cause))?;
        environment.insert("DATABASE_CA_SECRET", format!("file:{}", file.display()));
    }
    Ok(environment)
}

/// Writes a file that only its owner can read, in place of the one of the last start.
fn write_secret(file: &Path, text: &str) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = fs::OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)?;
    file.write_all(text.as_bytes())
}

fn unwritten(file: &Path, cause: io::Error) -> PostgresError {
    PostgresError::Io {
        what: format!("{} can't be written", file.display()),
        cause,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_where_the_functions_find_the_database() {
        let of = |url: &str| parameters(&Access::of_url(url, None, None).unwrap());
        let here = of("postgres://ann:pass@127.0.0.1:5433/quotes");
        assert_eq!(here["DatabaseHost"], "localhost");
        assert_eq!(
            (&*here["DatabasePort"], &*here["DatabaseTls"]),
            ("5433", "off")
        );
        assert_eq!(
            (&*here["DatabaseUser"], &*here["DatabaseName"]),
            ("ann", "quotes")
        );
        let there = of("postgres://ann@db.example.com");
        assert_eq!(
            (&*there["DatabasePort"], &*there["DatabaseTls"]),
            ("5432", "verify")
        );
        assert_eq!(there["DatabaseName"], "ann");
        let socket = of("postgres://ann@/quotes?host=/run/postgresql");
        assert_eq!(socket["DatabaseHost"], "localhost");
        assert_eq!(socket["DatabaseTls"], "off");
        let by_tls = of("postgres://ann@localhost/quotes?sslmode=require");
        assert_eq!(by_tls["DatabaseTls"], "verify");
    }

    #[test]
    fn the_functions_password_is_its_owners_alone_and_renewed_at_each_start() {
        let data = std::env::temp_dir().join(format!("quotelake-secret-{}", std::process::id()));
        write_secret(&data, "one").unwrap();
        write_secret(&data, "two").unwrap();
        let mode =
            std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&data).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_to_string(&data).unwrap(), "two");
        fs::remove_file(&data).unwrap();
    }
}
