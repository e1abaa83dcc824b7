use std::collections::BTreeMap;

use tables::{Row, is_candidate, key, order};

use super::difference::differences;

/// The newest row of each ticker and source, of all records.
#[derive(Default)]
pub(super) struct Newest {
    pub(super) of: BTreeMap<Key, Row>,
    /// Those that a record would be which the function has put aside.
    aside: BTreeMap<Key, Row>,
}

/// A ticker and a source.
pub(super) type Key = (String, String);

/// What a latest quote is, against the newest record.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// The newest.
    Right,
    /// Older.
    Stale,
    /// Of the newest record, and other than that says.
    Other,
    /// Newer, or of a ticker without a record: of a record that came since, or of none.
    Newer,
}

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

    pub(super) fn standing(&self, key: &Key, row: &Row) -> Standing {
        let is_same = |newest: &BTreeMap<Key, Row>| {
            let newest = newest.get(key);
            newest.is_some_and(|newest| differences(newest, row).is_empty())
        };
        if is_same(&self.of) || is_same(&self.aside) {
            return Standing::Right;
        }
        match self
            .of
            .get(key)
            .map(|newest| order(row).cmp(&order(newest)))
        {
            Some(std::cmp::Ordering::Less) => Standing::Stale,
            Some(std::cmp::Ordering::Equal) => Standing::Other,
            Some(std::cmp::Ordering::Greater) | None => Standing::Newer,
        }
    }
}

pub(super) fn owned(row: &Row) -> Key {
    let (ticker, source) = key(row);
    (ticker.to_owned(), source.to_owned())
}
