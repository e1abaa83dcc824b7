//! The promise of the tables, tried on histories: whatever the cuts, the order, the repetition, the faults and the
//! concurrency of deliveries, history, latest quotes and quarantine end as after one clean pass.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    ops::Range,
};

use bytes::Bytes;
use lake::{ObjectKey, read_quarantined};
use proptest::{
    prelude::*,
    sample::{Index, select},
    test_runner::TestRunner,
};
use serde_json::{Value, json};
use tables::Row;

use super::{
    how,
    simulation::{Answered, Delivery, Kept, Simulation, Step, all_goes_well, at},
};
use crate::{Answer, FailureResponse, Fault};

/// Histories of a run; `QUOTELAKE_HISTORIES` asks for another number.
const HISTORIES: u32 = 10_000;

/// What a record of a log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Quote,
    /// A quote whose value the tables refuse.
    Refused,
    Broken,
    /// A message that has no row.
    Bars,
}

/// A record of a log: its partition, its symbol, the time of its price, and what it is.
#[derive(Clone, Debug)]
struct LogRecord {
    partition: i32,
    symbol: char,
    time: i64,
    kind: Kind,
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
    failure_response: FailureResponse,
    cuts: Vec<Cut>,
    choices: Vec<u16>,
}

impl fmt::Debug for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:?}", self.failure_response)?;
        for (position, record) in self.log.iter().enumerate() {
            writeln!(f, "record {position}: {record:?}")?;
        }
        self.deliveries()
            .iter()
            .try_for_each(|delivery| writeln!(f, "{} to {}", delivery.name, delivery.environment))
    }
}

fn history() -> impl Strategy<Value = History> {
    let kind = prop_oneof![
        6 => Just(Kind::Quote),
        1 => Just(Kind::Refused),
        1 => Just(Kind::Broken),
        1 => Just(Kind::Bars),
    ];
    let record = (0..2, select(vec!['A', 'B']), 0..3_i64, kind).prop_map(
        |(partition, symbol, time, kind)| LogRecord {
            partition,
            symbol,
            time,
            kind,
        },
    );
    let cut = (0..3_usize, prop::collection::vec(any::<Index>(), 1..8)).prop_map(
        |(environment, records)| Cut {
            environment,
            records,
        },
    );
    (
        prop::collection::vec(record, 1..9),
        select(vec![FailureResponse::Batch, FailureResponse::Items]),
        prop::collection::vec(cut, 1..6),
        prop::collection::vec(any::<u16>(), 0..60),
    )
        .prop_map(|(log, failure_response, cuts, choices)| History {
            log,
            failure_response,
            cuts,
            choices,
        })
}

/// The tables of a history refuse this price.
fn refuses(row: &Row) -> bool {
    row.price.as_str() == "13"
}

impl History {
    fn at(&self, position: usize) -> (String, i64) {
        let partition = self.log[position].partition;
        let before = self.log[..position].iter();
        let offset = before
            .filter(|record| record.partition == partition)
            .count();
        (
            format!("stock-quotes-{partition}"),
            i64::try_from(offset).unwrap(),
        )
    }

    fn event(&self, positions: &[usize]) -> Value {
        let mut records: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for &position in positions {
            let LogRecord {
                partition,
                symbol,
                time,
                kind,
            } = &self.log[position];
            let time = 1_779_480_000 + time;
            let price = 100 + position;
            let value = match kind {
                Kind::Quote => format!(
                    r#"{{"symbol":"{symbol}","c":{price},"t":{time},"fetched_at":1779480060}}"#
                ),
                Kind::Refused => {
                    format!(r#"{{"symbol":"{symbol}","c":13,"t":{time},"fetched_at":1779480060}}"#)
                }
                Kind::Broken => format!(r#"{{"symbol":"{symbol}","c":{price}"#),
                Kind::Bars => format!(
                    r#"{{"symbol":"{symbol}","data":[],"fetched_at":{time},"meta":{{"schema":"stock-intraday/1"}}}}"#
                ),
            };
            let (source, offset) = self.at(position);
            records.entry(source).or_default().push(json!({
                "topic": "stock-quotes", "partition": partition, "offset": offset,
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
        Simulation::new(how(self.failure_response), refuses, deliveries)
    }

    /// Where the records are that need a row or quarantine.
    fn stored(&self) -> BTreeSet<(String, i64)> {
        let stored = (0..self.log.len()).filter(|&position| self.log[position].kind != Kind::Bars);
        stored.map(|position| self.at(position)).collect()
    }
}

/// What a history ends in.
#[derive(Debug, PartialEq)]
struct End {
    history: Vec<Row>,
    latest: Vec<Row>,
    quarantine: BTreeMap<ObjectKey, Bytes>,
}

impl End {
    fn of(kept: &Kept) -> Self {
        Self {
            history: kept.tables.history(),
            latest: kept.tables.latest(),
            quarantine: kept.store.objects(),
        }
    }

    /// Where every record is that is in the history or in quarantine.
    fn durable(&self) -> BTreeSet<(String, i64)> {
        let aside = self.quarantine.values().map(|body| {
            let read = read_quarantined(body).unwrap();
            let source = format!("{}-{}", read.topic, read.partition);
            (source, read.offset.unwrap())
        });
        self.history.iter().map(at).chain(aside).collect()
    }
}

/// What is wrong with the history, with what happened; nothing for a promise that is kept.
async fn broken_promise(history: &History) -> Option<String> {
    let deliveries = history.deliveries();
    let mut simulation = history.simulation(deliveries.clone());
    let mut choices = history.choices.iter().copied();
    while let Some(step) = choose(&simulation.steps(), choices.next()) {
        for Answered { delivery, answer } in simulation.take(step).await {
            let delivery = &deliveries[delivery];
            if let Err(missing) = answered_for(history, &simulation, delivery, &answer) {
                return Some(format!("{missing} after\n{}", simulation.trace));
            }
        }
    }
    // The trigger brings a batch until it is answered for, so at last all that the topic holds.
    let retried = all_goes_well(simulation.with_deliveries(vec![history.all()])).await;
    let clean = all_goes_well(history.simulation(vec![history.all()])).await;
    let (found, expected) = (End::of(&retried.kept), End::of(&clean.kept));
    if expected.durable() != history.stored() {
        return Some(format!("a clean pass leaves {expected:#?}"));
    }
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

/// Whether every record of a delivery that its answer does not name is in the tables or in quarantine.
fn answered_for(
    history: &History,
    simulation: &Simulation,
    delivery: &Delivery,
    answer: &Result<Answer, Fault>,
) -> Result<(), String> {
    let failed: BTreeSet<(String, i64)> = match answer {
        Err(_) => return Ok(()),
        Ok(Answer::Done { .. }) => BTreeSet::new(),
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
    let (durable, stored) = (End::of(&simulation.kept).durable(), history.stored());
    let event = kafka_event::KafkaEvent::decode(delivery.event.get()).unwrap();
    for record in &event.records {
        let source = event.sources[record.source].clone().into_owned();
        let at = (source, record.offset);
        if stored.contains(&at) && !failed.contains(&at) && !durable.contains(&at) {
            return Err(format!("{at:?} is answered for and not durable"));
        }
    }
    Ok(())
}

#[test]
fn every_history_ends_in_the_tables_of_one_clean_pass() {
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
