use std::sync::Arc;

use bytes::Bytes;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{
    async_invoke,
    host::Host,
    scheduler,
    stats::Stats,
    template::{Function, ScheduleEvent},
};

/// Runs `schedule` in `tasks` until `stop`; its events are invoked asynchronously.
pub(super) fn spawn(
    tasks: &mut JoinSet<()>,
    function: &Function,
    schedule: &ScheduleEvent,
    host: &Arc<Host>,
    stats: &Arc<Stats>,
    stop: &CancellationToken,
) {
    let config = function.event_invoke;
    let (name, schedule, stop) = (function.name.clone(), schedule.clone(), stop.clone());
    let (host, stats) = (Arc::clone(host), Arc::clone(stats));
    tasks.spawn(async move {
        let invoke = |input: Bytes| {
            let (name, stop) = (name.clone(), stop.clone());
            let (host, stats) = (Arc::clone(&host), Arc::clone(&stats));
            async move {
                let call = || host.invoke(&name, input.clone());
                async_invoke::deliver(config, &stop, &stats, call).await;
            }
        };
        scheduler::run(&name, schedule, &stop, invoke).await;
    });
}
