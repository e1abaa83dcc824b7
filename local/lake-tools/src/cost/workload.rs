use std::{fmt, ops::RangeInclusive, time::Duration};

use serde::Serialize;

use super::{Architecture, Database, Kafka};

/// One schedule of the poller, with the topic that it publishes to and that topic's trigger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Poll {
    /// How many symbols a cycle asks for.
    pub symbols: u32,
    /// Seconds from one cycle to the next.
    pub beat_seconds: u32,
}

/// What is to be polled, moved and kept.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Workload {
    /// The schedules.
    pub polls: Vec<Poll>,
    /// Hours a day that they are on.
    pub hours_per_day: f64,
    /// The length of a quote's message in bytes.
    pub quote_bytes: u32,
    /// The trigger's batching window in seconds.
    pub window_seconds: u32,
    /// The trigger's batch size in records.
    pub batch_size: u32,
    /// The partitions of each topic.
    pub partitions: u32,
    /// The trigger's pollers for each topic: with one, a batch mixes all partitions; with one a partition, a batch is
    /// of one.
    pub pollers: u32,
    /// Event poller units of all triggers together; 0 is the on-demand mode, which costs nothing.
    pub event_poller_units: u32,
    /// The time bucket of an object.
    pub bucket: Duration,
    /// The offset segment of an object in records; 1 is one object a record.
    pub segment: u32,
    /// The functions' processor.
    pub architecture: Architecture,
    /// The memory of the quote poller in MB.
    pub poller_memory_mb: u32,
    /// The memory of the bronze writer in MB.
    pub writer_memory_mb: u32,
    /// Cold starts of the bronze writer an hour.
    pub cold_starts_per_hour: f64,
    /// Days that a bronze object is kept.
    pub retention_days: f64,
    /// The period of the bar rollers' schedules in seconds; 0 is no bars.
    pub roll_every_seconds: u32,
    /// The brokers.
    pub kafka: Kafka,
    /// Days that the topics keep a record.
    pub kafka_retention_days: f64,
    /// The database whose tables get every quote.
    pub database: Database,
    /// The batching window of the triggers of the upserter in seconds.
    pub database_window_seconds: u32,
    /// Days that the database keeps a quote.
    pub database_days: f64,
}

/// A workload that can't be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CostError {
    /// A figure outside of what the services take.
    #[error("{option} is {value}: choose {range}")]
    OutOfRange {
        /// The option that gives it.
        option: &'static str,
        /// The figure.
        value: String,
        /// What can be chosen.
        range: String,
    },
    /// Pollers that would have nothing to read.
    #[error(
        "--pollers is {pollers}, but a topic has only {partitions} partitions: choose at most one poller a partition, or more --partitions"
    )]
    IdlePollers {
        /// The pollers.
        pollers: u32,
        /// The partitions.
        partitions: u32,
    },
}

impl Workload {
    /// Whether every figure is one that the services take.
    ///
    /// # Errors
    /// The first [`CostError`].
    pub fn check(&self) -> Result<(), CostError> {
        for poll in &self.polls {
            within(
                "the number of symbols in --poll",
                poll.symbols,
                1..=100_000,
                "",
            )?;
            within(
                "the beat in --poll",
                poll.beat_seconds,
                1..=60,
                " seconds, as a schedule is of one minute",
            )?;
        }
        within("--hours-per-day", self.hours_per_day, 0.1..=24.0, " hours")?;
        within("--quote-bytes", self.quote_bytes, 1..=1_000_000, " bytes")?;
        within("--window", self.window_seconds, 0..=300, " seconds")?;
        within("--batch-size", self.batch_size, 1..=10_000, " records")?;
        within("--partitions", self.partitions, 1..=2_400, " partitions")?;
        within("--pollers", self.pollers, 1..=2_000, " pollers")?;
        within("--epus", self.event_poller_units, 0..=1_000, " units")?;
        within(
            "the bucket in --granularity",
            self.bucket.as_secs_f64(),
            0.001..=86_400.0,
            " seconds, at most a day",
        )?;
        within(
            "the segment in --granularity",
            self.segment,
            1..=1_000_000_000,
            " offsets",
        )?;
        within(
            "--poller-memory",
            self.poller_memory_mb,
            128..=10_240,
            " MB",
        )?;
        within(
            "--writer-memory",
            self.writer_memory_mb,
            128..=10_240,
            " MB",
        )?;
        within(
            "--cold-starts-per-hour",
            self.cold_starts_per_hour,
            0.0..=100_000.0,
            "",
        )?;
        within(
            "--retention-days",
            self.retention_days,
            0.0..=36_500.0,
            " days",
        )?;
        if self.roll_every_seconds > 0 {
            within(
                "--roll-every",
                self.roll_every_seconds,
                60..=8_553_600,
                " seconds, a minute to 99 days, or 0s for no bars",
            )?;
        }
        within(
            "--kafka-retention-days",
            self.kafka_retention_days,
            0.0..=3_650.0,
            " days",
        )?;
        within(
            "--database-window",
            self.database_window_seconds,
            0..=300,
            " seconds",
        )?;
        within(
            "--database-days",
            self.database_days,
            0.0..=36_500.0,
            " days",
        )?;
        if self.pollers > self.partitions {
            return Err(CostError::IdlePollers {
                pollers: self.pollers,
                partitions: self.partitions,
            });
        }
        Ok(())
    }
}

fn within<T: Copy + PartialOrd + fmt::Display>(
    option: &'static str,
    value: T,
    range: RangeInclusive<T>,
    unit: &str,
) -> Result<(), CostError> {
    if range.contains(&value) {
        return Ok(());
    }
    Err(CostError::OutOfRange {
        option,
        value: value.to_string(),
        range: format!("{} to {}{unit}", range.start(), range.end()),
    })
}
