//! The promise of silver, tried on histories: whatever the order of the records, their lateness and repetition, the cuts, the ranges, the number of
//! rollers and their faults, the bars end as those of the whole set.

use std::{collections::BTreeMap, fmt, sync::Arc};

use lake::{Compression, Granularity};
use market::bars::{DAY, HOUR, Interval};
use proptest::{
    prelude::*,
    sample::{Index, select},
    test_runner::TestRunner,
};

use super::{
    Lake, Market, Record, Said, at,
    lake_of_records::layout,
    reference::{self, Plain},
    simulation::{Simulation, Step},
};
use crate::{How, Layout, Range, decode};

/// Histories of a run; `QUOTELAKE_HISTORIES` asks for another number.
const HISTORIES: u32 = 500;

#[derive(Clone)]
struct History {
    market: Market,
    layout: Layout,
    /// Six hours begin here.
    start: i64,
    log: Vec<Record>,
    cuts: Vec<Vec<Index>>,
    rollers: Vec<(Range, How)>,
    choices: Vec<u16>,
    /// Whether the last rolls are of all time.
    of_all_time: bool,
}

impl fmt::Debug for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bronze = self.layout.bronze();
        writeln!(f, "{:?} {:?}", self.market, bronze.granularity())?;
        let mut log = self.log.iter();
        log.try_for_each(|record| {
            let time = |time| jiff::Timestamp::from_microsecond(time).unwrap();
            let (event, fetched) = (time(record.event), time(record.fetched));
            writeln!(f, "{event} fetched {fetched}: {record:?}")
        })
    }
}

/// A record without its offset, and which one's repetition it is.
type Drawn = (i32, i64, i64, Option<u32>, (u8, i64, i64), Option<Index>);

fn drawn() -> impl Strategy<Value = Drawn> {
    let second = prop_oneof![
        0..6 * 3_600_i64,
        // Where hours, days and months begin, and in the same minutes.
        (0..6_i64, -61..61_i64).prop_map(|(hour, beside)| (hour * 3_600 + beside).max(0)),
        3 * 3_600 - 20..3 * 3_600 + 20_i64,
    ];
    let age = select(vec![
        -61, -60, -30, 1, 1, 1, 5, 1_800, 3_600, 3_601, 7_000, 10_800, 20_000, 100_000,
    ]);
    let said = (0..8_u8, 1..9_i64, 0..9_i64);
    let id = prop::option::weighted(0.8, 0..40_u32);
    let again = prop::option::weighted(0.25, any::<Index>());
    (0..2_i32, second, age, id, said, again)
}

fn log(start: i64, drawn: Vec<Drawn>) -> Vec<Record> {
    let mut log: Vec<Record> = Vec::new();
    for (partition, second, age, id, (kind, price, more), again) in drawn {
        let again = again
            .filter(|_| !log.is_empty())
            .map(|again| again.get(&log).clone());
        let event = again
            .as_ref()
            .map_or(start + second * 1_000_000, |one| one.event);
        let said = match kind {
            0 | 1 => Said::Trade { price, size: more },
            2 | 3 => Said::Quote { price },
            4 => Said::Board { price, total: more },
            5 => Said::Minutes { price },
            6 => Said::Days { price },
            _ => Said::Timeless { price },
        };
        let (id, said) = again.map_or((id, said), |one| (one.id, one.said));
        log.push(Record {
            partition,
            offset: 0,
            event,
            fetched: event + age * 1_000_000,
            id,
            said,
        });
    }
    // One id at one time says one thing.
    let mut told: BTreeMap<(i64, u32), Said> = BTreeMap::new();
    for record in &mut log {
        if let Some(id) = record.id {
            let said = told.entry((record.event, id));
            record.said = said.or_insert_with(|| record.said.clone()).clone();
        }
    }
    let mut next = [0, 0];
    for record in &mut log {
        let next = &mut next[usize::try_from(record.partition).unwrap()];
        record.offset = *next;
        *next += 1;
    }
    log
}

fn history() -> impl Strategy<Value = History> {
    let granularity = select(vec![
        Granularity::new(3_600_000, 3).unwrap(),
        Granularity::new(3_600_000, 3).unwrap(),
        Granularity::new(900_000, 100).unwrap(),
        Granularity::new(86_400_000, 5).unwrap(),
        Granularity::RECORD,
    ]);
    let compression = select(vec![Compression::None, Compression::Zstd]);
    let layout = (granularity, compression).prop_map(|(of, by)| layout(of, by));
    let market = select(vec![
        (Market::Coins, "2026-10-31T21:00:00Z"),
        (Market::Vietnam, "2026-10-31T21:00:00Z"),
        (Market::Vietnam, "2026-11-15T14:00:00Z"),
        (Market::NewYork, "2026-11-01T02:00:00Z"),
        (Market::NewYork, "2026-12-31T21:00:00Z"),
        (Market::NewYork, "2027-01-01T02:00:00Z"),
    ]);
    let range = prop_oneof![
        Just((-4 * 24, 6 * 24)),
        Just((-24 * 365, 24 * 365)),
        (-1..9_i64, 1..6_i64).prop_map(|(from, hours)| (from, from + hours)),
        (-1..30_i64, 1..4_i64).prop_map(|(from, hours)| (from, from + hours)),
    ];
    let how = (prop::bool::weighted(0.7), prop::bool::weighted(0.1));
    let how = how.prop_map(|(provisional, rebuild)| How {
        provisional,
        rebuild,
        ..How::default()
    });
    (
        (market, layout, any::<bool>()),
        prop::collection::vec(drawn(), 1..16),
        prop::collection::vec(prop::collection::vec(any::<Index>(), 1..8), 0..5),
        prop::collection::vec((range, how), 0..5),
        prop::collection::vec(any::<u16>(), 0..80),
    )
        .prop_map(|(of, drawn, cuts, rollers, choices)| {
            let ((market, start), layout, of_all_time) = of;
            let start = at(start);
            let log = log(start, drawn);
            // What a roller without provisional bars has passed over of a provider's day is not looked for again.
            let has_days = log.iter().any(|one| matches!(one.said, Said::Days { .. }));
            let hours = |(from, to): (i64, i64)| Range {
                from: start + from * HOUR,
                to: start + to * HOUR,
            };
            History {
                market,
                layout,
                start,
                log,
                cuts,
                rollers: rollers
                    .into_iter()
                    .map(|(range, how)| {
                        let provisional = how.provisional || has_days;
                        (hours(range), How { provisional, ..how })
                    })
                    .collect(),
                choices,
                of_all_time,
            }
        })
}

impl History {
    fn simulation(&self) -> Simulation {
        let cut = |cut: &Vec<Index>| -> Vec<Record> {
            cut.iter()
                .map(|index| index.get(&self.log).clone())
                .collect()
        };
        let cuts = self.cuts.iter().map(cut).collect();
        Simulation::new(self.layout.clone(), self.market, cuts, self.rollers.clone())
    }

    fn whole(&self) -> Range {
        match self.of_all_time {
            true => Range {
                from: 0,
                to: i64::MAX,
            },
            false => Range {
                from: self.start - 4 * DAY,
                to: self.start + 6 * DAY,
            },
        }
    }
}

/// What is wrong with the history; nothing for a promise that is kept.
async fn broken_promise(history: &History) -> Option<String> {
    let mut simulation = history.simulation();
    let mut choices = history.choices.iter().copied();
    while let Some(step) = choose(&simulation.steps(), choices.next()) {
        simulation.take(step).await;
    }
    let lake = Lake {
        layout: history.layout.clone(),
        market: history.market,
        ..Lake::with(Arc::clone(&simulation.store))
    };
    lake.land(&history.log).await;
    for _ in 0..2 {
        lake.roll(history.whole()).await;
    }
    let wrong = |what: String| Some(format!("{what}\nafter\n{}", simulation.trace));
    let judged = lake.judge().await;
    let damage = (judged.damaged.len(), judged.bronze_damaged.len());
    if !judged.wrong.is_empty() || judged.behind > 0 || damage != (0, 0) {
        return wrong(format!("{judged:?}"));
    }
    let bucket = history.layout.bronze().granularity().bucket_ms() * 1_000;
    let expected = reference::bars(&history.log, history.market, bucket);
    for interval in Interval::ALL {
        let mut found: Vec<Plain> = Vec::new();
        for (key, body) in simulation.store.objects() {
            if key.as_str().contains(&format!("lake_interval={interval}/")) {
                found.extend(decode(&body).unwrap().bars.iter().map(Plain::from));
            }
        }
        let expected = &expected[&interval];
        if found != *expected {
            found.retain(|bar| !expected.contains(bar));
            return wrong(format!(
                "{interval}: found {found:?}\nexpected {expected:?}"
            ));
        }
    }
    let before = simulation.store.objects();
    let again = lake.roll(history.whole()).await;
    if again.files > 0 || again.hours > 0 || simulation.store.objects() != before {
        return wrong(format!("a further roll does something: {again:?}"));
    }
    None
}

/// Faults in two of eight choices while there are choices; then all goes well.
fn choose(steps: &[Step], choice: Option<u16>) -> Option<Step> {
    let (faults, good): (Vec<Step>, Vec<Step>) = steps.iter().partition(|step| step.is_fault());
    let choice = usize::from(choice.unwrap_or(0));
    let among = if choice % 8 > 5 && !faults.is_empty() {
        faults
    } else {
        good
    };
    (!among.is_empty()).then(|| among[choice / 8 % among.len()])
}

#[test]
fn every_history_ends_as_the_fold_of_all_records() {
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
