//! The cost model's counts against those of the writer and the rollers at work.

mod bars;
mod plane;
mod scaled;

use std::time::Duration;

use lake_tools::cost::{Architecture, Database, Estimate, Kafka, Poll, Workload};

/// A thousand symbols every six seconds through ten partitions, each with its poller, in batches of five minutes.
fn thousand_symbols() -> Workload {
    Workload {
        polls: vec![Poll {
            symbols: 1_000,
            beat_seconds: 6,
        }],
        hours_per_day: 24.0,
        quote_bytes: 500,
        window_seconds: 300,
        batch_size: 10_000,
        partitions: 10,
        pollers: 10,
        event_poller_units: 0,
        bucket: Duration::from_secs(3_600),
        segment: 50_000,
        architecture: Architecture::Arm64,
        poller_memory_mb: 256,
        writer_memory_mb: 512,
        cold_starts_per_hour: 0.0,
        retention_days: 30.0,
        roll_every_seconds: 3_600,
        kafka: Kafka::Serverless,
        kafka_retention_days: 1.0,
        database: Database::None,
        database_window_seconds: 0,
        database_days: 30.0,
    }
}

/// Asserts that so many are within 15 % of the month's figure of the model, for so many quotes.
fn assert_near(what: &str, counted: u64, estimate: &Estimate, month: f64, quotes: u64) {
    let said = month / estimate.quotes * quotes as f64;
    let near = said * 0.85..=said * 1.15;
    assert!(
        near.contains(&(counted as f64)),
        "{counted} {what} for {quotes} quotes, and the model says {said:.0}"
    );
}
