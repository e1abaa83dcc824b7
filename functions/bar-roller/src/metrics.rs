//! The metrics that the roller emits.

use runtime::metrics::Metric;

/// Symbols whose bars are what bronze says, written or unchanged.
pub const SYMBOLS_ROLLED: Metric = Metric::count("SymbolsRolled");

/// Symbols that there was no time for; the next run takes them up.
pub const SYMBOLS_LEFT: Metric = Metric::count("SymbolsLeft");

/// Symbols whose bars could not be made: the store refused, or a silver file is none of ours.
pub const SYMBOLS_FAILED: Metric = Metric::count("SymbolsFailed");

/// Minute bars in the hours that were made again.
pub const BARS_WRITTEN: Metric = Metric::count("BarsWritten");

/// Files that were written.
pub const SILVER_FILES: Metric = Metric::count("SilverFiles");

/// Late observations in the hours that were made again. One is counted again each time that its hour is.
pub const LATE_RECORDS: Metric = Metric::count("LateRecords");

/// Records that count in no bar, in what was read.
pub const RECORDS_ASIDE: Metric = Metric::count("RecordsAside");

/// Bronze objects that can't be read, so that the bars of their hours are not complete.
pub const INPUTS_DAMAGED: Metric = Metric::count("InputsDamaged");

/// How long ago the newest bar ended; 0 for one that is open.
pub const NEWEST_BAR_AGE_SECONDS: Metric = Metric::seconds("NewestBarAgeSeconds");

/// Every one of them.
pub const ALL: [Metric; 9] = [
    SYMBOLS_ROLLED,
    SYMBOLS_LEFT,
    SYMBOLS_FAILED,
    BARS_WRITTEN,
    SILVER_FILES,
    LATE_RECORDS,
    RECORDS_ASIDE,
    INPUTS_DAMAGED,
    NEWEST_BAR_AGE_SECONDS,
];
