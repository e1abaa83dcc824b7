//! One broker and controller: its folder and its process.

use std::{
    fs::{self, File},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process_group};

use super::{
    PATIENCE,
    properties::{PASSWORD, USER},
};
use crate::plane::workspace;

/// Java with Kafka's classes.
pub(super) struct Java {
    class_path: String,
}

/// A broker that is told to start and to die.
pub(super) struct Node {
    properties: PathBuf,
    folder: PathBuf,
    removes_folder: bool,
    process: Option<Child>,
    starts: u32,
}

/// The process of `$@` dies when this one does: the pipe of its standard input breaks then, which no thread's end does.
const WITH_PARENT: &str = r#"
exec 3<&0 </dev/null
{ read -r _ <&3; kill -KILL $$; [ -z "$REMOVED" ] || rm -rf "$REMOVED"; } &
exec 3<&-
exec "$@"
"#;

impl Java {
    pub(super) fn new(jars: &Path) -> Self {
        assert!(jars.is_dir(), "{} is no folder", jars.display());
        Self {
            class_path: jars.join("*").display().to_string(),
        }
    }

    /// The words that run a class: quick to start rather than quick.
    pub(super) fn words(&self, class: &str) -> Vec<String> {
        let log = workspace().join("tests/kafka/log4j2.properties");
        let log = format!("-Dlog4j2.configurationFile={}", log.display());
        let words = [
            "java",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-Xmx320m",
        ];
        let words = words
            .into_iter()
            .chain([&*log, "-cp", &self.class_path, class]);
        words.map(str::to_owned).collect()
    }

    /// A class that does something and ends.
    pub(super) fn spawn(&self, class: &str, arguments: &[&str]) -> Child {
        let words = self.words(class);
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        command
            .stderr(Stdio::piped())
            .spawn()
            .expect("java is installed")
    }
}

/// Waits for a class of [`Java::spawn`], and gives what it has printed.
pub(super) fn output(process: Child) -> String {
    let output = process.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let printed = text(&output.stdout) + &text(&output.stderr);
    assert!(output.status.success(), "{printed}");
    printed
}

/// [`output`], for what it does alone.
pub(super) fn succeed(process: Child) {
    output(process);
}

impl Node {
    pub(super) fn new(
        index: usize,
        cluster: &Path,
        properties: &str,
        removes_folder: bool,
    ) -> Self {
        let folder = cluster.join(index.to_string());
        fs::create_dir(&folder).unwrap();
        let path = folder.join("server.properties");
        fs::write(&path, properties).unwrap();
        Self {
            properties: path,
            folder: cluster.to_owned(),
            removes_folder,
            process: None,
            starts: 0,
        }
    }

    /// Gives its data folder the cluster's name and the user.
    pub(super) fn format(&self, java: &Java) -> Child {
        let scram = format!("SCRAM-SHA-512=[name={USER},password={PASSWORD}]");
        let properties = self.properties.display().to_string();
        let id = "AAAAAAAAAAAAAAAAAAAAAA";
        let arguments = [
            "format",
            "--cluster-id",
            id,
            "-c",
            &properties,
            "--add-scram",
            &scram,
        ];
        java.spawn("kafka.tools.StorageTool", &arguments)
    }

    pub(super) fn start(&mut self, java: &Java) {
        assert!(self.process.is_none(), "it runs");
        self.starts += 1;
        let log = File::create(self.log()).unwrap();
        let removed = if self.removes_folder {
            &*self.folder
        } else {
            Path::new("")
        };
        let process = Command::new("sh")
            .args(["-c", WITH_PARENT, "sh"])
            .args(java.words("kafka.Kafka"))
            .arg(&self.properties)
            .env("REMOVED", removed)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn();
        self.process = Some(process.unwrap());
    }

    pub(super) fn wait_until_ready(&mut self) {
        let end = Instant::now() + PATIENCE;
        let log = self.log();
        let process = self.process.as_mut().expect("it was started");
        loop {
            let said = fs::read_to_string(&log).unwrap();
            if said.contains("Kafka Server started") {
                return;
            }
            let ended = process.try_wait().unwrap();
            assert!(ended.is_none(), "the broker has ended: {said}");
            assert!(Instant::now() < end, "the broker is not ready: {said}");
            sleep(Duration::from_millis(50));
        }
    }

    pub(super) fn kill(&mut self) {
        self.signal(Signal::KILL);
        if let Some(mut process) = self.process.take() {
            let _ = process.wait();
        }
    }

    /// Sends a signal to the broker, if it runs.
    pub(super) fn signal(&self, signal: Signal) {
        let group = self.process.as_ref().map(Child::id);
        let group = group.and_then(|group| i32::try_from(group).ok());
        if let Some(group) = group.and_then(Pid::from_raw) {
            let _ = kill_process_group(group, signal);
        }
    }

    fn log(&self) -> PathBuf {
        self.properties
            .with_file_name(format!("log-{}", self.starts))
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}
