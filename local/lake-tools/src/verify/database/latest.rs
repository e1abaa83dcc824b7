use std::{
    collections::{BTreeMap, BTreeSet},
    pin::pin,
};

use futures::StreamExt;
use tables::{Row, postgres::ReadError};

use super::{
    DatabaseError, DatabaseVerdict, ReadTables,
    difference::differences,
    newest::{Key, Newest, Standing, owned},
};

/// The latest quotes, against the newest records of the first look.
#[derive(Default)]
pub(super) struct Latest {
    rows: BTreeMap<Key, Held>,
    /// The rows that are newer, by their partitions and offsets.
    newer: BTreeMap<(i32, i64), Vec<Key>>,
    foreign: Vec<String>,
    /// Whether a record lacks its latest quote, or a newer one.
    is_behind: bool,
}

/// A latest quote.
struct Held {
    row: Row,
    /// Whether it is of what is looked at.
    is_ours: bool,
    standing: Standing,
}

impl Latest {
    /// Reads them. Read again, only those that were behind are replaced: what comes later needs no record yet.
    pub(super) async fn read(
        &mut self,
        tables: &impl ReadTables,
        newest: &Newest,
        mut is_ours: impl FnMut(&Row) -> bool,
    ) -> Result<(), DatabaseError> {
        self.foreign.clear();
        self.is_behind = false;
        let behind = [Standing::Stale, Standing::Other];
        let mut rows = pin!(tables.latest().await?);
        while let Some(row) = rows.next().await {
            let row = match row {
                Ok(row) => row,
                Err(error @ ReadError::Foreign { .. }) => {
                    self.foreign.push(error.to_string());
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            let key = owned(&row);
            let before = self.rows.get(&key);
            if before.is_some_and(|held| !behind.contains(&held.standing)) {
                continue;
            }
            let standing = newest.standing(&key, &row);
            let is_ours = is_ours(&row);
            if standing == Standing::Newer && is_ours {
                let place = (row.partition, row.offset);
                self.newer.entry(place).or_default().push(key.clone());
            }
            self.is_behind |= standing == Standing::Stale;
            let held = Held {
                row,
                is_ours,
                standing,
            };
            self.rows.insert(key, held);
        }
        self.is_behind |= newest.of.keys().any(|key| !self.rows.contains_key(key));
        Ok(())
    }

    /// Whether another look would find nothing better.
    pub(super) fn is_settled(&self) -> bool {
        !self.is_behind && self.newer.is_empty()
    }

    /// Takes the row of a record that was read after them.
    pub(super) fn found(&mut self, row: &Row) {
        let place = (row.partition, row.offset);
        let Some(keys) = self.newer.get_mut(&place) else {
            return;
        };
        let rows = &mut self.rows;
        keys.retain(|key| match rows.get_mut(key) {
            Some(held) if differences(&held.row, row).is_empty() => {
                held.standing = Standing::Right;
                false
            }
            _ => true,
        });
        if keys.is_empty() {
            self.newer.remove(&place);
        }
    }

    /// The topics that they are of.
    pub(super) fn topics(&self) -> BTreeSet<&str> {
        let rows = self.rows.values();
        rows.map(|held| held.row.topic.as_str()).collect()
    }

    /// Adds them to a verdict.
    pub(super) fn judge(self, newest: &Newest, verdict: &mut DatabaseVerdict) {
        for why in self.foreign {
            verdict.foreign.add(1, || why.clone());
        }
        for (key, row) in &newest.of {
            if !self.rows.contains_key(key) {
                let missing = || format!("{} of {}", named(key), coordinates(row));
                verdict.latest_missing.add(1, missing);
            }
        }
        for (
            key,
            Held {
                row,
                is_ours,
                standing,
            },
        ) in &self.rows
        {
            verdict.latest += 1;
            let newest = newest.of.get(key);
            let wrong = match standing {
                Standing::Right => {
                    verdict.latest_right += 1;
                    continue;
                }
                Standing::Newer if !is_ours => {
                    verdict.latest_of_others += 1;
                    continue;
                }
                Standing::Stale => "is stale: a newer record is".to_owned(),
                Standing::Other => {
                    let columns = newest.map_or_else(Vec::new, |newest| differences(newest, row));
                    format!("has other {} than", columns.join(", "))
                }
                Standing::Newer if newest.is_some() => "is of no record; the newest is".to_owned(),
                Standing::Newer => "is of no record".to_owned(),
            };
            let newest = newest.map_or_else(String::new, |row| format!(" {}", coordinates(row)));
            let wrong = || format!("{} {wrong}{newest}", named(key));
            verdict.latest_wrong.add(1, wrong);
        }
    }
}

fn named((ticker, source): &Key) -> String {
    match source.as_str() {
        "" => ticker.clone(),
        source => format!("{ticker} of {source}"),
    }
}

fn coordinates(row: &Row) -> String {
    format!("{}-{}@{}", row.topic, row.partition, row.offset)
}
