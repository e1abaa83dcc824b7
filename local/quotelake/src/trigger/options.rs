use std::{path::PathBuf, time::Duration};

use clap::Args;

use plane::brokers::with_security;
use sam_template::name_and_value;

/// The options of `trigger`.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// The Kafka brokers that have the topics.
    #[arg(long, long_help = with_security("The Kafka brokers that have the topics."), value_name = "HOST:PORT")]
    pub brokers: String,
    /// Where the functions are invoked: an emulator's endpoint, or that of `cargo lambda watch` (static credentials from
    /// `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, else test/test).
    #[arg(long, value_name = "URL")]
    pub lambda_endpoint: String,
    /// A function's name or ARN there, if it is not the template's logical id; may be repeated.
    #[arg(long = "function", value_name = "ID=NAME", value_parser = name_and_value)]
    pub functions: Vec<(String, String)>,
    /// The S3 endpoint of on-failure buckets [default: the Lambda endpoint].
    #[arg(long, value_name = "URL")]
    pub s3_endpoint: Option<String>,
    /// The template that describes the pipeline.
    #[arg(long, value_name = "FILE", default_value = "template.yaml")]
    pub template: PathBuf,
    /// A value for a parameter of the template; may be repeated.
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = name_and_value)]
    pub parameters: Vec<(String, String)>,
    /// Stop by itself after this time, e.g. 60s or 10m.
    #[arg(long = "for", value_name = "TIME", value_parser = crate::output::duration)]
    pub run_for: Option<Duration>,
    /// Print one JSON object per line.
    #[arg(long)]
    pub json: bool,
}
