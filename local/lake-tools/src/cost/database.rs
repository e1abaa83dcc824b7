use super::{
    Database, Item, Workload,
    model::{
        COLD_START_SECONDS, DAYS, GB, HOURS, INVOCATION_SECONDS, PROCESSOR_MB, RECORD_SECONDS,
        batch, item, quotes,
    },
    prices::{self, Price},
};

/// The batch size and the memory of the upserter: the template's.
pub(super) const BATCH_SIZE: u32 = 1_000;
pub(super) const UPSERTER_MB: f64 = 512.0;
/// A row of the history with its three indexes, in bytes, and what a row takes of the statement that the function waits for:
/// measured on PostgreSQL 15.
pub(super) const ROW_BYTES: f64 = 410.0;
pub(super) const ROW_SECONDS: f64 = 25e-6;
/// The least that a database of Aurora Serverless has while it is not paused.
pub(super) const LEAST_ACUS: f64 = 0.5;

/// The lines of the bill: those of the upserter, and those of the database where AWS has it.
pub(super) fn items(workload: &Workload, duration: Price) -> Vec<Item> {
    if workload.database == Database::None {
        return Vec::new();
    }
    let cold_starts = workload.cold_starts_per_hour * workload.hours_per_day * DAYS;
    let processors = UPSERTER_MB / PROCESSOR_MB;
    let (mut batches, mut seconds) = (0.0, cold_starts * COLD_START_SECONDS);
    let mut rows = 0.0;
    for poll in &workload.polls {
        let of_poll = quotes(workload, *poll);
        let batch = batch(
            workload,
            *poll,
            workload.database_window_seconds,
            BATCH_SIZE,
        );
        let invocation = INVOCATION_SECONDS + batch * (RECORD_SECONDS / processors + ROW_SECONDS);
        rows += of_poll;
        batches += of_poll / batch;
        seconds += of_poll / batch * invocation;
    }
    let kept_gb = rows / DAYS * workload.database_days * ROW_BYTES / GB;
    let mut items = vec![
        item("quote-upserter", prices::LAMBDA_REQUEST, batches),
        item("quote-upserter", duration, seconds * UPSERTER_MB / 1024.0),
    ];
    match workload.database {
        Database::None | Database::Other => {}
        Database::Rds => items.extend([
            item("database", prices::RDS_INSTANCE, HOURS),
            item("database", prices::RDS_STORAGE, kept_gb),
        ]),
        Database::Aurora => items.extend([
            item("database", prices::AURORA_ACU, LEAST_ACUS * HOURS),
            item("database", prices::AURORA_STORAGE, kept_gb),
        ]),
    }
    items
}
