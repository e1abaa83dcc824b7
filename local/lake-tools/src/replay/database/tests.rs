use std::{collections::BTreeSet, sync::Mutex};

use bronze_writer::Writer;
use bytes::Bytes;
use lake::{
    Compression, Granularity, Layout, ObjectKey,
    store::{MemoryStore, PutIf},
};
use tables::{MemoryTables, Row, Upsert, UpsertError, Upserted};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{DatabaseOutcome, Progress, ReplayError, Wanted, fill};
use crate::written::{Record, deliver, event, run, writer};

const TOPICS: [&str; 2] = ["stock-quotes", "stock-board"];

fn layout() -> Layout {
    Layout::new(
        "bronze",
        Some("7"),
        Granularity::new(3_600_000, 10).unwrap(),
        Compression::None,
    )
}

fn records() -> Vec<Record> {
    let of = |topic: &'static str| {
        (0..100).map(move |offset| Record {
            topic,
            partition: 0,
            offset,
            value: Some(match offset % 10 {
                8 => "{".to_owned(),
                9 => format!(r#"{{"symbol":"A","price":"x","c":"x","fetched_at":1779480000,"at":{offset}}}"#),
                _ => format!(r#"{{"symbol":"S{}","c":{offset}.10,"price":{offset}.10,"fetched_at":1779480000}}"#, offset % 3),
            }),
        })
    };
    TOPICS.into_iter().flat_map(of).collect()
}

async fn lake() -> Writer<MemoryStore> {
    let writer = writer(MemoryStore::default(), &layout());
    deliver(&writer, &event(&records())).await;
    writer
}

async fn filled(
    tables: &impl Upsert,
    lake: &Writer<MemoryStore>,
    after: Option<String>,
    stop: &CancellationToken,
) -> Result<DatabaseOutcome, ReplayError> {
    let topics = TOPICS.map(str::to_owned);
    let wanted = Wanted {
        topics: &topics,
        epoch: "7",
        after: after.map(ObjectKey::new),
    };
    fill(
        tables,
        lake.store(),
        &layout(),
        &wanted,
        stop,
        &Progress::Silent,
    )
    .await
}

/// Tables that refuse some offsets, and go away after so many transactions.
struct Odd {
    tables: MemoryTables,
    refused: BTreeSet<i64>,
    left: Mutex<u32>,
}

impl Upsert for Odd {
    async fn upsert(&self, rows: &[Row], until: Instant) -> Result<Upserted, UpsertError> {
        if rows.iter().any(|row| self.refused.contains(&row.offset)) {
            return Err(UpsertError::Refused {
                sqlstate: "22003".to_owned(),
                cause: "out of range".to_owned().into(),
            });
        }
        {
            let mut left = self.left.lock().unwrap();
            if *left == 0 {
                return Err(UpsertError::Unavailable {
                    database: "odd".to_owned(),
                    cause: "it is away".to_owned().into(),
                });
            }
            *left -= 1;
        }
        self.tables.upsert(rows, until).await
    }
}

#[test]
fn an_empty_database_gets_every_row_and_a_second_time_none() {
    run(async {
        let (store, tables, stop) = (
            lake().await,
            MemoryTables::default(),
            CancellationToken::new(),
        );
        let outcome = filled(&tables, &store, None, &stop).await.unwrap();
        assert!(outcome.is_complete());
        assert_eq!(outcome.read.records, 200);
        assert_eq!((outcome.written.rows, outcome.written.written), (160, 160));
        assert_eq!(tables.history().len(), 160);
        assert_eq!(tables.latest().len(), 3);
        let without: Vec<u64> = outcome
            .read
            .without_row
            .values()
            .map(|named| named.total)
            .collect();
        assert_eq!(without, [20, 20]);
        let text = outcome.text(false);
        assert!(text.starts_with("200 records in "), "{text}");
        assert!(
            text.contains("20 without a row (broken-json): stock-board-0@8: "),
            "{text}"
        );
        assert!(text.contains("20 without a row (no-row): "), "{text}");
        let again = filled(&tables, &store, None, &stop).await.unwrap();
        assert_eq!((again.written.rows, again.written.written), (160, 0));
        assert_eq!(again.written.latest_changed, 0);
    });
}

#[test]
fn a_row_that_is_refused_is_named_and_its_neighbours_go_in() {
    run(async {
        let odd = Odd {
            tables: MemoryTables::default(),
            refused: BTreeSet::from([33, 34]),
            left: Mutex::new(u32::MAX),
        };
        let outcome = filled(&odd, &lake().await, None, &CancellationToken::new())
            .await
            .unwrap();
        assert!(!outcome.is_complete());
        assert_eq!(outcome.written.refused.total, 4);
        assert_eq!(odd.tables.history().len(), 156);
        let text = outcome.text(false);
        assert!(
            text.contains("4 refused by the database: stock-") && text.contains("-0@33: "),
            "{text}"
        );
    });
}

#[test]
fn what_ended_on_the_way_says_the_option_that_goes_on_and_that_does_the_rest() {
    run(async {
        let store = lake().await;
        let odd = Odd {
            tables: MemoryTables::default(),
            refused: BTreeSet::new(),
            left: Mutex::new(0),
        };
        let stop = CancellationToken::new();
        let said = filled(&odd, &store, None, &stop)
            .await
            .unwrap_err()
            .to_string();
        assert!(
            said.ends_with("what came before is in the tables: run it again to go on"),
            "{said}"
        );

        let objects = store.store().objects();
        let half = objects.keys().nth(objects.len() / 2).unwrap().to_string();
        let said = filled(&odd, &store, Some(half.clone()), &stop)
            .await
            .unwrap_err()
            .to_string();
        assert!(
            said.ends_with(&format!("go on with --after '{half}'")),
            "{said}"
        );

        let (whole, rest) = (MemoryTables::default(), MemoryTables::default());
        filled(&whole, &store, None, &stop).await.unwrap();
        let outcome = filled(&rest, &store, Some(half), &stop).await.unwrap();
        let (whole, rest) = (whole.history(), rest.history());
        assert!(rest.len() < whole.len() && !rest.is_empty());
        assert!(rest.iter().all(|row| whole.contains(row)));
        let last = objects
            .keys()
            .filter(|key| key.as_str().contains("lake_symbol"))
            .max();
        assert_eq!(outcome.after, last.map(ToString::to_string));
    });
}

#[test]
fn a_stop_ends_it_and_says_how_to_go_on() {
    run(async {
        let stop = CancellationToken::new();
        stop.cancel();
        let outcome = filled(&MemoryTables::default(), &lake().await, None, &stop)
            .await
            .unwrap();
        assert!(outcome.stopped && !outcome.is_complete());
        let text = outcome.text(false);
        assert!(
            text.ends_with("stopped before the end: run it again to go on\n"),
            "{text}"
        );
    });
}

#[test]
fn a_damaged_object_is_named_and_costs_no_other_its_rows() {
    run(async {
        let store = lake().await;
        let objects = store.store().objects();
        let key = objects
            .keys()
            .find(|key| key.as_str().contains("lake_symbol"))
            .unwrap();
        store.store().remove(key);
        store
            .store()
            .put_if_absent(key, Bytes::from_static(b"edited"))
            .await
            .unwrap();
        let tables = MemoryTables::default();
        let outcome = filled(&tables, &store, None, &CancellationToken::new())
            .await
            .unwrap();
        assert!(!outcome.is_complete());
        assert_eq!(outcome.read.damaged.count, 1);
        assert!(tables.history().len() > 150);
    });
}

#[test]
fn a_key_that_is_none_of_the_lake_is_refused() {
    run(async {
        let lake = lake().await;
        let topics = TOPICS.map(str::to_owned);
        let objects = lake.store().objects();
        let there: Vec<String> = objects
            .keys()
            .map(ToString::to_string)
            .filter(|key| key.contains("lake_symbol") || key.contains("_quarantine"))
            .collect();
        let gone = {
            let at = there[0].rfind('0').unwrap();
            format!("{}7{}", &there[0][..at], &there[0][at + 1..])
        };
        let check = async |topics: &[String], key: &str| {
            let wanted = Wanted {
                topics,
                epoch: "7",
                after: Some(ObjectKey::new(key.to_owned())),
            };
            wanted.check(lake.store(), &layout()).await
        };
        for key in &there {
            check(&topics, key).await.unwrap();
            assert!(check(&["other".to_owned()], key).await.is_err());
        }
        for key in [
            "TYPO",
            "zzz",
            "",
            "bronze/",
            &gone,
            &there[0][..there[0].len() - 1],
        ] {
            let said = check(&topics, key).await.unwrap_err().to_string();
            assert!(
                said.starts_with(&format!("--after '{key}' is no object")),
                "{said}"
            );
        }
    });
}

/// Tables that somebody has locked.
struct Held;

impl Upsert for Held {
    async fn upsert(&self, _: &[Row], until: Instant) -> Result<Upserted, UpsertError> {
        tokio::time::sleep_until(until).await;
        Err(UpsertError::OutOfTime {
            database: "held".to_owned(),
        })
    }
}

#[test]
fn tables_that_somebody_has_locked_end_it_with_a_sentence_in_a_minute_or_so() {
    run(async {
        let (lake, started) = (lake().await, Instant::now());
        let filled = filled(&Held, &lake, None, &CancellationToken::new()).await;
        let said = filled.unwrap_err().to_string();
        assert!(said.contains("has taken no row in 60 s"), "{said}");
        assert!(said.contains("hold a lock"), "{said}");
        assert!(started.elapsed().as_secs() < 90);
    });
}
