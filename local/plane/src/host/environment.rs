use std::{
    fs::{File, OpenOptions},
    io::Write,
    path::Path,
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use runtime::{DIE_WITH_PARENT, metrics};
use rustix::process::Pid;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::{Child, Command},
    sync::oneshot,
    task::JoinHandle,
    time::{sleep, timeout},
};

use super::{
    Function, HostSettings, InvokeError, MetricsSink, lock,
    runtime_api::{Answer, Call, RuntimeApi},
};

/// Lambda gives the init phase ten seconds.
const INIT_LIMIT: Duration = Duration::from_secs(10);

/// How long to wait for the last output of a process that has ended.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// One process of a function, with the Runtime API that it talks to. Dropping it kills the process.
pub(super) struct Environment {
    process: Child,
    pid: u32,
    api: RuntimeApi,
    ready: bool,
    last_stderr_line: Arc<Mutex<String>>,
    output: Vec<JoinHandle<()>>,
}

impl Environment {
    pub(super) async fn start(
        function: &Function,
        settings: &HostSettings,
    ) -> Result<Self, InvokeError> {
        let failed = |said: String| InvokeError::InitFailed {
            function: function.name.clone(),
            said,
        };
        let api = RuntimeApi::start(function)
            .await
            .map_err(|error| failed(error.to_string()))?;
        // librdkafka opens pipes and sockets that a child would inherit, those of the embedded broker among them. One
        // that it opens between this and the fork is inherited all the same: to close it in the child takes unsafe code.
        close_fds::set_fds_cloexec_threadsafe(3, &[]);
        let mut process = command(function, settings, &api)
            .spawn()
            .map_err(|error| failed(format!("{}: {error}", function.binary.display())))?;
        let pid = process.id().unwrap_or_default();
        if let Some(process) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
            api.freezes(process);
        }
        let log =
            open_log(&settings.logs, &function.name).map_err(|error| failed(error.to_string()))?;
        let last_stderr_line = Arc::new(Mutex::default());
        let mut output = Vec::new();
        if let Some(stdout) = process.stdout.take() {
            output.push(tokio::spawn(copy_stdout(
                stdout,
                Arc::clone(&log),
                function.name.clone(),
                Arc::clone(&settings.metrics),
            )));
        }
        if let Some(stderr) = process.stderr.take() {
            output.push(tokio::spawn(copy_stderr(
                stderr,
                log,
                Arc::clone(&last_stderr_line),
            )));
        }
        Ok(Self {
            pid,
            process,
            api,
            ready: false,
            last_stderr_line,
            output,
        })
    }

    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    pub(super) fn is_alive(&mut self) -> bool {
        matches!(self.process.try_wait(), Ok(None))
    }

    /// Waits until the function has taken the call.
    pub(super) async fn hand_over(
        &mut self,
        function: &Function,
        payload: Bytes,
    ) -> Result<oneshot::Receiver<Answer>, InvokeError> {
        let (taken, is_taken) = oneshot::channel();
        let (answer, is_answered) = oneshot::channel();
        self.api.offer(Call {
            payload,
            taken,
            answer,
        });
        tokio::select! {
            _ = is_taken => {
                self.ready = true;
                Ok(is_answered)
            }
            status = self.process.wait() => Err(self.ended(function, status).await),
            () = sleep(INIT_LIMIT) => Err(self.init_failed(function, "no first request within 10 s")),
        }
    }

    /// Waits for what becomes of the call that was handed over. After a time-out the process runs on: what becomes of it
    /// is the host's to say.
    pub(super) async fn outcome(
        &mut self,
        function: &Function,
        is_answered: oneshot::Receiver<Answer>,
    ) -> Result<Bytes, InvokeError> {
        tokio::select! {
            // An answer counts, even if the process ended right after it.
            biased;
            answer = is_answered => match answer {
                Ok(Answer::Response(body)) => Ok(body),
                Ok(Answer::Error { error_type, message }) => Err(InvokeError::FunctionError {
                    function: function.name.clone(),
                    error_type,
                    message,
                }),
                Err(_) => Err(self.crashed(function, "its Runtime API is gone")),
            },
            status = self.process.wait() => Err(self.ended(function, status).await),
            () = sleep(function.timeout) => {
                Err(InvokeError::TimedOut { function: function.name.clone(), limit: function.timeout })
            }
        }
    }

    pub(super) async fn end(mut self) {
        // It may have ended by itself.
        let _ = self.process.kill().await;
        self.last_output().await;
    }

    async fn last_output(&mut self) {
        for copied in self.output.drain(..) {
            let _ = timeout(LAST_WORDS, copied).await;
        }
    }

    async fn ended(
        &mut self,
        function: &Function,
        status: std::io::Result<ExitStatus>,
    ) -> InvokeError {
        self.last_output().await;
        let status = status.map_or_else(|error| error.to_string(), |status| status.to_string());
        if self.ready {
            return self.crashed(function, &status);
        }
        let said = lock(&self.last_stderr_line).clone();
        self.init_failed(function, if said.is_empty() { &status } else { &said })
    }

    fn crashed(&self, function: &Function, status: &str) -> InvokeError {
        InvokeError::Crashed {
            function: function.name.clone(),
            status: status.to_owned(),
        }
    }

    fn init_failed(&self, function: &Function, said: &str) -> InvokeError {
        InvokeError::InitFailed {
            function: function.name.clone(),
            said: said.to_owned(),
        }
    }
}

fn command(function: &Function, settings: &HostSettings, api: &RuntimeApi) -> Command {
    let memory = function.memory_mb.to_string();
    let log_group = format!("/aws/lambda/{}", function.name);
    let mut command = Command::new(&function.binary);
    command
        .env_clear()
        .envs(&settings.service_environment)
        .envs(&function.environment)
        .envs([
            ("AWS_LAMBDA_RUNTIME_API", api.address()),
            ("AWS_LAMBDA_FUNCTION_NAME", &function.name),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", &memory),
            ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
            ("AWS_LAMBDA_LOG_GROUP_NAME", &log_group),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "local"),
            ("AWS_EXECUTION_ENV", "AWS_Lambda_provided.al2023"),
            ("_HANDLER", "bootstrap"),
            (DIE_WITH_PARENT, "1"),
            ("TZ", ":UTC"),
        ])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        // A Ctrl-C at the terminal is the plane's to handle: the functions finish their work first.
        .process_group(0);
    command
}

/// A log file that several environments of a function write whole lines to.
type Log = Arc<Mutex<File>>;

fn open_log(folder: &Path, function: &str) -> std::io::Result<Log> {
    std::fs::create_dir_all(folder)?;
    // Whatever a function's name is, its log is in the folder.
    let name: String = form_urlencoded::byte_serialize(function.as_bytes()).collect();
    let path = folder.join(format!("{name}.log"));
    let file = OpenOptions::new().create(true).append(true).open(path)?;
    Ok(Arc::new(Mutex::new(file)))
}

async fn copy_stdout(from: impl AsyncRead + Unpin, log: Log, function: String, sink: MetricsSink) {
    let mut lines = BufReader::new(from).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if let Some(emitted) = metrics::read(&line) {
            sink(&function, &emitted);
        }
        write(&log, &line);
    }
}

async fn copy_stderr(from: impl AsyncRead + Unpin, log: Log, last: Arc<Mutex<String>>) {
    let mut lines = BufReader::new(from).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        write(&log, &line);
        *lock(&last) = line;
    }
}

fn write(log: &Log, line: &str) {
    // In one piece, because other environments append to the same file. A full disk must not stop the functions.
    let _ = lock(log).write_all(format!("{line}\n").as_bytes());
}
