//! Whether the bars that are there are those of bronze, by a fold of all records at once.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use jiff::civil::Date;
use lake::{
    ObjectKey,
    store::{Get, List, PutIf, StoreError, list_all},
};
use market::bars::{
    Bar, HOUR, Interval, Lines, Reader, Rules, add_session_volumes, days, hours, minutes,
};

use crate::{
    File, FileDamage, How, Layout, Of, Unit, Watermarks, decode,
    layout::utc_midnight,
    roll::{
        RollError,
        inputs::{Inputs, day_digest},
        provider_day::provider_days,
        stream::fetch,
    },
};

/// What was found of a symbol.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Judged {
    /// Bars that are as they should be.
    pub right: u64,
    /// Bars that follow from bronze as it was at the last roll; it has changed since.
    pub behind: u64,
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
    store: &(impl PutIf + Get + List),
    layout: &Layout,
    of: &Of,
    (rules, watermarks): (Rules, &Watermarks),
) -> Result<Judged, RollError> {
    let mut judged = Judged::default();
    let held = read_all(store, layout, of, &mut judged).await?;
    let whole = Whole::read(store, layout, of, rules).await?;
    let mut watermarks = watermarks.clone();
    whole.inputs.show(&mut watermarks);
    let expected = whole.bars(&watermarks);
    judged.bronze_damaged.clone_from(&whole.damaged);
    let behind = behind(&held, &whole, &expected, &watermarks);
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
            judged.add(interval, bar, how, &behind);
        }
        for bar in stored.into_values() {
            judged.add(interval, bar, Difference::Unfounded, &behind);
        }
    }
    Ok(judged)
}

impl Judged {
    fn add(&mut self, interval: Interval, bar: &Bar, how: Difference, behind: &BTreeSet<Date>) {
        match behind.contains(&bar.trading_date) {
            true => self.behind += 1,
            false => self.wrong.push(Wrong {
                interval,
                start: bar.start,
                how,
            }),
        }
    }

    /// Adds what was found of another symbol.
    pub fn add_counts(&mut self, other: &Self) {
        self.right += other.right;
        self.behind += other.behind;
    }
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
        for key in list_all(store, &root).await? {
            match decode(&store.get(&key).await?.body) {
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
struct Whole {
    rules: Rules,
    inputs: Inputs,
    reader: Reader,
    lines: Lines,
    damaged: BTreeMap<ObjectKey, String>,
}

impl Whole {
    async fn read(
        store: &(impl Get + List),
        layout: &Layout,
        of: &Of,
        rules: Rules,
    ) -> Result<Self, RollError> {
        let bronze = layout.bronze();
        let mut inputs = Inputs::list(store, bronze, of, vec![(0, i64::MAX / 2)], rules).await?;
        let topic = lake::spelled_text(bronze.version(), &of.topic);
        let mut whole = Self {
            rules,
            reader: Reader::new(&topic, rules),
            lines: Lines::default(),
            damaged: BTreeMap::new(),
            inputs: Inputs::none(rules),
        };
        for at in 0..inputs.len() {
            let key = inputs.get(at).key.clone();
            match fetch(store, bronze, &key).await? {
                Ok((body, etag)) => {
                    inputs.set_version(at, etag);
                    whole.add(&key, &body);
                }
                Err(reason) => {
                    whole.damaged.insert(key, reason);
                }
            }
        }
        whole.inputs = inputs;
        Ok(whole)
    }

    fn add(&mut self, key: &ObjectKey, body: &Bytes) {
        let lines = body.split(|&byte| byte == b'\n').enumerate();
        for (number, line) in lines.filter(|(_, line)| !line.is_empty()) {
            if let Err(error) = self.reader.read(line, &mut self.lines) {
                let damaged = self.damaged.entry(key.clone());
                damaged.or_insert_with(|| format!("line {}: {error}", number + 1));
            }
        }
    }

    fn is_complete(&self, hour: i64, watermarks: &Watermarks) -> bool {
        self.inputs.is_complete(hour, watermarks)
            && !self.inputs.is_damaged(hour, &[], &self.damaged)
    }

    fn bars(&self, watermarks: &Watermarks) -> BTreeMap<Interval, Vec<Bar>> {
        let subjects = self.reader.subjects();
        let mut of_minutes = minutes(&mut self.lines.observed.clone(), subjects, &self.rules);
        for bar in &mut of_minutes {
            let hour = bar.start - bar.start.rem_euclid(HOUR);
            bar.complete = self.is_complete(hour, watermarks);
        }
        let mut of_hours = hours(&of_minutes);
        add_session_volumes(&mut of_minutes);
        let mut of_days = days(&of_hours);
        for day in &mut of_days {
            let hours = of_hours
                .iter()
                .filter(|bar| bar.trading_date == day.trading_date);
            let partitions = hours.flat_map(|bar| self.inputs.partitions(bar.start));
            let mark = watermarks.least(partitions);
            let end = day.end.saturating_add(self.rules.lateness);
            day.complete &= mark.is_some_and(|mark| mark >= end);
        }
        add_session_volumes(&mut of_hours);
        let composed: BTreeSet<Date> = of_days.iter().map(|day| day.trading_date).collect();
        for (date, day) in provider_days(&self.lines.days, subjects, &How::default()) {
            if !composed.contains(&date) {
                of_days.push(day.bar);
            }
        }
        of_days.sort_by_key(|day| day.start);
        [
            (Interval::Minute, of_minutes),
            (Interval::Hour, of_hours),
            (Interval::Day, of_days),
        ]
        .into()
    }
}

/// The trading dates with an hour that was rolled from other objects than there are now, or not at all.
fn behind(
    stored: &Stored,
    whole: &Whole,
    expected: &BTreeMap<Interval, Vec<Bar>>,
    watermarks: &Watermarks,
) -> BTreeSet<Date> {
    let units = stored.units(Interval::Minute);
    let is_behind = |hour: i64| {
        let is_over = whole.inputs.is_complete(hour, watermarks);
        let is_current =
            |unit: &&&Unit| unit.digest == whole.inputs.digest(hour, is_over, &unit.late);
        units.get(&hour).filter(is_current).is_none()
    };
    let hours = &expected[&Interval::Hour];
    let mut dates: BTreeSet<Date> = hours
        .iter()
        .filter(|bar| is_behind(bar.start))
        .map(|bar| bar.trading_date)
        .collect();
    // Of a lake whose open bars are not written.
    let days = stored.units(Interval::Day);
    for day in &expected[&Interval::Day] {
        let parts = hours
            .iter()
            .filter(|bar| bar.trading_date == day.trading_date);
        let of_hours = stored.units(Interval::Hour);
        let parts: Vec<(i64, &Unit)> = parts
            .filter_map(|bar| Some((bar.start, *of_hours.get(&bar.start)?)))
            .collect();
        let at = utc_midnight(day.trading_date);
        let is_composed = !parts.is_empty();
        let digest = day_digest(parts, day.complete);
        if is_composed && days.get(&at).is_none_or(|unit| unit.digest != digest) {
            dates.insert(day.trading_date);
        }
    }
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
