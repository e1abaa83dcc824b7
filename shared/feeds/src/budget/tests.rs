use std::sync::Arc;

use proptest::prelude::*;

use super::*;

const fn window(limit: u32, millis: u64) -> Window {
    Window {
        limit,
        period: Duration::from_millis(millis),
    }
}

/// Runs with a clock that jumps to the next timer whenever nothing else is left to do.
fn with_paused_time<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
        .block_on(test)
}

/// One request for budget: when it comes, what it weighs, how long it waits.
#[derive(Clone, Debug)]
struct Request {
    after: Duration,
    weight: u32,
    patience: Duration,
}

fn request() -> impl Strategy<Value = Request> {
    (0..4000_u64, 1..4_u32, 0..5000_u64).prop_map(|(after, weight, patience)| Request {
        after: Duration::from_millis(after),
        weight,
        patience: Duration::from_millis(patience),
    })
}

/// What came of a request, and when.
struct Answer {
    at: Instant,
    until: Instant,
    weight: u32,
    result: Result<(), OverBudget>,
}

async fn all(windows: &[Window], requests: Vec<Request>) -> Vec<Answer> {
    let budget = Arc::new(Budget::new(windows.iter().copied()));
    let start = Instant::now();
    let tasks: Vec<_> = requests
        .into_iter()
        .map(
            |Request {
                 after,
                 weight,
                 patience,
             }| {
                let budget = Arc::clone(&budget);
                tokio::spawn(async move {
                    let until = start + after + patience;
                    sleep_until(start + after).await;
                    let result = budget.acquire(weight, until).await;
                    Answer {
                        at: Instant::now(),
                        until,
                        weight,
                        result,
                    }
                })
            },
        )
        .collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    answers
}

/// The weight that was spent in the window that ends at `end`.
fn spent(answers: &[Answer], end: Instant, period: Duration) -> u32 {
    answers
        .iter()
        .filter(|answer| answer.result.is_ok() && answer.at <= end && answer.at + period > end)
        .map(|answer| answer.weight)
        .sum()
}

proptest! {
    #[test]
    fn no_window_ever_holds_more_than_its_limit(
        requests in prop::collection::vec(request(), 1..60),
        limits in (3..12_u32, 3..6_u32),
    ) {
        let windows = [window(limits.0, 2000), window(limits.1, 300)];
        let answers = with_paused_time(all(&windows, requests));
        for window in windows {
            for answer in answers.iter().filter(|answer| answer.result.is_ok()) {
                prop_assert!(spent(&answers, answer.at, window.period) <= window.limit);
            }
        }
    }

    #[test]
    fn every_request_is_answered_by_its_deadline(requests in prop::collection::vec(request(), 1..60)) {
        let answers = with_paused_time(all(&[window(4, 1000), window(3, 200)], requests));
        for answer in &answers {
            prop_assert!(answer.at <= answer.until + Duration::from_millis(1));
        }
    }
}

#[test]
fn a_full_second_waits_for_the_next_one_in_the_order_asked() {
    with_paused_time(async {
        let budget = Budget::new([window(2, 1000)]);
        let start = Instant::now();
        let until = start + Duration::from_secs(10);
        let mut spent_at = Vec::new();
        for _ in 0..5 {
            budget.acquire(1, until).await.unwrap();
            spent_at.push(start.elapsed().as_millis());
        }
        assert_eq!(spent_at, [0, 0, 1000, 1000, 2000]);
    });
}

#[test]
fn a_wait_beyond_the_deadline_is_refused_at_once_and_costs_nothing() {
    with_paused_time(async {
        let budget = Budget::new([window(1, 60_000)]);
        let start = Instant::now();
        budget
            .acquire(1, start + Duration::from_secs(1))
            .await
            .unwrap();
        let refused = budget.acquire(1, start + Duration::from_secs(59)).await;
        assert_eq!(refused, Err(OverBudget));
        assert_eq!(start.elapsed(), Duration::ZERO);
        budget
            .acquire(1, start + Duration::from_secs(61))
            .await
            .unwrap();
        assert_eq!(start.elapsed(), Duration::from_secs(60));
    });
}

#[test]
fn what_weighs_more_than_a_window_is_refused() {
    with_paused_time(async {
        let budget = Budget::new([window(10, 1000)]);
        let until = Instant::now() + Duration::from_secs(100);
        assert_eq!(budget.acquire(11, until).await, Err(OverBudget));
        assert_eq!(budget.acquire(10, until).await, Ok(()));
    });
}

#[test]
fn a_wait_that_is_given_up_leaves_the_budget_to_the_next() {
    with_paused_time(async {
        let budget = Budget::new([window(1, 1000)]);
        let start = Instant::now();
        let until = start + Duration::from_secs(10);
        budget.acquire(1, until).await.unwrap();
        let given_up =
            timeout_at(start + Duration::from_millis(500), budget.acquire(1, until)).await;
        assert!(given_up.is_err());
        budget.acquire(1, until).await.unwrap();
        assert_eq!(start.elapsed(), Duration::from_secs(1));
    });
}

#[test]
fn what_others_spent_by_the_provider_s_word_counts() {
    with_paused_time(async {
        let budget = Budget::new([window(10, 60_000), window(5, 1000)]);
        let start = Instant::now();
        budget
            .acquire(4, start + Duration::from_secs(1))
            .await
            .unwrap();
        budget.charge(3);
        budget.charge(9);
        budget
            .acquire(1, start + Duration::from_secs(2))
            .await
            .unwrap();
        assert_eq!(start.elapsed(), Duration::from_secs(1));
        let refused = budget.acquire(1, start + Duration::from_secs(59)).await;
        assert_eq!(refused, Err(OverBudget));
    });
}

fn spent_by_window(budget: &Budget) -> Vec<u64> {
    let usage = budget.usage();
    usage.iter().map(|usage| usage.spent).collect()
}

#[test]
fn usage_is_what_each_window_holds_now_the_shortest_first() {
    with_paused_time(async {
        let (minute, second) = (window(10, 60_000), window(5, 1000));
        let budget = Budget::new([minute, second]);
        let windows: Vec<_> = budget.usage().iter().map(|usage| usage.window).collect();
        assert_eq!(windows, [second, minute]);
        assert_eq!(spent_by_window(&budget), [0, 0]);
        let until = Instant::now() + Duration::from_secs(100);
        budget.acquire(3, until).await.unwrap();
        assert_eq!(spent_by_window(&budget), [3, 3]);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(spent_by_window(&budget), [0, 3]);
        budget.charge(7);
        assert_eq!(spent_by_window(&budget), [4, 7], "only what was not known");
        budget.charge(2);
        assert_eq!(spent_by_window(&budget), [4, 7], "less than known is old");
        tokio::time::advance(Duration::from_secs(59)).await;
        assert_eq!(spent_by_window(&budget), [0, 4]);
    });
}

#[test]
fn usage_counts_what_the_provider_says_even_beyond_the_limit_and_nothing_that_was_refused() {
    with_paused_time(async {
        let budget = Budget::new([window(10, 60_000)]);
        budget.charge(25);
        assert_eq!(spent_by_window(&budget), [25]);
        let refused = budget
            .acquire(1, Instant::now() + Duration::from_secs(59))
            .await;
        assert_eq!(refused, Err(OverBudget));
        assert_eq!(spent_by_window(&budget), [25]);
    });
}

#[test]
fn half_is_left_up_to_half_of_the_longest_window() {
    with_paused_time(async {
        let budget = Budget::new([window(10, 60_000), window(6, 1000)]);
        let until = Instant::now() + Duration::from_secs(100);
        budget.acquire(5, until).await.unwrap();
        assert!(budget.has_half_left());
        budget.acquire(1, until).await.unwrap();
        assert!(!budget.has_half_left());
        tokio::time::advance(Duration::from_mins(1)).await;
        assert!(budget.has_half_left());
    });
}
