use clap::Args;

use super::Expected;
use crate::lake_location::LakeLocation;

/// The options of `verify`.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// The lake to verify.
    #[command(flatten)]
    pub lake: LakeLocation,
    /// Expect what these brokers hold, and compare every line with the record that they have.
    ///
    /// `KAFKA_SECURITY` (plaintext, tls, mtls, scram, iam) in the environment says how they are spoken to,
    /// `KAFKA_CREDENTIALS_SECRET` and `KAFKA_CA_SECRET` with what: each `secretsmanager:NAME-OR-ARN`, `ssm:NAME-OR-ARN` or
    /// `file:PATH`, of the JSON that the functions take.
    #[arg(long, value_name = "HOST:PORT")]
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
