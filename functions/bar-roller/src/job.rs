use jiff::Timestamp;
use kafka_event::is_topic_name;
use market::bars::HOUR;
use runtime::clock;
use serde::Deserialize;
use silver::{Range, Shard};

/// The most hours of a job: a year of 366 days. `quotelake roll` makes the bars of longer ago.
const MOST_HOURS: i64 = 366 * 24;

/// The most parts that the symbols of a topic can be rolled in.
const MOST_SHARDS: u32 = 1_000;

/// What a schedule asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// The topic.
    pub topic: String,
    /// How many hours before the present one; as many as can have changed since the last run if absent.
    pub hours: Option<i64>,
    /// The period of the schedule, in microseconds.
    pub every: i64,
    /// Which part of the symbols.
    pub shard: Shard,
    /// When the schedule was due, as it says it. It decides nothing: what is rolled twice is the same.
    pub scheduled: Option<String>,
}

/// Why an input is no job.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// Not JSON of the right shape.
    #[error(
        "the schedule's input is no job ({0}): it needs topic, and may have hours, every, shard and scheduled_time"
    )]
    Shape(#[from] serde_json::Error),
    /// The topic's name is none.
    #[error(
        "'{topic}' is no Kafka topic name: use 1 to 249 letters, digits, dots, hyphens and underscores"
    )]
    Topic {
        /// What stands there.
        topic: String,
    },
    /// Too few or too many hours.
    #[error("the job's hours is {hours}: give a whole number from 1 to {MOST_HOURS}")]
    Hours {
        /// What stands there.
        hours: i64,
    },
    /// The period is none.
    #[error(
        "the job's every is {every:?}: give the schedule's period, such as \"1 hour\", of at most {MOST_HOURS} hours"
    )]
    Every {
        /// What stands there.
        every: String,
    },
    /// The shard is none.
    #[error(
        "the job's shard is {shard:?}: give its number from 0 and how many there are, at most {MOST_SHARDS}, as in \"0/4\""
    )]
    Shard {
        /// What stands there.
        shard: String,
    },
}

/// The job as JSON has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    topic: String,
    hours: Option<i64>,
    every: Option<String>,
    shard: Option<String>,
    scheduled_time: Option<String>,
}

impl Job {
    /// Reads a job.
    ///
    /// # Errors
    /// [`JobError`].
    pub fn parse(json: &str) -> Result<Self, JobError> {
        let input: Input = serde_json::from_str(json)?;
        if !is_topic_name(&input.topic) {
            return Err(JobError::Topic { topic: input.topic });
        }
        if let Some(hours) = input.hours
            && !(1..=MOST_HOURS).contains(&hours)
        {
            return Err(JobError::Hours { hours });
        }
        let every = match input.every {
            Some(text) => period(&text).ok_or(JobError::Every { every: text })?,
            None => 0,
        };
        let shard = match input.shard {
            Some(text) => shard(&text).ok_or(JobError::Shard { shard: text })?,
            None => Shard::ALL,
        };
        Ok(Self {
            topic: input.topic,
            hours: input.hours,
            every,
            shard,
            scheduled: input.scheduled_time,
        })
    }

    /// The hours that are rolled at `now`, up to the end of the present one. Records that come on time change the bars of
    /// as many hours as `lateness` (in microseconds) and the period have; one more before them has them completed.
    pub fn range(&self, now: Timestamp, lateness: i64) -> Range {
        let now = now.as_microsecond();
        let present = now - now.rem_euclid(HOUR);
        let changed = (lateness + self.every + HOUR - 1).div_euclid(HOUR) + 2;
        let hours = self.hours.unwrap_or(changed.min(MOST_HOURS));
        Range {
            from: present - hours * HOUR,
            to: present + HOUR,
        }
    }
}

fn period(text: &str) -> Option<i64> {
    let micros = clock::duration(text)?.as_micros();
    let micros = i64::try_from(micros).ok()?;
    (micros <= MOST_HOURS * HOUR).then_some(micros)
}

fn shard(text: &str) -> Option<Shard> {
    let (number, of) = text.split_once('/')?;
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(number) || !digits(of) {
        return None;
    }
    let (number, of) = (number.parse().ok()?, of.parse().ok()?);
    (number < of && of <= MOST_SHARDS).then_some(Shard { number, of })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(json: &str) -> Job {
        Job::parse(json).unwrap()
    }

    #[test]
    fn a_job_names_its_topic_and_has_all_symbols_unless_it_says_a_shard() {
        let plain = job(r#"{"topic":"crypto-prices"}"#);
        let expected = Job {
            topic: "crypto-prices".to_owned(),
            hours: None,
            every: 0,
            shard: Shard::ALL,
            scheduled: None,
        };
        assert_eq!(plain, expected);
        let shard = |text| job(&format!(r#"{{"topic":"t","shard":"{text}"}}"#)).shard;
        assert_eq!(shard("0/1"), Shard::ALL);
        assert_eq!(
            shard("3/1000"),
            Shard {
                number: 3,
                of: 1_000
            }
        );
    }

    #[test]
    fn the_hours_are_those_that_can_have_changed_and_reach_to_the_end_of_the_present_one() {
        let now: Timestamp = "2026-11-28T14:59:59.999999Z".parse().unwrap();
        let range = |json: &str, lateness| {
            let range = job(json).range(now, lateness);
            [range.from, range.to]
                .map(|time| Timestamp::from_microsecond(time).unwrap().to_string())
        };
        let until = "2026-11-28T15:00:00Z";
        let open = |lateness| range(r#"{"topic":"t"}"#, lateness);
        assert_eq!(open(0), ["2026-11-28T12:00:00Z", until]);
        assert_eq!(open(1), ["2026-11-28T11:00:00Z", until]);
        assert_eq!(open(HOUR), ["2026-11-28T11:00:00Z", until]);
        assert_eq!(open(HOUR + 1), ["2026-11-28T10:00:00Z", until]);
        let every = |period| range(&format!(r#"{{"topic":"t","every":"{period}"}}"#), HOUR);
        assert_eq!(every("1 minute"), ["2026-11-28T10:00:00Z", until]);
        assert_eq!(every("1 hour"), ["2026-11-28T10:00:00Z", until]);
        assert_eq!(every("2 days"), ["2026-11-26T11:00:00Z", until]);
        assert_eq!(
            range(r#"{"topic":"t","hours":168,"every":"1 day"}"#, HOUR),
            ["2026-11-21T14:00:00Z", until]
        );
    }

    #[test]
    fn a_wrong_job_is_one_sentence_with_the_remedy() {
        let check = |json: &str, expected: &str| {
            let said = Job::parse(json).unwrap_err().to_string();
            assert!(said.starts_with(expected), "{said}");
        };
        check(
            "{}",
            "the schedule's input is no job (missing field `topic`",
        );
        check(
            r#"{"topic":"t","days":7}"#,
            "the schedule's input is no job (unknown field `days`, expected one of `topic`, `hours`",
        );
        check(
            r#"{"topic":"t","hours":1.5}"#,
            "the schedule's input is no job (invalid type: floating point `1.5`",
        );
        check(
            r#"{"topic":"a b"}"#,
            "'a b' is no Kafka topic name: use 1 to 249 letters",
        );
        for hours in ["0", "-1", "8785"] {
            check(
                &format!(r#"{{"topic":"t","hours":{hours}}}"#),
                &format!("the job's hours is {hours}: give a whole number from 1 to 8784"),
            );
        }
        for every in ["", "hourly", "1 hours ago", "367 days", "-1 hour"] {
            check(
                &format!(r#"{{"topic":"t","every":"{every}"}}"#),
                &format!("the job's every is {every:?}: give the schedule's period, such as"),
            );
        }
        for shard in [
            "", "1", "1/1", "0/0", "-1/2", "+0/2", "0/1001", "0/1/2", "a/b",
        ] {
            check(
                &format!(r#"{{"topic":"t","shard":"{shard}"}}"#),
                &format!("the job's shard is {shard:?}: give its number from 0"),
            );
        }
    }
}
