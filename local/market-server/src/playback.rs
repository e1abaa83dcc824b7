//! Where the recorded market stands in its recordings: on the clock, or so long after its start.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;

use super::MarketError;

/// What the times in the market's answers are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Times {
    /// The clock's: everything recorded is shifted to when it is played, so that a quote is seconds old. What is played
    /// depends on the clock and the speed alone, and goes on where it was when the market starts again.
    #[default]
    Now,
    /// The recorded ones, months or years old. The recordings begin with the start of the market.
    Recorded,
}

/// The clock that the recordings are played by.
#[derive(Clone)]
pub(super) struct Playback {
    times: Times,
    speed: f64,
    started: Timestamp,
    clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
}

/// A place in all recordings.
#[derive(Clone, Copy, Debug)]
pub(super) struct Position {
    pub(super) times: Times,
    /// The time on the clock.
    pub(super) now: Timestamp,
    pub(super) speed: f64,
    /// The real time since the market's start.
    elapsed: Duration,
}

impl Playback {
    pub(super) fn new(
        times: Times,
        speed: f64,
        clock: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> Result<Self, MarketError> {
        if !(speed.is_finite() && speed > 0.0) {
            return Err(MarketError::Speed { speed });
        }
        Ok(Self {
            times,
            speed,
            started: clock(),
            clock: Arc::new(clock),
        })
    }

    /// The real time since the start; none while the clock shows an earlier time.
    pub(super) fn elapsed(&self) -> Duration {
        let elapsed = (self.clock)().duration_since(self.started);
        Duration::try_from(elapsed).unwrap_or_default()
    }

    /// The place so long after the start.
    pub(super) fn position(&self, elapsed: Duration) -> Position {
        Position {
            times: self.times,
            now: self
                .started
                .saturating_add(elapsed)
                .unwrap_or(Timestamp::MAX),
            speed: self.speed,
            elapsed,
        }
    }
}

impl Position {
    /// How many beats have passed since the playing began: with the epoch, or with the market's start.
    pub(super) fn beats(self, beat: Duration) -> u128 {
        self.nanos() / self.step(beat)
    }

    /// How much of the beat that goes on has passed, in so many parts.
    pub(super) fn parts_of(self, beat: Duration, parts: u32) -> u32 {
        let step = self.step(beat);
        // Less than `parts`.
        (self.nanos() % step * u128::from(parts) / step) as u32
    }

    /// When a beat begins on the clock, in milliseconds since the epoch.
    pub(super) fn begin(self, beats: u128, beat: Duration) -> i64 {
        let nanos = beats.saturating_mul(self.step(beat));
        i64::try_from(nanos / NANOS_A_MILLI).unwrap_or(i64::MAX)
    }

    /// The first beat that begins on the clock after a time in milliseconds since the epoch.
    pub(super) fn first_after(self, time: i64, beat: Duration) -> u128 {
        let later = u128::try_from(time.saturating_add(1)).unwrap_or_default() * NANOS_A_MILLI;
        later.div_ceil(self.step(beat))
    }

    fn nanos(self) -> u128 {
        match self.times {
            Times::Now => u128::try_from(self.now.as_nanosecond()).unwrap_or_default(),
            Times::Recorded => self.elapsed.as_nanos(),
        }
    }

    /// How long a beat lasts on the clock, in whole nanoseconds, so that no beat drifts against the next.
    #[expect(
        clippy::cast_sign_loss,
        reason = "the beat and the speed are above zero"
    )]
    fn step(self, beat: Duration) -> u128 {
        ((beat.as_nanos() as f64 / self.speed) as u128).max(1)
    }
}

const NANOS_A_MILLI: u128 = 1_000_000;
