//! Six fields as the service reads them, checked and rewritten in numbers for `croner`.
//!
//! `croner` searches the wall clock. Changes of the clock are dealt with here, since it makes up for a time that
//! is left out and repeats an interval, and the service does neither.

use jiff::{
    Timestamp,
    tz::{AmbiguousOffset, TimeZone},
};

use super::{ExpressionError, number};

/// A cron expression of six fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cron(Box<croner::Cron>);

/// What a field may hold.
struct Field {
    name: &'static str,
    least: u16,
    greatest: u16,
    /// Names of the values from the least one on.
    names: &'static [&'static str],
    /// Whether `a/n` is allowed.
    steps: bool,
}

const fn numeric(name: &'static str, least: u16, greatest: u16) -> Field {
    Field {
        name,
        least,
        greatest,
        names: &[],
        steps: true,
    }
}

const MINUTES: Field = numeric("minutes", 0, 59);
const HOURS: Field = numeric("hours", 0, 23);
const DAY_OF_MONTH: Field = numeric("day-of-month", 1, 31);
const MONTH: Field = Field {
    names: &[
        "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
    ],
    ..numeric("month", 1, 12)
};
const DAY_OF_WEEK: Field = Field {
    names: &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"],
    steps: false,
    ..numeric("day-of-week", 1, 7)
};
const YEAR: Field = numeric("year", 1970, 2199);

impl Cron {
    /// Reads the fields of the expression `text`.
    pub(super) fn parse(text: &str, fields: &str) -> Result<Self, ExpressionError> {
        let fields: Vec<&str> = fields.split_whitespace().collect();
        let &[minutes, hours, day_of_month, month, day_of_week, year] = fields.as_slice() else {
            return Err(ExpressionError::Fields {
                text: text.to_owned(),
                found: fields.len(),
            });
        };
        if (day_of_month == "?") == (day_of_week == "?") {
            return Err(ExpressionError::Days {
                text: text.to_owned(),
            });
        }
        let pattern = [
            "0".to_owned(),
            MINUTES.rewrite(minutes)?,
            HOURS.rewrite(hours)?,
            rewrite_day_of_month(day_of_month)?,
            MONTH.rewrite(month)?,
            rewrite_day_of_week(day_of_week)?,
            // Bounded, so that the search for a day that never comes ends.
            if year == "*" {
                "1970-2199".to_owned()
            } else {
                YEAR.rewrite(year)?
            },
        ]
        .join(" ");
        Ok(Self(Box::new(parse_rewritten(&pattern))))
    }

    /// The first time after `after` on the wall clock of the time zone.
    pub(super) fn next_after(&self, after: Timestamp, timezone: &TimeZone) -> Option<Timestamp> {
        let mut wall_clock = timezone.to_datetime(after);
        loop {
            wall_clock = self.0.find_next_occurrence(&wall_clock, false).ok()?;
            let ambiguous = timezone.to_ambiguous_timestamp(wall_clock);
            if matches!(ambiguous.offset(), AmbiguousOffset::Gap { .. }) {
                continue;
            }
            let time = ambiguous.earlier().ok()?;
            if time > after {
                return Some(time);
            }
        }
    }
}

#[expect(
    clippy::expect_used,
    reason = "every field was rewritten in numbers within its range"
)]
fn parse_rewritten(pattern: &str) -> croner::Cron {
    croner::parser::CronParser::builder()
        .seconds(croner::parser::Seconds::Required)
        .year(croner::parser::Year::Required)
        // 1 is Sunday.
        .alternative_weekdays(true)
        .build()
        .parse(pattern)
        .expect("a pattern of numbers in range")
}

fn rewrite_day_of_month(text: &str) -> Result<String, ExpressionError> {
    match text {
        "?" => Ok("*".to_owned()),
        "L" => Ok("L".to_owned()),
        _ => match text.strip_suffix('W') {
            Some(day) => {
                let day = DAY_OF_MONTH
                    .value(day)
                    .ok_or_else(|| DAY_OF_MONTH.refuse(text))?;
                Ok(format!("{day}W"))
            }
            None => DAY_OF_MONTH.rewrite(text),
        },
    }
}

fn rewrite_day_of_week(text: &str) -> Result<String, ExpressionError> {
    let day = |name: &str| {
        DAY_OF_WEEK
            .value(name)
            .ok_or_else(|| DAY_OF_WEEK.refuse(text))
    };
    if text == "?" {
        Ok("*".to_owned())
    } else if text == "L" {
        // The last day of the week.
        Ok("7".to_owned())
    } else if let Some((name, nth)) = text.split_once('#') {
        let nth: u16 = number(nth)
            .filter(|nth| (1..=5).contains(nth))
            .ok_or_else(|| DAY_OF_WEEK.refuse(text))?;
        Ok(format!("{}#{nth}", day(name)?))
    } else if let Some(name) = text.strip_suffix('L') {
        Ok(format!("{}L", day(name)?))
    } else {
        DAY_OF_WEEK.rewrite(text)
    }
}

impl Field {
    /// The field in numbers: `*`, or values, ranges and stepped ranges between commas.
    fn rewrite(&self, text: &str) -> Result<String, ExpressionError> {
        if text == "*" {
            return Ok(text.to_owned());
        }
        let items: Option<Vec<String>> = text.split(',').map(|item| self.item(item)).collect();
        Ok(items.ok_or_else(|| self.refuse(text))?.join(","))
    }

    fn item(&self, text: &str) -> Option<String> {
        if let Some((base, step)) = text.split_once('/') {
            let step: u16 = number(step)?;
            let (first, last) = match base {
                "*" => (self.least, self.greatest),
                _ => match base.split_once('-') {
                    Some((first, last)) => self.range(first, last)?,
                    None => (self.value(base)?, self.greatest),
                },
            };
            let fits = self.steps && (1..=self.greatest).contains(&step);
            return fits.then(|| format!("{first}-{last}/{step}"));
        }
        match text.split_once('-') {
            Some((first, last)) => {
                let (first, last) = self.range(first, last)?;
                Some(format!("{first}-{last}"))
            }
            None => Some(self.value(text)?.to_string()),
        }
    }

    fn range(&self, first: &str, last: &str) -> Option<(u16, u16)> {
        let (first, last) = (self.value(first)?, self.value(last)?);
        (first <= last).then_some((first, last))
    }

    fn value(&self, text: &str) -> Option<u16> {
        let named = self
            .names
            .iter()
            .position(|name| name.eq_ignore_ascii_case(text));
        match named {
            Some(position) => Some(self.least + u16::try_from(position).ok()?),
            None => number(text).filter(|value| (self.least..=self.greatest).contains(value)),
        }
    }

    fn refuse(&self, value: &str) -> ExpressionError {
        let names = match (self.names.first(), self.names.last()) {
            (Some(first), Some(last)) => format!(" or {first} to {last}"),
            _ => String::new(),
        };
        let steps = if self.steps { " and steps a/n" } else { "" };
        let special = match self.name {
            "day-of-month" => ", or L, or the weekday nearest to a day as in 15W",
            "day-of-week" => ", or L, or the second Friday as in FRI#2, or the last one as in FRIL",
            _ => "",
        };
        ExpressionError::Field {
            field: self.name,
            value: value.to_owned(),
            allowed: format!(
                "*, or values from {} to {}{names}, ascending ranges a-b{steps} between commas{special}",
                self.least, self.greatest
            ),
        }
    }
}
