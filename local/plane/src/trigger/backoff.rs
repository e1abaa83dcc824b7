use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use tokio::time::sleep;

/// From 100 to 200 ms, then twice as long each time, up to 5 to 10 s.
const PAUSES: ExponentialBuilder = ExponentialBuilder::new()
    .with_jitter()
    .with_min_delay(Duration::from_millis(100))
    .with_max_delay(Duration::from_secs(5))
    .without_max_times();

/// Pauses between tries.
#[derive(Clone, Copy, Default)]
pub(super) struct Backoff {
    made: usize,
}

impl Backoff {
    pub(super) async fn pause(&mut self) {
        if let Some(pause) = PAUSES.build().nth(self.made) {
            sleep(pause).await;
        }
        self.made += 1;
    }
}
