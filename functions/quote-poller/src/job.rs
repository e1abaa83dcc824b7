use std::{collections::BTreeSet, time::Duration};

use feeds::{FeedName, UnknownFeed};
use market::{Symbol, SymbolError};
use serde::Deserialize;
use stream::topics::{self, TopicError};

/// What a schedule asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// The provider.
    pub feed: FeedName,
    /// The symbols, each once, in the order given.
    pub symbols: Vec<Symbol>,
    /// The topic to publish to.
    pub topic: String,
    /// From the start of one cycle to the start of the next; the provider's own if absent.
    pub beat: Option<Duration>,
    /// How long cycles start after the first.
    pub budget: Duration,
}

/// Why an input is no job.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// Not JSON of the right shape.
    #[error(
        "the schedule's input is no job ({0}): it needs feed, symbols and topic, and may have beat_seconds and budget_seconds"
    )]
    Shape(#[from] serde_json::Error),
    /// The provider is unknown.
    #[error(transparent)]
    Feed(#[from] UnknownFeed),
    /// A symbol is none.
    #[error(transparent)]
    Symbol(#[from] SymbolError),
    /// There is nothing to poll.
    #[error(
        "the job for the topic '{topic}' has no symbols: name at least one, as a list or comma-separated"
    )]
    NoSymbols {
        /// The job's topic.
        topic: String,
    },
    /// The topic's name is none.
    #[error(transparent)]
    Topic(#[from] TopicError),
    /// A time that is no time.
    #[error("the job's {member} is {seconds}: give seconds from {least} to 840")]
    Seconds {
        /// `beat_seconds` or `budget_seconds`.
        member: &'static str,
        /// Its value.
        seconds: f64,
        /// The least that is allowed.
        least: f64,
    },
}

/// The job as JSON has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    feed: String,
    symbols: Symbols,
    topic: String,
    beat_seconds: Option<f64>,
    budget_seconds: Option<f64>,
}

/// A template's parameter gives one text, a program a list.
#[derive(Deserialize)]
#[serde(untagged)]
enum Symbols {
    Text(String),
    List(Vec<String>),
}

impl Job {
    /// Reads a job. Blank and repeated symbols are left out.
    ///
    /// # Errors
    /// [`JobError`].
    pub fn parse(json: &str) -> Result<Self, JobError> {
        let input: Input = serde_json::from_str(json)?;
        topics::check_name(&input.topic)?;
        let names = match &input.symbols {
            Symbols::Text(text) => text.split(',').collect::<Vec<_>>(),
            Symbols::List(list) => list.iter().map(String::as_str).collect(),
        };
        let mut seen = BTreeSet::new();
        let symbols = names
            .into_iter()
            .map(str::trim)
            .filter(|name| !name.is_empty() && seen.insert(*name))
            .map(str::parse)
            .collect::<Result<Vec<Symbol>, _>>()?;
        if symbols.is_empty() {
            return Err(JobError::NoSymbols { topic: input.topic });
        }
        Ok(Self {
            feed: input.feed.parse()?,
            symbols,
            topic: input.topic,
            beat: input
                .beat_seconds
                .map(|seconds| duration("beat_seconds", seconds, 0.1))
                .transpose()?,
            budget: duration("budget_seconds", input.budget_seconds.unwrap_or(60.0), 0.0)?,
        })
    }
}

/// A function of a Kafka pipeline runs for at most 14 minutes.
fn duration(member: &'static str, seconds: f64, least: f64) -> Result<Duration, JobError> {
    if (least..=840.0).contains(&seconds) {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err(JobError::Seconds {
            member,
            seconds,
            least,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_are_a_list_or_a_text_each_once() {
        let text =
            r#"{"feed":"finnhub","symbols":" AAPL,,MSFT ,AAPL","topic":"t","beat_seconds":6}"#;
        let list = r#"{"feed":"finnhub","symbols":["AAPL","","MSFT","AAPL"],"topic":"t","beat_seconds":6.0,"budget_seconds":60}"#;
        let job = Job::parse(text).unwrap();
        assert_eq!(job, Job::parse(list).unwrap());
        let names: Vec<_> = job.symbols.iter().map(Symbol::as_str).collect();
        assert_eq!(names, ["AAPL", "MSFT"]);
        assert_eq!(job.beat, Some(Duration::from_secs(6)));
    }

    #[test]
    fn a_wrong_job_is_one_sentence_with_the_remedy() {
        let check = |json: &str, expected: &str| {
            let said = Job::parse(json).unwrap_err().to_string();
            assert!(said.starts_with(expected), "{said}");
        };
        check("{}", "the schedule's input is no job (missing field `feed`");
        check(
            r#"{"feed":"reuters","symbols":"A","topic":"t"}"#,
            "there is no feed \"reuters\": the feeds are finnhub and binance",
        );
        check(
            r#"{"feed":"finnhub","symbols":" , ","topic":"t"}"#,
            "the job for the topic 't' has no symbols: name at least one",
        );
        check(
            r#"{"feed":"finnhub","symbols":"A","topic":"a b"}"#,
            "'a b' is no Kafka topic name",
        );
        check(
            r#"{"feed":"finnhub","symbols":"A","topic":"t","beat_seconds":0}"#,
            "the job's beat_seconds is 0: give seconds from 0.1 to 840",
        );
        check(
            r#"{"feed":"finnhub","symbols":"A","topic":"t","budget":5}"#,
            "the schedule's input is no job (unknown field `budget`",
        );
    }
}
