//! The AWS emulator ministack.

use std::{
    net::{Ipv4Addr, SocketAddr},
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, sleep},
};

use crate::ports;

/// The variable that names ministack's executable; `.ci/run emulator` sets it.
pub const EXECUTABLE: &str = "QUOTELAKE_MINISTACK";

/// How long it may take to start.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running ministack; it ends with this value, and its children with it.
pub struct Ministack {
    address: SocketAddr,
    process: Child,
    folder: TempDir,
}

impl Ministack {
    /// Starts `executable` on a free port of loopback and waits until it answers.
    pub async fn start(executable: PathBuf) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, ports::free()));
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let process = Command::new(&executable)
            .env("BIND_HOST", address.ip().to_string())
            .env("GATEWAY_PORT", address.port().to_string())
            .env("TMPDIR", folder.path())
            .env("S3_DATA_DIR", folder.path().join("s3"))
            .env("STATE_DIR", folder.path().join("state"))
            .current_dir(folder.path())
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("{} can't be run: {error}", executable.display()));
        let mut ministack = Self {
            address,
            process,
            folder,
        };
        ministack.wait().await;
        ministack
    }

    /// Its endpoint, for every service.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    async fn wait(&mut self) {
        let log = self.folder.path().join("log");
        let log = || std::fs::read_to_string(&log).unwrap();
        let end = Instant::now() + PATIENCE;
        while !is_healthy(self.address).await {
            let ended = self.process.try_wait().unwrap();
            assert!(ended.is_none(), "ministack has ended: {}", log());
            assert!(Instant::now() < end, "ministack does not answer: {}", log());
            sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for Ministack {
    fn drop(&mut self) {
        let group = i32::try_from(self.process.id()).ok();
        if let Some(group) = group.and_then(Pid::from_raw) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.process.wait();
    }
}

async fn is_healthy(address: SocketAddr) -> bool {
    let ask = async {
        let mut socket = TcpStream::connect(address).await?;
        let request =
            b"GET /_ministack/health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
        socket.write_all(request).await?;
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await?;
        Ok::<_, std::io::Error>(answer)
    };
    ask.await
        .is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
}
