use std::time::Duration;

use clap::{Args, ValueEnum};
use runtime::clock;
use serde::Serialize;

use super::{Poll, Workload};

/// The options of `cost`. Their defaults are the template's.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// A schedule: how many symbols, and the time from one cycle to the next; may be repeated, a topic each.
    #[arg(long = "poll", value_name = "SYMBOLS@BEAT", value_parser = poll, default_values = ["5@6s", "2@1s"])]
    pub polls: Vec<Poll>,
    /// Hours a day that the schedules are on.
    #[arg(long, value_name = "HOURS", default_value_t = 24.0)]
    pub hours_per_day: f64,
    /// The length of a quote's message in bytes.
    #[arg(long, value_name = "BYTES", default_value_t = 500)]
    pub quote_bytes: u32,
    /// The trigger's batching window, in whole seconds.
    #[arg(long, value_name = "TIME", value_parser = whole_seconds, default_value = "1s")]
    pub window: u32,
    /// The trigger's batch size.
    #[arg(long, value_name = "RECORDS", default_value_t = 100)]
    pub batch_size: u32,
    /// The partitions of each topic.
    #[arg(long, value_name = "NUMBER", default_value_t = 10)]
    pub partitions: u32,
    /// The trigger's pollers for each topic: with one, a batch mixes all partitions.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub pollers: u32,
    /// Event poller units of the triggers, for provisioned mode; 0 is on demand.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub epus: u32,
    /// What shares an object: `record`, one each; or a time bucket and an offset segment, such as 1h/30000.
    #[arg(long, value_name = "BUCKET/OFFSETS", value_parser = granularity, default_value = "1h/30000")]
    pub granularity: (Duration, u32),
    /// The functions' processor.
    #[arg(long, value_name = "PROCESSOR", default_value = "arm64")]
    pub architecture: Architecture,
    /// The memory of the quote poller.
    #[arg(long, value_name = "MB", default_value_t = 256)]
    pub poller_memory: u32,
    /// The memory of the bronze writer.
    #[arg(long, value_name = "MB", default_value_t = 512)]
    pub writer_memory: u32,
    /// Cold starts of the bronze writer an hour; each reads the open objects.
    #[arg(long, value_name = "NUMBER", default_value_t = 1.0)]
    pub cold_starts_per_hour: f64,
    /// Days that a bronze object is kept.
    #[arg(long, value_name = "DAYS", default_value_t = 30.0)]
    pub retention_days: f64,
    /// How often bars are made, in whole seconds; 0s is never.
    #[arg(long, value_name = "TIME", value_parser = whole_seconds, default_value = "1h")]
    pub roll_every: u32,
    /// The brokers that are paid for.
    #[arg(long, value_name = "CLUSTER", default_value = "serverless")]
    pub kafka: Kafka,
    /// Days that the topics keep a record.
    #[arg(long, value_name = "DAYS", default_value_t = 1.0)]
    pub kafka_retention_days: f64,
    /// The database that keeps every quote too.
    #[arg(long, value_name = "DATABASE", default_value = "none")]
    pub database: Database,
    /// The batching window of the database's triggers, in whole seconds.
    #[arg(long, value_name = "TIME", value_parser = whole_seconds, default_value = "0s")]
    pub database_window: u32,
    /// Days that the database keeps a quote.
    #[arg(long, value_name = "DAYS", default_value_t = 30.0)]
    pub database_days: f64,
    /// Print JSON.
    #[arg(long, conflicts_with = "document")]
    pub json: bool,
    /// Print docs/cost.md, whatever the workload.
    #[arg(long)]
    pub document: bool,
}

/// A processor that Lambda sells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Architecture {
    /// Graviton.
    Arm64,
    /// Intel and AMD.
    #[value(name = "x86_64")]
    #[serde(rename = "x86_64")]
    X86,
}

/// Which brokers are paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kafka {
    /// MSK Serverless.
    Serverless,
    /// None: others pay for the cluster.
    None,
}

/// Which database is paid for, beside the function that writes to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Database {
    /// No database, and no function for one.
    None,
    /// One that others pay for.
    Other,
    /// A db.t4g.small of RDS in one zone.
    Rds,
    /// Aurora Serverless v2 at half a capacity unit.
    Aurora,
}

impl Options {
    /// The workload that they describe, unchecked.
    pub fn workload(&self) -> Workload {
        let (bucket, segment) = self.granularity;
        Workload {
            polls: self.polls.clone(),
            hours_per_day: self.hours_per_day,
            quote_bytes: self.quote_bytes,
            window_seconds: self.window,
            batch_size: self.batch_size,
            partitions: self.partitions,
            pollers: self.pollers,
            event_poller_units: self.epus,
            bucket,
            segment,
            architecture: self.architecture,
            poller_memory_mb: self.poller_memory,
            writer_memory_mb: self.writer_memory,
            cold_starts_per_hour: self.cold_starts_per_hour,
            retention_days: self.retention_days,
            roll_every_seconds: self.roll_every,
            kafka: self.kafka,
            kafka_retention_days: self.kafka_retention_days,
            database: self.database,
            database_window_seconds: self.database_window,
            database_days: self.database_days,
        }
    }
}

fn poll(text: &str) -> Result<Poll, String> {
    let read = || {
        let (symbols, beat) = text.split_once('@')?;
        Some(Poll {
            symbols: symbols.parse().ok()?,
            beat_seconds: whole_seconds(beat).ok()?,
        })
    };
    read()
        .ok_or_else(|| "write SYMBOLS@BEAT, such as 5@6s, with a beat in whole seconds".to_owned())
}

fn granularity(text: &str) -> Result<(Duration, u32), String> {
    if text == "record" {
        return Ok((Duration::from_millis(1), 1));
    }
    let read = || {
        let (bucket, segment) = text.split_once('/')?;
        let bucket = clock::duration(bucket)?;
        Some((bucket, segment.parse().ok()?))
    };
    read().ok_or_else(|| "write `record`, or BUCKET/OFFSETS such as 1h/30000".to_owned())
}

fn whole_seconds(text: &str) -> Result<u32, String> {
    let read = || {
        let time = clock::duration(text)?;
        let seconds = u32::try_from(time.as_secs()).ok()?;
        (time.subsec_nanos() == 0).then_some(seconds)
    };
    read().ok_or_else(|| "write a time in whole seconds, such as 300s or 5m".to_owned())
}
