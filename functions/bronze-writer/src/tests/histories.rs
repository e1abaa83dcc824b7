//! The promise of bronze, tried on histories: whatever the cuts, the order, the repetition, the faults and the
//! concurrency of deliveries, the store ends with the objects of one clean pass, byte for byte.

use std::{collections::BTreeMap, fmt, ops::Range};

use bytes::Bytes;
use lake::{Compression, Granularity, Layout, ObjectKey};
use proptest::{
    prelude::*,
    sample::{Index, select},
    test_runner::TestRunner,
};
use serde_json::{Value, json};

use super::{
    durable,
    simulation::{Answered, Delivery, Simulation, Step, all_goes_well},
};
use crate::{Answer, FailureResponse};

/// Histories of a run; `QUOTELAKE_HISTORIES` asks for another number.
const HISTORIES: u32 = 10_000;

/// A record of a log: its partition, its symbol, its hour, and whether it is sound.
#[derive(Clone, Debug)]
struct LogRecord {
    partition: i32,
    symbol: char,
    hour: i64,
    sound: bool,
}

/// One cut of the log for one environment.
#[derive(Clone, Debug)]
struct Cut {
    environment: usize,
    records: Vec<Index>,
}

#[derive(Clone)]
struct History {
    log: Vec<LogRecord>,
    layout: Layout,
    failure_response: FailureResponse,
    cuts: Vec<Cut>,
    choices: Vec<u16>,
}

impl fmt::Debug for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:?} {:?}", self.layout, self.failure_response)?;
        for (position, record) in self.log.iter().enumerate() {
            writeln!(f, "record {position}: {record:?}")?;
        }
        self.deliveries()
            .iter()
            .try_for_each(|delivery| writeln!(f, "{} to {}", delivery.name, delivery.environment))
    }
}

fn history() -> impl Strategy<Value = History> {
    let record = (
        0..2,
        select(vec!['A', 'B']),
        0..2_i64,
        prop::bool::weighted(0.9),
    )
        .prop_map(|(partition, symbol, hour, sound)| LogRecord {
            partition,
            symbol,
            hour,
            sound,
        });
    let granularity = select(vec![
        Granularity::RECORD,
        Granularity::new(3_600_000, 3).unwrap(),
        Granularity::SEGMENT,
    ]);
    let layout = (
        granularity,
        select(vec![Compression::None, Compression::Zstd]),
    )
        .prop_map(|(granularity, compression)| {
            Layout::new("bronze", Some("1"), granularity, compression)
        });
    let cut = (0..3_usize, prop::collection::vec(any::<Index>(), 1..8)).prop_map(
        |(environment, records)| Cut {
            environment,
            records,
        },
    );
    (
        prop::collection::vec(record, 1..9),
        layout,
        select(vec![FailureResponse::Batch, FailureResponse::Items]),
        prop::collection::vec(cut, 1..6),
        prop::collection::vec(any::<u16>(), 0..60),
    )
        .prop_map(|(log, layout, failure_response, cuts, choices)| History {
            log,
            layout,
            failure_response,
            cuts,
            choices,
        })
}

impl History {
    fn offset(&self, position: usize) -> i64 {
        let partition = self.log[position].partition;
        let before = self.log[..position].iter();
        i64::try_from(
            before
                .filter(|record| record.partition == partition)
                .count(),
        )
        .unwrap()
    }

    fn event(&self, positions: &[usize]) -> Value {
        let mut records: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for &position in positions {
            let LogRecord {
                partition,
                symbol,
                hour,
                sound,
            } = &self.log[position];
            let end = if *sound { "}" } else { "" };
            let time = 1_779_480_000 + hour * 3_600;
            let value = format!(r#"{{"symbol":"{symbol}","c":{position},"fetched_at":{time}{end}"#);
            records
                .entry(format!("t-{partition}"))
                .or_default()
                .push(json!({
                    "topic": "t", "partition": partition, "offset": self.offset(position),
                    "value": base64_simd::STANDARD.encode_to_string(value),
                }));
        }
        json!({"records": records})
    }

    fn delivery(&self, environment: usize, positions: &[usize]) -> Delivery {
        let names = positions.iter().map(usize::to_string);
        Delivery {
            environment,
            event: serde_json::value::to_raw_value(&self.event(positions)).unwrap(),
            name: format!("records {}", names.collect::<Vec<_>>().join(" ")),
        }
    }

    fn deliveries(&self) -> Vec<Delivery> {
        let of_cut = |cut: &Cut| {
            let positions = cut.records.iter().map(|index| index.index(self.log.len()));
            self.delivery(cut.environment, &positions.collect::<Vec<_>>())
        };
        self.cuts.iter().map(of_cut).collect()
    }

    fn all(&self) -> Delivery {
        let all: Range<usize> = 0..self.log.len();
        self.delivery(0, &all.collect::<Vec<_>>())
    }

    fn simulation(&self, deliveries: Vec<Delivery>) -> Simulation {
        Simulation::new(self.layout.clone(), self.failure_response, deliveries)
    }
}

/// What one delivery of the whole log in order leaves.
async fn clean_pass(history: &History) -> BTreeMap<ObjectKey, Bytes> {
    all_goes_well(history.simulation(vec![history.all()]))
        .await
        .objects()
}

/// What is wrong with the history, with what happened; nothing for a promise that is kept.
async fn broken_promise(history: &History) -> Option<String> {
    let deliveries = history.deliveries();
    let mut simulation = history.simulation(deliveries.clone());
    let mut choices = history.choices.iter().copied();
    while let Some(step) = choose(&simulation.steps(), choices.next()) {
        for Answered { delivery, answer } in simulation.take(step).await {
            let delivery = &deliveries[delivery];
            if let Err(missing) = answered_for(&history.layout, &simulation, delivery, &answer) {
                return Some(format!("{missing} after\n{}", simulation.trace));
            }
        }
    }
    // The trigger brings a batch until it is answered for, so at last all that the topic holds.
    let retried = all_goes_well(simulation.with_deliveries(vec![history.all()])).await;
    let (found, expected) = (retried.objects(), clean_pass(history).await);
    (found != expected).then(|| {
        let trace = simulation.trace + "faults end\n" + &retried.trace;
        format!("found {found:#?}\nexpected {expected:#?}\nafter\n{trace}")
    })
}

/// Faults in three of eight choices while there are choices; then all goes well.
fn choose(steps: &[Step], choice: Option<u16>) -> Option<Step> {
    let (faults, good): (Vec<Step>, Vec<Step>) = steps.iter().partition(|step| step.is_fault());
    let choice = usize::from(choice.unwrap_or(0));
    let among = if choice % 8 > 4 && !faults.is_empty() {
        faults
    } else {
        good
    };
    (!among.is_empty()).then(|| among[choice / 8 % among.len()])
}

/// Whether every record of a delivery that its answer does not name is in the store.
fn answered_for(
    layout: &Layout,
    simulation: &Simulation,
    delivery: &Delivery,
    answer: &Result<Answer, crate::Fault>,
) -> Result<(), String> {
    let failed: Vec<(String, i64)> = match answer {
        Err(_) => return Ok(()),
        Ok(Answer::Done { .. }) => Vec::new(),
        Ok(Answer::Items {
            batch_item_failures,
        }) => batch_item_failures
            .iter()
            .map(|failure| {
                let item = &failure.item_identifier;
                (item.partition.clone(), item.offset)
            })
            .collect(),
    };
    let durable = durable(layout, &simulation.objects());
    let event = kafka_event::KafkaEvent::decode(delivery.event.get()).unwrap();
    for record in &event.records {
        let at = (
            event.sources[record.source].clone().into_owned(),
            record.offset,
        );
        if !failed.contains(&at) && !durable.contains(&at) {
            return Err(format!("{at:?} is answered for and not durable"));
        }
    }
    Ok(())
}

#[test]
fn every_history_ends_as_one_clean_pass() {
    let asked = runtime::Environment::of_process().secret("QUOTELAKE_HISTORIES");
    let cases = asked.map_or(HISTORIES, |histories| histories.parse().unwrap());
    let config = ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let executor = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    TestRunner::new(config)
        .run(&history(), |history| {
            let broken = executor.block_on(broken_promise(&history));
            broken.map_or(Ok(()), |what| Err(TestCaseError::fail(what)))
        })
        .unwrap_or_else(|failure| panic!("{failure}"));
}
