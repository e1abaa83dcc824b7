//! Recomputing the bars of a symbol from bronze.
//!
//! The files are read first and bronze is listed afterwards, so a file that is swapped by its version never loses to an
//! older listing. Only hours whose inputs changed are folded again.

mod held;
pub(crate) mod inputs;
pub(crate) mod provider_day;
pub(crate) mod stream;

use std::collections::{BTreeMap, BTreeSet};

use lake::{
    ObjectKey,
    store::{Get, List, PutIf, StoreError},
};
use market::bars::{Aside, Bar, DAY, HOUR, Interval, Rules, days, hours};
use tokio::time::{Instant, sleep};

use crate::{
    FileDamage, Layout, Period, Unit, Watermarks,
    layout::{utc_date, utc_midnight},
};
use held::Held;
use inputs::{Inputs, day_digest, span, spans_of_late};
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
    /// The end of the newest bar in the files that were read, in microseconds since 1970.
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
/// It goes by months, of which each is written as a whole. A range of more than a month begins where bronze does. After a lost race, a throttle or an answer that leaves
/// the outcome open a month starts again, until `until`.
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
    let mut range = range;
    if range.to.saturating_sub(range.from) > MONTH {
        let spans = vec![span(range.from, range.to, how.rules)];
        let listing = Inputs::list(store, layout.bronze(), of, spans, how.rules);
        let all = in_time(until, layout, of, listing).await?;
        all.show(&mut known);
        let Some(first) = all.first() else {
            return Ok(Rolled::default());
        };
        // Late records of an earlier month are found as such.
        range.from = range
            .from
            .max(utc_midnight(utc_date(first).first_of_month()));
    }
    let mut rolled = Rolled::default();
    while range.from < range.to {
        let next = utc_date(range.from).last_of_month().tomorrow();
        let to = next.map_or(range.to, |next| range.to.min(utc_midnight(next)));
        let part = Range { to, ..range };
        rolled.add(roll_part(store, layout, of, part, how, (&known, until)).await?);
        range.from = to;
    }
    Ok(rolled)
}

/// Above this a range begins where bronze does, which takes a listing.
const MONTH: i64 = 31 * DAY;

async fn roll_part(
    store: &(impl PutIf + Get + List),
    layout: &Layout,
    of: &Of,
    range: Range,
    how: &How,
    (known, until): (&Watermarks, Instant),
) -> Result<Rolled, RollError> {
    let mut pauses = lake::store::pauses();
    let mut older = BTreeSet::new();
    loop {
        let attempt = Attempt {
            store,
            layout,
            of,
            range,
            how,
            known,
        };
        let error = match in_time(until, layout, of, attempt.run(&older)).await {
            Ok(Outcome::Rolled(rolled)) => return Ok(*rolled),
            Ok(Outcome::NeedsOlder(hours)) => {
                older.extend(hours);
                continue;
            }
            Err(error) => error,
        };
        let again = error.is_transient() || is_lost_race(&error);
        let pause = pauses.next().filter(|_| again);
        match pause.filter(|&pause| Instant::now() + pause < until) {
            Some(pause) => sleep(pause).await,
            None => return Err(error),
        }
    }
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
    /// Late records of these hours have come, whose files have to be read before bronze is listed.
    NeedsOlder(BTreeSet<i64>),
}

struct Attempt<'a, S> {
    store: &'a S,
    layout: &'a Layout,
    of: &'a Of,
    range: Range,
    how: &'a How,
    known: &'a Watermarks,
}

impl<S: PutIf + Get + List> Attempt<'_, S> {
    async fn run(&self, older: &BTreeSet<i64>) -> Result<Outcome, RollError> {
        let Self {
            store,
            layout,
            of,
            range,
            how,
            ..
        } = *self;
        let bronze = layout.bronze();
        let mut held = Held::read(store, layout, of, self.periods(older), (range, how)).await?;
        let older = older.iter().map(|&hour| span(hour, hour + HOUR, how.rules));
        let mut spans: Vec<(i64, i64)> = older.collect();
        spans.push(span(range.from, range.to, how.rules));
        spans.extend(spans_of_late(bronze, range, &held));
        let mut inputs = Inputs::list(store, bronze, of, spans, how.rules).await?;
        let mut watermarks = self.known.clone();
        inputs.show(&mut watermarks);

        let is_stale = |&hour: &i64| {
            let is_complete = inputs.is_complete(hour, &watermarks);
            let digest = inputs.digest(hour, is_complete, held.late(hour));
            how.rebuild
                || held.unit(Interval::Minute, hour).map(|unit| &unit.digest) != Some(&digest)
        };
        let stale = inputs
            .hours(range, &held)
            .into_iter()
            .filter(is_stale)
            .collect();
        let folding = fold(
            store,
            bronze,
            (&of.topic, how.rules),
            (&mut inputs, &held),
            stale,
        );
        let (folded, reader) = folding.await?;
        if !folded.older.is_empty() {
            return Ok(Outcome::NeedsOlder(folded.older));
        }
        if let Some(symbol) = folded.symbol {
            held.symbol = symbol;
        }
        let mut rolled = Rolled {
            objects: folded.objects,
            lines: folded.lines,
            asides: folded.asides,
            damaged: folded.damaged,
            ..Rolled::default()
        };
        for (hour, of_hour) in folded.hours {
            let is_over = inputs.is_complete(hour, &watermarks);
            let is_complete = is_over && !inputs.is_damaged(hour, &of_hour.late, &rolled.damaged);
            let unit = Unit {
                digest: inputs.digest(hour, is_over, &of_hour.late),
                late: of_hour.late,
                partitions: inputs.partitions(hour),
            };
            let is_written = is_complete || how.provisional;
            let mut bars = of_hour.bars;
            bars.retain(|_| is_written);
            bars.iter_mut().for_each(|bar| bar.complete = is_complete);
            rolled.count(&bars);
            held.replace(Interval::Minute, hour, bars, is_written.then_some(unit));
        }
        self.compose_hours(&mut held);
        self.compose_days(&mut held, &watermarks);
        for (date, day) in provider_days(&folded.days, reader.subjects(), how) {
            held.replace_provider_day(date, day);
        }
        (rolled.newest, rolled.newest_complete) =
            (held.newest(|_| true), held.newest(|bar| bar.complete));
        rolled.files = held.write(store, layout, of, how).await?;
        rolled.watermarks = watermarks;
        Ok(Outcome::Rolled(Box::new(rolled)))
    }

    /// The files of the range, and of the hours that late records are of. A rebuild reads whole years, because a file that is
    /// damaged is made again of all that it had.
    fn periods(&self, older: &BTreeSet<i64>) -> BTreeSet<(Interval, Period)> {
        let mut periods = BTreeSet::new();
        let mut add = |hour: i64, is_touched: bool| {
            let of = |interval| (interval, Period::of_time(interval, hour));
            periods.extend([of(Interval::Hour), of(Interval::Day)]);
            if is_touched {
                periods.insert(of(Interval::Minute));
            }
        };
        for hour in older {
            for beside in [hour - DAY, hour + DAY] {
                add(beside, false);
            }
            add(*hour, true);
        }
        let Range { from, to } = self.range;
        for beside in [from - 2 * DAY, to + 2 * DAY] {
            add(beside, false);
        }
        let mut hour = from;
        while hour < to {
            add(hour, true);
            hour += HOUR;
        }
        if self.how.rebuild {
            let years: Vec<i16> = periods
                .iter()
                .filter_map(|(_, period)| match period {
                    Period::Year(year) => Some(*year),
                    Period::Month { .. } => None,
                })
                .collect();
            for year in years {
                let months =
                    (1..=12).map(|month| (Interval::Minute, Period::Month { year, month }));
                periods.extend(months);
            }
        }
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
    fn compose_days(&self, held: &mut Held, watermarks: &Watermarks) {
        for date in held.dates_to_compose(self.range.from, self.range.to) {
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
            let mark = watermarks.least(partitions.iter().copied());
            let is_over =
                mark.is_some_and(|mark| mark >= end.saturating_add(self.how.rules.lateness));
            let is_complete = is_over && parts.iter().all(|part| part.complete);
            let digest = day_digest(units, is_complete);
            if held
                .unit(Interval::Day, day)
                .is_some_and(|unit| unit.digest == digest)
            {
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

impl Rolled {
    /// Counts an hour that was folded again.
    fn count(&mut self, bars: &[Bar]) {
        self.hours += 1;
        self.bars += bars.len();
        self.late += bars.iter().map(|bar| bar.late.unsigned_abs()).sum::<u64>();
    }
}
