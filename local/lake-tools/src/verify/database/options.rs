use clap::Args;
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use lake::Layout;
use stream::OffsetRange;

use super::DatabaseError;
use crate::{
    database_location::{DatabaseLocation, DatabaseLocationError},
    lake_location::LakeLocation,
    verify,
};

/// The topics of the triggers of the function `quote-upserter`.
pub const QUOTE_TOPICS: [&str; 4] = [
    "stock-quotes",
    "crypto-prices",
    "stock-prices",
    "stock-board",
];

/// The options of `verify` for the proof `database` alone.
#[derive(Clone, Debug, Args)]
pub struct DatabaseArgs {
    /// Of the proof `database`: the tables.
    #[command(flatten)]
    pub location: DatabaseLocation,
    /// Of the proof `database`: expect rows that were fetched on this day (UTC) or later; earlier days were dropped.
    #[arg(long, value_name = "DATE", value_parser = start_of)]
    pub since: Option<Timestamp>,
    /// Of the proof `database`: compare the latest quotes alone; the function keeps no history.
    #[arg(long)]
    pub no_history: bool,
    /// Of the proof `database`: the prefix of what the function has put aside, in the lake's bucket.
    #[arg(long, value_name = "PREFIX", default_value = "postgres")]
    pub database_quarantine_prefix: String,
}

impl DatabaseArgs {
    /// That none of them is given, for another proof.
    ///
    /// # Errors
    /// [`DatabaseError::OnlyOfDatabase`] for the first that is.
    pub fn check_not_given(&self) -> Result<(), DatabaseError> {
        let given = [
            ("--database", self.location.is_given()),
            ("--since", self.since.is_some()),
            ("--no-history", self.no_history),
        ];
        match given.iter().find(|(_, is_given)| *is_given) {
            Some((option, _)) => Err(DatabaseError::OnlyOfDatabase(option)),
            None => Ok(()),
        }
    }
}

/// What `verify database` is asked.
#[derive(Clone, Debug)]
pub struct DatabaseOptions {
    /// The lake, and what is expected of it.
    pub(super) lake: LakeLocation,
    pub(super) brokers: Option<String>,
    pub(super) topics: Vec<String>,
    /// Whether the command line names them, so that each has to be there.
    pub(super) are_named: bool,
    pub(super) ranges: Vec<OffsetRange>,
    pub(super) database: DatabaseArgs,
    /// Whether the verdict is printed as JSON.
    pub json: bool,
}

impl DatabaseOptions {
    /// Those of `verify` that this proof has.
    ///
    /// # Errors
    /// [`DatabaseError`] without a database.
    pub fn of(options: verify::Options, database: DatabaseArgs) -> Result<Self, DatabaseError> {
        if !database.location.is_given() {
            return Err(DatabaseLocationError::None.into());
        }
        let are_named = !options.topics.is_empty() || !options.ranges.is_empty();
        let mut topics = options.topics;
        for OffsetRange { topic, .. } in &options.ranges {
            if !topics.contains(topic) {
                topics.push(topic.clone());
            }
        }
        if !are_named {
            topics = QUOTE_TOPICS.map(str::to_owned).to_vec();
        }
        Ok(Self {
            lake: options.lake,
            brokers: options.brokers,
            topics,
            are_named,
            ranges: options.ranges,
            database,
            json: options.json,
        })
    }
}

/// Where the function that fills the tables puts records aside, beside the history of `bronze`.
pub(super) fn aside(prefix: &str, epoch: Option<&str>, bronze: &Layout) -> Layout {
    Layout::new(prefix, epoch, bronze.granularity(), bronze.compression())
}

fn start_of(text: &str) -> Result<Timestamp, String> {
    let start = || {
        let date: Date = text.parse().ok()?;
        let start = date.to_zoned(TimeZone::UTC).ok()?;
        Some(start.timestamp())
    };
    start().ok_or_else(|| format!("'{text}' is no day: write one such as 2026-11-28"))
}
