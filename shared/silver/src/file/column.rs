use bytes::Bytes;
use jiff::{Span, civil::Date};
use market::bars::{Amount, Bar};
use parquet::{
    column::{page::PageReader, reader::ColumnReaderImpl, writer::ColumnWriter},
    data_type::{
        BoolType, ByteArray, ByteArrayType, DataType, DoubleType, FixedLenByteArray,
        FixedLenByteArrayType, Int32Type, Int64Type,
    },
    errors::{ParquetError, Result},
    schema::types::ColumnDescPtr,
};

use super::{
    File,
    schema::{Field, Values},
};

/// A column in memory, as Parquet has it.
pub(super) struct Column {
    /// 1 per row with a value, 0 per row without. `None` of a column that always has one.
    levels: Option<Vec<i16>>,
    cells: Cells,
}

/// The values of the rows that have one.
enum Cells {
    Text(Vec<ByteArray>),
    Fixed(Vec<FixedLenByteArray>),
    Long(Vec<i64>),
    Int(Vec<i32>),
    Flag(Vec<bool>),
    Double(Vec<f64>),
}

impl Column {
    /// The column of a file's bars.
    pub(super) fn gather(field: &Field, file: &File) -> Self {
        let bars = &file.bars;
        let mut levels = (!field.required).then(|| Vec::with_capacity(bars.len()));
        let cells = match field.values {
            Values::Text(take, _) => Cells::Text(texts(bars, |bar| take(file, bar), &mut levels)),
            Values::Id(take, _) => {
                let ids = present(bars, take, &mut levels);
                let digits = parts(&ids, |id| hex(id.to_be_bytes()));
                Cells::Text(digits.collect())
            }
            Values::Amount(take, _) => {
                let amounts = present(bars, take, &mut levels);
                let bytes = parts(&amounts, |amount| amount.unscaled().to_be_bytes());
                Cells::Fixed(bytes.map(FixedLenByteArray::from).collect())
            }
            Values::Time(take, _) | Values::Count(take, _) => {
                Cells::Long(present(bars, take, &mut levels))
            }
            Values::Date(take, _) => {
                let dates = present(bars, take, &mut levels);
                Cells::Int(dates.into_iter().map(days).collect())
            }
            Values::Flag(take, _) => Cells::Flag(present(bars, take, &mut levels)),
            Values::Ratio(take) => Cells::Double(present(bars, take, &mut levels)),
        };
        Self { levels, cells }
    }

    /// Puts the values into the bars. False if one is none of the column.
    pub(super) fn scatter(&self, field: &Field, file: &File, bars: &mut [Bar]) -> bool {
        match (&field.values, &self.cells) {
            (Values::Text(_, put), Cells::Text(cells)) => self.each(cells, bars, |bar, cell| {
                let text = cell.map(|cell| str::from_utf8(cell.data()));
                text.transpose().is_ok_and(|text| put(file, bar, text))
            }),
            (Values::Id(_, put), Cells::Text(cells)) => self.each(cells, bars, |bar, cell| {
                let id = cell.map(|cell| unhex(cell.data()).ok_or(())).transpose();
                id.is_ok_and(|id| put(bar, id))
            }),
            (Values::Amount(_, put), Cells::Fixed(cells)) => self.each(cells, bars, |bar, cell| {
                let amount = cell.map(|cell| amount(cell.data()).ok_or(())).transpose();
                amount.is_ok_and(|amount| put(bar, amount))
            }),
            (Values::Time(_, put) | Values::Count(_, put), Cells::Long(cells)) => {
                self.each(cells, bars, |bar, cell| put(bar, cell.copied()))
            }
            (Values::Date(_, put), Cells::Int(cells)) => self.each(cells, bars, |bar, cell| {
                let date = cell.map(|&days| date(days).ok_or(())).transpose();
                date.is_ok_and(|date| put(bar, date))
            }),
            (Values::Flag(_, put), Cells::Flag(cells)) => {
                self.each(cells, bars, |bar, cell| put(bar, cell.copied()))
            }
            // It follows from the others.
            (Values::Ratio(_), Cells::Double(_)) => true,
            _ => false,
        }
    }

    fn each<T>(
        &self,
        cells: &[T],
        bars: &mut [Bar],
        mut put: impl FnMut(&mut Bar, Option<&T>) -> bool,
    ) -> bool {
        let mut cells = cells.iter();
        match &self.levels {
            Some(levels) => bars
                .iter_mut()
                .zip(levels)
                .all(|(bar, &level)| match level {
                    0 => put(bar, None),
                    _ => cells.next().is_some_and(|cell| put(bar, Some(cell))),
                }),
            None => bars
                .iter_mut()
                .zip(cells)
                .all(|(bar, cell)| put(bar, Some(cell))),
        }
    }

    /// Writes it as a chunk.
    pub(super) fn write(&self, chunk: &mut ColumnWriter<'_>) -> Result<()> {
        let levels = self.levels.as_deref();
        match (chunk, &self.cells) {
            (ColumnWriter::ByteArrayColumnWriter(chunk), Cells::Text(cells)) => {
                chunk.write_batch(cells, levels, None)
            }
            (ColumnWriter::FixedLenByteArrayColumnWriter(chunk), Cells::Fixed(cells)) => {
                chunk.write_batch(cells, levels, None)
            }
            (ColumnWriter::Int64ColumnWriter(chunk), Cells::Long(cells)) => {
                chunk.write_batch(cells, levels, None)
            }
            (ColumnWriter::Int32ColumnWriter(chunk), Cells::Int(cells)) => {
                chunk.write_batch(cells, levels, None)
            }
            (ColumnWriter::BoolColumnWriter(chunk), Cells::Flag(cells)) => {
                chunk.write_batch(cells, levels, None)
            }
            (ColumnWriter::DoubleColumnWriter(chunk), Cells::Double(cells)) => {
                chunk.write_batch(cells, levels, None)
            }
            _ => return Err(ParquetError::General("a column of another type".to_owned())),
        }?;
        Ok(())
    }

    /// Reads a chunk.
    pub(super) fn read(
        field: &Field,
        descriptor: ColumnDescPtr,
        pages: Box<dyn PageReader>,
        rows: usize,
    ) -> Result<Self> {
        let mut levels = (!field.required).then(|| Vec::with_capacity(rows));
        let to = &mut levels;
        let cells = match field.values {
            Values::Text(..) | Values::Id(..) => {
                Cells::Text(all::<ByteArrayType>(descriptor, pages, rows, to)?)
            }
            Values::Amount(..) => {
                Cells::Fixed(all::<FixedLenByteArrayType>(descriptor, pages, rows, to)?)
            }
            Values::Time(..) | Values::Count(..) => {
                Cells::Long(all::<Int64Type>(descriptor, pages, rows, to)?)
            }
            Values::Date(..) => Cells::Int(all::<Int32Type>(descriptor, pages, rows, to)?),
            Values::Flag(..) => Cells::Flag(all::<BoolType>(descriptor, pages, rows, to)?),
            Values::Ratio(..) => Cells::Double(all::<DoubleType>(descriptor, pages, rows, to)?),
        };
        Ok(Self { levels, cells })
    }
}

/// The values, and for each row whether there is one.
fn present<T>(bars: &[Bar], take: fn(&Bar) -> Option<T>, levels: &mut Option<Vec<i16>>) -> Vec<T> {
    let mut cells = Vec::with_capacity(bars.len());
    for value in bars.iter().map(take) {
        if let Some(levels) = levels {
            levels.push(i16::from(value.is_some()));
        }
        cells.extend(value);
    }
    cells
}

/// The same of texts: those of neighbours are one in memory.
fn texts<'a>(
    bars: &'a [Bar],
    take: impl Fn(&'a Bar) -> Option<&'a str>,
    levels: &mut Option<Vec<i16>>,
) -> Vec<ByteArray> {
    let mut cells: Vec<ByteArray> = Vec::with_capacity(bars.len());
    for bar in bars {
        let text = take(bar);
        if let Some(levels) = levels {
            levels.push(i16::from(text.is_some()));
        }
        let Some(text) = text else { continue };
        let text = text.as_bytes();
        let cell = match cells.last() {
            Some(last) if last.data() == text => last.clone(),
            _ => ByteArray::from(text.to_vec()),
        };
        cells.push(cell);
    }
    cells
}

/// The bytes of each value, all in one piece of memory.
fn parts<T: Copy, const LENGTH: usize>(
    values: &[T],
    bytes: impl Fn(T) -> [u8; LENGTH],
) -> impl Iterator<Item = ByteArray> {
    let mut all = Vec::with_capacity(values.len() * LENGTH);
    for value in values {
        all.extend_from_slice(&bytes(*value));
    }
    let all = Bytes::from(all);
    let starts = (0..all.len()).step_by(LENGTH);
    starts.map(move |at| ByteArray::from(all.slice(at..at + LENGTH)))
}

/// All values of a chunk.
fn all<T: DataType>(
    descriptor: ColumnDescPtr,
    pages: Box<dyn PageReader>,
    rows: usize,
    levels: &mut Option<Vec<i16>>,
) -> Result<Vec<T::T>> {
    let mut values = Vec::with_capacity(rows);
    let mut reader = ColumnReaderImpl::<T>::new(descriptor, pages);
    let (read, _, _) = reader.read_records(rows, levels.as_mut(), None, &mut values)?;
    if read == rows {
        Ok(values)
    } else {
        Err(ParquetError::EOF(format!("{read} of {rows} rows")))
    }
}

/// Two lower-case hexadecimal digits per byte.
pub(super) fn hex(bytes: [u8; 16]) -> [u8; 32] {
    const DIGITS: [u8; 16] = *b"0123456789abcdef";
    let mut digits = [0; 32];
    for (pair, byte) in digits.chunks_exact_mut(2).zip(bytes) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
    digits
}

fn unhex(digits: &[u8]) -> Option<u128> {
    let digits: &[u8; 32] = digits.try_into().ok()?;
    digits.iter().try_fold(0_u128, |number, digit| {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(number << 4 | u128::from(value))
    })
}

fn amount(bytes: &[u8]) -> Option<Amount> {
    Amount::from_unscaled(i128::from_be_bytes(bytes.try_into().ok()?))
}

const EPOCH: Date = Date::constant(1970, 1, 1);

/// The days from 1970 to a date, of which jiff has no more than seven digits' worth.
fn days(date: Date) -> i32 {
    let hours = date.duration_since(EPOCH).as_hours();
    i32::try_from(hours / 24).unwrap_or(i32::MAX)
}

fn date(days: i32) -> Option<Date> {
    EPOCH.checked_add(Span::new().try_days(days).ok()?).ok()
}
