use std::time::Duration;

use feeds::Feed;
use futures::stream::poll_fn;
use runtime::{
    Invocation, clock,
    metrics::{Metric, emit},
};
use stream::publish::Publish;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};

use crate::{
    Job, Report,
    beat::{fetch_time, first_start, next_start, starts_between},
    collect::collect,
    failures::Failures,
    memory::Memory,
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

/// Runs the job's cycles: each starts a whole number of beats after the first, none overlaps another, and one
/// whose start has passed is skipped and counted.
pub(crate) async fn run(
    feed: &Feed,
    publisher: &impl Publish,
    job: &Job,
    memory: &Memory,
    invocation: &Invocation,
) -> Report {
    let beat = job.beat.unwrap_or(feed.beat);
    let Deadlines {
        fetch_by,
        answer_by,
    } = Deadlines::of(invocation);
    let end = fetch_by.min(Instant::now() + job.budget);
    let mut tally = Tally::default();
    let mut start = Instant::now() + first_start(clock::now(), beat, job.budget);
    loop {
        if start > Instant::now() {
            tokio::select! {
                biased;
                () = invocation.stop.cancelled() => break,
                () = sleep_until(start) => {}
            }
        }
        let fetch_until = (start + fetch_time(beat)).min(fetch_by);
        tally.cycles += 1;
        cycle(
            feed,
            publisher,
            job,
            memory,
            fetch_until,
            answer_by,
            &mut tally,
        )
        .await;
        emit_budgets(feed);

        let next = next_start(start, beat, Instant::now());
        let skipped = starts_between(start, next.min(end), beat);
        if skipped > 0 {
            tally.skipped_cycles += skipped;
            emit(
                clock::now(),
                ("topic", &job.topic),
                &[(Metric::CyclesSkipped, skipped)],
            );
        }
        if next >= end || invocation.stop.is_cancelled() {
            break;
        }
        start = next;
    }
    tally.refuse(&job.symbols.refused);
    publisher.abandon();
    tally.into_report(None)
}

/// One poll of every symbol, each published as soon as it is known.
async fn cycle(
    feed: &Feed,
    publisher: &impl Publish,
    job: &Job,
    memory: &Memory,
    fetch_until: Instant,
    answer_by: Instant,
    tally: &mut Tally,
) {
    let (sender, mut coming) = mpsc::unbounded_channel();
    let polling = async move {
        let sink = |outcome| {
            // The receiver waits for the last outcome.
            let _ = sender.send(outcome);
        };
        collect(feed, job, memory, fetch_until, &sink).await;
    };
    let outcomes = poll_fn(move |context| coming.poll_recv(context));
    let mut failures = Failures::new(&job.topic, memory);
    let publishing = publish(
        publisher,
        &job.topic,
        outcomes,
        answer_by,
        tally,
        &mut failures,
    );
    tokio::join!(polling, publishing);
    failures.log();
}

/// The longest window of each provider: what is spent of it, and what it allows.
fn emit_budgets(feed: &Feed) {
    for (provider, budget) in &feed.budgets {
        if let Some(usage) = budget.usage().last() {
            emit(
                clock::now(),
                ("provider", provider),
                &[
                    (Metric::BudgetSpent, usage.spent),
                    (Metric::BudgetLimit, usage.window.limit.into()),
                ],
            );
        }
    }
}
