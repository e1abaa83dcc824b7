//! The small case in full: two writers, three deliveries that overlap, every interleaving of their requests, and
//! in each up to a number of faults at any places.

use std::collections::BTreeMap;

use bytes::Bytes;
use lake::{Compression, Granularity, Layout, ObjectKey};
use serde_json::{Value, json};

use super::{
    durable,
    simulation::{Delivery, Simulation, Step, all_goes_well},
};
use crate::FailureResponse;

/// The most faults of a history; `QUOTELAKE_FAULTS` asks for another number. Two make 70,000 histories.
const FAULTS: usize = 1;

fn layout() -> Layout {
    Layout::new("b", None, Granularity::SEGMENT, Compression::None)
}

fn delivery(environment: usize, offsets: &[i64]) -> Delivery {
    let record = |offset: &i64| -> Value {
        let value = format!(r#"{{"symbol":"A","c":{offset},"fetched_at":1779480000}}"#);
        json!({"offset": offset, "value": base64_simd::STANDARD.encode_to_string(value)})
    };
    let records: Vec<Value> = offsets.iter().map(record).collect();
    Delivery {
        environment,
        event: serde_json::value::to_raw_value(&json!({"records": {"t-0": records}})).unwrap(),
        name: format!("offsets {offsets:?}"),
    }
}

fn deliveries() -> Vec<Delivery> {
    vec![
        delivery(0, &[0, 1]),
        delivery(1, &[1, 2]),
        delivery(0, &[0, 3]),
    ]
}

/// The choices of one history: at each place which of how many.
#[derive(Default)]
struct Path {
    choices: Vec<(usize, usize)>,
    at: usize,
}

impl Path {
    fn choose(&mut self, options: usize) -> usize {
        if self.at == self.choices.len() {
            self.choices.push((0, options));
        }
        let (choice, known) = self.choices[self.at];
        assert_eq!(known, options, "a history is a function of its choices");
        self.at += 1;
        choice
    }

    /// Goes on to the next history; false after the last.
    fn next(&mut self) -> bool {
        self.at = 0;
        while let Some((choice, options)) = self.choices.pop() {
            if choice + 1 < options {
                self.choices.push((choice + 1, options));
                return true;
            }
        }
        false
    }
}

/// Runs one history with at most `faults` faults and gives what it leaves.
async fn run(path: &mut Path, faults: usize) -> (Simulation, usize) {
    let mut simulation = Simulation::new(layout(), FailureResponse::Batch, deliveries());
    let (mut left, mut answered) = (faults, 0);
    loop {
        let mut steps = simulation.steps();
        // Time passes only where nothing else can happen: sooner it would only reorder what is here anyway.
        if steps
            .iter()
            .any(|step| matches!(step, Step::Request(..) | Step::Deliver))
        {
            steps.retain(|step| *step != Step::Wait);
        }
        if left == 0 {
            steps.retain(|step| !step.is_fault());
        }
        if !steps.iter().any(|step| !step.is_fault()) {
            return (simulation, answered);
        }
        let step = steps[path.choose(steps.len())];
        left -= usize::from(step.is_fault());
        for done in simulation.take(step).await {
            if done.answer.is_ok() {
                let durable = durable(&layout(), &simulation.objects());
                let expected: &[i64] = [&[0, 1], &[1, 2], &[0, 3]][done.delivery];
                for &offset in expected {
                    let at = ("t-0".to_owned(), offset);
                    assert!(
                        durable.contains(&at),
                        "{offset} after\n{}",
                        simulation.trace
                    );
                }
                answered += 1;
            }
        }
    }
}

/// What is in the store when everything is delivered once more.
async fn after_the_retry(simulation: &Simulation) -> BTreeMap<ObjectKey, Bytes> {
    let retry = simulation.with_deliveries(vec![delivery(0, &[0, 1, 2, 3])]);
    all_goes_well(retry).await.objects()
}

#[tokio::test(start_paused = true)]
async fn every_interleaving_with_every_fault_ends_as_one_clean_pass() {
    let clean = Simulation::new(layout(), FailureResponse::Batch, Vec::new());
    let expected = after_the_retry(&clean).await;
    let asked = runtime::Environment::of_process().secret("QUOTELAKE_FAULTS");
    for faults in 0..=asked.map_or(FAULTS, |faults| faults.parse().unwrap()) {
        let mut path = Path::default();
        let mut histories = 0_u64;
        loop {
            let (simulation, answered) = run(&mut path, faults).await;
            if faults == 0 {
                assert_eq!(answered, 3, "{}", simulation.trace);
                assert_eq!(simulation.objects(), expected, "{}", simulation.trace);
            }
            let found = after_the_retry(&simulation).await;
            assert_eq!(found, expected, "{}", simulation.trace);
            histories += 1;
            if !path.next() {
                break;
            }
        }
        let expected = [100, 2_000, 50_000];
        let least = expected.get(faults).or(expected.last()).unwrap();
        assert!(
            histories >= *least,
            "{histories} histories with {faults} faults"
        );
    }
}
