//! A recording: rows of several symbols on a steady beat, read from CSV and played round and round.

use std::{str::FromStr, time::Duration};

use rust_decimal::Decimal;

use super::{
    MarketError,
    playback::{Position, Times},
};

#[cfg(test)]
mod tests;

/// What is wrong with a recorded row.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RowFault {
    /// The first line is not the expected header.
    #[error("the header is not {expected}")]
    Header {
        /// The columns that belong there.
        expected: String,
    },
    /// The row has too few or too many fields.
    #[error("{found} fields stand where {expected} belong")]
    Fields {
        /// How many belong there.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// A field does not hold what its column should.
    #[error("the {column} is {text:?}, which is not {wanted}")]
    Value {
        /// The column's name.
        column: &'static str,
        /// The field's text.
        text: String,
        /// What belongs there.
        wanted: &'static str,
    },
    /// A price lies outside the row's own low and high, or a first trade after the last one.
    #[error("the {column} lies outside its range in this row")]
    Range {
        /// The column's name.
        column: &'static str,
    },
    /// The row is not where it belongs.
    #[error(
        "the row is out of order: rows go by time, then symbol, with every symbol at every time"
    )]
    Order,
    /// There is nothing to play.
    #[error("the recording ends before its second time")]
    TooShort,
}

/// A row as it stands in a file.
pub(super) struct Stamped<Row> {
    /// In milliseconds since the epoch.
    pub(super) time: i64,
    pub(super) symbol: String,
    pub(super) row: Row,
}

/// Rows by time, then symbol; every symbol has a row at every time, and there are at least two times.
pub(super) struct Recording<Row> {
    symbols: Vec<String>,
    rows: Vec<Row>,
    /// The recorded times, in milliseconds since the epoch.
    times: Vec<i64>,
    /// How long the rows of one time are served at a speed of 1.
    beat: Duration,
}

impl<Row> Recording<Row> {
    /// Reads a CSV text whose header is `columns` and whose further lines are rows in order.
    pub(super) fn read<const N: usize>(
        file: &'static str,
        columns: [&'static str; N],
        beat: Duration,
        text: &str,
        read_row: impl Fn([&str; N]) -> Result<Stamped<Row>, RowFault>,
    ) -> Result<Self, MarketError> {
        let malformed = |line, fault| MarketError::MalformedRow { file, line, fault };
        let mut lines = text.lines();
        let expected = columns.join(",");
        if lines.next() != Some(&*expected) {
            return Err(malformed(1, RowFault::Header { expected }));
        }
        let mut stamped: Vec<Stamped<Row>> = Vec::new();
        for (line, text) in (2..).zip(lines) {
            let row = fields(text)
                .and_then(&read_row)
                .map_err(|fault| malformed(line, fault))?;
            stamped.push(row);
        }
        let symbols = first_symbols(&stamped);
        if let Some(row) = first_out_of_order(&stamped, &symbols) {
            return Err(malformed(row + 2, RowFault::Order));
        }
        if stamped.len() < 2 * symbols.len().max(1) {
            return Err(malformed(stamped.len() + 1, RowFault::TooShort));
        }
        let each = stamped.iter().step_by(symbols.len());
        let times = each.map(|stamped| stamped.time).collect();
        let rows = stamped.into_iter().map(|stamped| stamped.row).collect();
        Ok(Self {
            symbols,
            rows,
            times,
            beat,
        })
    }

    /// The symbols in recorded order.
    pub(super) fn symbols(&self) -> &[String] {
        &self.symbols
    }

    /// The first row of all.
    pub(super) fn first(&self) -> &Row {
        &self.rows[0]
    }

    /// The row of a symbol at a beat, counted round and round.
    pub(super) fn at(&self, symbol: &str, beat: u128) -> Option<&Row> {
        let time = beat % self.times() as u128;
        self.column(symbol)?.nth(time as usize)
    }

    /// Every row of a symbol in recorded order.
    pub(super) fn column(&self, symbol: &str) -> Option<impl Iterator<Item = &Row>> {
        let column = self.symbols.iter().position(|known| known == symbol)?;
        Some(self.rows.iter().skip(column).step_by(self.symbols.len()))
    }

    /// The rows of each time in order.
    pub(super) fn rows_by_time(&self) -> impl Iterator<Item = &[Row]> {
        self.rows.chunks(self.symbols.len())
    }

    /// How many times the recording has.
    pub(super) fn times(&self) -> usize {
        self.times.len()
    }

    /// How many times have passed, rounds and all.
    pub(super) fn beats(&self, position: Position) -> u128 {
        position.beats(self.beat)
    }

    /// The beat that began the round of a beat.
    pub(super) fn round(&self, beat: u128) -> u128 {
        beat - beat % self.times() as u128
    }

    /// The time of a beat in milliseconds since the epoch: when it is played, or as recorded. After a round recorded times
    /// begin again.
    pub(super) fn time(&self, beat: u128, position: Position) -> i64 {
        match position.times {
            Times::Now => position.begin(beat, self.beat),
            Times::Recorded => self.times[(beat % self.times() as u128) as usize],
        }
    }

    /// The first beat later than a time in milliseconds since the epoch; with recorded times, of this round.
    pub(super) fn first_after(&self, time: i64, position: Position) -> u128 {
        match position.times {
            Times::Now => position.first_after(time, self.beat),
            Times::Recorded => {
                let until = self.times.partition_point(|recorded| *recorded <= time);
                self.round(self.beats(position)) + until as u128
            }
        }
    }

    /// Joins every row with the one of its symbol a time earlier; the first time has none and is left out.
    pub(super) fn with_previous<Joined>(
        &self,
        join: impl Fn(&Row, &Row) -> Joined,
    ) -> Recording<Joined> {
        let later = self.rows.iter().skip(self.symbols.len());
        Recording {
            symbols: self.symbols.clone(),
            rows: self
                .rows
                .iter()
                .zip(later)
                .map(|(previous, row)| join(previous, row))
                .collect(),
            times: self.times[1..].to_vec(),
            beat: self.beat,
        }
    }
}

fn fields<const N: usize>(line: &str) -> Result<[&str; N], RowFault> {
    let fields: Vec<&str> = line.split(',').collect();
    let found = fields.len();
    fields
        .try_into()
        .map_err(|_| RowFault::Fields { expected: N, found })
}

fn first_symbols<Row>(rows: &[Stamped<Row>]) -> Vec<String> {
    rows.iter()
        .take_while(|row| row.time == rows[0].time)
        .map(|row| row.symbol.clone())
        .collect()
}

/// The index of the first row that breaks the order; the number of rows where the last time is incomplete.
fn first_out_of_order<Row>(rows: &[Stamped<Row>], symbols: &[String]) -> Option<usize> {
    let names = symbols.iter().cycle();
    let misplaced = rows
        .iter()
        .zip(names)
        .enumerate()
        .position(|(index, (row, name))| {
            let starts_a_time = index % symbols.len() == 0;
            let follows = match index.checked_sub(1).map(|before| &rows[before]) {
                None => true,
                Some(before) if starts_a_time => before.time < row.time,
                Some(before) => before.time == row.time && before.symbol < row.symbol,
            };
            !follows || row.symbol != *name
        });
    let incomplete = || {
        rows.len()
            .checked_rem(symbols.len())
            .is_some_and(|left| left > 0)
    };
    misplaced.or_else(|| incomplete().then_some(rows.len()))
}

/// An integer of a column.
pub(super) fn integer<T: FromStr>(column: &'static str, text: &str) -> Result<T, RowFault> {
    text.parse().map_err(|_| RowFault::Value {
        column,
        text: text.to_owned(),
        wanted: "an integer in range",
    })
}

/// A price or quantity of a column: positive, within 10^15 and with at most 8 decimals, so that neither the product
/// with 100 nor the quotient of two overflows a `Decimal`.
pub(super) fn amount(column: &'static str, text: &str) -> Result<Decimal, RowFault> {
    let limit = Decimal::from(10_u64.pow(15));
    Decimal::from_str_exact(text)
        .ok()
        .filter(|value| *value > Decimal::ZERO && *value <= limit && value.scale() <= 8)
        .ok_or_else(|| RowFault::Value {
            column,
            text: text.to_owned(),
            wanted: "a decimal above 0 and up to 10^15 with at most 8 decimals",
        })
}

/// That a price lies within the row's low and high.
pub(super) fn within(
    column: &'static str,
    price: Decimal,
    low: Decimal,
    high: Decimal,
) -> Result<(), RowFault> {
    if low <= price && price <= high {
        Ok(())
    } else {
        Err(RowFault::Range { column })
    }
}
