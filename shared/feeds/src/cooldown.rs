use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::FetchError;

/// The longest time that a provider is left alone: the longest ban of Binance.
const LONGEST: Duration = Duration::from_hours(72);

/// How long a provider must not be asked, and why. Outlives a poll.
#[derive(Debug, Default)]
pub(crate) struct Cooldown(Mutex<Option<Rest>>);

#[derive(Debug)]
struct Rest {
    until: Instant,
    reason: FetchError,
}

impl Cooldown {
    /// Fails with the reason while the provider must not be asked.
    pub(crate) fn check(&self) -> Result<(), FetchError> {
        let now = Instant::now();
        match &*self.rest() {
            Some(rest) if rest.until > now => Err(rest.reason.clone().remaining(rest.until - now)),
            _ => Ok(()),
        }
    }

    /// The provider is not asked for `time`; a longer rest that runs already stays.
    pub(crate) fn start(&self, reason: &FetchError, time: Duration) {
        let until = Instant::now() + time.min(LONGEST);
        let mut rest = self.rest();
        if rest.as_ref().is_none_or(|rest| rest.until < until) {
            *rest = Some(Rest {
                until,
                reason: reason.clone(),
            });
        }
    }

    fn rest(&self) -> MutexGuard<'_, Option<Rest>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FetchError {
    /// The same with the time that is left to wait.
    fn remaining(mut self, left: Duration) -> Self {
        if let Self::RateLimited { retry_after }
        | Self::Banned { retry_after }
        | Self::Unavailable {
            retry_after: Some(retry_after),
            ..
        } = &mut self
        {
            *retry_after = left;
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limited(seconds: u64) -> FetchError {
        FetchError::RateLimited {
            retry_after: Duration::from_secs(seconds),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_rest_lasts_as_long_as_the_longest_that_was_asked_for_and_counts_down() {
        let cooldown = Cooldown::default();
        assert_eq!(cooldown.check(), Ok(()));
        cooldown.start(&limited(60), Duration::from_secs(60));
        cooldown.start(&limited(1), Duration::from_secs(1));
        tokio::time::advance(Duration::from_secs(59)).await;
        assert_eq!(cooldown.check(), Err(limited(1)));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(cooldown.check(), Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn an_absurd_rest_is_cut_to_three_days() {
        let cooldown = Cooldown::default();
        cooldown.start(&limited(u64::MAX), Duration::from_secs(u64::MAX));
        assert_eq!(cooldown.check(), Err(limited(72 * 3600)));
    }
}
