//! Recomputing the bars of a symbol from bronze.
//!
//! The files are read first and bronze is listed afterwards, so a file that is swapped by its version never loses to an
//! older listing. Only hours whose inputs changed are folded again.

mod attempt;
mod held;
pub(crate) mod inputs;
pub(crate) mod lines;
pub(crate) mod provider_day;
mod stream;
#[cfg(test)]
pub(crate) mod tests;

use std::{collections::BTreeMap, time::Duration};

use lake::{
    ObjectKey,
    store::{Get, List, PutIf, StoreError},
};
use market::bars::{Aside, HOUR, Interval, Rules};
use tokio::time::{Instant, sleep};

use crate::{FileDamage, Layout, Period, Watermarks};
use attempt::{Attempt, More, Outcome};
use inputs::{Inputs, span};

pub(crate) use attempt::is_day_over;

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

impl Rolled {
    /// Counts the minute bars of an hour that are other than before, and the late observations in them.
    fn count(&mut self, bars: usize, late: u64) {
        self.bars += bars;
        self.late += late;
    }
}
