//! Whether the bars that are there are those of bronze, by a fold of all records at once.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use lake::{
    ObjectKey,
    store::{Get, List, StoreError, list_all},
};
use market::bars::{Bar, HOUR, Interval, Lines, Rules, add_session_volumes, days, hours, minutes};

use crate::{
    File, FileDamage, How, Layout, Of, Period, Unit, Watermarks,
    file::decode_at,
    layout::{utc_date, utc_midnight},
    roll::{
        RollError,
        inputs::{Inputs, day_digest, hour_digest},
        is_day_over,
        lines::{Fetched, SymbolReader, fetch},
        provider_day::{fetched_at, provider_days},
    },
};

/// What was found of a symbol.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Judged {
    /// Bars that are as they should be.
    pub right: u64,
    /// Bars that follow from bronze as it was at the last roll; it has changed since.
    pub behind: u64,
    /// Bars of records that bronze has no more, so that they can't be compared.
    pub kept: u64,
    /// Bars that are not what bronze says.
    pub wrong: Vec<Wrong>,
    /// Silver files that can't be read, each with the reason.
    pub damaged: BTreeMap<ObjectKey, FileDamage>,
    /// Bronze objects that can't be read, each with the reason.
    pub bronze_damaged: BTreeMap<ObjectKey, String>,
}

/// A bar that is not what bronze says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// How long it is.
    pub interval: Interval,
    /// When it begins, in microseconds since 1970.
    pub start: i64,
    /// What differs.
    pub how: Difference,
}

/// What differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// Bronze has it, silver has not.
    Missing,
    /// Silver has it, bronze has not.
    Unfounded,
    /// Both have it, but not alike. With the names of the fields.
    Other(Vec<&'static str>),
}

/// Folds all of a symbol's records at once, and compares the bars of it with those in silver.
///
/// # Errors
/// [`RollError`] if the store does not answer.
pub async fn judge(
    store: &(impl Get + List),
    layout: &Layout,
    of: &Of,
    (rules, watermarks): (Rules, &Watermarks),
) -> Result<Judged, RollError> {
    let mut judged = Judged::default();
    let held = read_all(store, layout, of, &mut judged).await?;
    let whole = Whole::read(store, layout, of, rules).await?;
    let mut watermarks = watermarks.clone();
    whole.inputs.show(&mut watermarks);
    let of_hours = OfHours::of(&held, &whole, &watermarks);
    let (expected, provider) = whole.bars((&held, &of_hours), &watermarks);
    judged.bronze_damaged.clone_from(&whole.damaged);
    let excused = Excused {
        kept: kept(&held, &whole.inputs),
        behind: behind(&held, &of_hours, &expected, &provider),
    };
    for interval in Interval::ALL {
        let mut stored: BTreeMap<i64, &Bar> = held.bars(interval);
        for bar in &expected[&interval] {
            let found = stored.remove(&bar.start);
            let how = match found {
                None => Difference::Missing,
                Some(found) => match differing(found, bar) {
                    names if names.is_empty() => {
                        judged.right += 1;
                        continue;
                    }
                    names => Difference::Other(names),
                },
            };
            judged.add(interval, bar, how, &excused);
        }
        for bar in stored.into_values() {
            judged.add(interval, bar, Difference::Unfounded, &excused);
        }
    }
    Ok(judged)
}

impl Judged {
    fn add(&mut self, interval: Interval, bar: &Bar, how: Difference, excused: &Excused) {
        let start = bar.start;
        if excused.kept.contains(&bar.trading_date) {
            self.kept += 1;
        } else if excused.behind.contains(&bar.trading_date) {
            self.behind += 1;
        } else {
            self.wrong.push(Wrong {
                interval,
                start,
                how,
            });
        }
    }
}

/// The trading dates whose bars may differ from bronze.
struct Excused {
    /// Some objects of theirs have expired.
    kept: BTreeSet<Date>,
    /// They are not rolled yet.
    behind: BTreeSet<Date>,
}

/// The silver files of the symbol.
struct Stored {
    files: Vec<File>,
}

impl Stored {
    fn bars(&self, interval: Interval) -> BTreeMap<i64, &Bar> {
        let files = self.files.iter().filter(|file| file.interval == interval);
        files
            .flat_map(|file| &file.bars)
            .map(|bar| (bar.start, bar))
            .collect()
    }

    fn units(&self, interval: Interval) -> BTreeMap<i64, &Unit> {
        let files = self.files.iter().filter(|file| file.interval == interval);
        files
            .flat_map(|file| &file.units)
            .map(|(at, unit)| (*at, unit))
            .collect()
    }
}

async fn read_all(
    store: &(impl Get + List),
    layout: &Layout,
    of: &Of,
    judged: &mut Judged,
) -> Result<Stored, StoreError> {
    let mut files = Vec::new();
    for interval in Interval::ALL {
        let root = layout.symbol_root(interval, &of.topic, &of.symbol);
        let keys = list_all(store, &root).await?;
        let files_of = keys
            .into_iter()
            .filter(|key| key.as_str().ends_with(".parquet"));
        for key in files_of {
            match decode_at(layout.place(&key), &store.get(&key).await?.body) {
                Ok(file) => files.push(file),
                Err(damage) => {
                    judged.damaged.insert(key, damage);
                }
            }
        }
    }
    Ok(Stored { files })
}

/// All records of a symbol.
struct Whole<'a> {
    rules: Rules,
    inputs: Inputs,
    reader: SymbolReader<'a>,
    lines: Lines,
    damaged: BTreeMap<ObjectKey, String>,
}

/// What was stored of the hours of minute bars, and what is.
struct OfHours<'a> {
    units: BTreeMap<i64, &'a Unit>,
    /// Those that were made of what bronze has now.
    current: BTreeSet<i64>,
    /// Those that are complete.
    complete: BTreeSet<i64>,
}

/// The bars of a provider's days, which no hours are of: each date's, with the hour in which its record was fetched.
type ProviderHours = BTreeMap<Date, i64>;

impl<'a> OfHours<'a> {
    fn of(stored: &'a Stored, whole: &Whole<'_>, watermarks: &Watermarks) -> Self {
        let mut of_hours = Self {
            units: stored.units(Interval::Minute),
            current: BTreeSet::new(),
            complete: BTreeSet::new(),
        };
        let hour_of = |time: i64| time - time.rem_euclid(HOUR);
        let events = whole
            .lines
            .observed
            .iter()
            .map(|one| hour_of(one.event_time));
        let fetches = whole.lines.days.iter().map(|day| hour_of(day.fetched_at));
        let hours: BTreeSet<i64> = events.chain(fetches).collect();
        for hour in hours {
            let unit = of_hours.units.get(&hour);
            let late = unit.map_or(&[][..], |unit| &unit.late);
            let digest = unit.map(|unit| unit.digest.as_str());
            let versions = whole.inputs.versions(hour, late);
            let was_over = digest == Some(&hour_digest(&versions, true));
            let is_over = was_over || whole.inputs.is_over(hour, watermarks);
            if digest == Some(&hour_digest(&versions, is_over)) {
                of_hours.current.insert(hour);
            }
            if is_over && !whole.inputs.is_damaged(hour, late, &whole.damaged) {
                of_hours.complete.insert(hour);
            }
        }
        of_hours
    }
}

impl<'a> Whole<'a> {
    async fn read(
        store: &(impl Get + List),
        layout: &'a Layout,
        of: &'a Of,
        rules: Rules,
    ) -> Result<Self, RollError> {
        let bronze = layout.bronze();
        let mut inputs = Inputs::list(store, bronze, of, vec![(0, i64::MAX / 2)], rules).await?;
        let mut reader = SymbolReader::new(bronze, of, rules);
        let mut lines = Lines::default();
        let mut damaged = BTreeMap::new();
        for at in 0..inputs.len() {
            let key = inputs.get(at).key.clone();
            let (version, damage) = match fetch(store, bronze, &key).await? {
                Fetched::Lines(body, version) => {
                    (Some(version), reader.read(&body, &mut lines, |_| {}))
                }
                Fetched::Damaged(reason, version) => (version, Some(reason)),
            };
            if let Some(version) = version {
                inputs.set_version(at, version);
            }
            damaged.extend(damage.map(|damage| (key, damage)));
        }
        Ok(Self {
            rules,
            inputs,
            reader,
            lines,
            damaged,
        })
    }

    fn bars(
        &self,
        (stored, of_hours): (&Stored, &OfHours<'_>),
        watermarks: &Watermarks,
    ) -> (BTreeMap<Interval, Vec<Bar>>, ProviderHours) {
        let subjects = self.reader.subjects();
        let mut of_minutes = minutes(&mut self.lines.observed.clone(), subjects, &self.rules);
        for bar in &mut of_minutes {
            let hour = bar.start - bar.start.rem_euclid(HOUR);
            bar.complete = of_hours.complete.contains(&hour);
        }
        let mut hour_bars = hours(&of_minutes);
        let mut of_days = days(&hour_bars);
        let parts = by_date(&hour_bars);
        let units = stored.units(Interval::Hour);
        let known = stored.units(Interval::Day);
        for day in &mut of_days {
            let parts = &parts[&day.trading_date];
            let partitions = parts.iter().flat_map(|&hour| self.inputs.partitions(hour));
            let is_over = is_day_over(&partitions.collect(), day.end, self.rules, watermarks);
            let digest = day_digest(units_of(parts, &units), true);
            let known = known.get(&utc_midnight(day.trading_date));
            let was_over = known.is_some_and(|unit| unit.digest == digest);
            day.complete &= is_over || was_over;
        }
        add_volumes_of_files(Interval::Minute, &mut of_minutes);
        add_volumes_of_files(Interval::Hour, &mut hour_bars);
        let mut provider = ProviderHours::new();
        for (date, day) in provider_days(&self.lines.days, subjects, &How::default()) {
            if !parts.contains_key(&date) {
                provider.insert(date, day.fetched_at - day.fetched_at.rem_euclid(HOUR));
                of_days.push(day.bar);
            }
        }
        of_days.sort_by_key(|day| day.start);
        let bars = [
            (Interval::Minute, of_minutes),
            (Interval::Hour, hour_bars),
            (Interval::Day, of_days),
        ];
        (bars.into(), provider)
    }
}

/// Gives the bars of each file their volumes: the first of a file has none that is a difference.
fn add_volumes_of_files(interval: Interval, bars: &mut [Bar]) {
    let file = |bar: &Bar| Period::of_time(interval, bar.start);
    for of_file in bars.chunk_by_mut(|a, b| file(a) == file(b)) {
        add_session_volumes(of_file);
    }
}

/// The hours of each trading date.
fn by_date(hours: &[Bar]) -> BTreeMap<Date, Vec<i64>> {
    let mut by_date: BTreeMap<Date, Vec<i64>> = BTreeMap::new();
    for bar in hours {
        by_date.entry(bar.trading_date).or_default().push(bar.start);
    }
    by_date
}

fn units_of<'a>(hours: &[i64], units: &BTreeMap<i64, &'a Unit>) -> Vec<(i64, &'a Unit)> {
    let of = hours
        .iter()
        .filter_map(|hour| Some((*hour, *units.get(hour)?)));
    of.collect()
}

/// The trading dates with an hour that was rolled from other objects than there are now, or not at all.
fn behind(
    stored: &Stored,
    of_hours: &OfHours<'_>,
    expected: &BTreeMap<Interval, Vec<Bar>>,
    provider: &ProviderHours,
) -> BTreeSet<Date> {
    let hours = &expected[&Interval::Hour];
    let is_behind = |hour: &i64| !of_hours.current.contains(hour);
    let of_bars = hours.iter().filter(|bar| is_behind(&bar.start));
    let mut dates: BTreeSet<Date> = of_bars.map(|bar| bar.trading_date).collect();
    let of_provider = provider.iter().filter(|(_, hour)| is_behind(hour));
    dates.extend(of_provider.map(|(date, _)| *date));
    let units = stored.units(Interval::Hour);
    let days = stored.units(Interval::Day);
    let parts = by_date(hours);
    for day in &expected[&Interval::Day] {
        let unit = days.get(&utc_midnight(day.trading_date));
        let is_current = match parts.get(&day.trading_date) {
            Some(hours) => {
                let digest = day_digest(units_of(hours, &units), day.complete);
                unit.is_some_and(|unit| unit.digest == digest)
            }
            // Of a lake whose open bars are not written.
            None => day.complete || unit.is_some(),
        };
        if !is_current {
            dates.insert(day.trading_date);
        }
    }
    dates
}

/// The trading dates of hours that were made of more objects than there are, and of days that a provider told before the
/// first object that there is.
fn kept(stored: &Stored, inputs: &Inputs) -> BTreeSet<Date> {
    let units = stored.units(Interval::Minute);
    let lost = |hour: i64| {
        let unit = units.get(&hour);
        unit.is_some_and(|unit| unit.objects + unit.late.len() > inputs.left_of(hour, &unit.late))
    };
    let bars = stored.bars(Interval::Hour);
    let of_hours = bars.values().filter(|bar| lost(bar.start));
    let mut dates: BTreeSet<Date> = of_hours.map(|bar| bar.trading_date).collect();
    let first = inputs.first_and_last().map_or(i64::MAX, |(first, _)| first);
    let days = stored.units(Interval::Day);
    let told = days
        .iter()
        .filter(|(_, unit)| fetched_at(unit).is_some_and(|told| told < first));
    dates.extend(told.map(|(at, _)| utc_date(*at)));
    dates
}

/// The fields that differ.
fn differing(stored: &Bar, expected: &Bar) -> Vec<&'static str> {
    let same = [
        ("end_time", stored.end == expected.end),
        ("trading_date", stored.trading_date == expected.trading_date),
        ("open, high, low, close", stored.prices == expected.prices),
        ("volume", stored.volume == expected.volume),
        ("quote_volume", stored.quote_volume == expected.quote_volume),
        ("trades", stored.trades == expected.trades),
        ("ticks", stored.ticks == expected.ticks),
        ("price_sum", stored.price_sum == expected.price_sum),
        ("late", stored.late == expected.late),
        ("basis", stored.basis == expected.basis),
        (
            "symbol, source, currency, mic or time_zone",
            stored.subject == expected.subject,
        ),
        (
            "first_event_time",
            stored.first_event_time == expected.first_event_time,
        ),
        (
            "last_event_time",
            stored.last_event_time == expected.last_event_time,
        ),
        (
            "session_volume",
            stored.session_volume == expected.session_volume,
        ),
        (
            "close_event_id",
            stored.close_event_id == expected.close_event_id,
        ),
        ("complete", stored.complete == expected.complete),
    ];
    let differing = same.into_iter().filter(|(_, same)| !same);
    differing.map(|(name, _)| name).collect()
}

#[cfg(test)]
mod tests;
