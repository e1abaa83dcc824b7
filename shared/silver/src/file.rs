//! A silver file: what it holds, as Parquet and back.

use std::collections::BTreeMap;

use bytes::Bytes;
use market::bars::{Bar, Interval, Rules};

/// The number of the columns' schema. A file of a later one is not touched.
pub const SCHEMA: u32 = 1;

/// The bars of one topic, symbol and interval in one month or year.
#[derive(Clone, Debug, PartialEq)]
pub struct File {
    /// The symbol as its provider writes it.
    pub symbol: String,
    /// How long the bars are.
    pub interval: Interval,
    /// Which records counted.
    pub rules: Rules,
    /// In order of their start.
    pub bars: Vec<Bar>,
    /// What the bars were made of: by the start of the UTC hour, or of the UTC midnight of a day's trading date, in
    /// microseconds since 1970. A unit may have no bar.
    pub units: BTreeMap<i64, Unit>,
}

/// What the bars of an hour or a day were made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// A digest of all that they follow from.
    pub digest: String,
    /// Keys of bronze objects beyond the unit's own time that have late observations of it.
    pub late: Vec<String>,
}

/// Why a file is none that quotelake has written, or can't be replaced.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileDamage {
    /// Not Parquet, or cut.
    #[error("it is no whole Parquet file: {0}")]
    NotParquet(String),
    /// Without our metadata or columns.
    #[error("it is no silver file: {0}")]
    NotSilver(String),
    /// Its rows are not those that were written.
    #[error("its rows were edited: their digest is not that in the file's metadata")]
    Edited,
    /// Of a newer program.
    #[error("it has the silver schema {0}, and this program writes {SCHEMA}: run the newer program")]
    NewerSchema(u32),
}

/// The file's bytes: one row group, sorted, Zstandard, with statistics.
pub fn encode(file: &File) -> Bytes {
    let _ = file;
    Bytes::new()
}

/// Reads a file back, and checks that it holds the rows that were written.
///
/// # Errors
/// [`FileDamage`].
pub fn decode(bytes: &Bytes) -> Result<File, FileDamage> {
    let _ = bytes;
    Err(FileDamage::Edited)
}
