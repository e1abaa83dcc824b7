//! The pooler that many a server has before it.

use std::{
    fs,
    net::TcpStream,
    path::PathBuf,
    thread::sleep,
    time::{Duration, Instant},
};

use plane::postgres::{NAME, Tied};
use tempfile::TempDir;

use super::{PATIENCE, Postgres, WRITER, WRITER_SECRET, url};
use crate::ports;

/// Where Debian has it, and where else it may be.
const PROGRAMS: [&str; 3] = [
    "/usr/sbin/pgbouncer",
    "/usr/bin/pgbouncer",
    "/usr/local/bin/pgbouncer",
];

/// A pgbouncer that lends a connection for one transaction; it ends with this value.
pub struct Pgbouncer {
    process: Tied,
    port: u16,
    password: String,
    folder: TempDir,
}

impl Pgbouncer {
    /// One before a server, with at most `connections` to each of its databases. It speaks TLS with the server's certificate to
    /// clients that want it. Blocks until it takes connections.
    pub fn before(postgres: &Postgres, connections: u32) -> Self {
        let program = PROGRAMS
            .map(PathBuf::from)
            .into_iter()
            .find(|path| path.exists());
        let program = program.expect("pgbouncer is installed");
        let account = postgres.settings.account;
        let folder = TempDir::new().unwrap();
        let port = ports::free();
        let server = postgres.settings.folder.display();
        let path = folder.path().display();
        let settings = format!(
            "[databases]\n* = host=127.0.0.1 port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             unix_socket_dir =\nauth_type = scram-sha-256\nauth_file = {path}/users\npool_mode = transaction\n\
             default_pool_size = {connections}\nmax_client_conn = 1000\nclient_tls_sslmode = allow\n\
             client_tls_cert_file = {server}/broker.crt\nclient_tls_key_file = {server}/broker.key\n",
            postgres.port
        );
        let users = format!(
            "\"{NAME}\" \"{}\"\n\"{WRITER}\" \"{WRITER_SECRET}\"\n",
            postgres.password
        );
        let file = folder.path().join("pgbouncer.ini");
        fs::write(&file, settings).unwrap();
        fs::write(folder.path().join("users"), users).unwrap();
        for path in [folder.path(), &file, &folder.path().join("users")] {
            account.give(path).unwrap();
        }
        let words = [program.display().to_string(), file.display().to_string()];
        let log = folder.path().join("log");
        let mut pgbouncer = Self {
            process: Tied::spawn(&words, account, &log, None).unwrap(),
            port,
            password: postgres.password.clone(),
            folder,
        };
        pgbouncer.wait();
        pgbouncer
    }

    /// Where clients find a database behind it, with user and password.
    pub fn url_of(&self, database: &str) -> String {
        url(self.port, &self.password, database)
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    fn wait(&mut self) {
        let end = Instant::now() + PATIENCE;
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(
                self.process.is_running(),
                "pgbouncer has ended: {}",
                self.log()
            );
            assert!(
                Instant::now() < end,
                "pgbouncer does not answer: {}",
                self.log()
            );
            sleep(Duration::from_millis(10));
        }
    }
}
