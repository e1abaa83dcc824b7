//! The command-line tool.

#![forbid(unsafe_code)]

use std::{
    error::Error,
    io::{self, Write, stderr, stdout},
    pin::pin,
    process::ExitCode,
    time::Duration,
};

use clap::Parser;
use quotelake::{
    cli::{Cli, Command, Up},
    cost, inspect, redeliver,
    remote_lambda::{self, RemoteTriggers},
    serve,
    up::{
        Plane, UpError,
        view::{Place, View},
    },
    verify::{self, Target},
};
use runtime::Environment;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    time::{Instant, interval, sleep_until},
};
use tokio_util::sync::CancellationToken;

/// The run was not exact, or the lake is not as it should be.
const NOT_EXACT: u8 = 1;

/// It could not be done: the plane did not start, a part failed, or there is no such lake.
const FAILED: u8 = 2;

/// A second Ctrl-C, as shells count it.
const INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Up(options) => block_on(up(options)),
        Command::Inspect(options) => block_on(inspect(options)),
        Command::Replay(options) => block_on(replay(options)),
        Command::Cost(options) => cost(&options),
        Command::Verify(options) => block_on(verify(options)),
        Command::Trigger(options) => block_on(trigger(options)),
        Command::Serve(part) => block_on(serve(part)),
    }
}

fn block_on(command: impl Future<Output = ExitCode>) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error),
    };
    let code = runtime.block_on(command);
    // A call that hangs on a broker that has gone must not hold up the exit.
    runtime.shutdown_timeout(Duration::from_secs(2));
    code
}

fn cost(options: &cost::Options) -> ExitCode {
    let workload = options.workload();
    if let Err(error) = workload.check() {
        return fail(&error);
    }
    let estimate = cost::estimate(&workload);
    let text = if options.document {
        cost::document()
    } else if options.json {
        cost::json(&workload, &estimate)
    } else {
        cost::text(&estimate)
    };
    print(&text, ExitCode::SUCCESS)
}

async fn inspect(options: inspect::Options) -> ExitCode {
    match inspect::run(&options, &Environment::of_process()).await {
        Ok(printed) if printed.is_sound => print(&printed.text, ExitCode::SUCCESS),
        Ok(printed) => print(&printed.text, ExitCode::from(NOT_EXACT)),
        Err(error) => fail(&error),
    }
}

async fn replay(options: redeliver::Options) -> ExitCode {
    let (mut interrupt, mut terminate) = match signals() {
        Ok(signals) => signals,
        Err(error) => return fail(&error),
    };
    let stop = CancellationToken::new();
    let environment = Environment::of_process();
    let mut running = pin!(redeliver::run(&options, &environment, stop.clone()));
    let outcome = tokio::select! {
        outcome = &mut running => outcome,
        () = either(&mut interrupt, &mut terminate) => {
            // The batch in hand is finished.
            stop.cancel();
            tokio::select! {
                outcome = running => outcome,
                () = either(&mut interrupt, &mut terminate) => return ExitCode::from(INTERRUPTED),
            }
        }
    };
    match outcome {
        Ok(outcome) if outcome.is_complete() => {
            print(&redeliver::text(&options, &outcome), ExitCode::SUCCESS)
        }
        Ok(outcome) => print(
            &redeliver::text(&options, &outcome),
            ExitCode::from(NOT_EXACT),
        ),
        Err(error) => fail(&error),
    }
}

/// Ctrl-C, and what a system sends to end a process.
fn signals() -> io::Result<(Signal, Signal)> {
    Ok((
        signal(SignalKind::interrupt())?,
        signal(SignalKind::terminate())?,
    ))
}

fn print(text: &str, code: ExitCode) -> ExitCode {
    match stdout().write_all(text.as_bytes()) {
        Ok(()) => code,
        Err(error) => fail(&error),
    }
}

async fn up(command: Up) -> ExitCode {
    let view = View::new(command.json);
    let (run_for, options) = (command.run_for, command.options(&Environment::of_process()));
    let (mut interrupt, mut terminate) = match signals() {
        Ok(signals) => signals,
        Err(error) => return fail(&error),
    };
    view.starting();
    let started = tokio::select! {
        started = Plane::start(&options) => started,
        () = either(&mut interrupt, &mut terminate) => return ExitCode::from(INTERRUPTED),
    };
    let mut plane = match started {
        Ok(plane) => plane,
        Err(error) => return fail(&error),
    };
    let place = Place::of(&plane);
    view.started(&place);
    tokio::select! {
        error = watch(&mut plane, &view, &place, run_for) => return fail(&error),
        () = end_of(run_for) => {}
        () = either(&mut interrupt, &mut terminate) => {}
    }
    view.stopping();
    let stopped = tokio::select! {
        stopped = plane.stop() => stopped,
        () = either(&mut interrupt, &mut terminate) => return ExitCode::from(INTERRUPTED),
    };
    match stopped {
        Ok(summary) => {
            view.summary(&summary);
            if summary.is_success() {
                ExitCode::SUCCESS
            } else {
                ExitCode::from(NOT_EXACT)
            }
        }
        Err(error) => fail(&error),
    }
}

async fn verify(options: verify::Options) -> ExitCode {
    let (mut interrupt, mut terminate) = match signals() {
        Ok(signals) => signals,
        Err(error) => return fail(&error),
    };
    let view = verify::View::new(options.json);
    let environment = Environment::of_process();
    let verified = async {
        let target = Target::open(&options, &environment).await?;
        let verdict = target.verify(&|progress| view.progress(progress)).await?;
        Ok::<_, Box<dyn Error>>(verdict)
    };
    let verified = tokio::select! {
        verified = verified => verified,
        () = either(&mut interrupt, &mut terminate) => return ExitCode::from(INTERRUPTED),
    };
    match verified {
        Ok(verdict) => {
            view.verdict(&verdict);
            if verdict.is_exact() {
                ExitCode::SUCCESS
            } else {
                ExitCode::from(NOT_EXACT)
            }
        }
        Err(error) => fail(&*error),
    }
}

async fn trigger(options: remote_lambda::Options) -> ExitCode {
    let view = remote_lambda::View::new(&options);
    let (mut interrupt, mut terminate) = match signals() {
        Ok(signals) => signals,
        Err(error) => return fail(&error),
    };
    let environment = Environment::of_process();
    let started = tokio::select! {
        started = RemoteTriggers::start(&options, &environment) => started,
        () = either(&mut interrupt, &mut terminate) => return ExitCode::from(INTERRUPTED),
    };
    let mut triggers = match started {
        Ok(triggers) => triggers,
        Err(error) => return fail(&error),
    };
    view.started(&options);
    let mut ticks = interval(view.interval());
    ticks.tick().await;
    let mut end = pin!(end_of(options.run_for));
    loop {
        tokio::select! {
            error = triggers.failure() => return fail(&error),
            _ = ticks.tick() => view.progress(triggers.elapsed(), &triggers.stats().snapshot()),
            () = &mut end => break,
            () = either(&mut interrupt, &mut terminate) => break,
        }
    }
    let stopped = tokio::select! {
        stopped = triggers.stop() => stopped,
        () = either(&mut interrupt, &mut terminate) => return ExitCode::from(INTERRUPTED),
    };
    match stopped {
        Ok(summary) => {
            view.summary(&summary);
            if summary.is_complete() {
                ExitCode::SUCCESS
            } else {
                ExitCode::from(NOT_EXACT)
            }
        }
        Err(error) => fail(&error),
    }
}

async fn serve(part: serve::Part) -> ExitCode {
    let (mut interrupt, mut terminate) = match signals() {
        Ok(signals) => signals,
        Err(error) => return fail(&error),
    };
    let serving = match part.serve().await {
        Ok(serving) => serving,
        Err(error) => return fail(&error),
    };
    let code = print(&serving.to_string(), ExitCode::SUCCESS);
    if code == ExitCode::SUCCESS {
        either(&mut interrupt, &mut terminate).await;
    }
    code
}

/// Shows the counts until a part fails.
async fn watch(
    plane: &mut Plane,
    view: &View,
    place: &Place,
    run_for: Option<Duration>,
) -> UpError {
    let mut ticks = interval(view.interval());
    ticks.tick().await;
    loop {
        tokio::select! {
            error = plane.failure() => return error,
            _ = ticks.tick() => view.progress(plane.elapsed(), run_for, &plane.stats().snapshot(), place),
        }
    }
}

async fn end_of(run_for: Option<Duration>) {
    match run_for {
        Some(time) => sleep_until(Instant::now() + time).await,
        None => std::future::pending().await,
    }
}

async fn either(interrupt: &mut Signal, terminate: &mut Signal) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

fn fail(error: &dyn Error) -> ExitCode {
    // Nothing is left to tell it to if stderr is closed.
    let _ = writeln!(stderr(), "quotelake: {error}");
    ExitCode::from(FAILED)
}
