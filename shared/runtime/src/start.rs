use std::{
    error::Error,
    future::Future,
    io::{Write, stderr},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use cause::Cause;
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde::Serialize;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::Semaphore,
    time::sleep,
};
use tokio_util::sync::CancellationToken;

use crate::{Environment, Event, Invocation, clock, metrics, telemetry};

/// The variable by which a host asks for a function that does not outlive it, whatever happens (on Linux).
pub const DIE_WITH_PARENT: &str = "QUOTELAKE_DIE_WITH_PARENT";

/// How long a call or an answer may take between this process and the Runtime API.
const IN_TRANSIT: Duration = Duration::from_millis(200);

/// Runs a function: reads the environment, starts the log, calls `build` once for the handler, and then
/// answers invocations until the environment ends.
///
/// Exits with 1 and one sentence on stderr if a setting or `build` fails, so that a wrong deployment
/// shows at once. SIGTERM cancels [`Invocation::stop`], and ends the process once the call in hand is answered.
pub fn start<Build, Built, Failure, Handler, Answer, Response, Fault>(build: Build) -> ExitCode
where
    Build: FnOnce(Environment) -> Built,
    Built: Future<Output = Result<Handler, Failure>>,
    Failure: Error + Send + Sync + 'static,
    Handler: Fn(Event, Invocation) -> Answer,
    Answer: Future<Output = Result<Response, Fault>>,
    Response: Serialize,
    Fault: Error,
{
    let run = || {
        let environment = Environment::of_process();
        telemetry::init(&environment)?;
        metrics::begin(&environment);
        #[cfg(target_os = "linux")]
        if environment.secret(DIE_WITH_PARENT).is_some() {
            let kill = Some(rustix::process::Signal::KILL);
            rustix::process::set_parent_process_death_signal(kill)?;
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async {
            // From the first moment on: a request to end during the build is heard after it.
            let terminate = signal(SignalKind::terminate())?;
            serve(build(environment).await?, terminate).await
        })
    };
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(stderr(), "{}", sentence(&*error));
            ExitCode::FAILURE
        }
    }
}

async fn serve<Handler, Answer, Response, Fault>(
    handler: Handler,
    mut terminate: Signal,
) -> Result<(), Box<dyn Error + Send + Sync>>
where
    Handler: Fn(Event, Invocation) -> Answer,
    Answer: Future<Output = Result<Response, Fault>>,
    Response: Serialize,
    Fault: Error,
{
    let stop = CancellationToken::new();
    let idle = Arc::new(Semaphore::new(1));
    let answer = async |event: LambdaEvent<Event>| {
        let _busy = idle.acquire().await;
        let invocation = Invocation::of(&event.context, clock::now(), stop.clone());
        handler(event.payload, invocation)
            .await
            .map_err(|fault| diagnose(&fault))
    };
    let asked_to_end = async {
        terminate.recv().await;
        stop.cancel();
        // A call may be on its way in, and one that is in hand has its answer to send.
        sleep(IN_TRANSIT).await;
        let _last = idle.acquire().await;
        sleep(IN_TRANSIT).await;
    };
    tokio::select! {
        ended = lambda_runtime::run(service_fn(answer)) => ended,
        () = asked_to_end => Ok(()),
    }
}

fn diagnose(fault: &impl Error) -> Diagnostic {
    let error_type = std::any::type_name_of_val(fault);
    tracing::error!(error = sentence(fault), "invocation failed");
    Diagnostic {
        error_type: error_type
            .rsplit("::")
            .next()
            .unwrap_or(error_type)
            .to_owned(),
        error_message: sentence(fault),
    }
}

/// An error and its causes as one line.
fn sentence(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    // The words of a cause of ours are in the sentence before it; those behind it are for whoever asks.
    while let Some(error) = cause.filter(|error| !error.is::<Cause>()) {
        let said = error.to_string();
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        cause = error.source();
    }
    text
}
