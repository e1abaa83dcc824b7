use std::sync::{
    Mutex,
    atomic::{AtomicU32, Ordering},
};

use super::*;

/// A function that takes a minute and may run once at a time, as the host's reserved concurrency has it.
#[derive(Default)]
struct Function {
    running: AtomicU32,
    most: AtomicU32,
    runs: AtomicU32,
    throttles: AtomicU32,
}

impl Function {
    async fn invoke(&self) -> Result<Bytes, InvokeError> {
        if self.running.load(Ordering::Relaxed) == 1 {
            self.throttles.fetch_add(1, Ordering::Relaxed);
            return Err(throttled());
        }
        let running = self.running.fetch_add(1, Ordering::Relaxed) + 1;
        self.most.fetch_max(running, Ordering::Relaxed);
        sleep(Duration::from_mins(1)).await;
        self.running.fetch_sub(1, Ordering::Relaxed);
        self.runs.fetch_add(1, Ordering::Relaxed);
        Ok(Bytes::new())
    }
}

fn throttled() -> InvokeError {
    InvokeError::Throttled {
        function: "poller".to_owned(),
        limit: 1,
    }
}

fn failed() -> InvokeError {
    InvokeError::FunctionError {
        function: "poller".to_owned(),
        error_type: "Fault".to_owned(),
        message: "no feed".to_owned(),
    }
}

fn config(retries: u32, seconds: u64) -> EventInvokeConfig {
    EventInvokeConfig {
        retries,
        event_age: Duration::from_secs(seconds),
    }
}

/// The seconds at which an event is tried that always fails with `error`.
async fn tries(config: EventInvokeConfig, stats: &Stats, error: &InvokeError) -> Vec<u64> {
    let start = Instant::now();
    let tries = Mutex::new(Vec::new());
    let stop = CancellationToken::new();
    let call = || {
        tries.lock().unwrap().push(start.elapsed().as_secs());
        std::future::ready(Err(error.clone()))
    };
    deliver("poller", config, &stop, stats, call).await;
    tries.into_inner().unwrap()
}

#[tokio::test(start_paused = true)]
async fn an_event_that_comes_twice_to_a_function_of_one_runs_twice_and_never_at_once() {
    let (function, stats, stop) = (
        Function::default(),
        Stats::default(),
        CancellationToken::new(),
    );
    let event = || {
        deliver(
            "poller",
            EventInvokeConfig::default(),
            &stop,
            &stats,
            || function.invoke(),
        )
    };
    let start = Instant::now();
    tokio::join!(event(), event());
    assert_eq!(function.most.load(Ordering::Relaxed), 1);
    assert_eq!(function.runs.load(Ordering::Relaxed), 2);
    // At 0, 1, 3, 7, 15 and 31 s; at 63 s it is free.
    assert_eq!(function.throttles.load(Ordering::Relaxed), 6);
    assert_eq!(start.elapsed().as_secs(), 123);
    assert_eq!(stats.snapshot().troubles, 0);
}

#[tokio::test(start_paused = true)]
async fn a_throttled_event_is_tried_ever_more_rarely_until_it_is_too_old() {
    let stats = Stats::default();
    let tried = tries(config(0, 60), &stats, &throttled()).await;
    assert_eq!(tried, [0, 1, 3, 7, 15, 31]);
    let counts = stats.snapshot();
    assert_eq!(
        (counts.total(|of| of.dropped_events), counts.troubles),
        (1, 1)
    );
    assert_eq!(
        counts.last_trouble.unwrap(),
        "an event is dropped: poller already runs 1 times, which is its reserved concurrency"
    );

    let tried = tries(EventInvokeConfig::default(), &stats, &throttled()).await;
    let pauses: Vec<_> = tried.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(pauses[..10], [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]);
    assert!(pauses[10..].iter().all(|pause| *pause == 300), "{pauses:?}");
    assert!((21_300..=21_600).contains(tried.last().unwrap()));
}

#[tokio::test(start_paused = true)]
async fn an_error_is_tried_again_after_one_and_two_minutes_as_often_as_the_config_says() {
    for (config, expected) in [
        (EventInvokeConfig::default(), vec![0, 60, 180]),
        (config(1, 21_600), vec![0, 60]),
        (config(0, 21_600), vec![0]),
        (config(2, 100), vec![0, 60]),
    ] {
        let stats = Stats::default();
        assert_eq!(tries(config, &stats, &failed()).await, expected);
        let counts = stats.snapshot();
        let troubles = u64::try_from(expected.len()).unwrap();
        assert_eq!(
            (counts.total(|of| of.dropped_events), counts.troubles),
            (1, troubles)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_stop_drops_the_events_that_wait_and_lets_the_call_in_hand_end() {
    let (function, stats, stop) = (
        Function::default(),
        Stats::default(),
        CancellationToken::new(),
    );
    let event = || {
        deliver(
            "poller",
            EventInvokeConfig::default(),
            &stop,
            &stats,
            || function.invoke(),
        )
    };
    let start = Instant::now();
    tokio::join!(event(), event(), async {
        sleep(Duration::from_secs(10)).await;
        stop.cancel();
    });
    assert_eq!(function.runs.load(Ordering::Relaxed), 1);
    assert_eq!(start.elapsed().as_secs(), 60);
    let counts = stats.snapshot();
    assert_eq!(
        (counts.total(|of| of.dropped_events), counts.troubles),
        (0, 0)
    );
}
