use std::{
    collections::{
        BTreeMap,
        btree_map::Entry::{Occupied, Vacant},
    },
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;
use tokio::time::Instant;

use crate::{Row, Upsert, UpsertError, Upserted, key, latest, order};

/// Tables in memory: for tests of what uses the port.
#[derive(Debug, Default)]
pub struct MemoryTables(Mutex<Contents>);

#[derive(Debug, Default)]
struct Contents {
    history: BTreeMap<Coordinates, Row>,
    latest: BTreeMap<(String, String), Row>,
}

/// Topic, epoch, partition, offset, and the fetch time, which the history is partitioned by.
type Coordinates = (String, String, i32, i64, Timestamp);

impl MemoryTables {
    /// The history, sorted by topic, epoch, partition and offset.
    pub fn history(&self) -> Vec<Row> {
        self.lock().history.values().cloned().collect()
    }

    /// The latest quotes, sorted by ticker and source.
    pub fn latest(&self) -> Vec<Row> {
        self.lock().latest.values().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Contents> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Upsert for MemoryTables {
    async fn upsert(&self, rows: &[Row], until: Instant) -> Result<Upserted, UpsertError> {
        if until <= Instant::now() {
            let database = "memory".to_owned();
            return Err(UpsertError::OutOfTime { database });
        }
        let mut contents = self.lock();
        let mut upserted = Upserted::default();
        for row in rows {
            if let Vacant(vacant) = contents.history.entry(coordinates(row)) {
                vacant.insert(row.clone());
                upserted.history += 1;
            }
        }
        for row in latest(rows.iter()) {
            let (ticker, source) = key(row);
            match contents
                .latest
                .entry((ticker.to_owned(), source.to_owned()))
            {
                Occupied(present) if order(row) <= order(present.get()) => continue,
                Occupied(mut present) => {
                    present.insert(row.clone());
                }
                Vacant(vacant) => {
                    vacant.insert(row.clone());
                }
            }
            upserted.latest += 1;
        }
        Ok(upserted)
    }
}

fn coordinates(row: &Row) -> Coordinates {
    (
        row.topic.clone(),
        row.epoch.clone(),
        row.partition,
        row.offset,
        row.created_at,
    )
}

#[cfg(test)]
mod tests;
