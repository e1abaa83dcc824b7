use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

fn answer() -> impl Strategy<Value = Answer> {
    prop_oneof![
        2 => Just(Answer::Success),
        3 => Just(Answer::Fails),
        1 => Just(Answer::TimesOut),
        1 => Just(Answer::Throttled),
        3 => prop::collection::vec(0..30_usize, 1..5).prop_map(Answer::Names),
        1 => Just(Answer::Says("done")),
    ]
}

fn policy() -> impl Strategy<Value = FailurePolicy> {
    let age = prop::option::of((60..120_u64).prop_map(Duration::from_secs));
    (
        prop::option::of(0..4_u32),
        age,
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(
            |(retries, record_age, split_on_error, partial_responses)| FailurePolicy {
                retries,
                record_age,
                split_on_error,
                partial_responses,
            },
        )
}

/// What the function has acknowledged, by the answers that it gave.
fn acknowledged(
    invocations: &[(Vec<Position>, Duration)],
    answers: &[Answer],
    policy: &FailurePolicy,
) -> Vec<Position> {
    let mut acknowledged = Vec::new();
    for (index, (sent, _)) in invocations.iter().enumerate() {
        match answers.get(index).unwrap_or(&Answer::Success) {
            Answer::Success => acknowledged.extend(sent),
            Answer::Names(places) if policy.partial_responses => {
                let named: BTreeSet<_> = places.iter().map(|at| sent[at % sent.len()]).collect();
                acknowledged.extend(sent.iter().filter(|at| !named.contains(at)));
            }
            Answer::Names(_) | Answer::Says(_) if !policy.partial_responses => {
                acknowledged.extend(sent);
            }
            _ => {}
        }
    }
    acknowledged
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn when_a_batch_is_delivered_every_record_has_ended_once_and_each_partition_in_order(
        answers in prop::collection::vec(answer(), 0..60),
        policy in policy(),
        of in prop::collection::vec((0..3_i32, 0..130_i64), 1..12),
        has_destination in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let (destination, taken) = memory();
        let mapping = mapping(policy.clone(), has_destination.then_some(destination));
        let (function, counts) = runtime.block_on(async {
            let function = Function::answering(answers.clone());
            let counts = deliver(&mapping, &function, records(&of)).await;
            (function, counts)
        });
        let invocations = function.invocations.into_inner().unwrap();

        // Each has ended once: acknowledged, in the destination, or dropped. So the offset after it may be committed.
        let mut ended = acknowledged(&invocations, &answers, &policy);
        for message in &*taken.lock().unwrap() {
            ended.extend(positions(message["payload"].to_string().as_bytes()));
        }
        let distinct: BTreeSet<_> = ended.iter().collect();
        prop_assert_eq!(distinct.len(), ended.len(), "{:?}", ended);
        prop_assert_eq!(of.len() as u64, ended.len() as u64 + counts.total(|of| of.dropped));
        prop_assert!(!has_destination || counts.total(|of| of.dropped) == 0);
        prop_assert_eq!(taken.lock().unwrap().len() as u64, counts.total(|of| of.sent_to_destination));

        // Of a partition, no record is sent for the first time before an earlier one.
        let mut last: BTreeMap<i32, i64> = BTreeMap::new();
        let mut seen = BTreeSet::new();
        for at in invocations.iter().flat_map(|(sent, _)| sent) {
            if seen.insert(*at) {
                let before = last.insert(at.partition, at.offset);
                prop_assert!(before < Some(at.offset), "{:?}", invocations);
            }
        }

        // What is committed then is the end of each partition of the batch.
        for (partition, end) in crate::trigger::ends(&records(&of)) {
            let offsets = (0_i64..).zip(&of).filter(|(_, (of, _))| *of == partition);
            prop_assert_eq!(offsets.last().map(|(offset, _)| offset + 1), Some(end));
        }
    }
}
