use std::time::Duration;

use tokio::time::sleep;

/// Pauses between tries: from 200 ms, doubling up to 10 s.
#[derive(Clone, Copy)]
pub(super) struct Backoff {
    next: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            next: Duration::from_millis(200),
        }
    }
}

impl Backoff {
    pub(super) async fn pause(&mut self) {
        sleep(self.next).await;
        self.next = (self.next * 2).min(Duration::from_secs(10));
    }
}
