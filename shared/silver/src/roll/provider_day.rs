//! Daily bars that a provider has made: the first that was fetched after the day was over.

use std::collections::BTreeMap;

use jiff::civil::Date;
use market::bars::{Bar, Bases, ProviderDay, Subject};

use super::How;
use crate::Unit;

/// A day's bar, and which record it is of: the earlier one wins.
pub(crate) struct Day {
    pub(crate) bar: Bar,
    pub(crate) unit: Unit,
    /// When its record was fetched.
    pub(crate) fetched_at: i64,
}

/// The bar of each day, of those that were read now.
pub(crate) fn provider_days(
    days: &[ProviderDay],
    subjects: &[Subject],
    how: &How,
) -> BTreeMap<Date, Day> {
    let mut best: BTreeMap<Date, Day> = BTreeMap::new();
    for day in days {
        let subject = usize::try_from(day.subject)
            .ok()
            .and_then(|at| subjects.get(at));
        let subject = subject.cloned().unwrap_or_default();
        let zone = subject.zone;
        let end = day
            .date
            .tomorrow()
            .map_or(i64::MAX, |next| zone.midnight(next));
        let is_over = day.fetched_at >= end;
        let found = Day {
            bar: Bar {
                prices: Some(day.prices),
                volume: Some(day.volume),
                basis: Bases::PROVIDER,
                subject,
                close_event_id: day.event_id,
                complete: is_over,
                ..Bar::empty(zone.midnight(day.date), end, day.date)
            },
            unit: Unit {
                digest: digest(is_over, (day.fetched_at, day.partition, day.offset)),
                late: Vec::new(),
                partitions: vec![day.partition],
                objects: 0,
            },
            fetched_at: day.fetched_at,
        };
        match best.get_mut(&day.date) {
            Some(known) if found.is_better(&known.unit) => *known = found,
            Some(_) => {}
            None => drop(best.insert(day.date, found)),
        }
    }
    if !how.provisional {
        best.retain(|_, day| day.bar.complete);
    }
    best
}

impl Day {
    /// Whether its record comes before the one that `unit` is of: after the day is over the first counts, before that the last.
    pub(crate) fn is_better(&self, unit: &Unit) -> bool {
        match (
            self.unit.digest.strip_prefix(OVER),
            unit.digest.strip_prefix(OVER),
        ) {
            (Some(this), Some(other)) => this < other,
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (None, None) => self.unit.digest > unit.digest,
        }
    }
}

/// What the digests of days begin with whose bar was fetched after they were over; and those of others.
const OVER: &str = "first-";
const OPEN: &str = "last-";

/// Whether a unit is of a provider's day.
pub(crate) fn is_of_provider(unit: &Unit) -> bool {
    unit.digest.starts_with(OVER) || unit.digest.starts_with(OPEN)
}

/// When the record of a provider's day was fetched, in microseconds since 1970; `None` for another day.
pub(crate) fn fetched_at(unit: &Unit) -> Option<i64> {
    let digest = &unit.digest;
    let order = digest
        .strip_prefix(OVER)
        .or_else(|| digest.strip_prefix(OPEN))?;
    order.split('-').next()?.parse().ok()
}

/// Such that texts are in the order of the records.
fn digest(is_over: bool, (fetched_at, partition, offset): (i64, i32, i64)) -> String {
    let kind = if is_over { OVER } else { OPEN };
    format!("{kind}{fetched_at:019}-{partition:010}-{offset:019}")
}
