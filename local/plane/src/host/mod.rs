//! A Lambda host: runs the real function binaries, each execution environment its own process behind the
//! real Runtime API.
//!
//! As in Lambda, an environment serves one invocation at a time and is kept for the next. Between two invocations its
//! process is frozen (SIGSTOP, then SIGCONT). A crash or a time-out ends it and fails the invocation in hand.

mod environment;
mod runtime_api;

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use runtime::metrics::Emitted;

use environment::Environment;

/// The largest payload and the largest answer of a synchronous invocation, in bytes.
pub const PAYLOAD_LIMIT: usize = 6 * 1024 * 1024;

/// One function as the host runs it. Not `Debug`: its environment may hold secrets.
#[derive(Clone)]
pub struct Function {
    /// The function's name.
    pub name: String,
    /// The executable.
    pub binary: PathBuf,
    /// How long an invocation may take.
    pub timeout: Duration,
    /// The memory setting in MiB: told to the function, not enforced.
    pub memory_mb: u32,
    /// The most invocations at once; `None` is no limit.
    pub reserved_concurrency: Option<u32>,
    /// Its environment variables, on top of those that Lambda sets.
    pub environment: BTreeMap<String, String>,
}

/// Why an invocation gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvokeError {
    /// There is no function of that name.
    #[error("there is no function {0}: check its name")]
    NoSuchFunction(String),
    /// The process did not start or ended before it asked for its first event.
    #[error("{function} did not start: {said}")]
    InitFailed {
        /// The function.
        function: String,
        /// The system's word, or the last line that the function wrote to stderr.
        said: String,
    },
    /// The handler answered with an error.
    #[error("{function} answered {error_type}: {message}")]
    FunctionError {
        /// The function.
        function: String,
        /// The error's type.
        error_type: String,
        /// The error's message.
        message: String,
    },
    /// The process ended during the invocation.
    #[error("{function} ended during the invocation ({status})")]
    Crashed {
        /// The function.
        function: String,
        /// How it ended.
        status: String,
    },
    /// The time limit passed.
    #[error("{function} took longer than its time limit of {} s", limit.as_secs_f32())]
    TimedOut {
        /// The function.
        function: String,
        /// The limit.
        limit: Duration,
    },
    /// As many invocations run as the function may have at once.
    #[error("{function} already runs {limit} times, which is its reserved concurrency")]
    Throttled {
        /// The function.
        function: String,
        /// The limit.
        limit: u32,
    },
    /// A Lambda elsewhere did not take the invocation or throttled it, or its answer was lost.
    #[error("{function} can't be invoked: {reason}")]
    Service {
        /// The function.
        function: String,
        /// What the service or the connection says.
        reason: String,
    },
}

impl InvokeError {
    /// Whether it says nothing of the payload: a limit or a fault of the service, not the function's.
    pub fn is_of_the_service(&self) -> bool {
        matches!(self, Self::Throttled { .. } | Self::Service { .. })
    }
}

/// What becomes of the process of an invocation that takes longer than its time limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnTimeout {
    /// It is killed, as in Lambda.
    #[default]
    Kill,
    /// It runs on until the host ends, so that its late writes race with those of the retry: for tests of that.
    LeaveRunning,
}

/// What takes the metrics that functions print, with the name of the function.
pub type MetricsSink = Arc<dyn Fn(&str, &Emitted) + Send + Sync>;

/// What every environment gets from the host. Not `Debug`: it holds credentials.
#[derive(Clone)]
pub struct HostSettings {
    /// Variables that Lambda or the account would set: region, credentials, service endpoints.
    pub service_environment: BTreeMap<String, String>,
    /// Where the functions' output goes, one file per function.
    pub logs: PathBuf,
    /// Where the metrics that the functions print go.
    pub metrics: MetricsSink,
    /// What becomes of an invocation beyond its time limit.
    pub on_timeout: OnTimeout,
}

/// The host. Dropping it kills every process that it started.
pub struct Host {
    functions: BTreeMap<String, Function>,
    settings: HostSettings,
    idle: Mutex<BTreeMap<String, Vec<Environment>>>,
    in_flight: Mutex<BTreeMap<String, u32>>,
    left_running: Mutex<Vec<Environment>>,
    running: Mutex<BTreeMap<u32, String>>,
}

impl Host {
    /// A host of these functions; processes start with the first invocation.
    pub fn new(functions: Vec<Function>, settings: HostSettings) -> Self {
        Self {
            functions: functions
                .into_iter()
                .map(|function| (function.name.clone(), function))
                .collect(),
            settings,
            idle: Mutex::default(),
            in_flight: Mutex::default(),
            left_running: Mutex::default(),
            running: Mutex::default(),
        }
    }

    /// Invokes `function` with a JSON payload and waits for its JSON answer.
    ///
    /// # Errors
    /// [`InvokeError`].
    pub async fn invoke(&self, function: &str, payload: Bytes) -> Result<Bytes, InvokeError> {
        let function = self
            .functions
            .get(function)
            .ok_or_else(|| InvokeError::NoSuchFunction(function.to_owned()))?;
        let _place = Place::take(&self.in_flight, function)?;
        let mut environment = match self.take_idle(&function.name) {
            Some(environment) => environment,
            None => Environment::start(function, &self.settings).await?,
        };
        let answer = environment.hand_over(function, payload).await?;
        let _busy = Busy::new(&self.running, environment.pid(), &function.name);
        let outcome = environment.outcome(function, answer).await;
        match (&outcome, self.settings.on_timeout) {
            // After an error of the handler the environment is as good as after an answer.
            (Ok(_) | Err(InvokeError::FunctionError { .. }), _) => lock(&self.idle)
                .entry(function.name.clone())
                .or_default()
                .push(environment),
            (Err(InvokeError::TimedOut { .. }), OnTimeout::LeaveRunning) => {
                lock(&self.left_running).push(environment);
            }
            (Err(InvokeError::TimedOut { .. }), OnTimeout::Kill) => environment.end().await,
            (Err(_), _) => {}
        }
        outcome
    }

    /// The processes that have taken an invocation of `function` and not answered it yet.
    pub fn busy(&self, function: &str) -> Vec<u32> {
        lock(&self.running)
            .iter()
            .filter(|(_, name)| *name == function)
            .map(|(pid, _)| *pid)
            .collect()
    }

    /// Asks every busy process of `function` to finish what it has begun and to answer (SIGTERM). One that is still
    /// starting is none of them: it could only die of it.
    pub fn ask_to_finish(&self, function: &str) {
        for pid in self.busy(function) {
            let pid = i32::try_from(pid)
                .ok()
                .and_then(rustix::process::Pid::from_raw);
            if let Some(pid) = pid {
                // It may have ended meanwhile.
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
            }
        }
    }

    /// Ends every process that is idle or was left running, and waits for it and for the last of its output.
    pub async fn end(&self) {
        let idle = std::mem::take(&mut *lock(&self.idle));
        let left_running = std::mem::take(&mut *lock(&self.left_running));
        for environment in idle.into_values().flatten().chain(left_running) {
            environment.end().await;
        }
    }

    fn take_idle(&self, function: &str) -> Option<Environment> {
        let mut idle = lock(&self.idle);
        let environments = idle.get_mut(function)?;
        while let Some(mut environment) = environments.pop() {
            if environment.is_alive() {
                return Some(environment);
            }
        }
        None
    }
}

/// One of the invocations that a function may have at once, for as long as this lives.
struct Place<'a> {
    in_flight: &'a Mutex<BTreeMap<String, u32>>,
    function: &'a str,
}

impl<'a> Place<'a> {
    fn take(
        in_flight: &'a Mutex<BTreeMap<String, u32>>,
        function: &'a Function,
    ) -> Result<Self, InvokeError> {
        let mut counts = lock(in_flight);
        let count = counts.entry(function.name.clone()).or_default();
        match function.reserved_concurrency {
            Some(limit) if *count >= limit => {
                let function = function.name.clone();
                return Err(InvokeError::Throttled { function, limit });
            }
            _ => *count += 1,
        }
        let function = &function.name;
        Ok(Self {
            in_flight,
            function,
        })
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if let Some(count) = lock(self.in_flight).get_mut(self.function) {
            *count -= 1;
        }
    }
}

/// Marks a process as busy for as long as this lives.
struct Busy<'a> {
    running: &'a Mutex<BTreeMap<u32, String>>,
    pid: u32,
}

impl<'a> Busy<'a> {
    fn new(running: &'a Mutex<BTreeMap<u32, String>>, pid: u32, function: &str) -> Self {
        lock(running).insert(pid, function.to_owned());
        Self { running, pid }
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        lock(self.running).remove(&self.pid);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
