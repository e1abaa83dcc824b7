//! Minutes without data in a trading session, each explained by what the lake and the pollers have recorded.
//!
//! A topic's time is cut into slots of its beat, whole minutes. A slot of a symbol has data if a price of that time was
//! recorded. What has none has one [`Explanation`], and slots that follow each other with the same one are a [`Gap`].

mod aside;
mod explain;
mod logs;
mod objects;
mod options;
mod report;
mod scan;
mod seen;
mod sessions;
mod slots;
#[cfg(test)]
mod tests;
mod topic;

use std::{collections::BTreeMap, io, path::PathBuf, sync::Arc};

use jiff::Timestamp;
use lake::{Version, store::StoreError};
use runtime::{Environment, clock};
use serde::Serialize;

use crate::{
    damaged::Damaged,
    lake_location::{LakeLocationError, OpenLake},
};

pub use explain::Explanation;
pub use options::{Options, Selection};
pub use report::text;
pub(crate) use scan::scan;

/// Why gaps can't be told.
#[derive(Debug, thiserror::Error)]
pub enum GapsError {
    /// There is no such lake.
    #[error(transparent)]
    Location(#[from] LakeLocationError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A lake of layout 1.
    #[error(
        "the history at {0} has layout 1, whose times are of another kind: name a newer epoch with --epoch"
    )]
    LayoutOne(String),
    /// A range that is none.
    #[error("--from {from} is not before --to {to}: give an earlier --from")]
    NoRange {
        /// Its start.
        from: Timestamp,
        /// Its end.
        to: Timestamp,
    },
    /// A range without a whole slot.
    #[error(
        "from {from} to {to} there is no whole beat of {minutes} min of the topic '{topic}' that is over: give a longer range"
    )]
    NoSlot {
        /// The topic.
        topic: String,
        /// Its beat.
        minutes: u32,
        /// The start.
        from: Timestamp,
        /// The end.
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
        "bronze at {root} has no symbol '{symbol}' in the topics that are looked at: check --symbol and --topic"
    )]
    NoSymbol {
        /// The symbol.
        symbol: String,
        /// Where the lake is.
        root: String,
    },
    /// Logs that can't be read.
    #[error("the logs at {} can't be read ({cause}): check --logs", path.display())]
    Logs {
        /// The file or folder.
        path: PathBuf,
        /// The system's words.
        cause: io::Error,
    },
}

/// Slots of a symbol that follow each other, have no data, and have the same explanation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// When it begins.
    pub from: Timestamp,
    /// When it ends.
    pub to: Timestamp,
    /// How many minutes of the session it has.
    pub minutes: u64,
    /// Why there is no data. Neither [`Explanation::Recorded`] nor [`Explanation::Closed`].
    pub explanation: Explanation,
    /// Whether the calendar knows the holidays of that time: else the market may have been closed.
    pub holidays_known: bool,
}

/// A symbol's time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SymbolGaps {
    /// The symbol.
    pub symbol: String,
    /// The time zone of its market; UTC for one that never closes.
    pub market: &'static str,
    /// Its providers.
    pub sources: Vec<String>,
    /// Whether its records are daily bars, which have no minutes of their own.
    pub is_daily: bool,
    /// How many minutes each explanation has, by its name.
    pub minutes: BTreeMap<&'static str, u64>,
    /// Its gaps, in order.
    pub gaps: Vec<Gap>,
}

/// A topic's time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicGaps {
    /// The minutes of a slot.
    pub beat: u32,
    /// Its symbols, in order.
    pub symbols: Vec<SymbolGaps>,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// By topic.
    pub topics: BTreeMap<String, TopicGaps>,
    /// Bronze objects that can't be read.
    pub damaged: Damaged,
    /// The logs that were read.
    pub logs: Option<LogsRead>,
}

/// Logs that were read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogsRead {
    /// Their folder.
    pub folder: PathBuf,
    /// How many lines of pollers' metrics they have of the topics that are looked at.
    pub metrics: u64,
    /// How many lines name a failure of them.
    pub failures: u64,
}

impl Outcome {
    /// Whether every gap is explained, by objects that can all be read.
    pub fn is_explained(&self) -> bool {
        let unexplained = |gap: &Gap| gap.explanation == Explanation::Unexplained;
        self.damaged.count == 0 && !self.gaps().any(|(_, _, gap)| unexplained(gap))
    }

    /// Every gap, with its topic and symbol.
    pub fn gaps(&self) -> impl Iterator<Item = (&str, &SymbolGaps, &Gap)> {
        self.topics.iter().flat_map(|(topic, of)| {
            let symbols = of.symbols.iter();
            symbols.flat_map(move |symbol| {
                let gaps = symbol.gaps.iter();
                gaps.map(move |gap| (topic.as_str(), symbol, gap))
            })
        })
    }
}

/// Runs `quotelake gaps`.
///
/// # Errors
/// [`GapsError`].
pub async fn run(options: &Options, environment: &Environment) -> Result<Outcome, GapsError> {
    let now = clock::now();
    let range = range(&options.selection, now)?;
    let lake = open(&options.selection, environment).await?;
    let local = || {
        let folder = options.selection.location.folder()?.join("logs");
        folder.is_dir().then_some(folder)
    };
    let logs = options.logs.clone().or_else(local);
    let of = (Arc::new(lake.s3().clone()), lake.layout(), lake.location());
    scan(of, &options.selection, logs, (range, now), options.json).await
}

/// The lake, if its times are those that are needed here.
pub(crate) async fn open(
    selection: &Selection,
    environment: &Environment,
) -> Result<OpenLake, GapsError> {
    let lake = selection.location.open(environment).await?;
    match lake.layout().version() {
        Version::One => Err(GapsError::LayoutOne(lake.location().to_owned())),
        Version::Two => Ok(lake),
    }
}

/// How long a record may take to land, in seconds: the longest batching window of a trigger, and its invocation.
const LANDING: i64 = 600;

/// The stretch of time that is looked at, up to now.
pub(crate) fn range(
    selection: &Selection,
    now: Timestamp,
) -> Result<(Timestamp, Timestamp), GapsError> {
    let before = |time: Timestamp, seconds| {
        let seconds = jiff::SignedDuration::from_secs(seconds);
        time.saturating_sub(seconds).unwrap_or(Timestamp::MIN)
    };
    let to = selection.to.unwrap_or_else(|| before(now, LANDING));
    let from = selection
        .from
        .unwrap_or_else(|| before(to.min(now), 86_400));
    if from > now {
        return Err(GapsError::Future(from));
    }
    if from >= to {
        return Err(GapsError::NoRange { from, to });
    }
    Ok((from, to.min(now)))
}
