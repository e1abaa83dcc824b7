//! Recomputing the bars of a symbol from bronze.
//!
//! The files are read first and bronze is listed afterwards, so a file that is swapped by its version never loses to an
//! older listing. Only hours whose inputs changed are folded again.

mod held;
pub(crate) mod inputs;
pub(crate) mod lines;
pub(crate) mod provider_day;
mod stream;
#[cfg(test)]
pub(crate) mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jiff::civil::Date;
use lake::{
    ObjectKey,
    store::{Get, List, PutIf, StoreError},
};
use market::bars::{Aside, Bar, DAY, HOUR, Interval, Rules, days, hours};
use tokio::time::{Instant, sleep};

use crate::{FileDamage, Layout, Period, Unit, Watermarks, layout::utc_midnight};
use held::Held;
use inputs::{Inputs, day_digest, hour_digest, span, spans_of_late};
use lines::SymbolReader;
use provider_day::provider_days;
use stream::fold;

/// Whole hours of UTC, in microseconds since 1970: from the first up to, but without, the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The start of the first hour.
    pub from: i64,
    /// The end of the last hour.
    pub to: i64,
}

/// How a roll is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct How {
    /// Which records count.
    pub rules: Rules,
    /// Whether bars that are not complete are written.
    pub provisional: bool,
    /// Whether files that are damaged, or whose digests say that nothing changed, are made again.
    pub rebuild: bool,
    /// Whether nothing is written.
    pub dry_run: bool,
}

impl Default for How {
    fn default() -> Self {
        Self {
            rules: Rules::default(),
            provisional: true,
            rebuild: false,
            dry_run: false,
        }
    }
}

/// One symbol of a topic, as keys spell both.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Of {
    /// The topic.
    pub topic: String,
    /// The symbol.
    pub symbol: String,
}

/// What became of a symbol.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rolled {
    /// Hours that were folded again.
    pub hours: usize,
    /// Bars in them, minutes alone.
    pub bars: usize,
    /// Files that were written, or would have been.
    pub files: usize,
    /// Bronze objects that were read.
    pub objects: usize,
    /// Lines in them.
    pub lines: u64,
    /// Late observations in the hours that were folded again.
    pub late: u64,
    /// Records that count in no bar.
    pub asides: BTreeMap<Aside, u64>,
    /// Bronze objects that can't be read, each with the reason.
    pub damaged: BTreeMap<ObjectKey, String>,
    /// The end of the newest bar in the files that were read, in microseconds since 1970; of minute bars where there are any.
    pub newest: Option<i64>,
    /// The end of the newest complete one.
    pub newest_complete: Option<i64>,
    /// How far each partition has come.
    pub watermarks: Watermarks,
}

/// Why a symbol was not rolled.
#[derive(Debug, thiserror::Error)]
pub enum RollError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A silver file that is none of ours.
    #[error(
        "the silver file {key} is not as it was written ({damage}): run `quotelake roll --rebuild`, which makes it again"
    )]
    Damaged {
        /// The file.
        key: ObjectKey,
        /// What is wrong.
        damage: FileDamage,
    },
    /// A silver file of a newer program.
    #[error("the silver file {key} is of a newer program: {damage}")]
    Newer {
        /// The file.
        key: ObjectKey,
        /// Its schema.
        damage: FileDamage,
    },
}

impl RollError {
    /// Whether the same may succeed later without anybody's doing.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Store(StoreError::OutOfTime { .. }) => true,
            Self::Store(error) => error.is_transient(),
            Self::Damaged { .. } | Self::Newer { .. } => false,
        }
    }
}

/// Rolls one symbol: writes the bars of the hours in `range`, and of older ones of which late records have come.
///
/// It goes by months, of which each is written as a whole. A range of several begins and ends where bronze does. After a lost race, a
/// throttle or an answer that leaves the outcome open a month starts again, until `until`.
///
/// # Errors
/// [`RollError`], the last one. What was written until then stays.
pub async fn roll(
    store: &(impl PutIf + Get + List),
    layout: &Layout,
    of: &Of,
    range: Range,
    how: &How,
    (known, until): (&Watermarks, Instant),
) -> Result<Rolled, RollError> {
    let mut known = known.clone();
    let mut range = Range {
        from: range.from.max(0),
        to: range.to.min(TIME_MAX),
    };
    let month = |time| Period::of_time(Interval::Minute, time);
    if range.from < range.to && month(range.from) != month(range.to - 1) {
        let all = list(store, layout, of, range, (how.rules, until)).await?;
        all.show(&mut known);
        let Some((first, last)) = all.first_and_last() else {
            return Ok(Rolled::default());
        };
        // Late records of earlier hours are found as such.
        let first = first - how.rules.lateness - HOUR;
        range.from = range.from.max(first - first.rem_euclid(HOUR));
        range.to = range.to.min(last + how.rules.ahead + HOUR);
    }
    let mut rolled = Rolled::default();
    while range.from < range.to {
        let (_, next) = month(range.from).bounds();
        let to = range.to.min(next);
        let part = Range { to, ..range };
        rolled.add(roll_part(store, layout, of, part, how, (&known, until)).await?);
        range.from = to;
    }
    Ok(rolled)
}

/// About the end of the year 9998, before the last of all dates.
const TIME_MAX: i64 = 253_370_000_000_000_000;

async fn list(
    store: &impl List,
    layout: &Layout,
    of: &Of,
    range: Range,
    (rules, until): (Rules, Instant),
) -> Result<Inputs, RollError> {
    let mut pauses = lake::store::pauses();
    loop {
        let spans = vec![span(range.from, range.to, rules)];
        let listing = Inputs::list(store, layout.bronze(), of, spans, rules);
        match in_time(until, layout, of, listing).await {
            Ok(all) => return Ok(all),
            Err(error) => sleep(pause(error, &mut pauses, until)?).await,
        }
    }
}

async fn roll_part(
    store: &(impl PutIf + Get + List),
    layout: &Layout,
    of: &Of,
    mut range: Range,
    how: &How,
    (known, until): (&Watermarks, Instant),
) -> Result<Rolled, RollError> {
    let mut pauses = lake::store::pauses();
    let mut more = More::default();
    loop {
        let attempt = Attempt {
            store,
            layout,
            of,
            range,
            month: Period::of_time(Interval::Minute, range.from),
            how,
            known,
        };
        match in_time(until, layout, of, attempt.run(&more)).await {
            Ok(Outcome::Rolled(rolled)) => return Ok(*rolled),
            Ok(Outcome::NeedsMore(other)) => {
                more.hours.extend(other.hours);
                more.days.extend(other.days);
            }
            Ok(Outcome::NeedsMonth) => (range.from, range.to) = attempt.month.bounds(),
            Err(error) if is_lost_race(&error) => {
                let out_of_time = out_of_time(layout, of);
                sleep(next(out_of_time, &mut pauses, until)?).await;
            }
            Err(error) => sleep(pause(error, &mut pauses, until)?).await,
        }
    }
}

/// How long to wait after the error.
fn pause(
    error: RollError,
    pauses: &mut impl Iterator<Item = Duration>,
    until: Instant,
) -> Result<Duration, RollError> {
    match error.is_transient() {
        true => next(error, pauses, until),
        false => Err(error),
    }
}

fn next(
    error: RollError,
    pauses: &mut impl Iterator<Item = Duration>,
    until: Instant,
) -> Result<Duration, RollError> {
    let pause = pauses
        .next()
        .filter(|&pause| Instant::now() + pause < until);
    pause.ok_or(error)
}

async fn in_time<T, E: Into<RollError>>(
    until: Instant,
    layout: &Layout,
    of: &Of,
    asked: impl Future<Output = Result<T, E>>,
) -> Result<T, RollError> {
    match tokio::time::timeout_at(until, asked).await {
        Ok(answer) => answer.map_err(Into::into),
        Err(_) => Err(out_of_time(layout, of)),
    }
}

fn out_of_time(layout: &Layout, of: &Of) -> RollError {
    let root = layout.symbol_root(Interval::Minute, &of.topic, &of.symbol);
    RollError::Store(StoreError::OutOfTime {
        key: ObjectKey::new(root),
    })
}

fn is_lost_race(error: &RollError) -> bool {
    use StoreError::{AlreadyExists, Changed, NotFound};
    matches!(
        error,
        RollError::Store(AlreadyExists { .. } | Changed { .. } | NotFound { .. })
    )
}

enum Outcome {
    Rolled(Box<Rolled>),
    /// Files have to be read beside those of the range, before bronze is listed.
    NeedsMore(More),
    /// The minutes of the month are made again, so all of it has to be rolled.
    NeedsMonth,
}

/// What is rolled beside the range, because records in it are of that.
#[derive(Default)]
struct More {
    /// Hours of which late records have come.
    hours: BTreeSet<i64>,
    /// Days that a provider has made bars of.
    days: BTreeSet<Date>,
}

/// The hours that are compared with their objects.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'a> {
    range: Range,
    older: &'a BTreeSet<i64>,
}

impl Scope<'_> {
    fn has(self, hour: i64) -> bool {
        (self.range.from..self.range.to).contains(&hour) || self.older.contains(&hour)
    }
}

struct Attempt<'a, S> {
    store: &'a S,
    layout: &'a Layout,
    of: &'a Of,
    /// Hours of one month.
    range: Range,
    month: Period,
    how: &'a How,
    known: &'a Watermarks,
}

impl<S: PutIf + Get + List> Attempt<'_, S> {
    async fn run(&self, more: &More) -> Result<Outcome, RollError> {
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
            let is_over = inputs.is_over(hour, &watermarks) || held.was_over(hour, &versions);
            let digest = hour_digest(&versions, is_over);
            how.rebuild || held.digest(Interval::Minute, hour) != Some(&digest)
        };
        let mut stale = inputs.hours(range, &held);
        stale.extend(older);
        stale.retain(is_stale);
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
            let is_over = inputs.is_over(hour, &watermarks) || held.was_over(hour, versions);
            let is_complete = is_over && !inputs.is_damaged(hour, &of_hour.late, &rolled.damaged);
            let is_written = is_complete || how.provisional;
            // Of an hour that is held back, what nobody would look for again is kept.
            let is_kept = is_written || !of_hour.late.is_empty();
            let unit = Unit {
                digest: match is_written {
                    true => hour_digest(versions, is_over),
                    false => String::new(),
                },
                late: of_hour.late,
                partitions: inputs.partitions(hour),
            };
            let mut bars = of_hour.bars;
            bars.retain(|_| is_written);
            bars.iter_mut().for_each(|bar| bar.complete = is_complete);
            rolled.count(&bars);
            held.replace(Interval::Minute, hour, bars, is_kept.then_some(unit));
        }
        self.compose_hours(&mut held);
        self.compose_days(&mut held, (older, &watermarks));
        for (date, day) in days {
            held.replace_provider_day(date, day);
        }
        (rolled.newest, rolled.newest_complete) =
            (held.newest(|_| true), held.newest(|bar| bar.complete));
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

impl Rolled {
    /// Counts an hour that was folded again.
    fn count(&mut self, bars: &[Bar]) {
        self.hours += 1;
        self.bars += bars.len();
        self.late += bars.iter().map(|bar| bar.late.unsigned_abs()).sum::<u64>();
    }
}
