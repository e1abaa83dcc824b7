use std::time::Duration;

use jiff::Timestamp;
use lambda_runtime::Context;
use serde_json::value::RawValue;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// An invocation's payload as it came: JSON that is checked, not yet decoded.
pub type Event = Box<RawValue>;

/// What a handler knows of its invocation.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// When the service kills the environment; the answer must be out before.
    pub deadline: Instant,
    /// Cancelled when the environment is asked to end (SIGTERM): finish what is begun and answer.
    pub stop: CancellationToken,
}

/// Epoch milliseconds of 2001-01-01: an earlier "deadline" is a duration. `cargo lambda watch` sends
/// the constant 600000.
const EARLIEST_EPOCH_MS: u64 = 978_307_200_000;

impl Invocation {
    pub(crate) fn of(context: &Context, now: Timestamp, stop: CancellationToken) -> Self {
        Self {
            deadline: Instant::now() + remaining(context.deadline, now),
            stop,
        }
    }

    /// The time left until `margin` before the deadline; zero once that has passed.
    pub fn remaining(&self, margin: Duration) -> Duration {
        self.deadline
            .saturating_duration_since(Instant::now())
            .saturating_sub(margin)
    }
}

fn remaining(deadline_ms: u64, now: Timestamp) -> Duration {
    if deadline_ms < EARLIEST_EPOCH_MS {
        return Duration::from_millis(deadline_ms);
    }
    let now_ms = u64::try_from(now.as_millisecond()).unwrap_or(0);
    Duration::from_millis(deadline_ms.saturating_sub(now_ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_is_an_epoch_time_or_a_duration_and_never_negative() {
        let now = Timestamp::from_millisecond(1_700_000_000_000).unwrap();
        let check = |deadline_ms, left_ms| {
            assert_eq!(remaining(deadline_ms, now), Duration::from_millis(left_ms));
        };
        check(1_700_000_003_000, 3_000);
        check(1_699_999_999_999, 0);
        check(600_000, 600_000);
        check(0, 0);
    }
}
