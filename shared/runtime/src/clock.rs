//! The one place that reads the wall clock.

use std::time::Duration;

use jiff::{Span, SpanRelativeTo, Timestamp};

/// The current instant, in UTC.
#[expect(
    clippy::disallowed_methods,
    reason = "the clock; everything else takes the time as an argument"
)]
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// A length of time as people write it, such as `60s`, `1h 30m` or `2days`; a day has 24 hours. `None` if it is none, or is
/// below zero.
pub fn duration(text: &str) -> Option<Duration> {
    let span: Span = text.parse().ok()?;
    let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    duration.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_has_a_unit() {
        for (text, seconds) in [("60s", 60), ("1h 30m", 5_400), ("2days", 172_800)] {
            assert_eq!(duration(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(duration("250ms"), Some(Duration::from_millis(250)));
        for wrong in ["", "soon", "60", "-5s", "1month"] {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
    }
}
