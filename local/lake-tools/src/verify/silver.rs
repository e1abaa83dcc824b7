use std::{error::Error, sync::Arc, time::Duration};

use async_trait::async_trait;
use jiff::Timestamp;
use lake::{
    described,
    store::{Get, List, PutIf, S3Store, StoreError},
};
use market::bars::HOUR;
use plane::proof::{Counted, Judgement, Proof};
use runtime::{Environment, clock};
use serde_json::{Value, json};
use silver::{
    Difference, How, Job, Judged, Layout, Of, Range, Shard, Watermarks, Wrong, judge, symbols,
    topics,
};
use stream::OffsetRange;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{
    damaged::Damaged,
    lake_location::LakeLocation,
    roll::{self, RollError, Silver, roll_until_complete},
};

/// The binary of the functions that this proof is for.
pub const SILVER_BINARY: &str = "bar-roller";

/// What `verify silver` is asked.
#[derive(Clone, Debug)]
pub struct SilverOptions {
    /// The lake to verify.
    pub lake: LakeLocation,
    /// Where the bars lie.
    pub silver: Silver,
    /// Only these topics; all that bronze has if empty.
    pub topics: Vec<String>,
    /// Whether the verdict is printed as JSON.
    pub json: bool,
}

/// What was found of the bars of some topics.
#[derive(Debug, Default)]
pub struct SilverVerdict {
    /// Bars that a fold of all records at once makes too.
    pub right: u64,
    /// Bars of hours that were not rolled since bronze changed.
    pub behind: u64,
    /// Bars of records that bronze has no more.
    pub kept: u64,
    /// How many are not what bronze says.
    pub wrong: u64,
    /// The first hundred of them, a sentence each.
    pub named: Vec<String>,
    /// Silver files that can't be read.
    pub damaged: Damaged,
    /// Bronze objects that can't be read: the bars of their hours are not complete.
    pub bronze_damaged: Damaged,
}

/// What is named at most.
const NAMED: usize = 100;

impl SilverVerdict {
    /// Whether every bar is right, or waits for the next roll.
    pub fn is_right(&self) -> bool {
        self.wrong == 0 && self.damaged.count == 0 && self.bronze_damaged.count == 0
    }

    fn add(&mut self, of: &Of, judged: &Judged) {
        self.right += judged.right;
        self.behind += judged.behind;
        self.kept += judged.kept;
        for wrong in &judged.wrong {
            self.wrong += 1;
            if self.named.len() < NAMED {
                self.named.push(sentence(of, wrong));
            }
        }
        for (key, damage) in &judged.damaged {
            self.damaged.add(key, damage);
        }
        for (key, reason) in &judged.bronze_damaged {
            self.bronze_damaged.add(key, reason);
        }
    }

    /// What speaks against it, one sentence per line; empty if nothing does.
    pub fn findings(&self) -> String {
        let mut text: String = self
            .named
            .iter()
            .map(|named| format!("{named}\n"))
            .collect();
        let rest = self.wrong - self.named.len() as u64;
        if rest > 0 {
            text.push_str(&format!("wrong  {rest} more\n"));
        }
        text.push_str(&self.damaged.lines());
        text.push_str(&self.bronze_damaged.lines());
        text
    }

    /// The verdict as the options want it printed.
    pub fn text(&self, as_json: bool) -> String {
        if as_json {
            return format!("{}\n", self.details());
        }
        let verdict = match (self.is_right(), self.right + self.behind + self.kept) {
            (true, 0) => "there are no bars: run `quotelake roll`",
            (true, _) if self.behind > 0 => "right: bars that are behind wait for the next roll",
            (true, _) => "right: every bar is what a fold of all records at once makes",
            (false, _) if self.wrong == 0 && self.damaged.count == 0 => {
                "NOT COMPLETE: restore the damaged objects of bronze, or remove them, and roll again"
            }
            (false, _) => "NOT RIGHT: run `quotelake roll --rebuild`",
        };
        format!("{}\n{}{verdict}\n", self.parts(), self.findings())
    }

    fn parts(&self) -> String {
        let kept = match self.kept {
            0 => String::new(),
            kept => format!(" + of expired records {kept}"),
        };
        format!("right {} + behind {}{kept}", self.right, self.behind)
    }

    fn details(&self) -> Value {
        json!({
            "right": self.right,
            "behind": self.behind,
            "kept": self.kept,
            "wrong": self.wrong,
            "named": self.named,
            "damaged": self.damaged,
            "bronze_damaged": self.bronze_damaged,
            "exact": self.is_right(),
        })
    }
}

fn sentence(of: &Of, wrong: &Wrong) -> String {
    let start = Timestamp::from_microsecond(wrong.start).unwrap_or(Timestamp::UNIX_EPOCH);
    let bar = format!(
        "{} of {} {} from {start}",
        wrong.interval, of.topic, of.symbol
    );
    match &wrong.how {
        Difference::Missing => format!("wrong  {bar} is missing"),
        Difference::Unfounded => format!("wrong  {bar} is of no record in bronze"),
        Difference::Other(columns) => format!("wrong  {bar} has other {}", columns.join(", ")),
    }
}

/// Runs `quotelake verify silver`.
///
/// # Errors
/// [`RollError`] if there is no such lake, or the store does not answer.
pub async fn verify_silver(
    options: &SilverOptions,
    environment: &Environment,
) -> Result<SilverVerdict, RollError> {
    let lake = options.lake.open(environment).await?;
    let layout = roll::layout(&options.silver, &options.lake.prefix, &lake)?;
    if lake.s3().list(layout.root(), None).await?.is_empty() {
        return Err(RollError::NoBars(layout.root().to_owned()));
    }
    let topics = roll::topics_of(&options.topics, lake.s3(), &layout, lake.location()).await?;
    let how = How {
        rules: options.silver.rules(),
        ..How::default()
    };
    Ok(verdict(lake.s3(), &layout, &topics, &how).await?)
}

async fn verdict(
    store: &(impl PutIf + Get + List),
    layout: &Layout,
    topics: &[String],
    how: &How,
) -> Result<SilverVerdict, silver::RollError> {
    let mut verdict = SilverVerdict::default();
    for topic in topics {
        let watermarks = Watermarks::read(store, &layout.watermark_key(topic)).await?;
        for symbol in symbols(store, layout, topic).await? {
            let of = Of {
                topic: topic.clone(),
                symbol,
            };
            let judged = judge(store, layout, &of, (how.rules, &watermarks)).await?;
            verdict.add(&of, &judged);
        }
    }
    Ok(verdict)
}

/// The proof of a bar roller: every bar of its topics is what a fold of all records at once makes.
pub struct SilverProof {
    /// The client of the lake's bucket.
    pub store: S3Store,
    /// The prefix of bronze.
    pub bronze: String,
    /// The prefix of the bars.
    pub silver: String,
    /// The history of the topics.
    pub epoch: Option<String>,
    /// Where a person finds them.
    pub location: String,
    /// The topics that the function rolls.
    pub topics: Vec<String>,
    /// How it rolls.
    pub how: How,
}

impl SilverProof {
    /// Its name.
    pub const NAME: &str = "silver";

    /// The layout, once a writer has begun the history.
    async fn layout(&self) -> Result<Option<Layout>, StoreError> {
        let epoch = self.epoch.as_deref();
        let bronze = described(&self.store, &self.bronze, epoch).await?;
        Ok(bronze.map(|bronze| Layout::new(&self.silver, epoch, bronze)))
    }

    /// What the function's next run would do: bronze has changed since the last one.
    async fn roll(&self, layout: &Layout, topic: &str) -> Result<(), Box<dyn Error + Send + Sync>> {
        let now = clock::now().as_microsecond();
        let end = now - now.rem_euclid(HOUR) + HOUR;
        let job = Job {
            topic: topic.to_owned(),
            range: Range { from: 0, to: end },
            how: self.how,
            shard: Shard::ALL,
            symbols: <_>::default(),
            at_once: 8,
        };
        let until = Instant::now() + LAST_ROLL;
        let (store, stop) = (Arc::new(self.store.clone()), CancellationToken::new());
        roll_until_complete(&store, layout, &job, (until, &stop), &mut |_| {}).await?;
        Ok(())
    }
}

/// How long the last roll of a topic may take.
const LAST_ROLL: Duration = Duration::from_mins(5);

#[async_trait(?Send)]
impl Proof for SilverProof {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn location(&self) -> &str {
        &self.location
    }

    fn expected_under(&self) -> String {
        format!("{}/{}", self.silver, self.topics.join(","))
    }

    async fn judge(&self, _: &[OffsetRange]) -> Result<Judgement, Box<dyn Error + Send + Sync>> {
        let Some(layout) = self.layout().await? else {
            return Ok(SilverVerdict::default().into());
        };
        let known = topics(&self.store, &layout).await?;
        let named = self
            .topics
            .iter()
            .map(|topic| layout.bronze().topic_segment(topic));
        let topics: Vec<String> = named.filter(|topic| known.contains(topic)).collect();
        for topic in &topics {
            self.roll(&layout, topic).await?;
        }
        let mut verdict = verdict(&self.store, &layout, &topics, &self.how).await?;
        if !self.how.provisional {
            // Bars that are held back until they are complete.
            verdict.behind = 0;
        }
        Ok(verdict.into())
    }
}

impl From<SilverVerdict> for Judgement {
    fn from(verdict: SilverVerdict) -> Self {
        Self {
            counted: Counted::Made("bars"),
            exact: verdict.is_right() && verdict.behind == 0,
            records: verdict.right + verdict.behind + verdict.wrong,
            accounted: verdict.right,
            parts: verdict.parts(),
            findings: verdict.findings(),
            details: verdict.details(),
        }
    }
}
