//! Asynchronous invocation: an event waits in a queue and is tried until it succeeds or is given up.
//!
//! Source: AWS Lambda developer guide, "How Lambda handles errors and retries with asynchronous invocation".

use std::{future::Future, time::Duration};

use bytes::Bytes;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use sam_template::EventInvokeConfig;

use crate::{host::InvokeError, stats::Stats};

/// The pause after the first throttle; each further one doubles it.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// The longest pause after a throttle.
const LONGEST_PAUSE: Duration = Duration::from_mins(5);

/// The pause after the first error; after the second it is twice as long.
const ERROR_PAUSE: Duration = Duration::from_mins(1);

/// Delivers one event to `function`: calls `invoke` until it succeeds.
///
/// A throttle is tried again after 1 s, 2 s, 4 s and so on, at most 5 min; an error after 1 min and 2 min, as often
/// as `config` allows. An event that would be too old by then is dropped and counted. With `stop`, one that waits is
/// dropped without a word; a call in hand is waited for.
pub async fn deliver<Call>(
    function: &str,
    config: EventInvokeConfig,
    stop: &CancellationToken,
    stats: &Stats,
    invoke: impl Fn() -> Call,
) where
    Call: Future<Output = Result<Bytes, InvokeError>>,
{
    let accepted = Instant::now();
    let mut errors = 0;
    let mut throttle_pause = FIRST_PAUSE;
    loop {
        let Err(error) = invoke().await else {
            return;
        };
        let is_throttled = matches!(error, InvokeError::Throttled { .. });
        let pause = if is_throttled {
            let pause = throttle_pause;
            throttle_pause = (pause * 2).min(LONGEST_PAUSE);
            pause
        } else {
            errors += 1;
            ERROR_PAUSE * errors
        };
        if errors > config.retries || accepted.elapsed() + pause > config.event_age {
            return stats.event_dropped(function, &error.to_string());
        }
        // That a function is busy is no trouble.
        if !is_throttled {
            stats.trouble(&error.to_string());
        }
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = sleep(pause) => {}
        }
    }
}

#[cfg(test)]
mod tests;
