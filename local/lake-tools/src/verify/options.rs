use std::path::PathBuf;

use clap::Args;

use plane::brokers::with_security;
use sam_template::name_and_value;
use stream::OffsetRange;

use crate::lake_location::LakeLocation;

/// The options of `verify`.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// The lake to verify.
    #[command(flatten)]
    pub lake: LakeLocation,
    /// Expect what these brokers hold, and compare every line with the record that they have.
    #[arg(long, long_help = with_security("Expect what these brokers hold, and compare every line with the record that they have."), value_name = "HOST:PORT")]
    pub brokers: Option<String>,
    /// Only this topic; may be repeated [default: those of the run, or with --brokers those of the lake and of every Kafka
    /// trigger of a bronze writer of the template, on or off].
    #[arg(long = "topic", value_name = "TOPIC")]
    pub topics: Vec<String>,
    /// The template that describes the pipeline, for the topics of its triggers; not read with --topic or --range.
    #[arg(
        long,
        value_name = "FILE",
        default_value = "template.yaml",
        requires = "brokers"
    )]
    pub template: PathBuf,
    /// A value for a parameter of the template; may be repeated.
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = name_and_value, requires = "brokers")]
    pub parameters: Vec<(String, String)>,
    /// Expect these offsets of a partition, both included; may be repeated [default: what the brokers hold, or what
    /// the topics of the folder's run held].
    #[arg(long = "range", value_name = "TOPIC-PARTITION:FROM-TO")]
    pub ranges: Vec<OffsetRange>,
    /// Print the verdict as JSON.
    #[arg(long)]
    pub json: bool,
}
