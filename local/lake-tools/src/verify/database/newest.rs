use std::collections::{BTreeMap, BTreeSet};

use tables::{Row, is_candidate, key, order};

use super::{DatabaseVerdict, difference::differences};

/// The newest row of each ticker and source, of all records.
#[derive(Default)]
pub(super) struct Newest {
    of: BTreeMap<Key, Row>,
    /// Those that a record would be which the function has put aside.
    aside: BTreeMap<Key, Row>,
    seen: BTreeSet<Key>,
}

type Key = (String, String);

impl Newest {
    pub(super) fn add(&mut self, row: Row, is_aside: bool) {
        if !is_candidate(&row) {
            return;
        }
        let newest = if is_aside {
            &mut self.aside
        } else {
            &mut self.of
        };
        let key = owned(&row);
        match newest.get(&key) {
            Some(present) if order(present) >= order(&row) => {}
            _ => {
                newest.insert(key, row);
            }
        }
    }

    /// Judges a row of the latest quotes; one that is none of what was read may be newer than that.
    pub(super) fn compare(&mut self, row: &Row, is_ours: bool, verdict: &mut DatabaseVerdict) {
        let key = owned(row);
        verdict.latest += 1;
        let is_same = |newest: &BTreeMap<Key, Row>| {
            newest
                .get(&key)
                .is_some_and(|newest| differences(newest, row).is_empty())
        };
        let is_right = is_same(&self.of) || is_same(&self.aside);
        let newest = self.of.get(&key);
        self.seen.insert(key.clone());
        let wrong = match newest {
            _ if is_right => {
                verdict.latest_right += 1;
                return;
            }
            Some(newest) if order(row) < order(newest) => "is stale: a newer record is".to_owned(),
            Some(newest) if order(row) == order(newest) => {
                format!("has other {} than", differences(newest, row).join(", "))
            }
            _ if !is_ours => {
                verdict.latest_of_others += 1;
                return;
            }
            Some(_) => "is of no record; the newest is".to_owned(),
            None => "is of no record".to_owned(),
        };
        let newest = newest.map_or_else(String::new, |newest| format!(" {}", coordinates(newest)));
        verdict
            .latest_wrong
            .add(1, || format!("{} {wrong}{newest}", named(&key)));
    }

    /// Judges the records of which the latest quotes have nothing.
    pub(super) fn judge_rest(self, verdict: &mut DatabaseVerdict) {
        for (key, row) in &self.of {
            if !self.seen.contains(key) {
                let missing = || format!("{} of {}", named(key), coordinates(row));
                verdict.latest_missing.add(1, missing);
            }
        }
    }
}

fn owned(row: &Row) -> Key {
    let (ticker, source) = key(row);
    (ticker.to_owned(), source.to_owned())
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
