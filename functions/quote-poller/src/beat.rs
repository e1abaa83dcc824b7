//! When cycles start: at whole multiples of the beat on the clock, so that the beat goes on from one invocation to
//! the next whatever moment each came at.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

/// How late a schedule usually is, at most.
const USUAL_DELAY: Duration = Duration::from_secs(2);

/// How long after `now` the last cycle may start. What a job came later than usual is taken from its budget: it would
/// hold up the next invocation, which would come later still.
pub(crate) fn time_left(
    now: Timestamp,
    scheduled: Option<Timestamp>,
    budget: Duration,
) -> Duration {
    let age = scheduled.map(|due| now.duration_since(due));
    let age = age.and_then(|age| Duration::try_from(age).ok());
    budget.saturating_sub(age.unwrap_or_default().saturating_sub(USUAL_DELAY))
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

    #[test]
    fn a_job_that_came_late_ends_as_if_it_had_come_in_time() {
        let due = "2026-11-21T13:00:00Z";
        let check = |now: &str, scheduled: Option<&str>, left: u64| {
            let scheduled = scheduled.map(|due| due.parse().unwrap());
            let budget = Duration::from_mins(1);
            let time = time_left(now.parse().unwrap(), scheduled, budget);
            assert_eq!(time, Duration::from_secs(left), "{now}");
        };
        check("2026-11-21T13:00:02Z", Some(due), 60);
        check("2026-11-21T13:00:07Z", Some(due), 55);
        check("2026-11-21T13:05:00Z", Some(due), 0);
        check("2026-11-21T12:59:59Z", Some(due), 60);
        check("2026-11-21T13:00:07Z", None, 60);
    }

    /// Minutes of a job whose schedule comes at an unlucky moment: each invocation runs into the next, which the
    /// service tries again after 1, 2, 4 s and so on.
    #[test]
    fn an_invocation_that_has_to_wait_does_not_make_the_next_wait_longer() {
        let beat = Duration::from_secs(1);
        let took = Duration::from_millis(100);
        let epoch: Timestamp = "2026-11-21T13:00:00Z".parse().unwrap();
        let (mut free, mut delays) = (Duration::ZERO, Vec::new());
        for minute in 0..30 {
            let due = Duration::from_mins(minute);
            let mut came = due + Duration::from_millis(20);
            let mut pause = beat;
            while came < free {
                (came, pause) = (came + pause, pause * 2);
            }
            let left = time_left(epoch + came, Some(epoch + due), Duration::from_mins(1));
            let first = came + first_start(epoch + came, beat);
            let starts = u32::try_from((came + left - first).as_millis().div_ceil(1_000)).unwrap();
            free = first + beat * (starts - 1) + took;
            delays.push(came - due);
        }
        assert!(
            delays.iter().all(|delay| delay.as_secs() <= 3),
            "{delays:?}"
        );
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
