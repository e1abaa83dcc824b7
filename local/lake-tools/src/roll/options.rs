use clap::{Args, builder::RangedU64ValueParser};
use jiff::{SignedDuration, Timestamp, civil::Date, tz::Offset};
use market::bars::Rules;

use crate::lake_location::LakeLocation;

/// The options of `roll`.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// The lake whose bars are made.
    #[command(flatten)]
    pub location: LakeLocation,
    /// Where the bars lie.
    #[command(flatten)]
    pub silver: Silver,
    /// The first hour, such as 2026-11-20 or 2026-11-20T14:00Z [default: where bronze begins].
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub from: Option<Timestamp>,
    /// The hour before which it ends [default: the end of the current hour].
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub to: Option<Timestamp>,
    /// Only this topic; may be repeated [default: all that bronze has].
    #[arg(long = "topic", value_name = "TOPIC")]
    pub topics: Vec<String>,
    /// Only this symbol; may be repeated [default: all that bronze has].
    #[arg(long = "symbol", value_name = "SYMBOL")]
    pub symbols: Vec<String>,
    /// Leave bars out until they are complete. Those that are there already stay; --rebuild takes them out.
    #[arg(long)]
    pub only_complete: bool,
    /// Make every bar of whole months again, and silver files that are damaged.
    #[arg(long)]
    pub rebuild: bool,
    /// Tell what would be done, and write nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// How many symbols are rolled at the same time.
    #[arg(long, value_name = "COUNT", default_value_t = 8, value_parser = RangedU64ValueParser::<u64>::new().range(1..=256))]
    pub at_once: u64,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Where bars lie, and which records count in them.
#[derive(Clone, Debug, Args)]
pub struct Silver {
    /// The prefix of the bars in the lake's bucket.
    #[arg(long, value_name = "PREFIX", default_value = "silver")]
    pub silver_prefix: String,
    /// How long after its event a record may have been fetched, such as 90m; later ones are late [default: 1h, or in roll and verify
    /// what the bars have that are there].
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub lateness: Option<SignedDuration>,
    /// How long before its event a record may have been fetched, because the provider's clock is ahead [default: 1m, or in roll and
    /// verify what the bars have that are there].
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub ahead: Option<SignedDuration>,
}

impl Silver {
    /// Which records count where no bars are.
    pub fn rules(&self) -> Rules {
        self.rules_beside(Rules::default())
    }

    /// Which records count where bars of these rules are.
    pub(crate) fn rules_beside(&self, found: Rules) -> Rules {
        let micros = |time: SignedDuration| i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
        Rules {
            lateness: self.lateness.map_or(found.lateness, micros),
            ahead: self.ahead.map_or(found.ahead, micros),
        }
    }
}

/// As much as the function takes. Every hour's objects are listed that far.
const LONGEST: SignedDuration = SignedDuration::from_hours(30 * 24);

pub(crate) fn duration(text: &str) -> Result<SignedDuration, String> {
    let time: SignedDuration = text
        .parse()
        .map_err(|_| "write a number with its unit, such as 1h, 90m or 30s".to_owned())?;
    match (SignedDuration::ZERO..=LONGEST).contains(&time) {
        true => Ok(time),
        false => Err("give a time from 0s to 720h".to_owned()),
    }
}

/// A time, or a date for its midnight in UTC.
pub(crate) fn time(text: &str) -> Result<Timestamp, String> {
    let of_date = |date: Date| Offset::UTC.to_timestamp(date.at(0, 0, 0, 0));
    let time = text
        .parse::<Timestamp>()
        .or_else(|_| of_date(text.parse()?));
    time.map_err(|_| {
        "write a time or a date of UTC, such as 2026-11-20T14:00Z or 2026-11-20".to_owned()
    })
}
