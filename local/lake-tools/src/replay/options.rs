use clap::Args;
use lake::Reason;
use plane::brokers::with_security;
use serde::{
    Deserialize,
    de::{IntoDeserializer, value::StrDeserializer},
};

use crate::lake_location::LakeLocation;

/// The options of `replay`.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// The lake.
    #[command(flatten)]
    pub location: LakeLocation,
    /// Only this topic's records.
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

fn reason(text: &str) -> Result<Reason, String> {
    let text: StrDeserializer<'_, serde::de::value::Error> = text.into_deserializer();
    // The error lists the reasons.
    Reason::deserialize(text).map_err(|error| error.to_string())
}
