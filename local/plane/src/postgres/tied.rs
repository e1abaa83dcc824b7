use std::{
    fs::OpenOptions,
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use super::{Account, LOOK_AGAIN, PostgresError};

/// The process of `$@` ends when this one does: the pipe of its standard input breaks then, which no thread's end does. It
/// is asked to end (SIGINT, of which PostgreSQL rolls back and leaves in order), and killed after five seconds.
const WITH_PARENT: &str = r#"
exec 3<&0 </dev/null
{
    read -r _ <&3
    kill -INT $$
    for _ in 1 2 3 4 5; do kill -0 $$ || break; sleep 1; done
    kill -KILL $$
    [ -z "$REMOVED" ] || rm -rf "$REMOVED"
} 2>/dev/null &
exec 3<&-
exec "$@"
"#;

/// A program that ends with this process, however that ends. Dropping it kills it.
pub struct Tied {
    child: Child,
}

impl Tied {
    /// Starts the program that `words` name, by its whole path, with what it prints added to `log`. If this process ends
    /// without having ended the program, `removes` is removed after it.
    ///
    /// # Errors
    /// [`PostgresError::Io`].
    pub fn spawn(
        words: &[String],
        account: Account,
        log: &Path,
        removes: Option<&Path>,
    ) -> Result<Self, PostgresError> {
        let file = OpenOptions::new().create(true).append(true).open(log);
        let file = file.map_err(PostgresError::at(log))?;
        let also = file.try_clone().map_err(PostgresError::at(log))?;
        // As for functions: what librdkafka leaves open is not for children.
        close_fds::set_fds_cloexec_threadsafe(3, &[]);
        let mut command = account.command("/bin/sh");
        command
            .args(["-c", WITH_PARENT, "sh"])
            .args(words)
            .env("REMOVED", removes.unwrap_or(Path::new("")))
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(file)
            .stderr(also);
        let started = command.spawn();
        let failed =
            |cause| PostgresError::io(format!("{} can't be started", words.join(" ")), cause);
        Ok(Self {
            child: started.map_err(failed)?,
        })
    }

    /// Its process, which is the one that `words` named.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has not ended.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Ends it with one signal after another, each with the time that it has to end of it.
    pub fn end(&mut self, ending: &[(Signal, Duration)]) {
        for (signal, patience) in ending {
            let end = Instant::now() + *patience;
            if self.is_running()
                && let Some(process) = self.process()
            {
                let _ = kill_process(process, *signal);
            }
            while self.is_running() && Instant::now() < end {
                sleep(LOOK_AGAIN);
            }
        }
        // What waits for this process's end is in the group still, and keeps its number from another's use.
        if self.child.stdin.take().is_some()
            && let Some(group) = self.process()
        {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.child.wait();
    }

    fn process(&self) -> Option<Pid> {
        i32::try_from(self.child.id()).ok().and_then(Pid::from_raw)
    }
}

impl Drop for Tied {
    fn drop(&mut self) {
        self.end(&[(Signal::KILL, Duration::from_secs(5))]);
    }
}
