//! A silver file: what it holds, as Parquet and back.

mod column;
pub mod columns;
mod encoding;
mod footer;
mod metadata;
mod schema;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use market::bars::{Bar, Interval, Rules};
use parquet::{
    errors::ParquetError,
    file::{
        metadata::{PageIndexPolicy, ParquetMetaDataReader},
        serialized_reader::SerializedPageReader,
        writer::SerializedFileWriter,
    },
};

use column::Column;

/// The number of the columns' schema. A file of a later one is not touched.
pub const SCHEMA: u32 = 1;

/// The bars of one topic, symbol and interval in one month or year.
#[derive(Clone, Debug, PartialEq)]
pub struct File {
    /// Its key below the root of silver, so that no file is taken for another.
    pub place: String,
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
    /// The partitions of its objects.
    pub partitions: Vec<i32>,
    /// How many objects there were with a time bucket in the hour or the one before it; 0 of a day.
    pub objects: usize,
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
    /// Not as it was written.
    #[error("it was edited: its digest is not that in its metadata")]
    Edited,
    /// Of a newer program.
    #[error(
        "it has the silver schema {0}, and this program writes {SCHEMA}: run the newer program"
    )]
    NewerSchema(u32),
}

impl From<ParquetError> for FileDamage {
    fn from(error: ParquetError) -> Self {
        Self::NotParquet(error.to_string())
    }
}

/// The file's bytes: one row group (none without bars), sorted, Zstandard where it helps, with statistics.
pub fn encode(file: &File) -> Bytes {
    #[expect(
        clippy::expect_used,
        reason = "a Vec takes all that is written, and the columns are those of the schema"
    )]
    let mut bytes = write(file).expect("Parquet is written to memory");
    footer::put_digest(&mut bytes);
    Bytes::from(bytes)
}

fn write(file: &File) -> Result<Vec<u8>, ParquetError> {
    let (schema, properties) = encoding::writer(file.bars.len());
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, properties)?;
    if !file.bars.is_empty() {
        let mut group = writer.next_row_group()?;
        for field in &schema::COLUMNS {
            let Some(mut chunk) = group.next_column()? else {
                break;
            };
            Column::gather(field, file).write(chunk.untyped())?;
            chunk.close()?;
        }
        group.close()?;
    }
    for pair in metadata::write(file) {
        writer.append_key_value_metadata(pair);
    }
    writer.into_inner()
}

/// Reads the file that belongs to this place below the root of silver, as [`decode`].
pub(crate) fn decode_at(place: &str, bytes: &Bytes) -> Result<File, FileDamage> {
    let file = decode(bytes)?;
    match file.place == place {
        true => Ok(file),
        false => Err(FileDamage::NotSilver(format!(
            "it is the file of {}",
            file.place
        ))),
    }
}

/// Reads a file back, and checks that it is as it was written.
///
/// Bytes that do not have the digest of their writer are not decoded, so they cost neither memory nor a panic.
///
/// # Errors
/// [`FileDamage`].
pub fn decode(bytes: &Bytes) -> Result<File, FileDamage> {
    footer::check(bytes)?;
    let parquet = ParquetMetaDataReader::new()
        .with_page_index_policy(PageIndexPolicy::Skip)
        .parse_and_finish(bytes)?;
    let mut file = metadata::read(&parquet)?;
    let not_silver = |message: String| Err(FileDamage::NotSilver(message));
    let found = parquet.file_metadata().schema_descr().root_schema();
    if found.get_fields() != encoding::writer(0).0.get_fields() {
        return not_silver("it has other columns".to_owned());
    }
    let group = match parquet.row_groups() {
        [] => return Ok(file),
        [group] => group,
        _ => return not_silver("it has several row groups".to_owned()),
    };
    let rows = usize::try_from(group.num_rows()).unwrap_or(0);
    let mut bars = vec![schema::no_bar(); rows];
    let bytes = Arc::new(bytes.clone());
    for (field, chunk) in schema::COLUMNS.iter().zip(group.columns()) {
        let pages = SerializedPageReader::new(Arc::clone(&bytes), chunk, rows, None)?;
        let column = Column::read(field, chunk.column_descr_ptr(), Box::new(pages), rows)?;
        if !column.scatter(field, &file, &mut bars) {
            return not_silver(format!(
                "its column {} has a value that is none of it",
                field.name
            ));
        }
    }
    file.bars = bars;
    Ok(file)
}
