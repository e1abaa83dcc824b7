use std::time::Duration;

use tokio::{sync::watch, time::Instant};

use crate::FetchError;

/// The longest time that a provider is left alone: the longest ban of Binance.
const LONGEST: Duration = Duration::from_hours(72);

/// How long a provider must not be asked, and why. Outlives a poll.
#[derive(Debug, Default)]
pub(crate) struct Cooldown(watch::Sender<Option<Rest>>);

#[derive(Debug)]
struct Rest {
    until: Instant,
    reason: FetchError,
}

impl Cooldown {
    /// Fails with [`FetchError::LeftAlone`] while the provider must not be asked.
    pub(crate) fn check(&self) -> Result<(), FetchError> {
        let now = Instant::now();
        match &*self.0.borrow() {
            Some(rest) if rest.until > now => {
                let reason = rest.reason.clone().remaining(rest.until - now);
                Err(FetchError::LeftAlone(Box::new(reason)))
            }
            _ => Ok(()),
        }
    }

    /// What [`check`](Self::check) fails with, as soon as it does.
    pub(crate) async fn begins(&self) -> FetchError {
        let mut rests = self.0.subscribe();
        loop {
            if let Err(error) = self.check() {
                return error;
            }
            // Never fails: the sender is `self`.
            let _ = rests.changed().await;
        }
    }

    /// The provider is not asked for `time`; a longer rest that runs already stays. Whether that is news: no rest
    /// ran, or one for another reason.
    pub(crate) fn start(&self, reason: &FetchError, time: Duration) -> bool {
        let now = Instant::now();
        let until = now + time.min(LONGEST);
        let mut is_news = true;
        self.0.send_if_modified(|rest| {
            if let Some(rest) = rest {
                is_news = rest.until <= now || rest.reason.reason() != reason.reason();
            }
            let is_longer = rest.as_ref().is_none_or(|rest| rest.until < until);
            if is_longer {
                let reason = reason.clone();
                *rest = Some(Rest { until, reason });
            }
            is_longer
        });
        is_news
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

    fn left_alone(seconds: u64) -> FetchError {
        FetchError::LeftAlone(Box::new(limited(seconds)))
    }

    #[tokio::test(start_paused = true)]
    async fn a_rest_lasts_as_long_as_the_longest_that_was_asked_for_and_counts_down() {
        let cooldown = Cooldown::default();
        assert_eq!(cooldown.check(), Ok(()));
        cooldown.start(&limited(60), Duration::from_secs(60));
        cooldown.start(&limited(1), Duration::from_secs(1));
        tokio::time::advance(Duration::from_secs(59)).await;
        assert_eq!(cooldown.check(), Err(left_alone(1)));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(cooldown.check(), Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn an_absurd_rest_is_cut_to_three_days() {
        let cooldown = Cooldown::default();
        cooldown.start(&limited(u64::MAX), Duration::from_secs(u64::MAX));
        assert_eq!(cooldown.check(), Err(left_alone(72 * 3600)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_storm_of_refusals_is_news_once_and_so_is_a_ban_in_it() {
        let cooldown = Cooldown::default();
        let banned = FetchError::Banned {
            retry_after: Duration::from_secs(120),
        };
        let mut news = Vec::new();
        for error in [&limited(60), &limited(60), &limited(61), &banned, &banned] {
            news.push(cooldown.start(error, error.retry_after().unwrap_or_default()));
        }
        assert_eq!(news, [true, false, false, true, false]);
        tokio::time::advance(Duration::from_secs(120)).await;
        assert!(cooldown.start(&banned, Duration::from_secs(120)));
    }
}
