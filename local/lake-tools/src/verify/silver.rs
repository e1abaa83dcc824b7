mod proof;

use jiff::Timestamp;
use lake::store::{Get, List, StoreError};
use market::bars::Rules;
use plane::proof::{Counted, Judgement};
use runtime::Environment;
use serde_json::{Value, json};
use silver::{Difference, How, Judged, Layout, Of, Watermarks, Wrong, judge};

use crate::{
    damaged::Damaged,
    lake_location::LakeLocation,
    roll::{self, RollError, Silver, ask, symbols_of},
    verify,
};

pub use proof::SilverProof;

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

impl SilverOptions {
    /// Those of `verify` that this proof has.
    ///
    /// # Errors
    /// [`RollError::NotOfSilver`] for one that it does not have.
    pub fn of(options: verify::Options, silver: Silver) -> Result<Self, RollError> {
        // Template and parameters are given with brokers alone.
        if options.brokers.is_some() {
            return Err(RollError::NotOfSilver("--brokers"));
        }
        if !options.ranges.is_empty() {
            return Err(RollError::NotOfSilver("--range"));
        }
        Ok(Self {
            lake: options.lake,
            silver,
            topics: options.topics,
            json: options.json,
        })
    }
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
    /// A line for each topic with another lateness than usual.
    lateness: String,
}

/// What is named at most.
const NAMED: usize = 100;

impl SilverVerdict {
    /// Whether every bar is right, or waits for the next roll.
    pub fn is_right(&self) -> bool {
        self.wrong == 0 && self.damaged.count == 0 && self.bronze_damaged.count == 0
    }

    /// What it is right after a roll: bars that such a roll holds back until they are complete are not behind.
    fn after(mut self, how: How) -> Self {
        if !how.provisional {
            self.behind = 0;
        }
        self
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
                "NOT COMPLETE: restore the damaged objects of bronze, or remove those that are none of quotelake's, and roll again"
            }
            (false, _) => "NOT RIGHT: run `quotelake roll --rebuild`",
        };
        let (parts, findings) = (self.parts(), self.findings());
        format!("{parts}\n{}{findings}{verdict}\n", self.lateness)
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
    let files = format!("{}lake_interval=", layout.root());
    let listing = async || lake.s3().list(&files, None).await;
    if ask(StoreError::is_transient, listing).await?.is_empty() {
        return Err(RollError::NoBars(layout.root().to_owned()));
    }
    let mut topics = Vec::new();
    for topic in roll::topics_of(&options.topics, lake.s3(), &layout, lake.location()).await? {
        let rules = roll::rules(&options.silver, lake.s3(), &layout, &topic).await?;
        topics.push((topic, rules));
    }
    Ok(verdict(lake.s3(), &layout, &topics).await?)
}

async fn verdict(
    store: &(impl Get + List),
    layout: &Layout,
    topics: &[(String, Rules)],
) -> Result<SilverVerdict, silver::RollError> {
    let mut verdict = SilverVerdict::default();
    for (topic, rules) in topics {
        let lateness = roll::lateness(*rules);
        if !lateness.is_empty() {
            verdict.lateness.push_str(&format!("{topic}:\n{lateness}"));
        }
        let key = layout.watermark_key(topic);
        let read = async || Watermarks::read(store, &key).await;
        let watermarks = ask(StoreError::is_transient, read).await?;
        for symbol in symbols_of(store, layout, topic).await? {
            let of = Of {
                topic: topic.clone(),
                symbol,
            };
            let judging = async || judge(store, layout, &of, (*rules, &watermarks)).await;
            let judged = ask(silver::RollError::is_transient, judging).await?;
            verdict.add(&of, &judged);
        }
    }
    Ok(verdict)
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

#[cfg(test)]
mod tests;
