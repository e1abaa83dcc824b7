//! A symbol's silver files in memory, and what is changed in them.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::try_join_all;
use jiff::civil::Date;
use lake::{
    ObjectKey,
    store::{ETag, Get, PutIf, StoreError},
};
use market::bars::{Bar, HOUR, Interval, Rules, add_session_volumes};

use super::{
    How, Of, RollError,
    inputs::{DAMAGED, hour_digest},
    provider_day::{Day, fetched_at, is_of_provider},
};
use crate::{
    File, FileDamage, Layout, Period, Unit, Watermarks, encode,
    file::decode_at,
    layout::{utc_date, utc_midnight},
};

/// The files that were read. What is not among them is not known.
pub(crate) struct Held {
    pub(crate) symbol: String,
    files: BTreeMap<(Interval, Period), OneFile>,
    /// The trading dates of hours that were replaced.
    touched: BTreeSet<Date>,
    /// The damaged files that are made again.
    made_again: BTreeSet<(Interval, Period)>,
    /// Whether bars are made again whatever they were made of.
    rebuild: bool,
}

struct OneFile {
    bars: Vec<Bar>,
    units: BTreeMap<i64, Unit>,
    etag: Option<ETag>,
    is_changed: bool,
}

impl Held {
    /// Reads the files, the longest bars first: so what is composed is never older than what it is composed of here.
    ///
    /// With `rebuild` a damaged file is empty. To make it again those are read that it is composed of.
    pub(crate) async fn read(
        store: &impl Get,
        layout: &Layout,
        of: &Of,
        periods: &BTreeSet<(Interval, Period)>,
        (month, rebuild): (Period, bool),
    ) -> Result<Self, RollError> {
        let mut held = Self {
            symbol: lake::spelled_text(layout.bronze().version(), &of.symbol),
            files: BTreeMap::new(),
            touched: BTreeSet::new(),
            rebuild,
            made_again: BTreeSet::new(),
        };
        let mut parts = BTreeSet::new();
        for interval in [Interval::Day, Interval::Hour, Interval::Minute] {
            let of_interval = |at: &&(Interval, Period)| at.0 == interval;
            let at: BTreeSet<_> = periods.iter().chain(&parts).filter(of_interval).collect();
            let reading = at.into_iter().map(async |&at| {
                let key = layout.file_key(interval, &of.topic, &of.symbol, at.1);
                let read = read_file(store, (&key, layout.place(&key))).await?;
                Ok::<_, RollError>((at, read, key))
            });
            let mut damaged = Vec::new();
            for (at, read, key) in try_join_all(reading).await? {
                let damage = match read {
                    Read::File(file, symbol) => {
                        held.files.insert(at, file);
                        held.symbol = symbol.unwrap_or(held.symbol);
                        continue;
                    }
                    Read::Damaged(damage, etag) => (damage, etag),
                };
                match at {
                    _ if !rebuild => {}
                    // Another month's turn comes with its hours.
                    (Interval::Minute, period) if period != month => {
                        if parts.contains(&at) && !periods.contains(&at) {
                            continue;
                        }
                    }
                    _ => {
                        let empty = OneFile {
                            is_changed: true,
                            ..OneFile::empty(Some(damage.1))
                        };
                        held.files.insert(at, empty);
                        held.made_again.insert(at);
                        damaged.push(at);
                        continue;
                    }
                }
                let damage = damage.0;
                return Err(RollError::Damaged { key, damage });
            }
            parts.extend(damaged.into_iter().flat_map(parts_of));
        }
        Ok(held)
    }

    /// Whether this file was damaged, and is made again.
    pub(crate) fn is_made_again(&self, interval: Interval, period: Period) -> bool {
        self.made_again.contains(&(interval, period))
    }

    /// Whether the daily bars of this year were read.
    pub(crate) fn knows_day(&self, date: Date) -> bool {
        let at = (Interval::Day, Period::of_date(Interval::Day, date));
        self.files.contains_key(&at)
    }

    /// The bar of the minute that begins at `start`.
    pub(crate) fn minute(&self, start: i64) -> Option<&Bar> {
        let bars = &self.file(Interval::Minute, start)?.bars;
        let at = bars.partition_point(|bar| bar.start < start);
        bars.get(at).filter(|bar| bar.start == start)
    }

    pub(crate) fn unit(&self, interval: Interval, unit: i64) -> Option<&Unit> {
        self.file(interval, unit)?.units.get(&unit)
    }

    pub(crate) fn digest(&self, interval: Interval, unit: i64) -> Option<&String> {
        Some(&self.unit(interval, unit)?.digest)
    }

    /// Whether an hour was over when it was made of these versions of its objects. A roller that has seen less takes nothing back.
    pub(crate) fn was_over(&self, hour: i64, versions: &str) -> bool {
        self.digest(Interval::Minute, hour) == Some(&hour_digest(versions, true))
    }

    /// The objects beyond an hour's own time that have late observations of it.
    pub(crate) fn late(&self, hour: i64) -> &[String] {
        self.unit(Interval::Minute, hour)
            .map_or(&[], |unit| &unit.late)
    }

    /// The hours of minute bars that have a unit, in order.
    pub(crate) fn hours(&self) -> impl Iterator<Item = i64> {
        let of_minutes = self
            .files
            .iter()
            .filter(|((interval, _), _)| *interval == Interval::Minute);
        of_minutes.flat_map(|(_, file)| file.units.keys().copied())
    }

    /// The end of the newest bar, of the shortest interval that has any: a day ends long after its last minute.
    pub(crate) fn newest(&self) -> Option<i64> {
        Interval::ALL.into_iter().find_map(|interval| {
            let files = self.files.iter().filter(|((of, _), _)| *of == interval);
            let newest = files.filter_map(|(_, file)| file.bars.last());
            newest.map(|bar| bar.end).max()
        })
    }

    /// Whether the hour was made of more objects than there are, and none is left or it is complete: some have expired, and the
    /// bars stay.
    pub(crate) fn is_kept_without(&self, hour: i64, objects: usize) -> bool {
        let Some(unit) = self.unit(Interval::Minute, hour) else {
            return false;
        };
        let bars = self.bars(Interval::Minute, hour, hour + HOUR);
        let is_settled = objects == 0 || bars.iter().all(|bar| bar.complete);
        unit.objects + unit.late.len() > objects && !bars.is_empty() && is_settled
    }

    /// The bars that begin in a stretch of time within one period.
    pub(crate) fn bars(&self, interval: Interval, from: i64, to: i64) -> &[Bar] {
        let bars = self.file(interval, from).map_or(&[][..], |file| &file.bars);
        let start = bars.partition_point(|bar| bar.start < from);
        let end = bars.partition_point(|bar| bar.start < to);
        &bars[start..end]
    }

    /// The hour bars of a trading date.
    pub(crate) fn hours_of(&self, date: Date) -> Vec<&Bar> {
        // No zone is a day away from UTC.
        let (from, to) = (
            utc_midnight(date) - 24 * HOUR,
            utc_midnight(date) + 48 * HOUR,
        );
        let files = self
            .files
            .iter()
            .filter(|((interval, _), _)| *interval == Interval::Hour);
        files
            .flat_map(|(_, file)| {
                let start = file.bars.partition_point(|bar| bar.start < from);
                let end = file.bars.partition_point(|bar| bar.start < to);
                &file.bars[start..end]
            })
            .filter(|bar| bar.trading_date == date)
            .collect()
    }

    /// Puts the bars of an hour, or of a day, in place of those that are there, and says whether anything changes.
    pub(crate) fn replace(
        &mut self,
        interval: Interval,
        unit: i64,
        bars: Vec<Bar>,
        made_of: Option<Unit>,
    ) -> bool {
        let period = Period::of_time(interval, unit);
        let Some(file) = self.files.get_mut(&(interval, period)) else {
            return false;
        };
        let (start, end) = match interval {
            Interval::Minute | Interval::Hour => (
                file.bars.partition_point(|bar| bar.start < unit),
                file.bars.partition_point(|bar| bar.start < unit + HOUR),
            ),
            Interval::Day => {
                let date = utc_date(unit);
                (
                    file.bars.partition_point(|bar| bar.trading_date < date),
                    file.bars.partition_point(|bar| bar.trading_date <= date),
                )
            }
        };
        if file.units.get(&unit) == made_of.as_ref() && file.bars[start..end] == bars {
            return false;
        }
        if interval == Interval::Hour {
            let dates = file.bars[start..end]
                .iter()
                .chain(&bars)
                .map(|bar| bar.trading_date);
            self.touched.extend(dates);
        }
        file.is_changed = true;
        file.bars.splice(start..end, bars);
        match made_of {
            Some(made_of) => file.units.insert(unit, made_of),
            None => file.units.remove(&unit),
        };
        true
    }

    /// The hours that are not complete, although each of their partitions has come far enough.
    pub(crate) fn closing(&self, known: &Watermarks, rules: Rules) -> impl Iterator<Item = i64> {
        let minutes = self
            .files
            .iter()
            .filter(|((interval, _), _)| *interval == Interval::Minute);
        let units = minutes.flat_map(|(_, file)| &file.units);
        units.filter_map(move |(&hour, unit)| {
            let mark = known.least(unit.partitions.iter().copied())?;
            let bars = self.bars(Interval::Minute, hour, hour + HOUR);
            let is_open = !unit.digest.ends_with(DAMAGED) && bars.iter().any(|bar| !bar.complete);
            (is_open && mark >= hour + HOUR + rules.lateness).then_some(hour)
        })
    }

    /// Takes a day's bar away that was composed of hours that are gone.
    pub(crate) fn remove_composed_day(&mut self, day: i64) {
        let is_composed = |unit: &Unit| !is_of_provider(unit);
        if self.unit(Interval::Day, day).is_some_and(is_composed) {
            self.replace(Interval::Day, day, Vec::new(), None);
        }
    }

    /// Puts a provider's day in place of a later one. Where there are hours, the day is composed of them. A rebuild does not
    /// believe a record that should be among the objects from `first` on, and is not.
    pub(crate) fn replace_provider_day(&mut self, date: Date, day: Day, first: i64) {
        let at = utc_midnight(date);
        let known = self.unit(Interval::Day, at);
        let is_better = known.is_none_or(|known| {
            let is_same = known.digest == day.unit.digest;
            let is_gone = self.rebuild && fetched_at(known).is_some_and(|known| known >= first);
            is_of_provider(known) && (is_same || is_gone || day.is_better(known))
        });
        if is_better {
            self.replace(Interval::Day, at, vec![day.bar], Some(day.unit));
        }
    }

    /// The hours whose minute bars were made of something else than the hour bars that are there.
    pub(crate) fn hours_to_compose(&self) -> Vec<i64> {
        let minutes = self.files.iter();
        let minutes = minutes.filter(|((interval, _), _)| *interval == Interval::Minute);
        let mut hours = Vec::new();
        for ((_, month), file) in minutes {
            let of_hours = |at: &i64| self.unit(Interval::Hour, *at).map(|unit| &unit.digest);
            let is_other = |(at, unit): &(&i64, &Unit)| of_hours(at) != Some(&unit.digest);
            let other = file.units.iter().filter(is_other).map(|(at, _)| *at);
            hours.extend(other);
            let (from, to) = month.bounds();
            let composed = self.file(Interval::Hour, from).into_iter();
            let composed = composed.flat_map(|hours| hours.units.range(from..to));
            // Where there is no file of minutes at all, nothing says that they are gone.
            let gone =
                composed.filter(|(at, _)| file.etag.is_some() && !file.units.contains_key(at));
            hours.extend(gone.map(|(at, _)| *at));
        }
        hours
    }

    /// The trading dates of hours that were replaced, those near these stretches of time, and those of files that are made again.
    pub(crate) fn dates_to_compose(
        &self,
        near: impl IntoIterator<Item = (i64, i64)>,
    ) -> BTreeSet<Date> {
        let mut dates = self.touched.clone();
        for (from, to) in near {
            let mut day = from;
            while day <= to {
                dates.insert(utc_date(day));
                day += 24 * HOUR;
            }
        }
        let years = |at: &&(Interval, Period)| at.0 == Interval::Day;
        for (_, year) in self.made_again.iter().filter(years) {
            let hours = self.files.iter();
            let hours = hours.filter(|((interval, _), _)| *interval == Interval::Hour);
            let of_bars = hours.flat_map(|(_, file)| file.bars.iter().map(|bar| bar.trading_date));
            dates.extend(of_bars.filter(|date| Period::of_date(Interval::Day, *date) == *year));
        }
        dates
    }

    /// Gives the bars of changed files the volumes that follow from the venue's running totals.
    pub(crate) fn add_session_volumes(&mut self) {
        for ((interval, _), file) in &mut self.files {
            if file.is_changed && *interval != Interval::Day {
                add_session_volumes(&mut file.bars);
            }
        }
    }

    /// Writes every changed file, the minutes of `month` last: until they are there, the next roll does all of it again. What is composed
    /// comes behind the other months of which late records have come.
    pub(crate) async fn write(
        self,
        store: &impl PutIf,
        layout: &Layout,
        of: &Of,
        (month, how): (Period, &How),
    ) -> Result<usize, RollError> {
        let is_last = |at: &(Interval, Period)| *at == (Interval::Minute, month);
        let files = self.files.into_iter();
        let mut changed: Vec<_> = files.filter(|(_, file)| file.is_changed).collect();
        changed.sort_by_key(|(at, _)| is_last(at));
        let mut written = 0;
        for ((interval, period), file) in changed {
            written += 1;
            if how.dry_run {
                continue;
            }
            let key = layout.file_key(interval, &of.topic, &of.symbol, period);
            let body = encode(&File {
                place: layout.place(&key).to_owned(),
                symbol: self.symbol.clone(),
                interval,
                rules: how.rules,
                bars: file.bars,
                units: file.units,
            });
            match &file.etag {
                Some(etag) => store.put_if_match(&key, body, etag).await?,
                None => store.put_if_absent(&key, body).await?,
            };
        }
        Ok(written)
    }

    fn file(&self, interval: Interval, time: i64) -> Option<&OneFile> {
        self.files.get(&(interval, Period::of_time(interval, time)))
    }
}

impl OneFile {
    fn empty(etag: Option<ETag>) -> Self {
        Self {
            bars: Vec::new(),
            units: BTreeMap::new(),
            etag,
            is_changed: false,
        }
    }
}

enum Read {
    /// The file, and the symbol that it says.
    File(OneFile, Option<String>),
    Damaged(FileDamage, ETag),
}

async fn read_file(store: &impl Get, (key, place): (&ObjectKey, &str)) -> Result<Read, RollError> {
    let object = match store.get(key).await {
        Ok(object) => object,
        Err(StoreError::NotFound { .. }) => return Ok(Read::File(OneFile::empty(None), None)),
        Err(error) => return Err(error.into()),
    };
    match decode_at(place, &object.body) {
        Ok(file) => {
            let read = OneFile {
                bars: file.bars,
                units: file.units,
                etag: Some(object.etag),
                is_changed: false,
            };
            Ok(Read::File(read, Some(file.symbol)))
        }
        Err(damage @ FileDamage::NewerSchema(_)) => Err(RollError::Newer {
            key: key.clone(),
            damage,
        }),
        Err(damage) => Ok(Read::Damaged(damage, object.etag)),
    }
}

/// What the bars of a file are composed of: those of the hours of a year, and of the days that begin or end beyond it.
fn parts_of((interval, period): (Interval, Period)) -> Vec<(Interval, Period)> {
    let Period::Year(year) = period else {
        return Vec::new();
    };
    match interval {
        Interval::Day => {
            let years = [year - 1, year, year + 1].map(Period::Year);
            years.map(|year| (Interval::Hour, year)).into()
        }
        Interval::Hour => {
            let months = (1..=12).map(|month| Period::Month { year, month });
            months.map(|month| (Interval::Minute, month)).collect()
        }
        Interval::Minute => Vec::new(),
    }
}
