//! The scheduler: calls a target when a schedule is due, as EventBridge Scheduler does.

use std::{future::Future, time::Duration};

use runtime::clock;
use tokio::{task::JoinSet, time::sleep};
use tokio_util::sync::CancellationToken;

use crate::template::ScheduleEvent;

/// Calls `invoke` at every due time until `stop`, and then waits for the calls in hand. A rate is due at once
/// and then at its interval; calls may overlap, as in the service.
pub async fn run<Call>(schedule: ScheduleEvent, stop: CancellationToken, invoke: impl Fn() -> Call)
where
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
                calls.spawn(invoke());
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
