use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use stream::topics::{self, TopicError};

use crate::symbols::{List, Symbols};

/// How long after its time a job may come at least: the scheduler keeps its times to the minute, and sends one
/// again that was throttled.
const LATEST: Duration = Duration::from_mins(1);

/// What a schedule asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// The provider's name.
    pub feed: String,
    /// What is asked for.
    pub dataset: Dataset,
    /// Of what.
    pub symbols: Symbols,
    /// The topic to publish to.
    pub topic: String,
    /// From the start of one cycle to the start of the next; the provider's own if absent.
    pub beat: Option<Duration>,
    /// How long cycles start after the first.
    pub budget: Duration,
    /// How many calendar days of daily bars.
    pub period_days: u16,
    /// When the schedule was due.
    pub scheduled: Option<Timestamp>,
}

/// What a job can ask for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dataset {
    /// The last price, in the shape of the provider's kind.
    #[default]
    Quotes,
    /// The last price in the shape of a board.
    Board,
    /// The bars of a minute of the trading day so far.
    IntradayBars,
    /// Daily bars with their indicators.
    DailyBars,
    /// Trades as they are made.
    Trades,
}

/// Why an input is no job.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// Not JSON of the right shape.
    #[error(
        "the schedule's input is no job ({0}): it needs feed, symbols and topic, and may have dataset, \
         beat_seconds, budget_seconds, period_days and scheduled_time"
    )]
    Shape(#[from] serde_json::Error),
    /// There is nothing to poll.
    #[error(
        "the job for the topic '{topic}' has no symbols: name at least one, as a list or comma-separated, or * \
         for all that the provider lists"
    )]
    NoSymbols {
        /// The job's topic.
        topic: String,
    },
    /// The topic's name is none.
    #[error(transparent)]
    Topic(#[from] TopicError),
    /// A number out of its range.
    #[error("the job's {member} is {value}: give a number from {least} to {most}")]
    Number {
        /// The member's name.
        member: &'static str,
        /// Its value.
        value: f64,
        /// The least that is allowed.
        least: f64,
        /// The most that is allowed.
        most: f64,
    },
    /// The scheduled time is none.
    #[error(
        "the job's scheduled_time is {text:?}: give an RFC 3339 time, or <aws.scheduler.scheduled-time> in a schedule"
    )]
    Time {
        /// What stands there.
        text: String,
    },
}

/// The job as JSON has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    feed: String,
    #[serde(default)]
    dataset: Dataset,
    symbols: List,
    topic: String,
    beat_seconds: Option<f64>,
    budget_seconds: Option<f64>,
    period_days: Option<f64>,
    scheduled_time: Option<String>,
}

impl Job {
    /// Reads a job.
    ///
    /// # Errors
    /// [`JobError`]; what is wrong with single symbols is no error, but in [`Symbols::refused`].
    pub fn parse(json: &str) -> Result<Self, JobError> {
        let input: Input = serde_json::from_str(json)?;
        topics::check_name(&input.topic)?;
        let symbols = Symbols::read(&input.symbols);
        if symbols.listed.is_empty() && !symbols.all {
            return Err(JobError::NoSymbols { topic: input.topic });
        }
        let beat = input.beat_seconds;
        let beat = beat.map(|seconds| within("beat_seconds", seconds, 0.1, 840.0));
        let budget = input.budget_seconds.unwrap_or(60.0);
        // A Kafka function runs for at most 14 minutes, any for at most 15.
        let budget = within("budget_seconds", budget, 0.0, 840.0)?;
        let days = within(
            "period_days",
            input.period_days.unwrap_or(365.0),
            1.0,
            3660.0,
        )?;
        Ok(Self {
            feed: input.feed,
            dataset: input.dataset,
            symbols,
            topic: input.topic,
            beat: beat.transpose()?.map(Duration::from_secs_f64),
            budget: Duration::from_secs_f64(budget),
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "from 1 to 3660"
            )]
            period_days: days as u16,
            scheduled: input.scheduled_time.map(scheduled).transpose()?.flatten(),
        })
    }

    /// Whether the job comes so late that its cycles are another invocation's by now: a schedule that was
    /// delivered twice, or that waited for its function to be free.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        let age = self.scheduled.map(|due| now.duration_since(due));
        age.and_then(|age| Duration::try_from(age).ok())
            .is_some_and(|age| age > self.budget.max(LATEST))
    }
}

fn within(member: &'static str, value: f64, least: f64, most: f64) -> Result<f64, JobError> {
    if (least..=most).contains(&value) {
        Ok(value)
    } else {
        Err(JobError::Number {
            member,
            value,
            least,
            most,
        })
    }
}

/// A time, or nothing where nobody has put one in place of the scheduler's keyword: a job by hand.
fn scheduled(text: String) -> Result<Option<Timestamp>, JobError> {
    if text == "<aws.scheduler.scheduled-time>" {
        return Ok(None);
    }
    match text.parse() {
        Ok(time) => Ok(Some(time)),
        Err(_) => Err(JobError::Time { text }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_names_its_dataset_or_wants_quotes() {
        let json = r#"{"feed":"vietnam","dataset":"daily-bars","symbols":"FPT","topic":"t","beat_seconds":300}"#;
        let job = Job::parse(json).unwrap();
        assert_eq!((job.dataset, job.period_days), (Dataset::DailyBars, 365));
        assert_eq!(job.beat, Some(Duration::from_mins(5)));
        let json = r#"{"feed":"finnhub","symbols":["A"],"topic":"t"}"#;
        assert_eq!(Job::parse(json).unwrap().dataset, Dataset::Quotes);
    }

    #[test]
    fn a_job_that_comes_after_its_time_has_expired() {
        let at = |time: &str| {
            format!(
                r#"{{"feed":"finnhub","symbols":"A","topic":"t","budget_seconds":60,"scheduled_time":"{time}"}}"#
            )
        };
        let now = "2026-11-21T13:01:00.5Z".parse().unwrap();
        let expired = |time| Job::parse(&at(time)).unwrap().is_expired(now);
        assert!(
            expired("2026-11-21T13:00:00Z"),
            "delivered again after its minute"
        );
        assert!(!expired("2026-11-21T13:00:30Z"), "late, yet in its minute");
        assert!(!expired("2026-11-21T13:02:00Z"), "a clock that is ahead");
        assert!(
            !expired("<aws.scheduler.scheduled-time>"),
            "invoked by hand"
        );
    }

    #[test]
    fn a_wrong_job_is_one_sentence_with_the_remedy() {
        let check = |json: &str, expected: &str| {
            let said = Job::parse(json).unwrap_err().to_string();
            assert!(said.starts_with(expected), "{said}");
        };
        check("{}", "the schedule's input is no job (missing field `feed`");
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
            "the job's beat_seconds is 0: give a number from 0.1 to 840",
        );
        check(
            r#"{"feed":"finnhub","symbols":"A","topic":"t","budget":5}"#,
            "the schedule's input is no job (unknown field `budget`",
        );
        check(
            r#"{"feed":"finnhub","symbols":"A","topic":"t","dataset":"news"}"#,
            "the schedule's input is no job (unknown variant `news`, expected one of `quotes`",
        );
        check(
            r#"{"feed":"finnhub","symbols":"A","topic":"t","scheduled_time":"noon"}"#,
            "the job's scheduled_time is \"noon\": give an RFC 3339 time",
        );
    }
}
