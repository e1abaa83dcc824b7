//! When invocations come, and what each of them leaves to the next.

use jiff::{SignedDuration, Timestamp};

use super::*;

fn seconds_ago(seconds: i64) -> Timestamp {
    clock::now() - SignedDuration::from_secs(seconds)
}

async fn run(poller: &Poller, taken: &Taken, beat: f64, budget: f64, due: Timestamp) -> Report {
    let job = json!({"feed": "finnhub", "symbols": "AAPL", "topic": "stock-quotes", "beat_seconds": beat,
        "budget_seconds": budget, "scheduled_time": due.to_string()});
    let job = to_raw_value(&job).unwrap();
    let report = poller.handle(taken, &job, &invocation(60_000)).await;
    report.unwrap()
}

#[tokio::test]
async fn a_job_that_was_delivered_again_after_its_time_polls_nothing() {
    let taken = Taken::default();
    let report = run(&poller().await, &taken, 6.0, 60.0, seconds_ago(61)).await;
    assert!(report.expired, "{report:?}");
    assert_eq!(taken.records.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn a_job_that_was_delivered_twice_within_its_time_polls_once() {
    let (poller, taken) = (poller().await, Taken::default());
    let due = seconds_ago(1);
    let first = run(&poller, &taken, 60.0, 60.0, due).await;
    let again = run(&poller, &taken, 60.0, 60.0, due).await;
    assert!(!first.expired && again.expired, "{first:?} {again:?}");
    assert_eq!(taken.records.lock().unwrap().len(), 1);
    let next = run(&poller, &taken, 60.0, 60.0, seconds_ago(0)).await;
    assert_eq!(next.published, 1);
}

#[tokio::test]
async fn a_job_that_waited_for_the_one_before_does_not_take_the_time_of_the_next() {
    let (poller, taken) = (poller().await, Taken::default());
    let first_due = clock::now();
    let first = run(&poller, &taken, 1.0, 3.0, first_due).await;
    // Due a second after the first, and kept waiting until that was done.
    let began = Instant::now();
    let due = first_due + SignedDuration::from_millis(1_000);
    let second = run(&poller, &taken, 1.0, 3.0, due).await;
    assert_eq!(first.cycles + first.skipped_cycles, 3, "{first:?}");
    assert!(second.cycles <= 2, "{second:?}");
    assert!(began.elapsed() < Duration::from_millis(2_500));
}

#[tokio::test]
async fn beats_between_two_invocations_that_neither_had_are_counted() {
    let (poller, taken) = (poller().await, Taken::default());
    let first = run(&poller, &taken, 0.5, 1.0, seconds_ago(1)).await;
    assert_eq!(first.skipped_cycles, 0);
    let due = clock::now();
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    let second = run(&poller, &taken, 0.5, 1.0, due).await;
    assert!(second.skipped_cycles >= 2, "{second:?}");
}

#[tokio::test]
async fn a_first_beat_beyond_the_deadline_is_not_waited_for() {
    let invocation = invocation(5_000);
    let report = poller()
        .await
        .handle(&Taken::default(), &job("AAPL", 400.0, 800.0), &invocation)
        .await
        .unwrap();
    assert!(Instant::now() < invocation.deadline);
    assert_eq!((report.cycles, report.published), (1, 1));
}

#[tokio::test]
async fn asked_to_stop_it_does_not_wait_for_a_provider_that_hangs() {
    let poller = poller().await;
    let (invocation, began) = (invocation(60_000), Instant::now());
    invocation.stop.cancel();
    let report = poller
        .handle(&Taken::default(), &job("HANG,AAPL", 30.0, 0.0), &invocation)
        .await
        .unwrap();
    assert!(began.elapsed() < Duration::from_secs(4), "{report:?}");
    assert_eq!(
        serde_json::to_value(&report).unwrap(),
        json!({"cycles": 1, "skipped_cycles": 0, "polled": 1, "published": 1,
            "failed": [{"symbol": "HANG", "reason": "past-deadline", "count": 1}]})
    );
}
