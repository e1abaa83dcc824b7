//! Making bars of what is in bronze: a backfill, a new lateness, or files that somebody edited.
//!
//! It is the function's own code, so hours of which nothing changed are not touched, and to run it again goes on.

mod options;
pub(crate) mod progress;
mod report;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use jiff::{Timestamp, tz::Offset};
use lake::{
    Version,
    store::{Get, List, PutIf, StoreError},
};
use market::bars::HOUR;
use runtime::{Environment, clock};
use silver::{How, Job, Layout, Range, Shard, TopicRolled, roll_topic, symbols, topics};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::lake_location::{LakeLocationError, OpenLake};

pub use options::{Options, Silver};
pub(crate) use options::{duration, time};
use progress::Progress;
pub use report::text;

/// Why bars could not be made.
#[derive(Debug, thiserror::Error)]
pub enum RollError {
    /// There is no such lake.
    #[error(transparent)]
    Location(#[from] LakeLocationError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A symbol.
    #[error(transparent)]
    Symbol(#[from] silver::RollError),
    /// A lake of layout 1.
    #[error(
        "the history at {0} has layout 1, of which no bars are made: bring it into a new epoch by writing its topics again"
    )]
    LayoutOne(String),
    /// Bars among bronze, or the other way round.
    #[error(
        "--silver-prefix '{0}' is where bronze is, or none: give a prefix beside it, such as silver"
    )]
    SilverPrefix(String),
    /// No roll has been there.
    #[error("there are no bars under {0}: run `quotelake roll`, or check --silver-prefix")]
    NoBars(String),
    /// A range that is none.
    #[error("--from {from} is not before --to {to}: give an earlier --from")]
    NoRange {
        /// Its start.
        from: Timestamp,
        /// Its end.
        to: Timestamp,
    },
    /// A range that has not begun.
    #[error("--from {0} lies in the future: give a time that has passed")]
    Future(Timestamp),
    /// A topic without objects.
    #[error("bronze at {root} has no topic '{topic}': it has {}", known.join(", "))]
    NoTopic {
        /// The topic.
        topic: String,
        /// Where the lake is.
        root: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// A symbol without objects.
    #[error(
        "bronze at {root} has no symbol '{symbol}' in the topics that are rolled: check --symbol and --topic"
    )]
    NoSymbol {
        /// The symbol.
        symbol: String,
        /// Where the lake is.
        root: String,
    },
}

/// What became of it, by topic.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Of each topic.
    pub topics: BTreeMap<String, TopicRolled>,
    /// Whether nothing was written.
    pub dry_run: bool,
    /// Whether it was stopped before the end.
    pub stopped: bool,
}

impl Outcome {
    /// Whether every symbol was rolled, from objects that can all be read.
    pub fn is_whole(&self) -> bool {
        let whole = |topic: &TopicRolled| {
            topic.failed.is_empty() && topic.left.is_empty() && topic.total.damaged.is_empty()
        };
        !self.stopped && self.topics.values().all(whole)
    }
}

/// How long a topic may take. What is left then is named, and a second run goes on.
const LONGEST: Duration = Duration::from_hours(6);

/// Runs `quotelake roll` until it is done or `stop` is cancelled, which ends it after the symbols in hand.
///
/// # Errors
/// [`RollError`] before anything is written, or if the topics can't be listed.
pub async fn run(
    options: &Options,
    environment: &Environment,
    stop: CancellationToken,
) -> Result<Outcome, RollError> {
    let lake = options.location.open(environment).await?;
    let layout = layout(&options.silver, &options.location.prefix, &lake)?;
    let range = range(options, clock::now())?;
    let store = Arc::new(lake.s3().clone());
    let topics = topics_of(&options.topics, &*store, &layout, lake.location()).await?;
    let how = How {
        rules: options.silver.rules(),
        provisional: !options.only_complete,
        rebuild: options.rebuild,
        dry_run: options.dry_run,
    };
    check_symbols(
        &options.symbols,
        &topics,
        &*store,
        (&layout, lake.location()),
    )
    .await?;
    let mut outcome = Outcome {
        dry_run: options.dry_run,
        ..Outcome::default()
    };
    let mut progress = Progress::new(options.json, topics.len());
    let wanted: BTreeSet<String> = options
        .symbols
        .iter()
        .map(|symbol| layout.bronze().symbol_segment(symbol))
        .collect();
    for topic in topics {
        let job = Job {
            topic: topic.clone(),
            range,
            how,
            shard: Shard::ALL,
            symbols: wanted.clone(),
            at_once: usize::try_from(options.at_once).unwrap_or(1),
        };
        progress.topic(&topic);
        let until = Instant::now() + LONGEST;
        let rolled = roll_until_complete(&store, &layout, &job, (until, &stop), &mut |of| {
            progress.symbol(of);
        })
        .await?;
        outcome.topics.insert(topic, rolled);
        if stop.is_cancelled() {
            outcome.stopped = true;
            break;
        }
    }
    progress.finish();
    Ok(outcome)
}

/// Refuses a symbol that none of the topics has, before anything is written.
async fn check_symbols(
    wanted: &[String],
    topics: &[String],
    store: &impl List,
    (layout, root): (&Layout, &str),
) -> Result<(), RollError> {
    let mut unknown: Vec<&String> = wanted.iter().collect();
    for topic in topics.iter().take_while(|_| !wanted.is_empty()) {
        let known = symbols(store, layout, topic).await?;
        unknown.retain(|symbol| !known.contains(&layout.bronze().symbol_segment(symbol)));
    }
    match unknown.first() {
        Some(symbol) => Err(RollError::NoSymbol {
            symbol: (*symbol).clone(),
            root: root.to_owned(),
        }),
        None => Ok(()),
    }
}

/// Rolls a topic, and once more if the first time has shown that some hours are complete by now.
pub(crate) async fn roll_until_complete<S: PutIf + Get + List + 'static>(
    store: &Arc<S>,
    layout: &Layout,
    job: &Job,
    (until, stop): (Instant, &CancellationToken),
    done: &mut impl FnMut(usize),
) -> Result<TopicRolled, StoreError> {
    let key = layout.watermark_key(&job.topic);
    let before = silver::Watermarks::read(&**store, &key).await?;
    let mut first = roll_topic(store, layout, job, (until, stop), |of, _, _| done(of)).await?;
    let has_moved = before != first.total.watermarks && !job.how.dry_run && !job.how.rebuild;
    if has_moved && !stop.is_cancelled() {
        let second = roll_topic(store, layout, job, (until, stop), |_, _, _| {}).await?;
        first.go_on(second);
    }
    Ok(first)
}

/// The bars of this lake.
pub(crate) fn layout(silver: &Silver, bronze: &str, lake: &OpenLake) -> Result<Layout, RollError> {
    let (bars, bronze) = (
        silver.silver_prefix.trim_matches('/'),
        bronze.trim_matches('/'),
    );
    if bars.is_empty() || is_within(bars, bronze) || is_within(bronze, bars) {
        return Err(RollError::SilverPrefix(silver.silver_prefix.clone()));
    }
    let bronze = lake.layout().clone();
    if bronze.version() == Version::One {
        return Err(RollError::LayoutOne(lake.location().to_owned()));
    }
    Ok(Layout::new(&silver.silver_prefix, lake.epoch(), bronze))
}

fn is_within(prefix: &str, other: &str) -> bool {
    let rest = prefix.strip_prefix(other);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn range(options: &Options, now: Timestamp) -> Result<Range, RollError> {
    let hour = |time: Timestamp| {
        let time = time.as_microsecond();
        time - time.rem_euclid(HOUR)
    };
    let end = hour(now) + HOUR;
    if let Some(from) = options.from.filter(|from| *from > now) {
        return Err(RollError::Future(from));
    }
    if let Some((from, to)) = options.from.zip(options.to).filter(|(from, to)| from >= to) {
        return Err(RollError::NoRange { from, to });
    }
    let mut from = options.from.map_or(0, hour);
    let up = |time: Timestamp| {
        hour(time)
            + if hour(time) == time.as_microsecond() {
                0
            } else {
                HOUR
            }
    };
    let to = options.to.map_or(end, up).min(end);
    if options.rebuild {
        let begin = Timestamp::from_microsecond(from).unwrap_or(now);
        let month = Offset::UTC.to_datetime(begin).date().first_of_month();
        let month = Offset::UTC.to_timestamp(month.at(0, 0, 0, 0));
        from = month.map_or(from, Timestamp::as_microsecond);
    }
    Ok(Range { from, to })
}

pub(crate) async fn topics_of(
    wanted: &[String],
    store: &impl List,
    layout: &Layout,
    root: &str,
) -> Result<Vec<String>, RollError> {
    let known = topics(store, layout).await?;
    if wanted.is_empty() {
        return Ok(known);
    }
    let named = wanted.iter().map(|topic| {
        let segment = layout.bronze().topic_segment(topic);
        match known.contains(&segment) {
            true => Ok(segment),
            false => Err(RollError::NoTopic {
                topic: topic.clone(),
                root: root.to_owned(),
                known: known.clone(),
            }),
        }
    });
    named.collect()
}
