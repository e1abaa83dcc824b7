use std::path::PathBuf;

use clap::Args;

use super::Expected;

/// The options of `verify`.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// The data folder of `quotelake up`, whose last run is verified.
    #[arg(long, value_name = "FOLDER", default_value = "quotelake-data")]
    pub data: PathBuf,
    /// Compare with the records that these brokers have, and take the topics' watermarks from them.
    #[arg(long, value_name = "HOST:PORT")]
    pub brokers: Option<String>,
    /// Only this topic; may be repeated.
    #[arg(long = "topic", value_name = "TOPIC")]
    pub topics: Vec<String>,
    /// Expect these offsets of a partition, both included, instead of all; may be repeated.
    #[arg(long = "range", value_name = "TOPIC-PARTITION:FROM-TO")]
    pub ranges: Vec<Expected>,
    /// The lake's bucket, instead of a data folder.
    #[arg(long, value_name = "BUCKET", conflicts_with = "data")]
    pub bucket: Option<String>,
    /// The key prefix of the lake in its bucket.
    #[arg(
        long,
        value_name = "PREFIX",
        default_value = "bronze",
        requires = "bucket"
    )]
    pub prefix: String,
    /// The history to verify: of a data folder the number of a run, of a bucket its `BRONZE_EPOCH`.
    #[arg(long, value_name = "EPOCH")]
    pub epoch: Option<String>,
    /// The bucket's endpoint, if it is an emulator's (static credentials from `AWS_ACCESS_KEY_ID` and
    /// `AWS_SECRET_ACCESS_KEY`, else test/test).
    #[arg(long, value_name = "URL", requires = "bucket")]
    pub s3_endpoint: Option<String>,
    /// Print the verdict as JSON.
    #[arg(long)]
    pub json: bool,
}
