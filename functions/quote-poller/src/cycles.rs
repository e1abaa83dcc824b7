use std::time::Duration;

use feeds::{Feed, Polled};
use futures::future::join_all;
use market::{Message, Symbol, message};
use runtime::{
    Invocation, clock,
    metrics::{Metric, emit},
};
use stream::publish::Publish;
use tokio::time::{Instant, sleep_until};

use crate::{Job, Report, report::Tally};

/// What is left of the time limit for the answer itself.
const ANSWER_MARGIN: Duration = Duration::from_secs(1);

/// The time that publishing gets at the end of a cycle, before the function has to answer.
const PUBLISH_MARGIN: Duration = Duration::from_secs(3);

/// Runs the job's cycles: each starts a whole number of beats after the first, none overlaps another, and one
/// whose start has passed is skipped and counted.
pub(crate) async fn run(
    feed: &Feed,
    publisher: &impl Publish,
    job: &Job,
    invocation: &Invocation,
) -> Report {
    let beat = job.beat.unwrap_or_else(|| feed.default_beat());
    let first = Instant::now();
    let answer_by = first + invocation.remaining(ANSWER_MARGIN);
    // However short the limit, part of it goes to fetching and part to publishing.
    let publish_margin = PUBLISH_MARGIN.min(invocation.remaining(ANSWER_MARGIN) / 2);
    let fetch_by = answer_by - publish_margin;
    let mut tally = Tally::default();
    let mut start = first;
    loop {
        let fetch_until = (start + beat).min(fetch_by);
        cycle(feed, publisher, job, fetch_until, answer_by, &mut tally).await;

        let next = next_start(start, beat, Instant::now());
        let end = fetch_by.min(first + job.budget);
        let skipped = starts_between(start, next.min(end), beat);
        if skipped > 0 {
            tally.skipped_cycles += skipped;
            emit(
                clock::now(),
                ("topic", &job.topic),
                &[(Metric::CyclesSkipped, skipped)],
            );
        }
        if next >= end {
            break;
        }
        tokio::select! {
            biased;
            () = invocation.stop.cancelled() => break,
            () = sleep_until(next) => start = next,
        }
    }
    publisher.abandon();
    tally.into_report()
}

/// One poll of every symbol, and the publication of what came, all at once.
async fn cycle(
    feed: &Feed,
    publisher: &impl Publish,
    job: &Job,
    fetch_until: Instant,
    answer_by: Instant,
    tally: &mut Tally,
) {
    let (polled, published, failed) = (tally.polled, tally.published, tally.failed());
    tally.cycles += 1;
    let mut messages = Vec::with_capacity(job.symbols.len());
    for Polled { symbol, result } in feed.poll(&job.symbols, fetch_until).await {
        match result {
            Ok(observation) => {
                tally.polled += 1;
                messages.push((symbol, message(&observation)));
            }
            Err(error) => fail(tally, &symbol, error.reason(), &error),
        }
    }
    let sent = messages
        .iter()
        .map(|(_, Message { key, body })| publisher.publish(&job.topic, key, body, answer_by));
    let delivered = join_all(sent).await;
    for ((symbol, _), delivery) in messages.iter().zip(delivered) {
        match delivery {
            Ok(_) => tally.published += 1,
            Err(error) => fail(tally, symbol, error.reason(), &error),
        }
    }
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

/// Counts a failure, and logs the first of its kind in an invocation.
fn fail(tally: &mut Tally, symbol: &Symbol, reason: &'static str, error: &dyn std::error::Error) {
    if tally.fail(symbol, reason) {
        tracing::warn!(%symbol, reason, "{error}");
    }
}

/// The first start after `now` that is a whole number of beats after `start`, and at least one.
fn next_start(start: Instant, beat: Duration, now: Instant) -> Instant {
    let mut next = start + beat;
    while next < now {
        next += beat;
    }
    next
}

/// How many starts lie after `from` and before `to`, which leave no time for a cycle.
fn starts_between(from: Instant, to: Instant, beat: Duration) -> u64 {
    let beats = to
        .saturating_duration_since(from)
        .as_nanos()
        .div_ceil(beat.as_nanos().max(1));
    u64::try_from(beats).unwrap_or(u64::MAX).saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_is_a_whole_number_of_beats_after_the_last_and_not_in_the_past() {
        let start = Instant::now();
        let beat = Duration::from_secs(6);
        let check = |took_ms: u64, in_beats: u32, skipped: u64| {
            let next = next_start(start, beat, start + Duration::from_millis(took_ms));
            assert_eq!(next, start + beat * in_beats);
            assert_eq!(starts_between(start, next, beat), skipped);
        };
        check(100, 1, 0);
        check(6_000, 1, 0);
        check(6_001, 2, 1);
        check(13_000, 3, 2);
        let budget_ends = start + Duration::from_secs(20);
        assert_eq!(starts_between(start, budget_ends, beat), 3);
        assert_eq!(starts_between(start, start, beat), 0);
    }
}
