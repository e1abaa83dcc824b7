//! The schedule expressions of EventBridge Scheduler: `rate(…)`, `cron(…)` and `at(…)`.
//!
//! Source: EventBridge Scheduler user guide, "Schedule types", its sections on time zones and daylight saving
//! time included.
//!
//! ```
//! use jiff::{Timestamp, tz::TimeZone};
//! use sam_template::schedule::Expression;
//!
//! let every_minute: Expression = "rate(1 minute)".parse()?;
//! let start: Timestamp = "2026-11-21T09:00:30Z".parse()?;
//! let next = every_minute.next_after(start, start, &TimeZone::UTC);
//! assert_eq!(next, Some("2026-11-21T09:01:30Z".parse()?));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod cron;

use std::{str::FromStr, time::Duration};

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

pub use cron::Cron;

/// When a schedule fires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expression {
    /// `rate(value unit)`: at the start and from then on with this period, never zero.
    Rate(Duration),
    /// `cron(minutes hours day-of-month month day-of-week year)`, on the wall clock of the time zone.
    Cron(Cron),
    /// `at(yyyy-mm-ddThh:mm:ss)`: once, on the wall clock of the time zone.
    At(DateTime),
}

/// A text that is no schedule expression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExpressionError {
    /// It is none of the three kinds.
    #[error(
        "'{text}' is no schedule expression: write rate(1 minute), cron(0 9 ? * MON-FRI *) or at(2026-11-21T09:00:00)"
    )]
    Kind {
        /// The text.
        text: String,
    },
    /// A rate is not a whole number above zero and a unit.
    #[error(
        "'{text}' is no rate: write a whole number above zero and minutes, hours or days, as in rate(5 minutes)"
    )]
    Rate {
        /// The text.
        text: String,
    },
    /// A rate's unit does not agree with its value.
    #[error("'{text}' has the wrong unit: write rate({value} {unit})")]
    Unit {
        /// The text.
        text: String,
        /// Its value.
        value: u64,
        /// The unit that agrees with it.
        unit: String,
    },
    /// A cron expression does not have six fields.
    #[error(
        "'{text}' has {found} fields: a cron expression has six, minutes hours day-of-month month day-of-week year"
    )]
    Fields {
        /// The text.
        text: String,
        /// How many it has.
        found: usize,
    },
    /// Not exactly one of the two day fields is `?`.
    #[error(
        "'{text}' must have ? either as day-of-month or as day-of-week: put ? for the one that you do not mean"
    )]
    Days {
        /// The text.
        text: String,
    },
    /// A field of a cron expression can't be read.
    #[error("the {field} field '{value}' can't be read: write {allowed}")]
    Field {
        /// The field's name.
        field: &'static str,
        /// What it holds.
        value: String,
        /// What it may hold, as a noun phrase.
        allowed: String,
    },
    /// A time of `at` is no date and time.
    #[error("'{text}' is no date and time: write it like at(2026-11-21T09:00:00)")]
    At {
        /// The text.
        text: String,
    },
}

impl Expression {
    /// The first time after `after` at which the schedule fires, or `None` if it never does again.
    ///
    /// A rate counts from `start` and fires there first; `start` means nothing to the others. A cron time that
    /// a change of the clock leaves out is skipped, and one that it repeats fires only the first time.
    pub fn next_after(
        &self,
        after: Timestamp,
        start: Timestamp,
        timezone: &TimeZone,
    ) -> Option<Timestamp> {
        match self {
            Self::Rate(period) => next_of_rate(*period, after, start),
            Self::Cron(cron) => cron.next_after(after, timezone),
            Self::At(time) => timezone
                .to_timestamp(*time)
                .ok()
                .filter(|time| *time > after),
        }
    }
}

fn next_of_rate(period: Duration, after: Timestamp, start: Timestamp) -> Option<Timestamp> {
    if after < start {
        return Some(start);
    }
    let period = i128::try_from(period.as_nanos()).ok()?;
    let elapsed = after.as_nanosecond() - start.as_nanosecond();
    let periods = elapsed.checked_div(period)? + 1;
    let next = periods
        .checked_mul(period)?
        .checked_add(start.as_nanosecond())?;
    Timestamp::from_nanosecond(next).ok()
}

impl FromStr for Expression {
    type Err = ExpressionError;

    fn from_str(text: &str) -> Result<Self, ExpressionError> {
        let inside = |kind: &str| {
            let inside = text.trim().strip_prefix(kind)?.strip_prefix('(')?;
            inside.strip_suffix(')')
        };
        if let Some(rate) = inside("rate") {
            parse_rate(text, rate)
        } else if let Some(fields) = inside("cron") {
            Cron::parse(text, fields).map(Self::Cron)
        } else if let Some(time) = inside("at") {
            parse_at(text, time)
        } else {
            Err(ExpressionError::Kind {
                text: text.to_owned(),
            })
        }
    }
}

fn parse_rate(text: &str, rate: &str) -> Result<Expression, ExpressionError> {
    let not_a_rate = || ExpressionError::Rate {
        text: text.to_owned(),
    };
    let (value, unit) = rate.trim().split_once(' ').ok_or_else(not_a_rate)?;
    let value: u64 = number(value)
        .filter(|value| *value > 0)
        .ok_or_else(not_a_rate)?;
    let (singular, seconds) = match unit.trim_start() {
        "minute" | "minutes" => ("minute", 60),
        "hour" | "hours" => ("hour", 3_600),
        "day" | "days" => ("day", 86_400),
        _ => return Err(not_a_rate()),
    };
    if unit.ends_with('s') == (value == 1) {
        let ending = if value == 1 { "" } else { "s" };
        return Err(ExpressionError::Unit {
            text: text.to_owned(),
            value,
            unit: format!("{singular}{ending}"),
        });
    }
    let period = value.checked_mul(seconds).ok_or_else(not_a_rate)?;
    Ok(Expression::Rate(Duration::from_secs(period)))
}

fn parse_at(text: &str, time: &str) -> Result<Expression, ExpressionError> {
    let time = time.trim();
    time.parse()
        .ok()
        // The parser takes other forms of ISO 8601 too, the service only the one that is written here.
        .filter(|parsed: &DateTime| parsed.to_string() == time && parsed.year() >= 0)
        .map(Expression::At)
        .ok_or_else(|| ExpressionError::At {
            text: text.to_owned(),
        })
}

/// A number of digits only: `parse` alone would take a plus sign.
fn number<T: FromStr>(digits: &str) -> Option<T> {
    let only_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    only_digits.then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests;
