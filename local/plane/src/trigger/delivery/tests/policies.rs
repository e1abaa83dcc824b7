use super::*;

#[tokio::test(start_paused = true)]
async fn without_limits_a_batch_is_sent_whole_until_it_succeeds() {
    let failures = [const { Answer::Fails }; 40];
    let function = Function::answering(Vec::from(failures));
    let counts = deliver(&mapping(FailurePolicy::default(), None), &function, four()).await;
    assert_eq!(function.offsets(), vec![vec![0, 1, 2, 3]; 41]);
    assert_eq!(
        (
            counts.total(|of| of.batches),
            counts.total(|of| of.retried_batches)
        ),
        (1, 40)
    );
    assert_eq!((counts.total(|of| of.dropped), counts.troubles), (0, 40));
    // Six pauses grow up to 6.4 s, the other 34 take 5 to 10 s each.
    let last = function.invocations.lock().unwrap()[40].1.as_secs();
    assert!((6 + 34 * 5..=13 + 34 * 10).contains(&last), "{last} s");
}

#[tokio::test(start_paused = true)]
async fn after_the_last_retry_a_batch_is_dropped_and_counted() {
    let function = Function::answering([Answer::Fails, Answer::TimesOut, Answer::Fails]);
    let counts = deliver(&mapping(retries(2), None), &function, four()).await;
    assert_eq!(function.offsets().len(), 3);
    assert_eq!(
        (
            counts.total(|of| of.batches),
            counts.total(|of| of.retried_batches)
        ),
        (0, 2)
    );
    assert_eq!(
        (
            counts.total(|of| of.dropped),
            counts.total(|of| of.sent_to_destination)
        ),
        (4, 0)
    );
    assert_eq!(
        counts.last_trouble.unwrap(),
        "given up and dropped (RetryAttemptsExhausted): t-0@0 and 3 more"
    );
}

#[tokio::test(start_paused = true)]
async fn a_destination_without_a_limit_means_ten_attempts() {
    let (destination, taken) = memory();
    let function = Function::answering(vec![Answer::Fails; 20]);
    let mapping = mapping(FailurePolicy::default(), Some(destination));
    let counts = deliver(&mapping, &function, four()).await;
    assert_eq!(function.offsets().len(), 10);
    assert_eq!(
        (
            counts.total(|of| of.dropped),
            counts.total(|of| of.sent_to_destination)
        ),
        (0, 4)
    );
    assert_eq!(taken.lock().unwrap().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn throttles_use_up_no_attempt() {
    let mut answers = vec![Answer::Throttled; 30];
    answers.extend([Answer::Fails, Answer::Throttled]);
    let function = Function::answering(answers);
    let split = FailurePolicy {
        split_on_error: true,
        ..retries(0)
    };
    let one = records(&[(0, 0)]);
    let counts = deliver(&mapping(split.clone(), None), &function, one).await;
    assert_eq!(
        (function.offsets().len(), counts.total(|of| of.dropped)),
        (31, 1)
    );

    let function = Function::answering([Answer::Throttled]);
    deliver(&mapping(split, None), &function, four()).await;
    assert_eq!(function.offsets(), vec![vec![0, 1, 2, 3]; 2], "not split");
}

#[tokio::test(start_paused = true)]
async fn a_split_finds_the_one_bad_record_and_gives_up_only_that() {
    use Answer::{Fails, Success};
    let policy = FailurePolicy {
        split_on_error: true,
        ..retries(1)
    };
    // The third of four is bad.
    let answers = [Fails, Success, Fails, Fails, Fails, Success];
    let function = Function::answering(answers);
    let counts = deliver(&mapping(policy, None), &function, four()).await;
    let expected: [&[i64]; 6] = [&[0, 1, 2, 3], &[0, 1], &[2, 3], &[2], &[2], &[3]];
    // The two splits were no retries: the record alone was retried once.
    assert_eq!(function.offsets(), expected);
    assert_eq!(
        (counts.total(|of| of.batches), counts.total(|of| of.dropped)),
        (2, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn a_partial_response_brings_back_only_what_it_names() {
    let policy = FailurePolicy {
        partial_responses: true,
        split_on_error: true,
        ..retries(1)
    };
    let function = Function::answering([Answer::Names(vec![1, 3]), Answer::Names(vec![1])]);
    let counts = deliver(&mapping(policy, None), &function, four()).await;
    let expected: [&[i64]; 2] = [&[0, 1, 2, 3], &[1, 3]];
    assert_eq!(function.offsets(), expected);
    // Offset 3 has had its one retry.
    assert_eq!(
        (counts.total(|of| of.batches), counts.total(|of| of.dropped)),
        (2, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn a_response_that_can_not_be_read_is_a_failure_only_where_responses_are_asked_for() {
    let unknown = r#"{"batchItemFailures":[{"itemIdentifier":{"partition":"t-0","offset":9}}]}"#;
    for body in [unknown, "done"] {
        let asked = FailurePolicy {
            partial_responses: true,
            ..FailurePolicy::default()
        };
        for (policy, invocations) in [(asked, 2), (FailurePolicy::default(), 1)] {
            let function = Function::answering([Answer::Says(body)]);
            deliver(&mapping(policy, None), &function, four()).await;
            assert_eq!(function.offsets(), vec![vec![0, 1, 2, 3]; invocations]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn records_that_are_too_old_are_not_sent_any_more() {
    let policy = FailurePolicy {
        record_age: Some(Duration::from_secs(60)),
        ..FailurePolicy::default()
    };
    let (destination, taken) = memory();
    let mut mapping = mapping(policy, Some(destination));
    mapping.failures.retries = Some(100);
    let function = Function::answering(vec![Answer::Throttled; 8]);
    // One is too old at once, one becomes so by waiting.
    let of = records(&[(0, 61), (0, 50), (0, 0)]);
    let counts = deliver(&mapping, &function, of).await;
    let offsets = function.offsets();
    assert_eq!(offsets.first().unwrap(), &[1, 2]);
    assert_eq!(offsets.last().unwrap(), &[2]);
    assert_eq!(
        (
            counts.total(|of| of.sent_to_destination),
            counts.total(|of| of.dropped)
        ),
        (2, 0)
    );
    for message in &*taken.lock().unwrap() {
        let context = &message["requestContext"];
        assert_eq!(context["condition"], "RecordAgeExceeded");
        // Neither ever reached the function.
        assert_eq!(message["responseContext"], serde_json::Value::Null);
    }
}

#[tokio::test(start_paused = true)]
async fn a_split_gives_no_new_retries() {
    use Answer::{Fails, Names};
    let policy = FailurePolicy {
        partial_responses: true,
        split_on_error: true,
        ..retries(1)
    };
    // The one retry is used up by the partial response, before the split.
    let function = Function::answering([Names(vec![1, 2, 3]), Fails, Fails, Fails, Fails, Fails]);
    let counts = deliver(&mapping(policy, None), &function, four()).await;
    let expected: [&[i64]; 6] = [&[0, 1, 2, 3], &[1, 2, 3], &[1], &[2, 3], &[2], &[3]];
    assert_eq!(function.offsets(), expected);
    assert_eq!(
        (counts.total(|of| of.batches), counts.total(|of| of.dropped)),
        (1, 3)
    );
}
