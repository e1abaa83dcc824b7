use clap::Args;

use super::Expected;
use crate::{brokers::with_security, lake_location::LakeLocation};

/// The options of `verify`.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// The lake to verify.
    #[command(flatten)]
    pub lake: LakeLocation,
    /// Expect what these brokers hold, and compare every line with the record that they have.
    #[arg(long, long_help = with_security("Expect what these brokers hold, and compare every line with the record that they have."), value_name = "HOST:PORT")]
    pub brokers: Option<String>,
    /// Only this topic; may be repeated.
    #[arg(long = "topic", value_name = "TOPIC")]
    pub topics: Vec<String>,
    /// Expect these offsets of a partition, both included; may be repeated [default: what the brokers hold, or what
    /// the topics of the folder's run held].
    #[arg(long = "range", value_name = "TOPIC-PARTITION:FROM-TO")]
    pub ranges: Vec<Expected>,
    /// Print the verdict as JSON.
    #[arg(long)]
    pub json: bool,
}
