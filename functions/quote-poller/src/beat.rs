//! When cycles start: at whole multiples of the beat on the clock, so that the beat goes on from one invocation to
//! the next whatever moment each came at.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// How long after an invocation was done one may begin that waited for it: the service tries again after 1, 2 and 4 s.
const RETRIED: SignedDuration = SignedDuration::from_secs(4);

/// What an invocation leaves to the next one of its job.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turn {
    /// When its schedule was due.
    pub(crate) scheduled: Timestamp,
    /// When its cycles ended, by plan.
    pub(crate) end: Timestamp,
    /// When it was done.
    pub(crate) done: Timestamp,
}

/// When the cycles end of a job that came `now`: when its budget is over. One that had to wait, because the invocation
/// `before` still ran when it was due, ends as it would have without: else it would hold up the next one, and that would
/// come later still.
pub(crate) fn end(
    now: Timestamp,
    scheduled: Option<Timestamp>,
    budget: Duration,
    before: Option<Turn>,
) -> Timestamp {
    let end = now.saturating_add(budget).unwrap_or(now);
    match (scheduled, before) {
        (Some(due), Some(before))
            if before.done > due && now.duration_since(before.done) <= RETRIED =>
        {
            end.min(before.end + due.duration_since(before.scheduled))
        }
        _ => end,
    }
}

/// Whether a job has several cycles, which keep the clock's beat. A single one starts at once.
pub(crate) fn is_on_the_clock(beat: Duration, budget: Duration) -> bool {
    budget >= beat * 2
}

/// The number of the first beat of the clock at or after `now`, counted from the epoch.
pub(crate) fn first_beat(now: Timestamp, beat: Duration) -> u64 {
    let now = u128::try_from(now.as_nanosecond()).unwrap_or_default();
    u64::try_from(now.div_ceil(beat.as_nanos().max(1))).unwrap_or(u64::MAX)
}

/// The time from `now` to the first beat of the clock.
pub(crate) fn first_start(now: Timestamp, beat: Duration) -> Duration {
    let now_ns = u128::try_from(now.as_nanosecond()).unwrap_or_default();
    let start_ns = u128::from(first_beat(now, beat)) * beat.as_nanos();
    Duration::from_nanos(u64::try_from(start_ns.saturating_sub(now_ns)).unwrap_or_default())
}

/// How many beats a job left out before its `first`: those from its scheduled time on that came after the `last` of the
/// invocation before.
pub(crate) fn left_out(scheduled: Timestamp, beat: Duration, last: u64, first: u64) -> u64 {
    first.saturating_sub(first_beat(scheduled, beat).max(last.saturating_add(1)))
}

/// The first start after `now` that is a whole number of beats after `start`, and at least one.
pub(crate) fn next_start(start: Instant, beat: Duration, now: Instant) -> Instant {
    let mut next = start + beat;
    while next < now {
        next += beat;
    }
    next
}

/// How many starts lie after `from` and before `to`, which leave no time for a cycle.
pub(crate) fn starts_between(from: Instant, to: Instant, beat: Duration) -> u64 {
    let beats = to
        .saturating_duration_since(from)
        .as_nanos()
        .div_ceil(beat.as_nanos().max(1));
    u64::try_from(beats).unwrap_or(u64::MAX).saturating_sub(1)
}

/// How long a cycle may fetch: what is left of its beat is for publishing.
pub(crate) fn fetch_time(beat: Duration) -> Duration {
    beat - (beat / 10).min(Duration::from_millis(500))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_invocation_starts_on_the_same_beat_of_the_clock() {
        let check = |now: &str, beat: u64, wait_ms: u64| {
            let wait = first_start(now.parse().unwrap(), Duration::from_secs(beat));
            assert_eq!(wait, Duration::from_millis(wait_ms), "{now}");
        };
        check("2026-11-21T13:00:00.4Z", 6, 5_600);
        check("2026-11-21T13:01:00.9Z", 6, 5_100);
        check("2026-11-21T13:01:00Z", 6, 0);
        check("2026-11-21T13:01:00.25Z", 1, 750);
        let minute = Duration::from_mins(1);
        assert!(is_on_the_clock(Duration::from_secs(30), minute));
        assert!(!is_on_the_clock(Duration::from_secs(31), minute));
    }

    #[test]
    fn a_job_left_out_the_beats_of_its_time_that_nobody_had() {
        let (scheduled, beat) = (Timestamp::from_second(600).unwrap(), Duration::from_secs(6));
        let check = |last, first, expected| {
            assert_eq!(left_out(scheduled, beat, last, first), expected);
        };
        check(99, 100, 0);
        check(100, 101, 0);
        check(100, 104, 3);
        check(104, 103, 0);
        // Before its time there was none to have.
        check(20, 100, 0);
        check(20, 102, 2);
    }

    /// The delays of 30 minutes of a job whose event comes so late, and whose cycles take so long.
    fn delays(beat: Duration, late: Duration, took: Duration) -> Vec<u64> {
        let epoch: Timestamp = "2026-11-21T13:00:00Z".parse().unwrap();
        let minute = Duration::from_mins(1);
        let mut before: Option<Turn> = None;
        let delay = |number: u32| {
            let due = epoch + minute * number;
            let (mut now, mut pause) = (due + late, Duration::from_secs(1));
            while before.is_some_and(|before| now < before.done) {
                (now, pause) = (now + pause, pause * 2);
            }
            let end = end(now, Some(due), minute, before);
            let mut start = now + first_start(now, beat);
            while start + beat < end {
                start += beat;
            }
            let done = start + took;
            before = Some(Turn {
                scheduled: due,
                end,
                done,
            });
            let delay = now.duration_since(due + late).as_secs();
            u64::try_from(delay).unwrap()
        };
        (0..30).map(delay).collect()
    }

    #[test]
    fn an_invocation_that_has_to_wait_does_not_make_the_next_wait_longer() {
        let [second, slow] = [1_000, 5_500].map(Duration::from_millis);
        for late in [20, 400, 700, 2_500, 20_000].map(Duration::from_millis) {
            let fast = delays(second, late, Duration::from_millis(100));
            assert!(fast.iter().all(|delay| *delay <= 1), "{late:?} {fast:?}");
            let hanging = delays(Duration::from_secs(6), late, slow);
            assert!(
                hanging.iter().all(|delay| *delay <= 7),
                "{late:?} {hanging:?}"
            );
        }
    }

    #[test]
    fn a_job_has_its_whole_budget_unless_it_had_to_wait_for_the_one_before() {
        let at = |time: &str| {
            format!("2026-11-21T13:{time}Z")
                .parse::<Timestamp>()
                .unwrap()
        };
        let before = |done: &str| Turn {
            scheduled: at("00:00"),
            end: at("01:00.2"),
            done: at(done),
        };
        let check = |now: &str, before: Option<Turn>, expected: &str| {
            let end = end(at(now), Some(at("01:00")), Duration::from_mins(1), before);
            assert_eq!(end, at(expected), "{now}");
        };
        check("01:20", None, "02:20");
        check("01:01.2", Some(before("01:00.3")), "02:00.2");
        // The one before was done in time, or long ago: the scheduler itself is late.
        check("01:01.2", Some(before("00:59.9")), "02:01.2");
        check("01:20", Some(before("01:00.3")), "02:20");
    }

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
