use std::time::Duration;

use feeds::Feed;
use futures::stream::poll_fn;
use runtime::{Invocation, clock, metrics::emit};
use stream::publish::Publish;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use crate::{
    Job, Report,
    beat::{
        fetch_time, first_beat, first_start, is_on_the_clock, left_out, next_start, starts_between,
    },
    collect::collect,
    failures::Failures,
    memory::Memory,
    metrics,
    outgoing::publish,
    report::Tally,
};

/// What is left of the time limit for the answer itself.
const ANSWER_MARGIN: Duration = Duration::from_secs(1);

/// The time that publishing gets at the end of a cycle, before the function has to answer.
const PUBLISH_MARGIN: Duration = Duration::from_secs(3);

/// The times that an invocation has to keep.
#[derive(Clone, Copy)]
pub(crate) struct Deadlines {
    /// Nothing is fetched after it.
    pub(crate) fetch_by: Instant,
    /// The function answers.
    pub(crate) answer_by: Instant,
}

impl Deadlines {
    pub(crate) fn of(invocation: &Invocation) -> Self {
        let answer_by = Instant::now() + invocation.remaining(ANSWER_MARGIN);
        // However short the limit, part of it goes to fetching and part to publishing.
        let publish_margin = PUBLISH_MARGIN.min(invocation.remaining(ANSWER_MARGIN) / 2);
        Self {
            fetch_by: answer_by - publish_margin,
            answer_by,
        }
    }
}

/// Runs the job's cycles for so much `time`: each starts a whole number of beats after the first, none overlaps another, and one
/// whose start has passed is skipped and counted, also where the invocation before had to leave it out.
pub(crate) async fn run(
    feed: &Feed,
    publisher: &impl Publish,
    job: &Job,
    memory: &Memory,
    invocation: &Invocation,
    time: Duration,
) -> Report {
    let beat = job.beat.unwrap_or(feed.beat);
    let deadlines = Deadlines::of(invocation);
    let (now, came) = (Instant::now(), clock::now());
    let end = deadlines.fetch_by.min(now + time);
    let (first, mut start) = (first_beat(came, beat), now + first_start(came, beat));
    let on_the_clock = is_on_the_clock(beat, job.budget) && start < end;
    let mut tally = Tally::default();
    if !on_the_clock {
        start = now;
    } else if let (Some(due), Some(last)) = (job.scheduled, memory.last_beat(&job.topic, beat)) {
        tally.skip(&job.topic, left_out(due, beat, last, first));
    }
    let missed = tally.skipped_cycles;
    let mut failures = Failures::new(&job.topic, memory);
    failures.refuse(&mut tally, &job.symbols);
    failures.log();
    loop {
        if start > Instant::now() {
            tokio::select! {
                biased;
                () = invocation.stop.cancelled() => break,
                () = sleep_until(start) => {}
            }
        }
        let deadlines = Deadlines {
            fetch_by: deadlines.fetch_by.min(start + fetch_time(beat)),
            ..deadlines
        };
        tally.cycles += 1;
        let stop = &invocation.stop;
        cycle(feed, publisher, job, memory, deadlines, stop, &mut tally).await;
        emit_budgets(feed);

        let next = next_start(start, beat, Instant::now());
        tally.skip(&job.topic, starts_between(start, next.min(end), beat));
        if next >= end || invocation.stop.is_cancelled() {
            break;
        }
        start = next;
    }
    if on_the_clock {
        let beats = tally.cycles + tally.skipped_cycles - missed;
        memory.remember_beat(&job.topic, beat, (first + beats).saturating_sub(1));
    }
    tally.emit(&job.topic);
    publisher.abandon();
    tally.into_report(None)
}

/// One poll of every symbol, each published as soon as it is known.
async fn cycle(
    feed: &Feed,
    publisher: &impl Publish,
    job: &Job,
    memory: &Memory,
    deadlines: Deadlines,
    stop: &CancellationToken,
    tally: &mut Tally,
) {
    let (sender, mut coming) = mpsc::unbounded_channel();
    let polling = async move {
        let sink = |outcome| {
            // The receiver waits for the last outcome.
            let _ = sender.send(outcome);
        };
        collect(feed, job, memory, deadlines.fetch_by, stop, &sink).await;
    };
    let outcomes = poll_fn(move |context| coming.poll_recv(context));
    let mut failures = Failures::new(&job.topic, memory);
    let publishing = publish(
        publisher,
        &job.topic,
        outcomes,
        deadlines.answer_by,
        tally,
        &mut failures,
    );
    tokio::join!(polling, publishing);
    failures.log();
    tally.emit(&job.topic);
}

/// The longest window of each provider: what is spent of it, and what it allows.
fn emit_budgets(feed: &Feed) {
    for (provider, budget) in &feed.budgets {
        if let Some(usage) = budget.usage().last() {
            emit(
                clock::now(),
                ("provider", provider),
                &[
                    (metrics::BUDGET_SPENT, usage.spent),
                    (metrics::BUDGET_LIMIT, usage.window.limit.into()),
                ],
            );
        }
    }
}
