//! The scheduler: calls a target when a schedule is due, as EventBridge Scheduler does.

use std::{
    future::Future,
    hash::{BuildHasher, RandomState},
    time::Duration,
};

use bytes::Bytes;
use jiff::Timestamp;
use runtime::clock;
use tokio::{task::JoinSet, time::sleep};
use tokio_util::sync::CancellationToken;

use sam_template::{ACCOUNT, REGION, ScheduleEvent};

/// Calls `invoke` with `function`'s input at every due time until `stop`, and then waits for the calls in hand. A
/// rate is due at once and then at its interval; calls may overlap, as in the service.
pub async fn run<Call>(
    function: &str,
    schedule: ScheduleEvent,
    stop: &CancellationToken,
    invoke: impl Fn(Bytes) -> Call,
) where
    Call: Future<Output = ()> + Send + 'static,
{
    let mut calls = JoinSet::new();
    let start = clock::now();
    let next = |after| {
        schedule
            .expression
            .next_after(after, start, &schedule.timezone)
    };
    let mut due = next(start - Duration::from_nanos(1));
    while let Some(time) = due {
        let wait = Duration::try_from(time.duration_since(clock::now())).unwrap_or_default();
        tokio::select! {
            () = sleep(wait) => {
                calls.spawn(invoke(payload(function, &schedule, time)));
                // Times that have passed meanwhile are not made up for, as in the service.
                due = next(time.max(clock::now()));
            }
            () = stop.cancelled() => break,
            // Keeps the set small; a panic in a call ends that call alone.
            Some(_) = calls.join_next() => {}
        }
    }
    while calls.join_next().await.is_some() {}
}

/// The input with its context attributes replaced, for the invocation that is `due`.
///
/// Source: EventBridge Scheduler user guide, "Adding context attributes"; the name of the schedule is the one that SAM
/// makes.
fn payload(function: &str, schedule: &ScheduleEvent, due: Timestamp) -> Bytes {
    let name = &schedule.name;
    let attributes = [
        (
            "<aws.scheduler.schedule-arn>",
            format!("arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/default/{function}{name}"),
        ),
        (
            "<aws.scheduler.scheduled-time>",
            due.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        ),
        (
            "<aws.scheduler.execution-id>",
            format!("{:016x}", RandomState::new().hash_one(due)),
        ),
        // The queue of asynchronous invocations takes every event at the first attempt.
        ("<aws.scheduler.attempt-number>", "1".to_owned()),
    ];
    let input = schedule.input.to_string();
    let replaced = attributes
        .iter()
        .fold(input, |input, (name, value)| input.replace(name, value));
    replaced.into()
}

#[cfg(test)]
mod tests;
