//! PostgreSQL itself: servers as processes of a test, of the major versions that a folder has.

mod disk;
mod frozen;
mod pgbouncer;
mod way;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, OnceLock},
    time::{Duration, Instant},
};

use plane::postgres::{Account, NAME, Programs, Server, Settings};
use runtime::Environment;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

use crate::{ports, real_kafka::certificates::Certificates};
use disk::Disk;
use frozen::processes;
pub use pgbouncer::Pgbouncer;
pub use way::{Fate, Way};

/// The variable that names the folder with a folder of PostgreSQL for each major version, such as `15` and `18`, that has
/// the programs in `bin`; `.ci/run postgres` sets it.
pub const PROGRAMS: &str = "QUOTELAKE_POSTGRES";

/// How long anything may take that PostgreSQL does: the machine may be busy with other tests.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The host that the server's certificate does not name; the server listens there too.
pub const OTHER_HOST: &str = "127.0.0.2";

/// A user with the function's role, and its password; [`Postgres::create_writer`] makes it.
pub const WRITER: &str = "upserter";

/// What servers keep of that password: PBKDF2 of one round and not 4,096, which take this build a tenth of a second.
const WRITER_SECRET: &str = "SCRAM-SHA-256$1:cXVvdGVsYWtlLXNhbHQuLg==$kTa0hXX2ObYdwLIYHeA2FfkAPEr2J/rEgUaHQQgo9n8=:l8hp84FXWHloGT5KImd8oJNrrhLRiFuYfEiFRUo2oCk=";

/// A running server; it ends with this value, or with the process of the test. Its methods block, but for those of SQL.
///
/// Clients may come by TLS or without; the certificate is of the authority in [`certificates`](Self::certificates), for
/// `127.0.0.1` and `localhost`.
pub struct Postgres {
    /// `None` while it is killed.
    server: Option<Server>,
    settings: Settings,
    port: u16,
    password: String,
    certificates: Certificates,
    disk: Option<Disk>,
    _removed: Option<TempDir>,
}

/// What is not as usual with a server.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Parameters over the usual ones, such as `("ssl", "off")` or `("max_connections", "5")`.
    pub parameters: Vec<(&'static str, String)>,
    /// The size in bytes of a disk that has nothing but the tables; a new server needs 30 MB of it. A server with one can't be
    /// started again.
    pub disk: Option<u64>,
}

/// The major versions that there are, the oldest first.
///
/// # Panics
/// If [`PROGRAMS`] is not set, or names a folder without any.
pub fn versions() -> Vec<String> {
    let entries = fs::read_dir(folder()).unwrap().map(Result::unwrap);
    let mut versions: Vec<u32> = entries
        .filter(|entry| entry.path().join("bin/postgres").exists())
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    versions.sort_unstable();
    assert!(!versions.is_empty(), "no PostgreSQL in {PROGRAMS}");
    versions.iter().map(u32::to_string).collect()
}

/// The folder of the programs of a version.
///
/// # Panics
/// If [`PROGRAMS`] is not set.
pub fn programs(version: &str) -> PathBuf {
    folder().join(version)
}

fn folder() -> PathBuf {
    let folder = Environment::of_process().secret(PROGRAMS);
    folder
        .unwrap_or_else(|| panic!("set {PROGRAMS} to a folder of tests/postgres.sh"))
        .into()
}

impl Postgres {
    /// An empty server of this major version. Blocks until it takes connections.
    pub fn start(version: &str) -> Self {
        Self::start_with(version, &Options::default())
    }

    /// The same, with what is not as usual.
    pub fn start_with(version: &str, options: &Options) -> Self {
        let folder = TempDir::new().unwrap();
        let mut postgres = Self::start_in(folder.path(), version, options, false);
        postgres._removed = Some(folder);
        postgres
    }

    /// The server of this version that the tests of this process share which do it no harm: each makes a
    /// [database](Self::create_database) of its own.
    pub fn shared(version: &str) -> &'static Self {
        static SHARED: Mutex<BTreeMap<String, &'static OnceLock<Postgres>>> =
            Mutex::new(BTreeMap::new());
        let server = *SHARED
            .lock()
            .unwrap()
            .entry(version.to_owned())
            .or_insert_with(|| Box::leak(Box::default()));
        // Nobody drops it, so its process removes the folder.
        let options = Options {
            parameters: vec![("max_connections", "300".to_owned())],
            disk: None,
        };
        server.get_or_init(|| {
            Self::start_in(&TempDir::new().unwrap().keep(), version, &options, true)
        })
    }

    fn start_in(folder: &Path, version: &str, options: &Options, removes_folder: bool) -> Self {
        let account = Account::find().unwrap();
        let programs = Programs::find_in(account, &programs(version), None).unwrap();
        assert_eq!(programs.version(), version);
        account.give(folder).unwrap();
        let certificates = Certificates::make(folder);
        let file = |name: &str| {
            let path = folder.join(name);
            account.give(&path).unwrap();
            path.display().to_string()
        };
        let disk = options.disk.map(|size| Disk::new(folder, size));
        let usual = [
            // Only a machine that loses its power needs it.
            ("fsync", "off".to_owned()),
            ("shared_buffers", "32MB".to_owned()),
            ("listen_addresses", format!("127.0.0.1,{OTHER_HOST}")),
            ("unix_socket_directories", folder.display().to_string()),
            ("ssl", "on".to_owned()),
            ("ssl_cert_file", file("broker.crt")),
            ("ssl_key_file", file("broker.key")),
        ];
        let parameters = usual.into_iter().chain(options.parameters.clone());
        let settings = Settings {
            port: Some(ports::free()),
            parameters: parameters
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
            wrapper: disk.as_ref().map_or_else(Vec::new, Disk::wrapper),
            removes_folder,
            ..Settings::new(programs, account, folder.to_owned(), folder.join("log"))
        };
        let server = Server::start(&settings).unwrap();
        Self {
            port: server.port(),
            password: server.password().to_owned(),
            server: Some(server),
            settings,
            certificates,
            disk,
            _removed: None,
        }
    }

    /// Where clients find its first database, by TCP and with user and password.
    pub fn url(&self) -> String {
        self.url_of(NAME)
    }

    /// The same of a database.
    pub fn url_of(&self, database: &str) -> String {
        url(self.port, &self.password, database)
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The user, who may do anything.
    pub fn user(&self) -> &'static str {
        NAME
    }

    /// Its password.
    pub fn password(&self) -> &str {
        &self.password
    }

    /// The folder of its socket.
    pub fn socket_folder(&self) -> &Path {
        &self.settings.folder
    }

    /// The authority of its certificate, and another one.
    pub fn certificates(&self) -> &Certificates {
        &self.certificates
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.settings.log).unwrap()).into_owned()
    }

    /// A connection to a database, as the user who may do anything.
    pub async fn client(&self, database: &str) -> Client {
        let (client, connection) = tokio_postgres::connect(&self.url_of(database), NoTls)
            .await
            .unwrap();
        // It ends with the client.
        tokio::spawn(connection);
        client
    }

    /// Makes a database of this name, and gives its URL.
    pub async fn create_database(&self, name: &str) -> String {
        let client = self.client(NAME).await;
        let statement = format!("CREATE DATABASE \"{name}\"");
        client.batch_execute(&statement).await.unwrap();
        self.url_of(name)
    }

    /// Makes the user [`WRITER`], where it is not there; a database has been migrated before.
    pub async fn create_writer(&self) {
        let statement = format!(
            "DO $$ BEGIN CREATE ROLE {WRITER} LOGIN PASSWORD '{WRITER_SECRET}' IN ROLE quotelake_writer; \
             EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
        );
        self.client(NAME)
            .await
            .batch_execute(&statement)
            .await
            .unwrap();
    }

    /// Sets a parameter for the sessions that begin from now on, such as `default_transaction_read_only`; `None` gives it its
    /// usual value. Those that run take it between two statements, a moment later.
    pub async fn set(&self, name: &str, value: Option<&str>) {
        let client = self.client(NAME).await;
        let statement = match value {
            Some(value) => format!("ALTER SYSTEM SET {name} = '{value}'"),
            None => format!("ALTER SYSTEM RESET {name}"),
        };
        // A session may be read only, which this is not about.
        let writable = "SET default_transaction_read_only = off";
        client.batch_execute(writable).await.unwrap();
        client.batch_execute(&statement).await.unwrap();
        let loaded = "SELECT pg_conf_load_time()";
        let time = || async {
            let row = self.client(NAME).await.query_one(loaded, &[]).await;
            row.unwrap().get::<_, std::time::SystemTime>(0)
        };
        let before = time().await;
        client
            .batch_execute("SELECT pg_reload_conf()")
            .await
            .unwrap();
        let end = Instant::now() + PATIENCE;
        while time().await == before {
            assert!(Instant::now() < end, "{name} is not set");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Whether clients may write by default.
    pub async fn set_read_only(&self, is_read_only: bool) {
        let value = is_read_only.then_some("on");
        self.set("default_transaction_read_only", value).await;
    }

    /// Cuts every connection but the one that does it, as an administrator does; gives how many there were.
    pub async fn cut_connections(&self) -> i64 {
        let client = self.client(NAME).await;
        let statement = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                         WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
        client.query_one(statement, &[]).await.unwrap().get(0)
    }

    /// Kills it with all of its processes, as a machine that loses its power does.
    pub fn kill(&mut self) {
        let server = self.server.take().expect("it runs");
        let all = processes(server.pid());
        signal(&all, Signal::KILL);
        server.kill();
        let end = Instant::now() + PATIENCE;
        while all.iter().any(|process| frozen::is_running(*process)) {
            assert!(Instant::now() < end, "processes that don't end: {all:?}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Stops it as `systemctl stop` does: connections are told, and cut.
    pub fn stop(&mut self) {
        self.server.take().expect("it runs").stop();
    }

    /// Starts it again after [`kill`](Self::kill) or [`stop`](Self::stop), on what it has left and at the same port, and waits
    /// until it takes connections.
    pub fn restart(&mut self) {
        assert!(self.server.is_none(), "it runs");
        assert!(self.disk.is_none(), "its disk ended with it");
        let settings = Settings {
            port: Some(self.port),
            ..self.settings.clone()
        };
        self.server = Some(Server::start(&settings).unwrap());
    }

    /// Stops the time of all of its processes: connections stay, and nothing answers.
    pub fn freeze(&self) {
        signal(&self.processes(), Signal::STOP);
    }

    /// Has it go on.
    pub fn thaw(&self) {
        signal(&self.processes(), Signal::CONT);
    }

    /// Fills its small disk, but for what the tables have there already: a statement that needs more is refused with 53100.
    pub fn fill_disk(&self) {
        self.on_disk(Disk::fill);
    }

    /// Gives back what [`fill_disk`](Self::fill_disk) took.
    pub fn empty_disk(&self) {
        self.on_disk(Disk::empty);
    }

    fn on_disk(&self, act: impl Fn(&Disk, u32)) {
        let disk = self.disk.as_ref().expect("Options::disk");
        act(disk, self.server.as_ref().expect("it runs").pid());
    }

    fn processes(&self) -> Vec<Pid> {
        processes(self.server.as_ref().expect("it runs").pid())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            // One that is frozen can be killed, but its children do not see it.
            let all = processes(server.pid());
            signal(&all, Signal::CONT);
            server.kill();
        }
    }
}

fn signal(processes: &[Pid], signal: Signal) {
    for process in processes {
        // It may have ended meanwhile.
        let _ = kill_process(*process, signal);
    }
}

fn url(port: u16, password: &str, database: &str) -> String {
    format!("postgres://{NAME}:{password}@127.0.0.1:{port}/{database}")
}
