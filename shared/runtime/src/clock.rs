//! The one place that reads the wall clock.

use jiff::Timestamp;

/// The current instant, in UTC.
#[expect(
    clippy::disallowed_methods,
    reason = "the clock; everything else takes the time as an argument"
)]
pub fn now() -> Timestamp {
    Timestamp::now()
}
