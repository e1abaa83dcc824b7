//! The command-line tool.

#![forbid(unsafe_code)]

mod interrupts;

use std::{
    error::Error,
    io::{Write, stderr, stdout},
    pin::pin,
    process::ExitCode,
    time::Duration,
};

use clap::Parser;
use interrupts::Interrupts;
use lake_tools::{
    backfill, cost, gaps, inspect, migrate,
    replay::{self, To},
    roll, sql,
    verify::{
        self, DatabaseOptions, DatabaseProof, SilverOptions, SilverProof, Target, verify_database,
        verify_silver,
    },
};
use quotelake::{
    cli::{Cli, Command, Verify},
    serve,
    trigger::{self, RemoteTriggers},
    up::{
        Running, Up, UpError,
        view::{Place, View},
    },
};
use runtime::Environment;
use tokio::time::{Instant, interval, sleep_until};
use tokio_util::sync::CancellationToken;

/// What a command ends with; an error is one sentence on stderr.
type Outcome = Result<ExitCode, Box<dyn Error>>;

/// The run was not exact, or the lake is not as it should be.
const NOT_EXACT: u8 = 1;

/// It could not be done: the plane did not start, a part failed, or there is no such lake.
const FAILED: u8 = 2;

/// A second Ctrl-C, as shells count it.
const INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Up(options) => block_on(up(options)),
        Command::Inspect(options) => block_on(inspect(options)),
        Command::Replay(options) => block_on(replay(options)),
        Command::Migrate(options) => block_on(migrate(options)),
        Command::Roll(options) => block_on(roll(options)),
        Command::Gaps(options) => block_on(gaps(options)),
        Command::Backfill(options) => block_on(backfill(options)),
        Command::Cost(options) => cost(&options),
        Command::Verify(options) => block_on(verify(options)),
        Command::Sql(options) => sql(&options),
        Command::Trigger(options) => block_on(trigger(options)),
        Command::Serve(part) => block_on(serve(part)),
    };
    outcome.unwrap_or_else(|error| {
        // Nothing is left to tell it to if stderr is closed.
        let _ = writeln!(stderr(), "quotelake: {error}");
        ExitCode::from(FAILED)
    })
}

fn block_on(command: impl Future<Output = Outcome>) -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let outcome = runtime.block_on(command);
    // A call that hangs on a broker that has gone must not hold up the exit.
    runtime.shutdown_timeout(Duration::from_secs(2));
    outcome
}

fn interrupted() -> ExitCode {
    ExitCode::from(INTERRUPTED)
}

/// Success, or the code of what is not as it should be.
fn success(is_success: bool) -> ExitCode {
    match is_success {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(NOT_EXACT),
    }
}

async fn up(command: Up) -> Outcome {
    let view = View::new(command.json);
    let (run_for, options) = (command.run_for, command.options(&Environment::of_process()));
    let mut interrupts = Interrupts::listen()?;
    view.starting(options.bin_dir.is_none());
    let Some(started) = interrupts.or(Running::start(&options)).await else {
        return Ok(interrupted());
    };
    let mut running = started?;
    let place = Place::of(&running);
    view.started(&place);
    tokio::select! {
        error = watch(&mut running, &view, &place, run_for) => return Err(error.into()),
        () = end_of(run_for) => {}
        () = interrupts.next() => {}
    }
    view.stopping();
    let Some(stopped) = interrupts.or(running.stop()).await else {
        return Ok(interrupted());
    };
    let summary = stopped?;
    view.summary(&summary);
    Ok(success(summary.is_success()))
}

/// Shows the counts until a part fails.
async fn watch(
    running: &mut Running,
    view: &View,
    place: &Place,
    run_for: Option<Duration>,
) -> UpError {
    let mut ticks = interval(view.interval());
    ticks.tick().await;
    loop {
        tokio::select! {
            error = running.failure() => return error,
            _ = ticks.tick() => {
                let counts = running.stats().snapshot().into();
                view.progress(running.elapsed(), run_for, &counts, place);
            }
        }
    }
}

async fn inspect(options: inspect::Options) -> Outcome {
    let printed = inspect::run(&options, &Environment::of_process()).await?;
    print(&printed.text, success(printed.is_sound))
}

async fn replay(options: replay::Options) -> Outcome {
    let mut interrupts = Interrupts::listen()?;
    let stop = CancellationToken::new();
    let environment = Environment::of_process();
    if options.to == To::Database {
        let running = replay::run_to_database(&options, &environment, stop.clone());
        let Some(outcome) = interrupts.or_finished(running, &stop).await else {
            return Ok(interrupted());
        };
        let outcome = outcome?;
        let text = outcome.text(options.json);
        return print(&text, success(outcome.is_complete()));
    }
    let running = replay::run(&options, &environment, stop.clone());
    let Some(outcome) = interrupts.or_finished(running, &stop).await else {
        return Ok(interrupted());
    };
    let outcome = outcome?;
    let text = replay::text(&options, &outcome);
    print(&text, success(outcome.is_complete()))
}

async fn migrate(options: migrate::Options) -> Outcome {
    let mut interrupts = Interrupts::listen()?;
    let environment = Environment::of_process();
    let Some(migrated) = interrupts.or(migrate::run(&options, &environment)).await else {
        return Ok(interrupted());
    };
    print(&migrated?, ExitCode::SUCCESS)
}

async fn roll(options: roll::Options) -> Outcome {
    let mut interrupts = Interrupts::listen()?;
    let stop = CancellationToken::new();
    let environment = Environment::of_process();
    let running = roll::run(&options, &environment, stop.clone());
    let Some(outcome) = interrupts.or_finished(running, &stop).await else {
        return Ok(interrupted());
    };
    let outcome = outcome?;
    print(&roll::text(&options, &outcome), success(outcome.is_whole()))
}

async fn gaps(options: gaps::Options) -> Outcome {
    let mut interrupts = Interrupts::listen()?;
    let environment = Environment::of_process();
    let Some(found) = interrupts.or(gaps::run(&options, &environment)).await else {
        return Ok(interrupted());
    };
    let found = found?;
    let text = gaps::text(&options, &found);
    print(&text, success(found.is_explained()))
}

async fn backfill(options: backfill::Options) -> Outcome {
    let mut interrupts = Interrupts::listen()?;
    let environment = Environment::of_process();
    // What is published stays; the next run asks for the rest.
    let running = backfill::run(&options, &environment);
    let Some(outcome) = interrupts.or(running).await else {
        return Ok(interrupted());
    };
    let outcome = outcome?;
    let text = backfill::text(&options, &outcome);
    print(&text, success(outcome.is_complete()))
}

fn cost(options: &cost::Options) -> Outcome {
    let workload = options.workload();
    workload.check()?;
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

fn sql(options: &sql::Options) -> Outcome {
    print(&sql::run(options)?, ExitCode::SUCCESS)
}

async fn verify(asked: Verify) -> Outcome {
    let mut interrupts = Interrupts::listen()?;
    let environment = Environment::of_process();
    let proof = asked.proof().to_owned();
    let Verify {
        options,
        silver,
        database,
        ..
    } = asked;
    if proof == DatabaseProof::NAME {
        let options = DatabaseOptions::of(options, database)?;
        let view = verify::View::new(options.json);
        let progress = |progress| view.progress(progress);
        let verifying = verify_database(&options, &environment, &progress);
        let Some(verdict) = interrupts.or(verifying).await else {
            return Ok(interrupted());
        };
        let verdict = verdict?;
        view.verdict(verdict.is_exact(), &verdict);
        return Ok(success(verdict.is_exact()));
    }
    database.check_not_given()?;
    if proof == SilverProof::NAME {
        let options = SilverOptions::of(options, silver)?;
        let verifying = verify_silver(&options, &environment);
        return match interrupts.or(verifying).await {
            Some(verdict) => {
                let verdict = verdict?;
                print(&verdict.text(options.json), success(verdict.is_right()))
            }
            None => Ok(interrupted()),
        };
    }
    let view = verify::View::new(options.json);
    let verified = async {
        let target = Target::open(&options, &environment).await?;
        let verdict = target.verify(&|progress| view.progress(progress)).await?;
        Ok::<_, Box<dyn Error>>(verdict)
    };
    let Some(verified) = interrupts.or(verified).await else {
        return Ok(interrupted());
    };
    let verdict = verified?;
    view.verdict(verdict.is_exact(), &verdict);
    Ok(success(verdict.is_exact()))
}

async fn trigger(options: trigger::Options) -> Outcome {
    let view = trigger::View::new(&options);
    let mut interrupts = Interrupts::listen()?;
    let environment = Environment::of_process();
    let starting = RemoteTriggers::start(&options, &environment);
    let Some(started) = interrupts.or(starting).await else {
        return Ok(interrupted());
    };
    let mut triggers = started?;
    view.started(&options);
    let mut ticks = interval(view.interval());
    ticks.tick().await;
    let mut end = pin!(end_of(options.run_for));
    loop {
        tokio::select! {
            error = triggers.failure() => return Err(error.into()),
            _ = ticks.tick() => {
                let counts = triggers.stats().snapshot().into();
                view.progress(triggers.elapsed(), &counts);
            }
            () = &mut end => break,
            () = interrupts.next() => break,
        }
    }
    let Some(stopped) = interrupts.or(triggers.stop()).await else {
        return Ok(interrupted());
    };
    let summary = stopped?;
    view.summary(&summary);
    Ok(success(summary.is_complete()))
}

async fn serve(part: serve::Part) -> Outcome {
    let mut interrupts = Interrupts::listen()?;
    let serving = part.serve().await?;
    let code = print(&serving.to_string(), ExitCode::SUCCESS)?;
    interrupts.next().await;
    Ok(code)
}

async fn end_of(run_for: Option<Duration>) {
    match run_for {
        Some(time) => sleep_until(Instant::now() + time).await,
        None => std::future::pending().await,
    }
}

fn print(text: &str, code: ExitCode) -> Outcome {
    stdout().write_all(text.as_bytes())?;
    Ok(code)
}
