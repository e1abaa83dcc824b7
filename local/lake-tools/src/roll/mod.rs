//! Making bars of what is in bronze: a backfill, a new lateness, or files that somebody edited.
//!
//! It is the function's own code, so hours of which nothing changed are not touched, and to run it again goes on.

mod answers;
mod cut;
mod error;
mod options;
pub(crate) mod progress;
mod report;
mod rules;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, sync::Arc};

use jiff::{Timestamp, tz::Offset};
use lake::{
    Version,
    settings::prefixes_overlap,
    store::{Get, List, PutIf, StoreError},
};
use market::bars::{HOUR, Rules};
use runtime::{Environment, clock};
use silver::{Job, Layout, Range, Rolled, TopicRolled, roll_topic, symbols, topics};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::lake_location::OpenLake;

use answers::Answering;
pub(crate) use answers::ask;
use cut::Cuttable;
pub use error::RollError;
pub use options::{Options, Silver};
pub(crate) use options::{duration, time};
use progress::Progress;
pub(crate) use report::lateness;
pub use report::text;
pub(crate) use rules::rules;

/// What became of it, by topic.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Of each topic.
    pub topics: BTreeMap<String, TopicRolled>,
    /// Which records count in the bars of each topic.
    pub rules: BTreeMap<String, Rules>,
    /// Whether nothing was written.
    pub dry_run: bool,
    /// Why it ended before the end.
    pub cut: Option<Cut>,
}

/// Why a roll ends before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Somebody stopped it.
    Stopped,
    /// The store has not answered for minutes.
    Silence,
}

impl Outcome {
    /// Whether every symbol was rolled, from objects that can all be read.
    pub fn is_whole(&self) -> bool {
        let whole = |topic: &TopicRolled| {
            topic.failed.is_empty() && topic.left.is_empty() && topic.total.damaged.is_empty()
        };
        self.cut.is_none() && self.topics.values().all(whole)
    }
}

/// Runs `quotelake roll` until it is done, the store does not answer for 5 minutes, or `stop` is cancelled. The symbols in hand have
/// 5 seconds then.
///
/// # Errors
/// [`RollError`] before anything is written.
pub async fn run(
    options: &Options,
    environment: &Environment,
    stop: CancellationToken,
) -> Result<Outcome, RollError> {
    let open = async {
        let lake = options.location.open(environment).await?;
        let layout = layout(&options.silver, &options.location.prefix, &lake)?;
        Ok::<_, RollError>((lake, layout))
    };
    let opened = tokio::select! {
        opened = open => Some(opened?),
        () = stop.cancelled() => None,
    };
    match opened {
        Some((lake, layout)) => {
            let store = Arc::new(Answering::new(lake.s3().clone()));
            roll_lake(options, &store, (&layout, lake.location()), &stop).await
        }
        None => Ok(Outcome {
            dry_run: options.dry_run,
            cut: Some(Cut::Stopped),
            ..Outcome::default()
        }),
    }
}

async fn roll_lake<S: PutIf + Get + List + 'static>(
    options: &Options,
    store: &Arc<Answering<S>>,
    (layout, root): (&Layout, &str),
    stop: &CancellationToken,
) -> Result<Outcome, RollError> {
    let range = range(options, clock::now())?;
    let mut outcome = Outcome {
        dry_run: options.dry_run,
        ..Outcome::default()
    };
    let plan = async {
        let topics = topics_of(&options.topics, &**store, layout, root).await?;
        check_symbols(&options.symbols, &topics, &**store, (layout, root)).await?;
        Ok::<_, RollError>(topics)
    };
    let topics = tokio::select! {
        topics = plan => topics?,
        () = stop.cancelled() => {
            outcome.cut = Some(Cut::Stopped);
            return Ok(outcome);
        }
    };
    let mut progress = Progress::new(options.json, topics.len());
    for topic in topics {
        progress.topic(&topic);
        let cuttable = Cuttable {
            options,
            range,
            store,
            layout,
            stop,
        };
        cuttable.roll(&topic, &mut progress, &mut outcome).await?;
        if outcome.cut.is_some() {
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
        let known = symbols_of(store, layout, topic).await?;
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
///
/// # Errors
/// A [`StoreError`] if nothing could be begun, after a minute if it is transient.
pub(crate) async fn roll_until_complete<S: PutIf + Get + List + 'static>(
    store: &Arc<S>,
    layout: &Layout,
    job: &Job,
    (until, stop): (Instant, &CancellationToken),
    done: &mut impl FnMut(usize, &str, &Result<Rolled, silver::RollError>),
) -> Result<TopicRolled, StoreError> {
    let key = layout.watermark_key(&job.topic);
    let read = async || silver::Watermarks::read(&**store, &key).await;
    let before = ask(StoreError::is_transient, read).await?;
    // It fails only before it has begun.
    let rolling = async || roll_topic(store, layout, job, (until, stop), &mut *done).await;
    let mut first = ask(StoreError::is_transient, rolling).await?;
    let has_moved = before != first.total.watermarks && !job.how.dry_run && !job.how.rebuild;
    if has_moved && !stop.is_cancelled() {
        let rolling = async || roll_topic(store, layout, job, (until, stop), |_, _, _| {}).await;
        first.go_on(ask(StoreError::is_transient, rolling).await?);
    }
    Ok(first)
}

/// The bars of this lake.
pub(crate) fn layout(silver: &Silver, bronze: &str, lake: &OpenLake) -> Result<Layout, RollError> {
    beside(&silver.silver_prefix, bronze)?;
    let bronze = lake.layout().clone();
    if bronze.version() == Version::One {
        return Err(RollError::LayoutOne(lake.location().to_owned()));
    }
    Ok(Layout::new(&silver.silver_prefix, lake.epoch(), bronze))
}

/// Refuses a prefix of bars that is none, or has bronze in it or around it.
fn beside(silver: &str, bronze: &str) -> Result<(), RollError> {
    let (bars, bronze) = (silver.trim_matches('/'), bronze.trim_matches('/'));
    match bars.is_empty() || prefixes_overlap(bars, bronze) {
        true => Err(RollError::SilverPrefix(silver.to_owned())),
        false => Ok(()),
    }
}

fn range(options: &Options, now: Timestamp) -> Result<Range, RollError> {
    let hour = |time: i64| time - time.rem_euclid(HOUR);
    let end = hour(now.as_microsecond()) + HOUR;
    if let Some(from) = options.from.filter(|from| *from > now) {
        return Err(RollError::Future(from));
    }
    if let Some((from, to)) = options.from.zip(options.to).filter(|(from, to)| from >= to) {
        return Err(RollError::NoRange { from, to });
    }
    let mut from = options.from.map_or(0, |from| hour(from.as_microsecond()));
    let up = |to: Timestamp| hour(to.as_microsecond() + HOUR - 1);
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
    let listing = async || topics(store, layout).await;
    let known = ask(StoreError::is_transient, listing).await?;
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

/// The symbols of a topic, after a minute of asking at most.
pub(crate) async fn symbols_of(
    store: &impl List,
    layout: &Layout,
    topic: &str,
) -> Result<Vec<String>, StoreError> {
    let listing = async || symbols(store, layout, topic).await;
    ask(StoreError::is_transient, listing).await
}
