//! All symbols of a topic, side by side.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use lake::store::{Get, List, PutIf, StoreError, list_folders};
use market::bars::HOUR;
use sha2::{Digest, Sha256};
use tokio::{
    task::JoinSet,
    time::{Instant, timeout_at},
};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::{How, Layout, Of, Range, RollError, Rolled, Watermarks, roll};

/// What of a topic is rolled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// The topic, as keys spell it.
    pub topic: String,
    /// The hours.
    pub range: Range,
    /// How.
    pub how: How,
    /// Which part of the symbols.
    pub shard: Shard,
    /// These symbols alone, as keys spell them; all of the shard if empty.
    pub symbols: BTreeSet<String>,
    /// How many symbols are rolled at the same time.
    pub at_once: usize,
}

/// One of several parts of a topic's symbols, told apart by a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// From 0.
    pub number: u32,
    /// How many there are.
    pub of: u32,
}

impl Shard {
    /// All symbols.
    pub const ALL: Self = Self { number: 0, of: 1 };

    /// Whether a symbol is in it.
    pub fn has(self, symbol: &str) -> bool {
        let hash = Sha256::digest(symbol);
        let number = hash
            .iter()
            .take(4)
            .fold(0, |number, byte| (number << 8) | u32::from(*byte));
        number % self.of.max(1) == self.number
    }
}

/// What became of a topic.
#[derive(Debug, Default)]
pub struct TopicRolled {
    /// Symbols that were looked at.
    pub symbols: usize,
    /// Those of which nothing had changed.
    pub unchanged: usize,
    /// The sum over the symbols; its newest times are the newest of any.
    pub total: Rolled,
    /// Symbols that were not rolled, each with the reason.
    pub failed: BTreeMap<String, RollError>,
    /// Symbols that there was no time for. The next run takes them up.
    pub left: Vec<String>,
}

/// The topics that bronze has, as keys spell them.
///
/// # Errors
/// Any [`StoreError`].
pub async fn topics(store: &impl List, layout: &Layout) -> Result<Vec<String>, StoreError> {
    let bronze = layout.bronze();
    folders(store, &bronze.root(), bronze.names().topic).await
}

/// The symbols of a topic that bronze has, as keys spell them.
///
/// # Errors
/// Any [`StoreError`].
pub async fn symbols(
    store: &impl List,
    layout: &Layout,
    topic: &str,
) -> Result<Vec<String>, StoreError> {
    let bronze = layout.bronze();
    let root = format!("{}{}{topic}/", bronze.root(), bronze.names().topic);
    folders(store, &root, bronze.names().symbol).await
}

/// Rolls every symbol of the job's shard, and calls `done` after each with the number of all symbols. A symbol that fails costs no other; what is not begun
/// at `until`, or when `stop` is cancelled, is left.
///
/// # Errors
/// A [`StoreError`] if the symbols can't be listed, or what was recorded of the topic can't be read.
pub async fn roll_topic<S: PutIf + Get + List + 'static>(
    store: &Arc<S>,
    layout: &Layout,
    job: &Job,
    (until, stop): (Instant, &CancellationToken),
    mut done: impl FnMut(usize, &str, &Result<Rolled, RollError>),
) -> Result<TopicRolled, StoreError> {
    let key = layout.watermark_key(&job.topic);
    let begin = async {
        let known = Watermarks::read(&**store, &key).await?;
        Ok((known, symbols(&**store, layout, &job.topic).await?))
    };
    let out_of_time = |_| Err(StoreError::OutOfTime { key: key.clone() });
    let begun = timeout_at(until, begin).await.unwrap_or_else(out_of_time);
    let (known, mut symbols) = begun?;
    let known = Arc::new(known);
    symbols.retain(|symbol| {
        job.shard.has(symbol) && (job.symbols.is_empty() || job.symbols.contains(symbol))
    });
    // Whoever was left by the last runs comes first in some later one.
    let hour = usize::try_from(job.range.to.div_euclid(HOUR)).unwrap_or(0);
    let first = hour.wrapping_mul(FIRST_OF_A_RUN) % symbols.len().max(1);
    symbols.rotate_left(first);
    let mut all = TopicRolled {
        symbols: symbols.len(),
        ..TopicRolled::default()
    };
    let mut running = JoinSet::new();
    for symbol in symbols {
        while running.len() >= job.at_once.max(1) {
            all.join(running.join_next().await, &mut done);
        }
        if Instant::now() >= until || stop.is_cancelled() {
            all.left.push(symbol);
            continue;
        }
        let (store, layout, known) = (Arc::clone(store), layout.clone(), Arc::clone(&known));
        let (topic, range, how) = (job.topic.clone(), job.range, job.how);
        running.spawn(async move {
            let of = Of { topic, symbol };
            let rolled = roll(&*store, &layout, &of, range, &how, (&known, until)).await;
            (of.symbol, rolled)
        });
    }
    while let Some(joined) = running.join_next().await {
        all.join(Some(joined), &mut done);
    }
    if !job.how.dry_run {
        // What is not recorded is seen again: it costs no bar, and what was rolled is told all the same.
        let recording = all.total.watermarks.record(&**store, &key);
        match timeout_at(until, recording).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => warn!(%error, "watermarks were not recorded"),
            Err(_) => warn!(%key, "there was no time left to record watermarks"),
        }
    }
    Ok(all)
}

/// How far apart the first symbols of two hours' runs are: with no number of symbols it meets the same ones only.
const FIRST_OF_A_RUN: usize = 7_919;

type Joined = Result<(String, Result<Rolled, RollError>), tokio::task::JoinError>;

impl TopicRolled {
    /// Adds what a second run over the same symbols did.
    pub fn go_on(&mut self, again: Self) {
        self.unchanged = self.unchanged.min(again.unchanged);
        self.total.add(again.total);
        (self.failed, self.left) = (again.failed, again.left);
    }

    fn join(
        &mut self,
        joined: Option<Joined>,
        done: &mut impl FnMut(usize, &str, &Result<Rolled, RollError>),
    ) {
        let (symbol, rolled) = match joined {
            Some(Ok(of)) => of,
            // A defect of ours: its panic goes on here.
            Some(Err(error)) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            _ => return,
        };
        done(self.symbols, &symbol, &rolled);
        match rolled {
            Ok(rolled) => {
                self.unchanged += usize::from(rolled.files == 0);
                self.total.add(rolled);
            }
            Err(RollError::Store(StoreError::OutOfTime { .. })) => self.left.push(symbol),
            Err(error) => {
                self.failed.insert(symbol, error);
            }
        }
    }
}

impl Rolled {
    /// Adds what became of another symbol.
    pub fn add(&mut self, other: Self) {
        self.hours += other.hours;
        self.bars += other.bars;
        self.files += other.files;
        self.objects += other.objects;
        self.lines += other.lines;
        self.late += other.late;
        for (aside, count) in other.asides {
            *self.asides.entry(aside).or_default() += count;
        }
        self.damaged.extend(other.damaged);
        self.newest = self.newest.max(other.newest);
        self.watermarks.merge(&other.watermarks);
    }
}

async fn folders(store: &impl List, root: &str, name: &str) -> Result<Vec<String>, StoreError> {
    let folders = list_folders(store, root).await?;
    let named = folders.iter().filter_map(|folder| {
        let part = folder.strip_prefix(root)?.strip_prefix(name)?;
        part.strip_suffix('/').map(str::to_owned)
    });
    Ok(named.collect())
}
