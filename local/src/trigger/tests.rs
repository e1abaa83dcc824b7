use std::{cell::Cell, time::Duration};

use super::*;

#[tokio::test(start_paused = true)]
async fn brokers_that_fail_are_asked_again_with_pauses_and_each_failure_is_a_trouble() {
    let stats = Stats::default();
    let asked = Cell::new(0);
    let start = Instant::now();
    let answer = insist(&stats, || {
        asked.set(asked.get() + 1);
        let answer = match asked.get() {
            4 => Ok("answer"),
            number => Err(TopicError::BadName(number.to_string())),
        };
        async { answer }
    });
    assert_eq!(answer.await, "answer");
    // 200, 400 and 800 ms.
    assert_eq!(start.elapsed(), Duration::from_millis(1_400));
    let counts = stats.snapshot();
    assert_eq!(counts.troubles, 3);
    let last = counts.last_trouble.unwrap();
    assert!(last.starts_with("'3'"), "{last}");
}
