//! The metrics that the writer emits.

use runtime::metrics::Metric;

/// Lines that this function brought to the lake.
pub const RECORDS_WRITTEN: Metric = Metric::count("RecordsWritten");

/// Records that were in the lake already and were found to be equal.
pub const RECORDS_ALREADY_THERE: Metric = Metric::count("RecordsAlreadyThere");

/// How old the oldest record of a batch was, by Kafka's timestamp, when the batch was done with.
pub const RECORD_AGE_MILLISECONDS: Metric = Metric::milliseconds("RecordAgeMilliseconds");

/// Records put into quarantine with their reason.
pub const RECORDS_QUARANTINED: Metric = Metric::count("RecordsQuarantined");

/// Records whose offset had other bytes before: the topic was made again. Those that meet the other in one object are in
/// quarantine; of the rest one for each 10,000 offsets of a partition is counted, and all are in bronze beside the others.
pub const OFFSETS_REUSED: Metric = Metric::count("OffsetsReused");

/// Bronze objects found edited, cut or replaced, or too large to grow; their records are in quarantine.
pub const OBJECTS_DAMAGED: Metric = Metric::count("ObjectsDamaged");

/// Records that are not durable at the end of the invocation; the trigger brings them again.
pub const RECORDS_NOT_DURABLE: Metric = Metric::count("RecordsNotDurable");

/// PUTs sent to the store, whatever came of them.
pub const STORE_PUTS: Metric = Metric::count("StorePuts");

/// GETs sent to the store.
pub const STORE_GETS: Metric = Metric::count("StoreGets");

/// Every one of them.
pub const ALL: [Metric; 9] = [
    RECORDS_WRITTEN,
    RECORDS_ALREADY_THERE,
    RECORD_AGE_MILLISECONDS,
    RECORDS_QUARANTINED,
    OFFSETS_REUSED,
    OBJECTS_DAMAGED,
    RECORDS_NOT_DURABLE,
    STORE_PUTS,
    STORE_GETS,
];
