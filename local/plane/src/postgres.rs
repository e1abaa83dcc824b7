//! A PostgreSQL server as a process of this machine, on loopback.
//!
//! Its programs are found, not brought: [`Programs`]. A folder keeps its database across starts. The server has one user and
//! one database, both [`NAME`], and asks for a password (SCRAM-SHA-256). It ends with this process, however that ends.

mod account;
mod cluster;
mod error;
mod home;
mod programs;
mod tied;

use std::{
    fs,
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    thread::sleep,
    time::{Duration, Instant},
};

use rustix::process::Signal;

pub use account::Account;
use cluster::Cluster;
pub use error::PostgresError;
pub use home::Home;
pub use programs::Programs;
pub use tied::Tied;

/// The user, and the database that it owns.
pub const NAME: &str = "quotelake";

/// How long a start may take: the machine may be busy, and the server may have to recover.
const START: Duration = Duration::from_secs(60);

/// How long what keeps a server from starting may take to pass.
const PASSES: Duration = Duration::from_secs(15);

/// The pause between two looks at what is waited for.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// How a server is ended: transactions are rolled back and the data written; it only stops; it is killed. Each with the
/// time that it has for it.
/// Source: PostgreSQL's manual, "Shutting Down the Server".
const ENDING: [(Signal, Duration); 3] = [
    (Signal::INT, Duration::from_secs(10)),
    (Signal::QUIT, Duration::from_secs(5)),
    (Signal::KILL, Duration::from_secs(5)),
];

/// What to start.
#[derive(Clone, Debug)]
pub struct Settings {
    /// PostgreSQL's programs.
    pub programs: Programs,
    /// Whose process it is.
    pub account: Account,
    /// The folder of the database and the password; [`Home::of`] finds one. It is made if it is not there.
    pub folder: PathBuf,
    /// The file that the server's log is added to.
    pub log: PathBuf,
    /// The port on 127.0.0.1; `None` takes a free one.
    pub port: Option<u16>,
    /// Options of `initdb`, for a folder without a database.
    pub initdb: Vec<String>,
    /// Parameters of the server, over those of this module.
    pub parameters: Vec<(String, String)>,
    /// The words before the server's own, of a program that becomes the server.
    pub wrapper: Vec<String>,
    /// Whether the folder is removed when this process ends without having dropped the server.
    pub removes_folder: bool,
}

impl Settings {
    /// A server that keeps what it has in `folder`.
    pub fn new(programs: Programs, account: Account, folder: PathBuf, log: PathBuf) -> Self {
        Self {
            programs,
            account,
            folder,
            log,
            port: None,
            initdb: Vec::new(),
            parameters: Vec::new(),
            wrapper: Vec::new(),
            removes_folder: false,
        }
    }
}

/// A running server. Dropping it stops it, and waits for that. Not `Debug`: it holds the password.
pub struct Server {
    process: Tied,
    port: u16,
    password: String,
}

impl Server {
    /// Makes the database where there is none, and starts a server on it. Blocks until it takes connections.
    ///
    /// What an earlier process has left does not matter: a server that still ends is waited for.
    ///
    /// # Errors
    /// [`PostgresError`].
    pub fn start(settings: &Settings) -> Result<Self, PostgresError> {
        let cluster = Cluster::open(settings)?;
        let end = Instant::now() + PASSES;
        loop {
            cluster.leave_alone()?;
            let port = settings.port.map_or_else(free_port, Ok)?;
            let logged = fs::metadata(&settings.log).map_or(0, |log| log.len());
            let mut process = spawn(settings, &cluster, port)?;
            match wait(&mut process, settings, &cluster, port, logged) {
                // Between its choice and the start somebody took the port, or a killed server's last process has the memory.
                Err(PostgresError::Ended { said, .. })
                    if is_passing(&said) && Instant::now() < end =>
                {
                    sleep(LOOK_AGAIN * 10);
                }
                Err(error) => return Err(error),
                Ok(()) => {
                    return Ok(Self {
                        process,
                        port,
                        password: cluster.password,
                    });
                }
            }
        }
    }

    /// The host.
    pub fn host(&self) -> Ipv4Addr {
        Ipv4Addr::LOCALHOST
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The password of the user [`NAME`]: letters and digits.
    pub fn password(&self) -> &str {
        &self.password
    }

    /// Where clients find the database, with user and password.
    pub fn url(&self) -> String {
        format!(
            "postgres://{NAME}:{}@{}:{}/{NAME}",
            self.password,
            self.host(),
            self.port
        )
    }

    /// The process of the server, whose children are one for each connection and a few of its own.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Whether the process has not ended.
    pub fn is_running(&mut self) -> bool {
        self.process.is_running()
    }

    /// Stops it, as a drop does: connections are cut, transactions in hand rolled back.
    pub fn stop(mut self) {
        self.process.end(&ENDING);
    }

    /// Kills it, as a power cut does: whatever was not committed is lost.
    pub fn kill(mut self) {
        self.process.end(&ENDING[2..]);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.end(&ENDING);
    }
}

fn free_port() -> Result<u16, PostgresError> {
    let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|free| free.local_addr());
    let failed = |cause| PostgresError::io("a free port can't be had", cause);
    Ok(bound.map_err(failed)?.port())
}

fn spawn(settings: &Settings, cluster: &Cluster, port: u16) -> Result<Tied, PostgresError> {
    let mut words = settings.wrapper.clone();
    words.push(settings.programs.path("postgres").display().to_string());
    words.extend(["-D".to_owned(), cluster.data.display().to_string()]);
    let own = [
        ("port", port.to_string()),
        ("listen_addresses", Ipv4Addr::LOCALHOST.to_string()),
        // Its path would be too long in many a folder.
        ("unix_socket_directories", String::new()),
        ("log_line_prefix", "%m [%p] ".to_owned()),
    ];
    let own = own.map(|(name, value)| (name.to_owned(), value));
    for (name, value) in own.iter().chain(&settings.parameters) {
        words.extend(["-c".to_owned(), format!("{name}={value}")]);
    }
    let removes = settings.removes_folder.then_some(&*settings.folder);
    Tied::spawn(&words, settings.account, &settings.log, removes)
}

/// Waits until the server takes connections.
fn wait(
    process: &mut Tied,
    settings: &Settings,
    cluster: &Cluster,
    port: u16,
    logged: u64,
) -> Result<(), PostgresError> {
    let end = Instant::now() + START;
    loop {
        if !process.is_running() {
            return Err(PostgresError::Ended {
                program: "postgres",
                said: last_error(&settings.log, logged),
            });
        }
        if cluster.is_ready(process.pid())
            && TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
        {
            return Ok(());
        }
        if Instant::now() > end {
            return Err(PostgresError::Silent {
                seconds: START.as_secs(),
                log: settings.log.clone(),
            });
        }
        sleep(LOOK_AGAIN);
    }
}

/// Whether a server ended for a reason that goes away.
fn is_passing(said: &str) -> bool {
    [
        "still in use",
        "lock file",
        "Address already in use",
        "could not create any TCP/IP sockets",
    ]
    .iter()
    .any(|reason| said.contains(reason))
}

/// The line that says what went wrong, of what a log has behind its first `logged` bytes.
fn last_error(log: &Path, logged: u64) -> String {
    let text = fs::read(log).unwrap_or_default();
    let new = usize::try_from(logged)
        .ok()
        .and_then(|logged| text.get(logged..));
    let text = String::from_utf8_lossy(new.unwrap_or_default());
    let mut lines = text.lines().rev();
    let is_error = |line: &&str| ["FATAL:", "PANIC:"].iter().any(|word| line.contains(word));
    let said = lines.clone().find(is_error).or(lines.next());
    said.unwrap_or("it says nothing").trim().to_owned()
}

#[cfg(test)]
mod tests;
