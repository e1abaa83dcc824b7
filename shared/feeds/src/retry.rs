use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use tokio::time::{Instant, sleep};

use crate::FetchError;

/// Two retries: after 100 to 200 ms, and after twice that.
const PAUSES: ExponentialBuilder = ExponentialBuilder::new()
    .with_jitter()
    .with_min_delay(Duration::from_millis(100))
    .with_max_times(2);

/// The outcome of `request`, tried again after a failure that [may pass](FetchError::is_retryable), as long as
/// `may_retry` says so.
///
/// A pause is no shorter than the provider asks for. One that would reach `until` is not made.
pub(crate) async fn retried<T, F>(
    until: Instant,
    may_retry: impl Fn() -> bool,
    request: impl Fn() -> F,
) -> Result<T, FetchError>
where
    F: Future<Output = Result<T, FetchError>>,
{
    let mut outcome = request().await;
    for pause in PAUSES.build() {
        let error = match outcome {
            Err(error) if error.is_retryable() => error,
            done => return done,
        };
        let pause = pause.max(error.retry_after().unwrap_or_default());
        if pause >= until.saturating_duration_since(Instant::now()) {
            return Err(error);
        }
        sleep(pause).await;
        if !may_retry() {
            return Err(error);
        }
        outcome = match request().await {
            // What the provider said says more than that it was not asked again.
            Err(unasked) if unasked.is_unasked() => return Err(error),
            outcome => outcome,
        };
    }
    outcome
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn unavailable(retry_after: Option<Duration>) -> FetchError {
        FetchError::Unavailable {
            status: 503,
            detail: "busy".to_owned(),
            retry_after,
        }
    }

    /// The outcome, the number of tries and the time it took, when the first tries fail with `errors`.
    async fn run(errors: &[FetchError], seconds: u64) -> (Result<(), FetchError>, usize, Duration) {
        let tries = Cell::new(0);
        let start = Instant::now();
        let result = retried(
            start + Duration::from_secs(seconds),
            || true,
            || {
                let error = errors.get(tries.get()).cloned();
                tries.set(tries.get() + 1);
                async move { error.map_or(Ok(()), Err) }
            },
        )
        .await;
        (result, tries.get(), start.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn what_passes_is_tried_three_times_within_600_ms() {
        let busy = unavailable(None);
        let (result, tries, _) = run(&[busy.clone(), busy.clone()], 9).await;
        assert_eq!((result, tries), (Ok(()), 3));
        let (result, tries, took) = run(&[busy.clone(), busy.clone(), busy.clone()], 9).await;
        assert_eq!((result, tries), (Err(busy), 3));
        assert!(took <= Duration::from_millis(610), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_stays_is_not_tried_again() {
        let (result, tries, _) = run(&[FetchError::UnknownSymbol], 9).await;
        assert_eq!((result, tries), (Err(FetchError::UnknownSymbol), 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_retry_that_has_no_budget_or_time_leaves_what_was_said() {
        let busy = unavailable(None);
        for unasked in [FetchError::OverBudget, FetchError::NoTurn] {
            let (result, tries, _) = run(&[busy.clone(), unasked], 9).await;
            assert_eq!((result, tries), (Err(busy.clone()), 2));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn retry_after_is_waited_for_unless_the_deadline_comes_first() {
        let busy = unavailable(Some(Duration::from_secs(3)));
        let (result, tries, took) = run(std::slice::from_ref(&busy), 9).await;
        assert_eq!((result, tries), (Ok(()), 2));
        assert!(took >= Duration::from_secs(3), "{took:?}");
        let (result, tries, took) = run(std::slice::from_ref(&busy), 2).await;
        assert_eq!((result, tries, took), (Err(busy), 1, Duration::ZERO));
    }
}
