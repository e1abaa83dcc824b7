//! What a server keeps in its folder: the database (PostgreSQL's "cluster") and the password.

use std::{
    fs::{self, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use super::{LOOK_AGAIN, NAME, PostgresError, Settings};

/// PostgreSQL's data folder in ours.
const DATA: &str = "data";

/// The data folder while it is made.
const NEW_DATA: &str = "data.new";

/// The file with the user's password.
const PASSWORD: &str = "password";

/// How long the server of a process that was killed has to end, before it is killed too. It needs five seconds at most.
const ORPHAN: Duration = Duration::from_secs(8);

/// A database that is there.
pub(super) struct Cluster {
    /// PostgreSQL's data folder.
    pub(super) data: PathBuf,
    /// The password of the user.
    pub(super) password: String,
}

impl Cluster {
    /// That of the settings' folder; it is made if it is not there, in full or not at all.
    pub(super) fn open(settings: &Settings) -> Result<Self, PostgresError> {
        let (folder, account) = (&settings.folder, settings.account);
        account.make_folder(folder)?;
        let path = folder.join(PASSWORD);
        let data = folder.join(DATA);
        if !data.exists() {
            let new = folder.join(NEW_DATA);
            let failed = PostgresError::at(&new);
            if new.exists() {
                fs::remove_dir_all(&new).map_err(failed)?;
            }
            write_password(&path)?;
            account.give(&path)?;
            init(settings, &new, &path)?;
            fs::rename(&new, &data).map_err(PostgresError::at(&data))?;
        }
        let password = fs::read_to_string(&path).map_err(PostgresError::at(&path))?;
        Ok(Self {
            data,
            password: password.trim().to_owned(),
        })
    }

    /// Sees to it that no earlier server is on the data, and that nothing says so.
    pub(super) fn leave_alone(&self) -> Result<(), PostgresError> {
        let file = self.data.join("postmaster.pid");
        let Some(process) = process_in(&file) else {
            return Ok(());
        };
        let end = Instant::now() + ORPHAN;
        while serves(process, &self.data) {
            if Instant::now() > end {
                let _ = kill_process(process, Signal::KILL);
            }
            sleep(LOOK_AGAIN);
        }
        // PostgreSQL takes any process with the number in the file for a server, as after a restart of the machine.
        if test_kill_process(process).is_ok() && file.exists() {
            fs::remove_file(&file).map_err(PostgresError::at(&file))?;
        }
        Ok(())
    }

    /// Whether the server that is this process takes connections.
    /// Source of the format: PostgreSQL's `miscadmin.h`, "lock file".
    pub(super) fn is_ready(&self, process: u32) -> bool {
        let text = fs::read_to_string(self.data.join("postmaster.pid")).unwrap_or_default();
        let mut lines = text.lines().map(str::trim);
        lines.next() == Some(&process.to_string()) && lines.nth(6) == Some("ready")
    }
}

/// The major version of the database in a server's folder, if there is one.
pub(super) fn version(folder: &Path) -> Option<String> {
    let text = fs::read_to_string(folder.join(DATA).join("PG_VERSION")).ok()?;
    Some(text.trim().to_owned())
}

/// Whether a server runs on the database in a server's folder.
pub(super) fn has_server(folder: &Path) -> bool {
    let data = folder.join(DATA);
    let process = process_in(&data.join("postmaster.pid"));
    process.is_some_and(|process| serves(process, &data))
}

/// 48 digits that nobody can guess.
pub(super) fn random() -> io::Result<String> {
    let mut chance = [0; 24];
    fs::File::open("/dev/urandom")?.read_exact(&mut chance)?;
    Ok(chance.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn write_password(path: &Path) -> Result<(), PostgresError> {
    let failed = PostgresError::at(path);
    let password = random().map_err(&failed)?;
    if path.exists() {
        fs::remove_file(path).map_err(&failed)?;
    }
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    let written = file.and_then(|mut file| file.write_all(password.as_bytes()));
    written.map_err(failed)
}

/// Makes the data folder with the user, and the database in it.
fn init(settings: &Settings, data: &Path, password: &Path) -> Result<(), PostgresError> {
    let mut command = settings.account.command(settings.programs.path("initdb"));
    command
        .arg("--pgdata")
        .arg(data)
        .args(["--username", NAME, "--auth=scram-sha-256"]);
    command.arg("--pwfile").arg(password);
    command
        .args(["--encoding=UTF8", "--locale=C"])
        .args(&settings.initdb);
    run("initdb", command, "")?;
    let mut command = settings.account.command(settings.programs.path("postgres"));
    command.args(["--single", "-D"]).arg(data).arg("postgres");
    run("postgres", command, &format!("CREATE DATABASE {NAME}\n"))
}

/// Runs a program that ends, with something to read.
fn run(program: &'static str, mut command: Command, input: &str) -> Result<(), PostgresError> {
    let failed = |cause| PostgresError::io(format!("{program} can't be run"), cause);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().map_err(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        // One that has ended already says why.
        let _ = stdin.write_all(input.as_bytes());
    }
    let output = child.wait_with_output().map_err(failed)?;
    match trouble(&output) {
        None => Ok(()),
        Some(said) => Err(PostgresError::Ended { program, said }),
    }
}

/// What went wrong; a server without clients tells it by its words alone.
fn trouble(output: &Output) -> Option<String> {
    let said = String::from_utf8_lossy(&output.stderr);
    let is_error = |line: &&str| {
        ["ERROR:", "FATAL:", "PANIC:", "error:"]
            .iter()
            .any(|word| line.contains(word))
    };
    let error = said
        .lines()
        .find(is_error)
        .map(|line| line.trim().to_owned());
    match (error, output.status.success()) {
        (None, true) => None,
        (Some(error), _) => Some(error),
        (None, false) => Some(said.lines().last().unwrap_or("it says nothing").to_owned()),
    }
}

/// Whether a process is a server on this data.
fn serves(process: Pid, data: &Path) -> bool {
    let data = data.display().to_string();
    command_line(process).is_some_and(|words| words.contains(&data))
}

/// The process that a lock file names.
fn process_in(file: &Path) -> Option<Pid> {
    let text = fs::read_to_string(file).ok()?;
    Pid::from_raw(text.lines().next()?.trim().parse().ok()?)
}

/// The words that a process was started with, if it runs.
fn command_line(process: Pid) -> Option<String> {
    let number = process.as_raw_nonzero().to_string();
    if Path::new("/proc/self/cmdline").exists() {
        let words = fs::read(Path::new("/proc").join(number).join("cmdline")).ok()?;
        return Some(String::from_utf8_lossy(&words).into_owned());
    }
    let output = Command::new("ps")
        .args(["-o", "args=", "-p", &number])
        .output()
        .ok()?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}
