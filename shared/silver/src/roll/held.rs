//! A symbol's silver files in memory, and what is changed in them.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::try_join_all;
use jiff::civil::Date;
use lake::{
    ObjectKey,
    store::{ETag, Get, PutIf, StoreError},
};
use market::bars::{Bar, HOUR, Interval, add_session_volumes};

use super::{
    How, Of, Range, RollError,
    provider_day::{Day, is_of_provider},
};
use crate::{
    File, FileDamage, Layout, Period, Unit, decode, encode,
    layout::{utc_date, utc_midnight},
};

/// The files that were read. What is not among them is not known.
pub(crate) struct Held {
    pub(crate) symbol: String,
    files: BTreeMap<(Interval, Period), OneFile>,
    /// The trading dates of hours that were replaced.
    touched: BTreeSet<Date>,
}

struct OneFile {
    bars: Vec<Bar>,
    units: BTreeMap<i64, Unit>,
    etag: Option<ETag>,
    is_changed: bool,
}

impl Held {
    pub(crate) async fn read(
        store: &impl Get,
        layout: &Layout,
        of: &Of,
        periods: impl IntoIterator<Item = (Interval, Period)>,
        (range, how): (Range, &How),
    ) -> Result<Self, RollError> {
        let reading = periods.into_iter().map(async |(interval, period)| {
            let key = layout.file_key(interval, &of.topic, &of.symbol, period);
            let file = match read_file(store, key.clone()).await {
                Err(RollError::Damaged { .. }) if how.rebuild => {
                    let etag = store.get(&key).await?.etag;
                    let is_made_again =
                        interval != Interval::Minute || period.begins_at(range.from);
                    let empty = OneFile {
                        is_changed: true,
                        ..OneFile::empty(Some(etag))
                    };
                    is_made_again.then_some((empty, None))
                }
                read => Some(read?),
            };
            Ok::<_, RollError>(file.map(|file| ((interval, period), file)))
        });
        let read = try_join_all(reading).await?;
        let read: Vec<_> = read.into_iter().flatten().collect();
        let symbol = read.iter().find_map(|(_, (_, symbol))| symbol.clone());
        let files = read.into_iter().map(|(at, (file, _))| (at, file));
        Ok(Self {
            symbol: symbol
                .unwrap_or_else(|| lake::spelled_text(layout.bronze().version(), &of.symbol)),
            files: files.collect(),
            touched: BTreeSet::new(),
        })
    }

    /// Whether the file of this minute was read.
    pub(crate) fn knows_minute(&self, time: i64) -> bool {
        self.file(Interval::Minute, time).is_some()
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

    /// The end of the newest of these bars, whatever their interval.
    pub(crate) fn newest(&self, of: impl Fn(&Bar) -> bool) -> Option<i64> {
        let newest = |file: &OneFile| {
            file.bars
                .iter()
                .rev()
                .find(|bar| of(bar))
                .map(|bar| bar.end)
        };
        self.files.values().filter_map(newest).max()
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

    /// Puts the bars of an hour, or of a day, in place of those that are there.
    pub(crate) fn replace(
        &mut self,
        interval: Interval,
        unit: i64,
        bars: Vec<Bar>,
        made_of: Option<Unit>,
    ) {
        let period = Period::of_time(interval, unit);
        let Some(file) = self.files.get_mut(&(interval, period)) else {
            return;
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
            return;
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
    }

    /// Takes a day's bar away that was composed of hours that are gone.
    pub(crate) fn remove_composed_day(&mut self, day: i64) {
        let is_composed = |unit: &Unit| !is_of_provider(unit);
        if self.unit(Interval::Day, day).is_some_and(is_composed) {
            self.replace(Interval::Day, day, Vec::new(), None);
        }
    }

    /// Puts a provider's day in place of a later one. Where there are hours, the day is composed of them.
    pub(crate) fn replace_provider_day(&mut self, date: Date, day: Day) {
        let at = utc_midnight(date);
        let known = self.unit(Interval::Day, at);
        let is_better = known.is_none_or(|known| {
            let is_same = known.digest == day.unit.digest;
            is_of_provider(known) && (is_same || day.is_better(known))
        });
        if is_better {
            self.replace(Interval::Day, at, vec![day.bar], Some(day.unit));
        }
    }

    /// The hours whose minute bars were made of something else than the hour bars that are there.
    pub(crate) fn hours_to_compose(&self) -> Vec<i64> {
        let minutes = self
            .files
            .iter()
            .filter(|((interval, _), _)| *interval == Interval::Minute);
        let mut hours = Vec::new();
        for ((_, period), file) in minutes {
            let of_hours = self
                .files
                .iter()
                .filter(|((interval, _), _)| *interval == Interval::Hour);
            let composed = of_hours.flat_map(|(_, file)| file.units.keys());
            let composed =
                composed.filter(|hour| Period::of_time(Interval::Minute, **hour) == *period);
            let mut units: BTreeSet<i64> = composed.copied().collect();
            units.extend(file.units.keys());
            hours.extend(units.into_iter().filter(|&hour| {
                let digest = |interval| self.unit(interval, hour).map(|unit| &unit.digest);
                digest(Interval::Minute) != digest(Interval::Hour)
            }));
        }
        hours
    }

    /// The trading dates of hours that were replaced, and those from two days before `from` to two days after `to`.
    pub(crate) fn dates_to_compose(&self, from: i64, to: i64) -> BTreeSet<Date> {
        let mut dates = self.touched.clone();
        let mut day = from - 48 * HOUR;
        while day <= to + 48 * HOUR {
            dates.insert(utc_date(day));
            day += 24 * HOUR;
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

    /// Writes every changed file, older minutes first: a crash in between leaves older bars to be composed, never a late record
    /// that nobody looks for.
    pub(crate) async fn write(
        &self,
        store: &impl PutIf,
        layout: &Layout,
        of: &Of,
        how: &How,
    ) -> Result<usize, RollError> {
        let mut written = 0;
        for (&(interval, period), file) in self.files.iter().filter(|(_, file)| file.is_changed) {
            written += 1;
            if how.dry_run {
                continue;
            }
            let key = layout.file_key(interval, &of.topic, &of.symbol, period);
            let body = encode(&File {
                symbol: self.symbol.clone(),
                interval,
                rules: how.rules,
                bars: file.bars.clone(),
                units: file.units.clone(),
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

/// The file, and the symbol that it says.
async fn read_file(
    store: &impl Get,
    key: ObjectKey,
) -> Result<(OneFile, Option<String>), RollError> {
    let object = match store.get(&key).await {
        Ok(object) => object,
        Err(StoreError::NotFound { .. }) => return Ok((OneFile::empty(None), None)),
        Err(error) => return Err(error.into()),
    };
    match decode(&object.body) {
        Ok(file) => {
            let read = OneFile {
                bars: file.bars,
                units: file.units,
                etag: Some(object.etag),
                is_changed: false,
            };
            Ok((read, Some(file.symbol)))
        }
        Err(damage @ FileDamage::NewerSchema(_)) => Err(RollError::Newer { key, damage }),
        Err(damage) => Err(RollError::Damaged { key, damage }),
    }
}
