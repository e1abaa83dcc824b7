use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Lake, Place, SqlError};
use crate::{lake_location::LakeLocation, roll::Silver};

/// The options of `sql`.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// The engine that will read the lake.
    #[arg(long, value_enum, required_unless_present = "json")]
    pub engine: Option<Engine>,
    /// Only this topic [default: all].
    #[arg(long, value_name = "TOPIC")]
    pub topic: Option<String>,
    /// The folder of a run of `quotelake up` [default: quotelake-data, without --bucket].
    #[arg(long, value_name = "FOLDER")]
    pub data: Option<PathBuf>,
    /// The lake's bucket on S3; with --data the bucket in that folder.
    #[arg(long, value_name = "BUCKET")]
    pub bucket: Option<String>,
    /// The lake's prefix in its bucket.
    #[arg(long, value_name = "PREFIX", default_value = "bronze")]
    pub prefix: String,
    /// One history of the topics [default: all of them].
    #[arg(long, value_name = "EPOCH")]
    pub epoch: Option<String>,
    /// Another endpoint than AWS for S3, with path-style addresses.
    #[arg(long, value_name = "URL", requires = "bucket", conflicts_with = "data")]
    pub s3_endpoint: Option<String>,
    /// Print readers of silver alone [default: those of bronze, and of silver where the folder has bars].
    #[arg(long = "silver", conflicts_with = "bars")]
    pub only_silver: bool,
    /// Print what makes the bars of silver from bronze, for an engine with many machines: `DuckDB`, Spark or Athena.
    #[arg(long)]
    pub bars: bool,
    /// Where bars lie, and which records count in them.
    #[command(flatten)]
    pub silver: Silver,
    /// Print the columns of the topics as JSON, for another engine.
    #[arg(long, conflicts_with_all = ["engine", "data", "bucket", "epoch", "s3_endpoint", "only_silver", "bars"])]
    pub json: bool,
}

/// An engine that reads bronze as it lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Engine {
    /// Views, in SQL.
    Duckdb,
    /// Temporary views, in Python.
    Spark,
    /// External tables of Amazon Athena, in SQL.
    Athena,
    /// Views, in SQL.
    Clickhouse,
    /// Data frames, in Python.
    Polars,
}

impl Options {
    pub(super) fn lake(&self) -> Result<Lake, SqlError> {
        let location = LakeLocation {
            data: self.data.clone(),
            bucket: self.bucket.clone(),
            prefix: self.prefix.clone(),
            epoch: self.epoch.clone(),
            s3_endpoint: self.s3_endpoint.clone(),
        };
        let place = match (location.folder(), &self.bucket) {
            (None, Some(bucket)) => Place::S3 {
                bucket: bucket.clone(),
                prefix: self.prefix.clone(),
                endpoint: self.s3_endpoint.clone(),
            },
            _ => Place::Folder(location.bronze_folder()?),
        };
        Lake::new(place, self.epoch.clone())
    }
}
