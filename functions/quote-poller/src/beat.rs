//! When cycles start: at whole multiples of the beat on the clock, so that the beat goes on from one invocation to
//! the next whatever moment each came at.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

/// The time from `now` to the first start. A job of a single cycle starts at once.
pub(crate) fn first_start(now: Timestamp, beat: Duration, budget: Duration) -> Duration {
    if budget < beat * 2 {
        return Duration::ZERO;
    }
    let into_beat =
        u128::try_from(now.as_nanosecond()).unwrap_or_default() % beat.as_nanos().max(1);
    match u64::try_from(into_beat) {
        Ok(0) | Err(_) => Duration::ZERO,
        Ok(into_beat) => beat - Duration::from_nanos(into_beat),
    }
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
        let check = |now: &str, beat: u64, budget: u64, wait_ms: u64| {
            let wait = first_start(
                now.parse().unwrap(),
                Duration::from_secs(beat),
                Duration::from_secs(budget),
            );
            assert_eq!(wait, Duration::from_millis(wait_ms), "{now}");
        };
        check("2026-11-21T13:00:00.4Z", 6, 60, 5_600);
        check("2026-11-21T13:01:00.9Z", 6, 60, 5_100);
        check("2026-11-21T13:01:00Z", 6, 60, 0);
        check("2026-11-21T13:01:00.25Z", 1, 60, 750);
        // A single cycle has no beat to keep.
        check("2026-11-21T13:01:07Z", 60, 60, 0);
        check("2026-11-21T13:01:07Z", 300, 60, 0);
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
