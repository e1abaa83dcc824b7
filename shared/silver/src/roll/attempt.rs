//! One attempt at the hours of a month.

use std::collections::BTreeSet;

use jiff::civil::Date;
use lake::store::{Get, List, PutIf};
use market::bars::{Bar, DAY, HOUR, Interval, Rules, days, hours};

use super::{
    How, Of, Range, RollError, Rolled,
    held::Held,
    inputs::{DAMAGED, Inputs, day_digest, hour_digest, span, spans_of_late},
    lines::SymbolReader,
    provider_day::provider_days,
    stream::fold,
};
use crate::{Layout, Period, Unit, Watermarks, layout::utc_midnight};

pub(super) enum Outcome {
    Rolled(Box<Rolled>),
    /// Files have to be read beside those of the range, before bronze is listed.
    NeedsMore(More),
    /// The minutes of the month are made again, so all of it has to be rolled.
    NeedsMonth,
}

/// What is rolled beside the range, because records in it are of that.
#[derive(Default)]
pub(super) struct More {
    /// Hours of which late records have come.
    pub(super) hours: BTreeSet<i64>,
    /// Days that a provider has made bars of.
    pub(super) days: BTreeSet<Date>,
}

/// The hours that are compared with their objects.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    range: Range,
    older: &'a BTreeSet<i64>,
}

impl Scope<'_> {
    pub(super) fn has(self, hour: i64) -> bool {
        (self.range.from..self.range.to).contains(&hour) || self.older.contains(&hour)
    }
}

pub(super) struct Attempt<'a, S> {
    pub(super) store: &'a S,
    pub(super) layout: &'a Layout,
    pub(super) of: &'a Of,
    /// Hours of one month.
    pub(super) range: Range,
    pub(super) month: Period,
    pub(super) how: &'a How,
    pub(super) known: &'a Watermarks,
}

impl<S: PutIf + Get + List> Attempt<'_, S> {
    pub(super) async fn run(&self, more: &More) -> Result<Outcome, RollError> {
        let Self {
            store,
            layout,
            of,
            range,
            month,
            how,
            ..
        } = *self;
        let (bronze, rules) = (layout.bronze(), how.rules);
        let reading = (month, how.rebuild);
        let mut held = Held::read(store, layout, of, &self.periods(more), reading).await?;
        if held.is_made_again(Interval::Minute, month) && (range.from, range.to) != month.bounds() {
            return Ok(Outcome::NeedsMonth);
        }
        let closing = held.closing(self.known, rules);
        let closing = closing.filter(|hour| !more.hours.contains(hour));
        let closing = closing.filter(|hour| !(range.from..range.to).contains(hour));
        let closing = More {
            hours: closing.collect(),
            ..More::default()
        };
        if !closing.hours.is_empty() {
            return Ok(Outcome::NeedsMore(closing));
        }
        let older = &more.hours;
        let scope = Scope { range, older };
        let of_older = older.iter().map(|&hour| span(hour, hour + HOUR, rules));
        let mut spans: Vec<(i64, i64)> = of_older.collect();
        spans.push(span(range.from, range.to, rules));
        spans.extend(spans_of_late(bronze, &held, |&hour| scope.has(hour)));
        let mut inputs = Inputs::list(store, bronze, of, spans, rules).await?;
        let mut watermarks = self.known.clone();
        inputs.show(&mut watermarks);

        let is_stale = |&hour: &i64| {
            let versions = inputs.versions(hour, held.late(hour));
            let is_over =
                inputs.is_over(hour, &watermarks) || !how.rebuild && held.was_over(hour, &versions);
            let digest = hour_digest(&versions, is_over);
            how.rebuild || held.digest(Interval::Minute, hour) != Some(&digest)
        };
        let mut stale = inputs.hours(range, &held);
        stale.extend(older);
        let is_kept =
            |&hour: &i64| held.is_kept_without(hour, inputs.left_of(hour, held.late(hour)));
        stale.retain(|hour| is_stale(hour) && !is_kept(hour));
        let mut reader = SymbolReader::new(bronze, of, rules);
        let reading = (&mut reader, rules);
        let folded = fold(store, bronze, reading, (&mut inputs, &held, scope), stale).await?;
        let days = provider_days(&folded.days, reader.subjects(), how);
        let unknown = days.keys().filter(|date| !held.knows_day(**date));
        let needed = More {
            hours: folded.older,
            days: unknown.copied().collect(),
        };
        if !needed.hours.is_empty() || !needed.days.is_empty() {
            return Ok(Outcome::NeedsMore(needed));
        }
        if let Some(symbol) = reader.symbol() {
            symbol.clone_into(&mut held.symbol);
        }
        let mut rolled = Rolled {
            objects: folded.objects,
            lines: folded.lines,
            asides: folded.asides,
            damaged: folded.damaged,
            ..Rolled::default()
        };
        for (hour, of_hour) in folded.hours {
            let versions = &of_hour.versions;
            let is_over =
                inputs.is_over(hour, &watermarks) || !how.rebuild && held.was_over(hour, versions);
            let is_damaged = inputs.is_damaged(hour, &of_hour.late, &rolled.damaged);
            let is_complete = is_over && !is_damaged;
            let is_written = is_complete || how.provisional;
            // Of an hour that is held back, what nobody would look for again is kept.
            let is_kept = is_written || !of_hour.late.is_empty();
            let unit = Unit {
                digest: match is_written {
                    true if is_damaged => hour_digest(versions, is_over) + DAMAGED,
                    true => hour_digest(versions, is_over),
                    false => String::new(),
                },
                late: of_hour.late,
                partitions: inputs.partitions(hour),
                objects: inputs.objects_of(hour),
            };
            let mut bars = of_hour.bars;
            bars.retain(|_| is_written);
            bars.iter_mut().for_each(|bar| bar.complete = is_complete);
            rolled.hours += 1;
            let (count, late) = (
                bars.len(),
                bars.iter().map(|bar| bar.late.unsigned_abs()).sum(),
            );
            if held.replace(Interval::Minute, hour, bars, is_kept.then_some(unit)) {
                rolled.count(count, late);
            }
        }
        self.compose_hours(&mut held);
        self.compose_days(&mut held, (older, &watermarks));
        let first = inputs.first_and_last().map_or(i64::MAX, |(first, _)| first);
        for (date, day) in days {
            held.replace_provider_day(date, day, first);
        }
        rolled.newest = held.newest();
        rolled.files = held.write(store, layout, of, (month, how)).await?;
        rolled.watermarks = watermarks;
        Ok(Outcome::Rolled(Box::new(rolled)))
    }

    /// The files of the range, and of what else is rolled.
    fn periods(&self, more: &More) -> BTreeSet<(Interval, Period)> {
        let Range { from, to } = self.range;
        let mut periods = BTreeSet::from([(Interval::Minute, self.month)]);
        let mut times = vec![from - NEAR - 2 * DAY, to + NEAR + 2 * DAY];
        for &hour in &more.hours {
            periods.insert((Interval::Minute, Period::of_time(Interval::Minute, hour)));
            times.extend([hour - 3 * DAY, hour + 3 * DAY]);
        }
        for interval in [Interval::Hour, Interval::Day] {
            let of_times = times.iter().map(|&time| Period::of_time(interval, time));
            periods.extend(of_times.map(|period| (interval, period)));
        }
        let days = more.days.iter();
        let days = days.map(|&date| (Interval::Day, Period::of_date(Interval::Day, date)));
        periods.extend(days);
        periods
    }

    /// The hour bars of every hour whose minutes are other than when it was composed.
    fn compose_hours(&self, held: &mut Held) {
        for hour in held.hours_to_compose() {
            let unit = held.unit(Interval::Minute, hour).cloned();
            let bars = hours(held.bars(Interval::Minute, hour, hour + HOUR));
            held.replace(Interval::Hour, hour, bars, unit);
        }
        held.add_session_volumes();
    }

    /// The daily bars of every trading date whose hours are other than when it was composed.
    fn compose_days(&self, held: &mut Held, (older, watermarks): (&BTreeSet<i64>, &Watermarks)) {
        let Range { from, to } = self.range;
        let near = older.iter().map(|hour| (hour - DAY, hour + DAY));
        let near = near.chain([(from - NEAR, to + NEAR)]);
        for date in held.dates_to_compose(near) {
            let day = utc_midnight(date);
            let parts = held.hours_of(date);
            let units: Vec<(i64, &Unit)> = parts
                .iter()
                .filter_map(|part| Some((part.start, held.unit(Interval::Hour, part.start)?)))
                .collect();
            let Some(last) = parts.last() else {
                held.remove_composed_day(day);
                continue;
            };
            let end = date
                .tomorrow()
                .map_or(i64::MAX, |next| last.subject.zone.midnight(next));
            let partitions = units.iter().flat_map(|(_, unit)| &unit.partitions);
            let partitions: BTreeSet<i32> = partitions.copied().collect();
            let is_over = is_day_over(&partitions, end, self.how.rules, watermarks)
                || held.digest(Interval::Day, day) == Some(&day_digest(units.clone(), true));
            let is_complete = is_over && parts.iter().all(|part| part.complete);
            let digest = day_digest(units, is_complete);
            if held.digest(Interval::Day, day) == Some(&digest) {
                continue;
            }
            let parts: Vec<Bar> = parts.into_iter().cloned().collect();
            let mut bars = days(&parts);
            bars.iter_mut().for_each(|bar| bar.complete = is_complete);
            let is_written = is_complete || self.how.provisional;
            bars.retain(|_| is_written);
            let unit = Unit {
                digest,
                late: Vec::new(),
                partitions: partitions.into_iter().collect(),
                objects: 0,
            };
            held.replace(Interval::Day, day, bars, is_written.then_some(unit));
        }
    }
}

/// Trading dates are composed again that are as near to the range as this.
const NEAR: i64 = 2 * DAY;

/// Whether every partition of a day has come so far that nothing of it is on time any more; of a day of late records alone, any
/// partition.
pub(crate) fn is_day_over(
    partitions: &BTreeSet<i32>,
    end: i64,
    rules: Rules,
    watermarks: &Watermarks,
) -> bool {
    let mark = match partitions.is_empty() {
        true => watermarks.newest(),
        false => watermarks.least(partitions.iter().copied()),
    };
    mark.is_some_and(|mark| mark >= end.saturating_add(rules.lateness))
}
