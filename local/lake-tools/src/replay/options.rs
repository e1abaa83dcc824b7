use clap::{Args, ValueEnum};
use lake::Reason;
use plane::brokers::with_security;
use serde::{
    Deserialize,
    de::{IntoDeserializer, value::StrDeserializer},
};

use super::ReplayError;
use crate::{database_location::DatabaseLocation, lake_location::LakeLocation};

/// The options of `replay`.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// The lake.
    #[command(flatten)]
    pub location: LakeLocation,
    /// Where records go.
    #[arg(long, value_enum, default_value_t = To::Bronze)]
    pub to: To,
    /// With --to database: the tables.
    #[command(flatten)]
    pub database: DatabaseLocation,
    /// With --to database: go on behind this object, as an interrupted run has said.
    #[arg(long, value_name = "KEY")]
    pub after: Option<String>,
    /// With --to database: bring the latest quotes alone.
    #[arg(long)]
    pub no_history: bool,
    /// Only this topic's records [default with --to database: the four topics of quotes].
    #[arg(long, value_name = "TOPIC")]
    pub topic: Option<String>,
    /// Only what is in quarantine for this reason, such as no-symbol.
    #[arg(long, value_name = "REASON", value_parser = reason)]
    pub reason: Option<Reason>,
    /// Also bring what a trigger has given up to this bucket, its on-failure destination. Each object is deleted once
    /// all of its records are durable.
    #[arg(long, value_name = "BUCKET")]
    pub payloads: Option<String>,
    /// Keep the objects of --payloads.
    #[arg(long, requires = "payloads")]
    pub keep: bool,
    /// Also bring what a trigger has given up to this topic, its on-failure destination. It is read to its end; to read
    /// it again changes nothing.
    #[arg(long, value_name = "TOPIC", requires = "brokers")]
    pub failures_topic: Option<String>,
    /// The brokers of --failures-topic.
    #[arg(long, long_help = with_security("The brokers of --failures-topic."), value_name = "HOST:PORT", requires = "failures_topic")]
    pub brokers: Option<String>,
    /// Tell what would be done, and write nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Where records go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum To {
    /// To the lake: what is in quarantine, or was given up.
    Bronze,
    /// To the tables of a database: everything that is in the lake.
    Database,
}

impl Options {
    /// Whether the options go with `--to`.
    ///
    /// # Errors
    /// [`ReplayError::Mismatched`] for the first that does not.
    pub(super) fn check(&self) -> Result<(), ReplayError> {
        let of_bronze = [
            ("--reason", self.reason.is_some()),
            ("--payloads", self.payloads.is_some()),
            ("--failures-topic", self.failures_topic.is_some()),
            ("--dry-run", self.dry_run),
        ];
        let of_database = [
            ("--database", self.database.is_given()),
            ("--after", self.after.is_some()),
            ("--no-history", self.no_history),
        ];
        let (others, other) = match self.to {
            To::Bronze => (of_database.as_slice(), "database"),
            To::Database => (of_bronze.as_slice(), "bronze"),
        };
        match others.iter().find(|(_, is_given)| *is_given) {
            Some((option, _)) => Err(ReplayError::Mismatched { option, other }),
            None => Ok(()),
        }
    }
}

fn reason(text: &str) -> Result<Reason, String> {
    let text: StrDeserializer<'_, serde::de::value::Error> = text.into_deserializer();
    // The error lists the reasons.
    Reason::deserialize(text).map_err(|error| error.to_string())
}
