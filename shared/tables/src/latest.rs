use std::collections::{BTreeMap, btree_map::Entry};

use jiff::Timestamp;
use market::bars::Rules;

use crate::Row;

/// The newest row of each key, sorted by key: what a batch may change of the latest quotes.
///
/// Rows that are no candidate are left out. Of two rows with equal [`order`] the first stays.
pub fn latest<'r>(rows: impl Iterator<Item = &'r Row>) -> Vec<&'r Row> {
    let mut newest = BTreeMap::new();
    for row in rows.filter(|row| is_candidate(row)) {
        match newest.entry(key(row)) {
            Entry::Vacant(vacant) => {
                vacant.insert(row);
            }
            Entry::Occupied(mut present) if order(row) > order(present.get()) => {
                present.insert(row);
            }
            Entry::Occupied(_) => {}
        }
    }
    newest.into_values().collect()
}

/// The key of the latest quotes: ticker, and source or the empty text.
pub fn key(row: &Row) -> (&str, &str) {
    (&row.ticker, row.source.as_deref().unwrap_or_default())
}

/// What makes a row newer than another of its key: the greater one is.
///
/// A row without a time is older than every row with one. Texts compare by their bytes, as `COLLATE "C"` does.
pub fn order(row: &Row) -> (Option<Timestamp>, Timestamp, i64, &str, &str, i32) {
    let Row {
        time,
        created_at,
        offset,
        topic,
        epoch,
        partition,
        ..
    } = row;
    (*time, *created_at, *offset, topic, epoch, *partition)
}

/// Whether a row may be the latest of its key: not if its time is more than a minute after its fetch, for it would keep
/// later quotes out. That is the bound of bars, [`Rules::ahead`].
pub fn is_candidate(row: &Row) -> bool {
    row.time.is_none_or(|time| {
        let ahead = time.as_microsecond() - row.created_at.as_microsecond();
        ahead <= Rules::default().ahead
    })
}

#[cfg(test)]
pub(crate) mod tests;
