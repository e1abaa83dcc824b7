use std::time::Duration;

use feeds::Feed;
use futures::future::join_all;
use market::Message;
use runtime::{
    Invocation, clock,
    metrics::{Metric, emit},
};
use stream::publish::Publish;
use tokio::time::{Instant, sleep_until};

use crate::{
    Job, Report,
    beat::{fetch_time, first_start, next_start, starts_between},
    collect::{Collected, collect},
    failures::Failures,
    memory::Memory,
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
        let failures = Failures::new(&job.topic, memory);
        let collected = collect(feed, job, memory, fetch_until).await;
        publish(publisher, job, collected, answer_by, failures, &mut tally).await;
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
    for (symbol, reason) in &job.symbols.refused {
        tally.fail(symbol, reason);
    }
    publisher.abandon();
    tally.into_report(None)
}

/// Publishes what came, all at once, and counts.
async fn publish(
    publisher: &impl Publish,
    job: &Job,
    collected: Vec<Collected>,
    answer_by: Instant,
    mut failures: Failures<'_>,
    tally: &mut Tally,
) {
    let (polled, published, failed) = (tally.polled, tally.published, tally.failed());
    tally.cycles += 1;
    let mut messages = Vec::with_capacity(collected.len());
    for Collected { symbol, result } in collected {
        match result {
            Ok(message) => {
                tally.polled += 1;
                messages.push((symbol, message));
            }
            Err(error) => failures.add(tally, &symbol, error.reason(), &error),
        }
    }
    let sent = messages
        .iter()
        .map(|(_, Message { key, body })| publisher.publish(&job.topic, key, body, answer_by));
    let delivered = join_all(sent).await;
    for ((symbol, _), delivery) in messages.iter().zip(delivered) {
        match delivery {
            Ok(_) => tally.published += 1,
            Err(error) => failures.add(tally, symbol, error.reason(), &error),
        }
    }
    failures.log();
    emit(
        clock::now(),
        ("topic", &job.topic),
        &[
            (Metric::QuotesPolled, tally.polled - polled),
            (Metric::QuotesPublished, tally.published - published),
            (Metric::QuotesFailed, tally.failed() - failed),
        ],
    );
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
