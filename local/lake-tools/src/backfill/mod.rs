//! Filling gaps with the bars of providers that have a history.
//!
//! The bars of a symbol's missing minutes of one UTC day are one message of the schema `stock-intraday/1`, published to the
//! gap's own topic with the symbol as its key. The trigger lands it, and the next roll makes bars of it whose basis is
//! `provider`. Trades and quotes of the same minute, whenever they land, stand over it.

mod options;
mod report;
mod source;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use market::{Bar, MinuteBars, Observation, bars::MINUTE, minutes_message};
use plane::brokers::Brokers;
use runtime::{Environment, clock};
use stream::{
    AccessError,
    publish::{KafkaPublisher, ProducerError, Publish},
};
use tokio::time::Instant;

use crate::{
    gaps::{self, Gap, GapsError, SymbolGaps},
    roll::progress::Progress,
};

pub use options::Options;
pub use report::text;
use source::{Source, Sources, fetch, source};

/// Why nothing could be filled.
#[derive(Debug, thiserror::Error)]
pub enum BackfillError {
    /// The gaps can't be told.
    #[error(transparent)]
    Gaps(#[from] GapsError),
    /// Nothing says where to publish.
    #[error(
        "nothing says where the topics are: give their brokers with --brokers HOST:PORT, or --dry-run to publish nothing"
    )]
    NoBrokers,
    /// The brokers' addresses or credentials.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The brokers.
    #[error(transparent)]
    Producer(#[from] ProducerError),
}

/// What became of the gaps of one symbol.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filled {
    /// Minutes that have no data.
    pub missing: u64,
    /// Bars that were published for them, or with a dry run would be asked for.
    pub bars: u64,
    /// Messages that they are in.
    pub messages: u64,
    /// Why there are no others; each reason once.
    pub problems: Vec<String>,
}

/// What became of the gaps, by topic and symbol.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Of each symbol that has gaps.
    pub symbols: BTreeMap<(String, String), Filled>,
    /// Whether nothing was asked and published.
    pub dry_run: bool,
}

impl Outcome {
    /// Whether every missing minute has a bar.
    pub fn is_complete(&self) -> bool {
        let mut filled = self.symbols.values();
        filled.all(|filled| filled.bars == filled.missing && filled.problems.is_empty())
    }
}

/// How long the brokers may take to answer.
const CONNECT: Duration = Duration::from_secs(10);

/// How long a record may take to be acknowledged.
const PUBLISH: Duration = Duration::from_secs(30);

/// A provider's bar is finished so long after its minute.
const FINISHED: SignedDuration = SignedDuration::from_mins(2);

/// Runs `quotelake backfill`. Each message is published before the next question is asked, and to run it again goes on.
///
/// # Errors
/// [`BackfillError`] before anything is published.
pub async fn run(options: &Options, environment: &Environment) -> Result<Outcome, BackfillError> {
    let publisher = match (&options.brokers, options.dry_run) {
        (_, true) => None,
        (None, false) => return Err(BackfillError::NoBrokers),
        (Some(brokers), false) => {
            let cluster = Brokers::new(brokers, environment).cluster().await?;
            let publisher = KafkaPublisher::new(&cluster)?;
            publisher.connect(CONNECT).await?;
            Some(publisher)
        }
    };
    let selection = &options.selection;
    let now = clock::now();
    let range = gaps::range(selection, now)?;
    let lake = gaps::open(selection, environment).await?;
    let of = (Arc::new(lake.s3().clone()), lake.layout(), lake.location());
    let found = gaps::scan(of, selection, None, (range, now), options.json).await?;
    let finished = now.saturating_sub(FINISHED).unwrap_or(Timestamp::MIN);
    let mut outcome = Outcome {
        dry_run: options.dry_run,
        ..Outcome::default()
    };
    let mut sources = Sources::new(environment);
    let mut progress = Progress::new(options.json, found.topics.len());
    for (topic, of) in &found.topics {
        progress.topic(topic);
        for symbol in &of.symbols {
            progress.symbol(of.symbols.len());
            let days = days(symbol, finished);
            if days.is_empty() {
                continue;
            }
            let filled = fill(topic, symbol, days, (&mut sources, publisher.as_ref())).await;
            let of = (topic.clone(), symbol.symbol.clone());
            outcome.symbols.insert(of, filled);
        }
    }
    progress.finish();
    Ok(outcome)
}

/// Missing minutes, each by its start in microseconds since 1970.
type Minutes = Vec<i64>;

/// The missing minutes of a symbol that are over, by days of UTC.
fn days(symbol: &SymbolGaps, finished: Timestamp) -> Vec<Minutes> {
    let mut days: BTreeMap<i64, Minutes> = BTreeMap::new();
    let lost = |gap: &&Gap| gap.explanation.is_loss();
    for gap in symbol.gaps.iter().filter(lost) {
        let mut minute = gap.from.as_microsecond();
        let end = gap.to.min(finished).as_microsecond();
        while minute + MINUTE <= end {
            let day = minute.div_euclid(market::bars::DAY);
            days.entry(day).or_default().push(minute);
            minute += MINUTE;
        }
    }
    days.into_values().collect()
}

async fn fill(
    topic: &str,
    symbol: &SymbolGaps,
    days: Vec<Minutes>,
    (sources, publisher): (&mut Sources, Option<&KafkaPublisher>),
) -> Filled {
    let mut filled = Filled {
        missing: days.iter().map(|minutes| minutes.len() as u64).sum(),
        ..Filled::default()
    };
    let source = match source(symbol) {
        Ok(source) => source,
        Err(error) => {
            filled.problem(&error);
            return filled;
        }
    };
    let Some(publisher) = publisher else {
        filled.bars = filled.missing;
        filled.messages = days.len() as u64;
        return filled;
    };
    let feed = match sources.feed(source.feed) {
        Ok(feed) => feed,
        Err(error) => {
            filled.problem(&error);
            return filled;
        }
    };
    for minutes in days {
        let answer = ask(&feed, (&source, &symbol.symbol), &minutes).await;
        let observation = match answer {
            Ok(observation) => observation,
            Err(error) => {
                filled.problem(&error);
                continue;
            }
        };
        let bars = observation.said.len() as u64;
        if bars < minutes.len() as u64 {
            filled.problem(&"the provider has no bar of some of the minutes");
        }
        if bars == 0 {
            continue;
        }
        let message = minutes_message(&observation);
        let until = Instant::now() + PUBLISH;
        match publisher
            .publish(topic, &message.key, &message.body, until)
            .await
        {
            Ok(_) => {
                filled.bars += bars;
                filled.messages += 1;
            }
            Err(error) => filled.problem(&error),
        }
    }
    filled
}

/// The provider's bars of exactly these minutes.
async fn ask(
    feed: &feeds::Feed,
    of: (&Source, &str),
    minutes: &[i64],
) -> Result<Observation<MinuteBars>, feeds::FetchError> {
    let time = |time: i64| Timestamp::from_microsecond(time).unwrap_or(Timestamp::MAX);
    let (Some(first), Some(last)) = (minutes.first(), minutes.last()) else {
        return Err(feeds::FetchError::NoData);
    };
    let range = (time(*first), time(last + MINUTE));
    let mut observation = fetch(feed, of, range).await?;
    observation.said.retain(|bar| is_of(bar, minutes));
    Ok(observation)
}

fn is_of(bar: &Bar<Timestamp>, minutes: &[i64]) -> bool {
    let start = bar.at.as_microsecond();
    minutes
        .binary_search(&(start - start.rem_euclid(MINUTE)))
        .is_ok()
}

impl Filled {
    fn problem(&mut self, problem: &dyn std::fmt::Display) {
        let problem = problem.to_string();
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gaps::Explanation;

    #[test]
    fn the_lost_minutes_that_are_over_are_asked_for_by_days_and_no_others() {
        let time = |text: &str| text.parse::<Timestamp>().unwrap();
        let gap = |from: &str, to: &str, explanation| Gap {
            from: time(from),
            to: time(to),
            minutes: 0,
            explanation,
            holidays_known: true,
        };
        let symbol = SymbolGaps {
            symbol: "BTCUSDT".to_owned(),
            market: "UTC",
            sources: Vec::new(),
            is_daily: false,
            minutes: BTreeMap::new(),
            gaps: vec![
                gap(
                    "2026-11-20T23:58Z",
                    "2026-11-21T00:01Z",
                    Explanation::NotRunning,
                ),
                gap(
                    "2026-11-21T00:05Z",
                    "2026-11-21T00:06Z",
                    Explanation::Silent,
                ),
                gap(
                    "2026-11-21T00:07Z",
                    "2026-11-21T00:08Z",
                    Explanation::Filled,
                ),
                gap(
                    "2026-11-21T00:09Z",
                    "2026-11-21T00:12Z",
                    Explanation::Unexplained,
                ),
            ],
        };
        let days = days(&symbol, time("2026-11-21T00:10:30Z"));
        let starts = |minutes: &Minutes| {
            let starts = minutes
                .iter()
                .map(|minute| Timestamp::from_microsecond(*minute).unwrap());
            starts
                .map(|start| start.strftime("%H:%M").to_string())
                .collect::<Vec<_>>()
        };
        let found: Vec<_> = days.iter().map(starts).collect();
        assert_eq!(found, [vec!["23:58", "23:59"], vec!["00:00", "00:09"]]);
    }
}
