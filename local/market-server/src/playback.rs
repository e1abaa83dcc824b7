//! The position of the recorded market: the real time since the start, and the recorded time it stands for.

use std::{sync::Arc, time::Duration};

use super::MarketError;

#[derive(Clone)]
pub(super) struct Playback {
    speed: f64,
    elapsed: Arc<dyn Fn() -> Duration + Send + Sync>,
}

impl Playback {
    pub(super) fn new(
        speed: f64,
        elapsed: impl Fn() -> Duration + Send + Sync + 'static,
    ) -> Result<Self, MarketError> {
        if !(speed.is_finite() && speed > 0.0) {
            return Err(MarketError::Speed { speed });
        }
        let elapsed = Arc::new(elapsed);
        Ok(Self { speed, elapsed })
    }

    /// The real time since the start.
    pub(super) fn elapsed(&self) -> Duration {
        (self.elapsed)()
    }

    /// The recorded time played by then. A time too long for a `Duration` counts as the longest one.
    pub(super) fn played(&self, elapsed: Duration) -> Duration {
        Duration::try_from_secs_f64(elapsed.as_secs_f64() * self.speed).unwrap_or(Duration::MAX)
    }
}
