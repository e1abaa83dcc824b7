//! The metrics that the upserter emits. Their names are its own: those of the bronze writer are about bronze.

use runtime::metrics::Metric;

/// Rows that this function brought to the history of quotes.
pub const ROWS_WRITTEN: Metric = Metric::count("RowsWritten");

/// Records whose row was in the history already.
pub const ROWS_ALREADY_THERE: Metric = Metric::count("RowsAlreadyThere");

/// Rows of the latest quotes that are new or another.
pub const LATEST_CHANGED: Metric = Metric::count("LatestChanged");

/// Records that are no quotes, such as the bars of a backfill: they have no row and need none.
pub const RECORDS_WITHOUT_ROW: Metric = Metric::count("RecordsWithoutRow");

/// Records that should have a row and can't, put into quarantine with their reason.
pub const ROWS_QUARANTINED: Metric = Metric::count("RowsQuarantined");

/// Records that are neither in the tables nor in quarantine at the end of the invocation; the trigger brings them again.
pub const ROWS_NOT_DURABLE: Metric = Metric::count("RowsNotDurable");

/// How old the oldest record of a batch was, by Kafka's timestamp, when the batch was done with.
pub const ROW_AGE_MILLISECONDS: Metric = Metric::milliseconds("RowAgeMilliseconds");

/// Connections to the database that were opened: one for each environment, and one more after each loss.
pub const DATABASE_CONNECTIONS: Metric = Metric::count("DatabaseConnections").by("database");

/// Every one of them.
pub const ALL: [Metric; 8] = [
    ROWS_WRITTEN,
    ROWS_ALREADY_THERE,
    LATEST_CHANGED,
    RECORDS_WITHOUT_ROW,
    ROWS_QUARANTINED,
    ROWS_NOT_DURABLE,
    ROW_AGE_MILLISECONDS,
    DATABASE_CONNECTIONS,
];
